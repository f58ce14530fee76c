"""head_limits.py: Nothing that a user writes makes a signal that ends the session of its node."""

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
from tests.wire.talk import ALIAS, BOB, ENCODED, GUS, MINE, REF, TABLE, THEIRS, streams, transmitted

if TYPE_CHECKING:
    from pyx.signals import Signal

LONG = "ä" * 300_000
NAMES = tuple(f"node{number}@vm" for number in range(3000))


def heard(signal: Signal) -> Any:
    """What bob hears of it; the session goes on."""
    gus, bob = streams()
    signals = bob.receive_data(transmitted(gus, [signal, Ping(7)]))
    assert gus.unwritten() == []
    signals.remove(Ping(7))  # which may pass a large one
    (read,) = signals
    return read


@pytest.mark.parametrize(
    "signal", [Send(MINE, LONG, ENCODED), Monitor(MINE, LONG, REF), Demonitor(MINE, LONG, REF)]
)
def test_a_name_that_is_too_long_for_a_process_is_none(signal: Signal) -> None:
    assert LONG[: LONGEST_WORD + 1] in heard(signal)


@pytest.mark.parametrize(
    "signal",
    [
        ExitSignal(MINE, THEIRS, LONG),
        ExitTo(MINE, THEIRS, LONG),
        Down(THEIRS, ALIAS, MINE, LONG, MINE),
        Answer(8, "exit", LONG),
    ],
)
def test_a_long_reason_arrives_whole(signal: Signal) -> None:
    (payload,) = [field for field in heard(signal) if type(field) is Payload]
    assert decode(payload, BOB) == LONG


def test_what_is_for_a_reader_is_cut() -> None:
    assert heard(Print(MINE, THEIRS, LONG))[2] == LONG[:LONGEST_TEXT]
    assert heard(Crashed(MINE, THEIRS, LONG))[2] == LONG[:LONGEST_TEXT]
    assert heard(Dropped(MINE, LONG))[1] == LONG[:1000]
    assert heard(Answer(8, "refused", LONG))[2] == LONG[:LONGEST_WORD]
    assert heard(Ask(MINE, 8, LONG, ENCODED))[2] == LONG[:LONGEST_WORD]


def test_of_many_nodes_the_first_are_named() -> None:
    assert heard(Nodes(NAMES)) == Nodes(NAMES[:MOST_NODES])


def test_what_fits_stays_as_it_is() -> None:
    for written, read in TABLE:
        if type(written) is not Send:  # a name of 256 characters stands among these
            assert heard(written) == read


@pytest.mark.parametrize(
    "signal",
    [
        Send(MINE, Pid(2**64, 0, *BOB), ENCODED), Send(MINE, Ref(2**64, *BOB), ENCODED),
        Monitor(MINE, Pid(1, 2**32, *BOB), REF), Monitor(MINE, Pid(-1, 0, *BOB), REF),
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_one_costs_its_signal_alone(signal: Signal) -> None:
    gus, bob = streams()
    assert bob.receive_data(transmitted(gus, [Ping(1), signal, Ping(2)])) == [Ping(1), Ping(2)]
    (sentence,) = gus.unwritten()
    assert "cannot be an address: its numbers are too large, or below 0" in sentence
    assert GUS.name not in sentence
