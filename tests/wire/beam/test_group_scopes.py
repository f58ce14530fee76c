"""group_scopes.py: what two nodes tell each other of their groups, as OTP's pg does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pyx.atoms import Atom
from pyx.signals import Discover, Held, Let, Payload, Ping, Pong, Send, Signal, Tick
from pyx.terms import Pid, Ref
from pyx.wire.beam import control as op
from pyx.wire.codec import encode, encode_key
from pyx.wire.messages.encode import DEFAULT_MAX_BYTES
from tests.wire.beam.recorded import GUS, A
from tests.wire.beam.test_session import Connection

if TYPE_CHECKING:
    from collections.abc import Sequence

SEEN = Pid(0, 1, *GUS)
"""The same, as a@vm does."""
THEIRS = Pid(200, 0, *A)
"""The scope of a@vm."""
THERE = Pid(200)
"""The same, as a@vm reads it."""
ANN, BOB = Pid(201, 0, *A), Pid(202, 0, *A)
OWN = Pid(101)
OWN_SEEN = Pid(101, 0, *GUS)
EMPTY = Payload(b"")


def key(group: Any) -> bytes:
    return encode_key(group, max_bytes=DEFAULT_MAX_BYTES)


def held(number: int, group: Any, pid: Pid = OWN, value: Payload = EMPTY, space: str = "pg chat") -> Held:
    return Held(pid, number, space, key(group), value)


class Scopes(Connection):
    """A connection on which this node has the scope `chat`, and has asked for it."""

    def __init__(self) -> None:
        super().__init__()
        assert self.says(Discover("pg chat")) == (
            (op.REG_SEND, SEEN, "", "chat"), (Atom("discover"), SEEN),
        )  # fmt: skip

    def scope_says(self, message: Any) -> list[Signal]:
        """The signals of a message of their scope to the one here."""
        return self.hears(op.SEND_SENDER, THEIRS, SEEN, message=message)

    def answers(self, *signals: Signal) -> Any:
        """What the kernel's answers to the questions among signals become."""
        return self.says(*(Pong(one.number) for one in signals if type(one) is Ping))

    def has_met(self, *groups: tuple[Any, list[Pid]]) -> list[Signal]:
        """Their scope answers and asks in turn, as OTP's does; returns what of it is about members."""
        signals = self.scope_says((Atom("$gen_cast"), (Atom("sync"), THEIRS, list(groups))))
        monitor, _ = self.answers(signals[0])
        assert monitor[:3] == (op.MONITOR_P, SEEN, THERE)
        self.monitor = Ref(monitor[3].number, *GUS)
        assert self.answers(*self.scope_says((Atom("discover"), THEIRS)))[1][0] == "$gen_cast"
        return signals[1:]


def changes(signals: Sequence[Signal]) -> list[tuple[Any, ...]]:
    """("join", pid, key) or ("leave", pid, numbers) of each signal."""
    return [
        ("join", one.frm, one.key) if type(one) is Held else ("leave", one.frm, one.numbers)  # type: ignore[union-attr]
        for one in signals
    ]


def test_scope_is_asked_for_until_it_has_answered() -> None:
    chat = Scopes()
    assert chat.says(Discover("pg chat"))[1][0] == "discover"
    chat.has_met()
    assert chat.writes(Discover("pg chat")) == chat.writes(Tick())


def test_space_of_a_registry_is_not_told() -> None:
    chat = Scopes()
    for signal in (Discover("registry r"), held(1, "k", space="registry r"), Let(OWN, (1,))):
        assert chat.writes(signal) == chat.writes(Tick())


def test_members_there_are_those_of_a_sync_and_of_what_follows() -> None:
    chat = Scopes()
    met = chat.has_met((Atom("room"), [ANN, ANN]), ("hall", [BOB]))
    assert changes(met) == [
        ("join", ANN, key("room")),
        ("join", ANN, key("room")),
        ("join", BOB, key("hall")),
    ]
    assert changes(chat.scope_says((Atom("join"), THEIRS, (Atom("room"), 1), [ANN, BOB]))) == [
        ("join", ANN, key(("room", 1))), ("join", BOB, key(("room", 1))),
    ]  # fmt: skip
    left = chat.scope_says((Atom("leave"), THEIRS, ANN, [Atom("room"), (Atom("room"), 1), Atom("other")]))
    assert changes(left) == [("leave", ANN, (2,)), ("leave", ANN, (4,))]


def test_second_sync_is_told_by_what_differs() -> None:
    chat = Scopes()
    chat.has_met((Atom("room"), [ANN, BOB]))
    again = chat.scope_says(
        (Atom("$gen_cast"), (Atom("sync"), THEIRS, [(Atom("room"), [BOB, BOB]), (Atom("hall"), [ANN])]))
    )
    assert changes(again) == [
        ("leave", ANN, (1,)), ("join", BOB, key("room")), ("join", ANN, key("hall")),
    ]  # fmt: skip


def test_members_here_are_told_once_the_scope_there_knows_this_one() -> None:
    chat = Scopes()
    assert chat.writes(held(1, "room", value=Payload(encode(Atom("room"))))) == chat.writes(Tick())
    chat.scope_says((Atom("$gen_cast"), (Atom("sync"), THEIRS, [])))
    signals = chat.scope_says((Atom("discover"), THEIRS))
    control, message = chat.answers(*signals)
    assert control == (op.SEND_SENDER, SEEN, THERE)
    assert message == ("$gen_cast", ("sync", SEEN, [("room", [OWN_SEEN])]))
    assert type(message[1][2][0][0]) is Atom
    assert chat.says(held(2, "hall"))[1] == ("join", SEEN, "hall", OWN_SEEN)
    assert chat.writes(held(2, "hall")) == chat.writes(Tick())  # a new value
    assert chat.says(Let(OWN, (1, 2, 9)))[1] == ("leave", SEEN, OWN_SEEN, ["room", "hall"])


def test_long_sync_leaves_in_pieces_that_keep_their_order() -> None:
    chat = Scopes()
    for number in range(1, 1001):
        chat.writes(held(number, f"group {number} " + 50 * "x"))
    chat.scope_says((Atom("$gen_cast"), (Atom("sync"), THEIRS, [])))
    (sync, *joins) = [message for _, message in chat.answers(*chat.scope_says((Atom("discover"), THEIRS)))]
    told = [group for group, _ in sync[1][2]] + [join[2] for join in joins]
    assert len(told) == len(set(told)) == 1000
    assert joins


def test_end_of_the_scope_there_takes_its_members_and_it_is_asked_for_again() -> None:
    chat = Scopes()
    chat.has_met((Atom("room"), [ANN, BOB]))
    down = chat.hears(op.MONITOR_P_EXIT, THEIRS, SEEN, chat.monitor, Atom("shutdown"))
    assert changes(down) == [("leave", ANN, (1,)), ("leave", BOB, (2,))]
    assert chat.says(Discover("pg chat"))[1][0] == "discover"


def test_new_scope_there_replaces_the_old_one() -> None:
    chat = Scopes()
    chat.has_met((Atom("room"), [ANN]))
    new = Pid(300, 0, *A)
    signals = chat.scope_says((Atom("discover"), new))
    assert changes(signals[:1]) == [("leave", ANN, (1,))]
    assert chat.scope_says((Atom("join"), THEIRS, Atom("room"), ANN)) == []  # of the old one
    assert chat.hears(op.MONITOR_P_EXIT, THEIRS, SEEN, chat.monitor, Atom("shutdown")) == []
    assert changes(chat.scope_says((Atom("join"), new, Atom("room"), ANN))) == [("join", ANN, key("room"))]


def test_monitor_of_a_scope_here_is_for_the_connection() -> None:
    chat = Scopes()
    assert chat.hears(op.MONITOR_P, THEIRS, SEEN, Ref(9, *A)) == []


@pytest.mark.parametrize(
    "message",
    [
        (Atom("discover"), Pid(1, 0, "c@vm", 3)),
        (Atom("$gen_cast"), (Atom("sync"), Pid(1, 0, "c@vm", 3), [])),
        (Atom("$gen_cast"), (Atom("sync"), THEIRS, Atom("no"))),
        (Atom("join"), BOB, Atom("room"), ANN),
        (Atom("join"), THEIRS, Atom("room"), [Pid(1, 0, "c@vm", 3), OWN_SEEN, 7, None]),
        (Atom("join"), THEIRS, [1, 2], ANN),
        (Atom("join"), THEIRS, 5000 * "x", ANN),
        (Atom("leave"), THEIRS, [7, ANN, OWN_SEEN], [Atom("no"), [1]]),
        (Atom("leave"), THEIRS, ANN, Atom("room")),
        Atom("hello"),
        7,
    ],
)
def test_message_that_means_nothing_changes_nothing(message: Any) -> None:
    chat = Scopes()
    chat.has_met()
    assert chat.scope_says(message) == []


def test_sync_with_nonsense_in_it_adds_the_rest() -> None:
    chat = Scopes()
    met = chat.has_met((Atom("room"), [ANN, 7, Pid(1, 0, "c@vm", 3)]), ([1], [ANN]), 7)  # type: ignore[arg-type, list-item]
    assert changes(met) == [("join", ANN, key("room"))]


def test_other_message_to_the_name_of_a_scope_is_for_its_process() -> None:
    chat = Scopes()
    signal = chat.hears(op.REG_SEND, ANN, Atom(""), Atom("chat"), message=(Atom("hello"), 1))
    assert [type(one) for one in signal] == [Send]
