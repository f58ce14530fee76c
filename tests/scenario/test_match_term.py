"""match_term.py: terms of iex are compared without their line breaks."""

from __future__ import annotations

import pytest

from pyx.scenario.bindings import Bindings, NodeView
from pyx.scenario.match_block import match_block
from pyx.scenario.match_term import is_balanced
from pyx.scenario.output_units import EVAL, OutputUnit
from pyx.terms import Incarnation

VIEW = NodeView(Incarnation("a@vm", 1), {})


def outcome(written: str, shown: str) -> str:
    unit = OutputUnit(EVAL, "term", tuple(shown.split("\n")))
    return match_block(written.split("\n"), [unit], Bindings(), VIEW).outcome


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("{:a, {:b, 1}}", "{:a,\n {:b, 1}}"),
        ("{:a,\n {:b, 1}}", "{:a, {:b, 1}}"),
        ("{#PID<0.5.0>,\n #Reference<0.1.2.3>}", "{#PID<0.112.0>, #Reference<0.77.8.9>}"),
        ('%{"a b" => [\n  1\n]}', '%{"a b" => [1]}'),
        ("{:undef, [..],\n 1}", "{:undef, [1, 2],\n  1}"),
    ],
)
def test_line_breaks_do_not_matter(written: str, shown: str) -> None:
    assert outcome(written, shown) == "matched"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ('{:a, "b c"}', '{:a,\n "bc"}'),
        ("{:a, 1}", "{:a,\n 2}"),
        ("{#PID<0.5.0>, #PID<0.5.0>}", "{#PID<0.112.0>,\n #PID<0.113.0>}"),
        ("{:a, :b}", "{:b,\n :a}"),
    ],
)
def test_all_else_does(written: str, shown: str) -> None:
    assert outcome(written, shown) == "mismatch"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("{1, [2]}", True), ("{1,", False), ('{"}"', False), ('{"}"}', True), ("{'}", False), ('"\\""', True)],
)
def test_brackets_in_quotation_marks_are_text(text: str, expected: bool) -> None:
    assert is_balanced(text) == expected
