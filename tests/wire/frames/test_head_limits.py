"""head_limits.py: Long texts of a user are shortened, so that no signal ends the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pyx.signals import (
    LONGEST_TEXT,
    MOST_NODES,
    Answer,
    Ask,
    Crashed,
    Demonitor,
    Down,
    Dropped,
    ExitSignal,
    ExitTo,
    Monitor,
    Nodes,
    Payload,
    Ping,
    Print,
    Send,
)
from pyx.terms import LONGEST_WORD, Pid, Ref
from pyx.wire.codec import decode
from tests.wire.samples import ALIAS, BOB, ENCODED, GUS, MINE, REF, TABLE, THEIRS, streams, transmitted

if TYPE_CHECKING:
    from pyx.signals import Signal

LONG = "ä" * 300_000
NAMES = tuple(f"node{number}@vm" for number in range(3000))


def received(signal: Signal) -> Any:
    """The signal as bob reads it; the connection goes on."""
    gus, bob = streams()
    signals = bob.receive_data(transmitted(gus, [signal, Ping(7)]))
    assert gus.unwritten() == []
    signals.remove(Ping(7))  # which may overtake a large one
    (read,) = signals
    return read


@pytest.mark.parametrize(
    "signal", [Send(MINE, LONG, ENCODED), Monitor(MINE, LONG, REF), Demonitor(MINE, LONG, REF)]
)
def test_too_long_name_stays_longer_than_any_registered_name(signal: Signal) -> None:
    assert LONG[: LONGEST_WORD + 1] in received(signal)


@pytest.mark.parametrize(
    "signal",
    [
        ExitSignal(MINE, THEIRS, LONG),
        ExitTo(MINE, THEIRS, LONG),
        Down(THEIRS, ALIAS, MINE, LONG, MINE),
        Answer(8, "exit", LONG),
    ],
)
def test_long_exit_reason_arrives_whole(signal: Signal) -> None:
    (payload,) = [field for field in received(signal) if type(field) is Payload]
    assert decode(payload, BOB) == LONG


def test_long_text_is_cut() -> None:
    assert received(Print(MINE, THEIRS, LONG))[2] == LONG[:LONGEST_TEXT]
    assert received(Crashed(MINE, THEIRS, LONG))[2] == LONG[:LONGEST_TEXT]
    assert received(Dropped(MINE, LONG))[1] == LONG[:1000]
    assert received(Answer(8, "refused", LONG))[2] == LONG[:LONGEST_WORD]
    assert received(Ask(MINE, 8, LONG, ENCODED))[2] == LONG[:LONGEST_WORD]


def test_long_list_of_nodes_is_cut() -> None:
    assert received(Nodes(NAMES)) == Nodes(NAMES[:MOST_NODES])


def test_signal_within_the_limits_is_unchanged() -> None:
    for written, read in TABLE:
        if type(written) is not Send:  # the table has one to a name of 256 characters
            assert received(written) == read


@pytest.mark.parametrize(
    "signal",
    [
        Send(MINE, Pid(2**64, 0, *BOB), ENCODED), Send(MINE, Ref(2**160, *BOB), ENCODED),
        Monitor(MINE, Pid(1, 2**32, *BOB), REF), Monitor(MINE, Pid(-1, 0, *BOB), REF),
    ],
)  # fmt: skip
def test_signal_with_an_invalid_address_is_left_out_alone(signal: Signal) -> None:
    gus, bob = streams()
    assert bob.receive_data(transmitted(gus, [Ping(1), signal, Ping(2)])) == [Ping(1), Ping(2)]
    (sentence,) = gus.unwritten()
    assert "cannot be an address: its numbers are too large, or below 0" in sentence
    assert GUS.name not in sentence
