"""layout.py: The table of kinds knows every signal, and tells them apart."""

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


def test_every_signal_has_a_kind_but_the_tick() -> None:
    assert set(KINDS) == {*get_args(signals.Signal)} - {Tick}


def test_no_two_frames_have_the_same_kind() -> None:
    kinds = [*KINDS.values(), SEND_PID, SEND_NAME, SEND_ALIAS, FIRST_FRAGMENT, LATER_FRAGMENT]
    assert len(set(kinds)) == len(kinds)
    assert all(0 < kind < 256 for kind in kinds)


def test_the_types_of_the_fields_are_those_of_the_signals() -> None:
    assert SIGNALS[KINDS[signals.ExitSignal]][1] == (
        frozenset({Pid}),
        frozenset({Pid}),
        frozenset({str, Payload}),
    )
    assert SIGNALS[KINDS[Send]][1][2] == frozenset({Payload})  # whatever the body is at home
