"""mailbox.py: order and numbers of messages, seen by the owner and by other threads."""

from __future__ import annotations

from collections import deque

from pyx.core.mailbox import NOT_DECODED, Mailbox


def delivered(*items: object) -> Mailbox:
    mailbox = Mailbox()
    for item in items:
        mailbox.deliver(item)
    return mailbox


def kept(mailbox: Mailbox) -> list[object]:
    return [entry.item for entry in mailbox.kept]


def test_messages_keep_their_order_of_arrival() -> None:
    mailbox = delivered("a", "b")
    mailbox.refill()
    mailbox.deliver("c")
    mailbox.refill()
    assert kept(mailbox) == ["a", "b", "c"]
    assert [entry.number for entry in mailbox.kept] == [0, 1, 2]


def test_messages_not_taken_stay_in_order() -> None:
    mailbox = delivered("a", "b", "c")
    mailbox.refill()
    assert mailbox.take(1).item == "b"
    assert kept(mailbox) == ["a", "c"]
    assert mailbox.take(0).item == "a"
    assert len(mailbox) == 1


def test_entry_keeps_its_decoded_value() -> None:
    mailbox = delivered("sealed")
    mailbox.refill()
    entry = next(iter(mailbox.kept))
    assert entry.value is NOT_DECODED
    entry.value = "open"
    assert mailbox.take(0).value == "open"


def test_length_and_snapshot_include_incoming_and_kept() -> None:
    mailbox = delivered("a", "b")
    mailbox.refill()
    mailbox.deliver("c")
    assert len(mailbox) == 3
    assert mailbox.snapshot() == ["a", "b", "c"]


def test_snapshot_shows_a_message_once_while_its_owner_moves_it() -> None:
    mailbox = delivered("same", "same")
    incoming = mailbox.incoming
    assert isinstance(incoming, deque)
    first = incoming[0]
    mailbox.refill()
    incoming.appendleft(first)  # as if the owner had stopped between its two operations
    assert mailbox.snapshot() == ["same", "same"]


def test_search_starts_at_a_mark() -> None:
    mailbox = delivered("old", "older")
    mark = mailbox.mark()
    mailbox.refill()
    assert mailbox.first_index_from(mark) == 2
    mailbox.deliver("new")
    mailbox.refill()
    assert mailbox.first_index_from(mark) == 2
    mailbox.take(0)
    assert mailbox.first_index_from(mark) == 1
    assert mailbox.first_index_from(0) == 0
    assert Mailbox().first_index_from(7) == 0


def test_discard_removes_entries_from_incoming_and_kept() -> None:
    mailbox = delivered(1, 2)
    mailbox.refill()
    mailbox.deliver(1)
    mailbox.deliver(3)
    mailbox.discard(lambda item: item == 1)
    assert mailbox.snapshot() == [2, 3]
    mailbox.deliver(4)
    assert mailbox.snapshot() == [2, 3, 4]
