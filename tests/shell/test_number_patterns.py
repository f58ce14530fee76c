"""number_patterns.py: Which input waits for a number, and that this is said."""

from __future__ import annotations

from queue import SimpleQueue

import pytest

from pyx.shell import number_patterns
from pyx.shell.number_patterns import number_pattern, said_while_waiting


@pytest.mark.parametrize(
    ("source", "number"),
    [
        ("receive(0)", "0"),
        ("x = receive(0.5)", "0.5"),
        ("print(1); receive(5)", "5"),
        ("receive()", None),
        ("receive(0, timeout=1)", None),
        ("receive(0, 1)", None),
        ("receive(True)", None),
        ("receive('0')", None),
        ("receive(timeout=0)", None),
        ("receive(0); 1", None),
        ("receive(0", None),
    ],
)
def test_number_alone_is_a_pattern_that_may_be_meant_as_a_time_limit(source: str, number: str | None) -> None:
    assert number_pattern(source) == number


def test_wait_for_a_number_is_explained_while_it_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(number_patterns, "SECONDS", 0)
    said: SimpleQueue[str] = SimpleQueue()
    with said_while_waiting("receive(0)", said.put):
        text = said.get(timeout=60)
    assert text == "waiting for the message 0; a time limit goes by name: receive(timeout=0)\n"


def test_nothing_is_said_once_the_input_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(number_patterns, "SECONDS", 3600)
    said: SimpleQueue[str] = SimpleQueue()
    with said_while_waiting("receive(0)", said.put), said_while_waiting("receive()", said.put):
        pass
    assert said.empty()
