"""scripted_stdin.py: Lines that are typed before they are asked for."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

from pyx.shell.scripted_stdin import ScriptedStdin

if TYPE_CHECKING:
    import pytest


def test_input_reads_them_and_they_are_shown_as_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = ScriptedStdin(io.StringIO("what else there is\n"))
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stdin", answers)
    monkeypatch.setattr(sys, "stdout", shown)
    answers.lay_out(["gus", ""])
    assert [input("Name: "), input(), input("More: ")] == ["gus", "", "what else there is"]
    assert shown.getvalue() == "Name: gus\n\nMore: "


def test_those_that_were_not_read_are_gone_with_the_next() -> None:
    answers = ScriptedStdin(io.StringIO())
    answers.lay_out(["gus"])
    answers.lay_out([])
    assert list(answers) == []
