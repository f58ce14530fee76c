"""writer.py: One signal becomes a head and a payload: the short forms of a message, and the long one of all
else.
"""

from __future__ import annotations

import pytest

from pyx.signals import Payload, Ping, Send, Signal, Tick
from pyx.terms import Ref
from pyx.wire.frames.layout import HEADER, KINDS, TO_ALIAS, TO_NAME, TO_PID
from pyx.wire.frames.reader import Reader
from pyx.wire.frames.writer import Writer
from tests.wire.talk import ALIAS, BOB, CAT, ENCODED, GUS, MINE, OTHER, TABLE, THEIRS


@pytest.mark.parametrize(
    ("signal", "size"),
    [
        (Send(MINE, THEIRS, ENCODED), TO_PID.size),
        (Send(None, THEIRS, ENCODED), TO_PID.size),
        (Send(MINE, "stock", ENCODED), TO_NAME.size + 5),
        (Send(MINE, ALIAS, ENCODED), TO_ALIAS.size),
    ],
)
def test_a_message_has_a_short_head(signal: Signal, size: int) -> None:
    head, payload = Writer(GUS, BOB).write(signal)
    assert len(head) == size
    assert payload is ENCODED.data


@pytest.mark.parametrize(
    "signal",
    [
        Send(OTHER, THEIRS, ENCODED),
        Send(MINE, OTHER, ENCODED),
        Send(MINE, "n" * 256, ENCODED),
        Send(MINE, Ref(3, *CAT), ENCODED),
        Send(MINE, THEIRS, Payload(b"sealed elsewhere", CAT)),
    ],
)
def test_a_message_that_the_short_heads_cannot_say_has_the_long_one(signal: Signal) -> None:
    head, _ = Writer(GUS, BOB).write(signal)
    kind, length = HEADER.unpack_from(head)
    assert kind == KINDS[Send]
    assert len(head) == HEADER.size + length


def test_the_same_two_processes_have_the_same_head() -> None:
    writer = Writer(GUS, BOB)
    first, _ = writer.write(Send(MINE, THEIRS, ENCODED))
    assert writer.write(Send(MINE, THEIRS, Payload(b"next")))[0] is first
    assert writer.write(Send(MINE, "stock", ENCODED))[0] != first
    assert writer.write(Send(MINE, THEIRS, ENCODED))[0] == first


def test_a_tick_says_nothing() -> None:
    assert Writer(GUS, BOB).write(Tick()) == (b"", b"")


def test_what_holds_no_payload_has_none() -> None:
    assert Writer(GUS, BOB).write(Ping(1))[1] == b""


@pytest.mark.parametrize(("written", "read"), TABLE)
def test_what_was_written_can_be_read(written: Signal, read: Signal) -> None:
    head, payload = Writer(GUS, BOB).write(written)
    assert Reader(BOB, GUS).read(head + payload) == read
