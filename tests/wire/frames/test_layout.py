"""layout.py: The table of kinds has every signal once."""

from __future__ import annotations

from typing import get_args

from pyx import signals
from pyx.signals import Payload, Send, Tick
from pyx.terms import Pid
from pyx.wire.frames.layout import (
    FIRST_FRAGMENT,
    KINDS,
    LATER_FRAGMENT,
    SEND_ALIAS,
    SEND_NAME,
    SEND_PID,
    SIGNALS,
)


def test_every_signal_but_the_tick_has_a_kind() -> None:
    assert set(KINDS) == {*get_args(signals.Signal)} - {Tick}


def test_kinds_of_frames_are_unique() -> None:
    kinds = [*KINDS.values(), SEND_PID, SEND_NAME, SEND_ALIAS, FIRST_FRAGMENT, LATER_FRAGMENT]
    assert len(set(kinds)) == len(kinds)
    assert all(0 < kind < 256 for kind in kinds)


def test_types_of_fields_are_read_from_the_signals() -> None:
    assert SIGNALS[KINDS[signals.ExitSignal]][1] == (
        frozenset({Pid}),
        frozenset({Pid}),
        frozenset({str, Payload}),
    )
    assert SIGNALS[KINDS[Send]][1][2] == frozenset({Payload})  # inside a node it may be any value
