"""crash_reports.py, planned_ends.py, server_replies.py: what the log says about a server that ended."""

from __future__ import annotations

from typing import Any

import pytest

from pyx.otp.crash_reports import LONGEST_REPR, crash_text, cut_repr, described
from pyx.otp.planned_ends import is_planned
from pyx.terms import Pid, Ref

CALLER = (Pid(1), Ref(1))
ELSEWHERE = (Pid(1, 0, "a@vm", 7), Ref(1, "a@vm", 7))


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (("$gen_call", CALLER, ("get", 1)), "call ('get', 1) from #PID<0.1.0>"),
        (("$gen_call", ELSEWHERE, "get"), f"call 'get' from {ELSEWHERE[0]} on a@vm"),
        (("$gen_cast", "clear"), "cast 'clear'"),
        (("DOWN", 1), "('DOWN', 1)"),
        (None, "none"),
    ],
)
def test_message_is_described(message: Any, words: str) -> None:
    assert described(message) == words


@pytest.mark.parametrize("reason", ["normal", "shutdown", ("shutdown", {"any": 1})])
def test_planned_reasons_are_not_reported(reason: Any) -> None:
    assert is_planned(reason)


@pytest.mark.parametrize("reason", ["killed", ("shutdown",), ["shutdown", 1], 7, None])
def test_other_reasons_are_reported(reason: Any) -> None:
    assert not is_planned(reason)


def test_long_state_is_cut_and_stays_on_its_line() -> None:
    text = crash_text(None, "why", None, {"key": "x\n" * 1000})
    assert text.startswith("reason: 'why'\nlast message: none\nstate: {'key': 'x\\nx")
    assert len(text.splitlines()) == 3
    assert len(text) < LONGEST_REPR + 60


def test_repr_that_raises_is_replaced() -> None:
    class Odd:
        def __repr__(self) -> str:
            raise ValueError("no")

    assert cut_repr(Odd()) == "<Odd object whose repr cannot be made>"
