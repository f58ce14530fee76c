"""signals.py: The signals are plain values, and `wire` has a kind of frame for each."""

from __future__ import annotations

import inspect
from typing import Any, get_args, get_type_hints

import pytest

from pyx import signals
from pyx.signals import Payload, Send, Signal, SplitBytes, Tick
from pyx.terms import Incarnation, Pid
from pyx.wire.frames.layout import KINDS


def kinds() -> list[Any]:
    return list(get_args(Signal))


def test_every_signal_is_in_the_union() -> None:
    defined = {
        name
        for name, one in vars(signals).items()
        if inspect.isclass(one) and issubclass(one, tuple) and one.__module__ == signals.__name__
    }
    assert defined - {kind.__name__ for kind in kinds()} == {"Payload"}


def test_every_signal_has_a_docstring() -> None:
    assert all(kind.__doc__ and not kind.__doc__.startswith(kind.__name__ + "(") for kind in kinds())


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_fields_of_one_meaning_have_one_name(kind: Any) -> None:
    """`frm` acts, `to` is acted on; a number identifies a request or an unlink; payloads are encoded."""
    hints = get_type_hints(kind)
    for field, types in {"frm": (Pid, Pid | None), "number": (int,), "leader": (Pid,)}.items():
        if field in hints:
            assert hints[field] in types
    assert hints.get("payload", Payload) in {Payload, Payload | str}


def test_every_signal_has_a_kind_of_frame() -> None:
    assert {*KINDS, Tick} == set(kinds())
    numbers = list(KINDS.values())
    assert len(set(numbers)) == len(numbers)


def test_signals_are_values() -> None:
    assert Send(Pid(1), "stock", "x") == Send(Pid(1), "stock", "x")
    assert Tick() == Tick()
    assert len({Send(Pid(1), "stock", "x"), Send(Pid(1), "stock", "x")}) == 1


def test_payload_belongs_to_this_node_by_default() -> None:
    assert Payload(b"x").origin is None
    assert Payload(b"x", Incarnation("b@vm", 1)).origin == Incarnation("b@vm", 1)


def test_split_bytes_are_equal_to_the_same_bytes() -> None:
    split = SplitBytes(b"a", b"bc")
    assert (len(split), bytes(split)) == (3, b"abc")
    assert split == b"abc"
    assert split == SplitBytes(b"a", b"bc")
    assert split != b"abcd"
    assert split != "abc"
    assert {split: 1}[SplitBytes(b"a", b"bc")] == 1
