"""match_unordered.py: `# unordered`: the lines of a block in any order."""

from __future__ import annotations

from pyx.scenario.bindings import Bindings, NodeView
from pyx.scenario.match_block import BlockMatch, match_block
from pyx.scenario.output_units import EVAL, OutputUnit
from pyx.terms import Incarnation

VIEW = NodeView(Incarnation("a@vm", 1), {})


def shown(source: str, text: str) -> OutputUnit:
    return OutputUnit(source, "print", tuple(text.split("\n")))


def match(block: str, *units: OutputUnit, unordered: bool = True) -> BlockMatch:
    return match_block(block.split("\n"), units, Bindings(), VIEW, unordered=unordered)


class TestUnordered:
    def test_the_order_is_free_within_a_source_too(self) -> None:
        units = [shown(EVAL, text) for text in ("1", "2", "3")]
        assert match("3\n1\n2", *units, unordered=True).outcome == "matched"
        assert match("3\n1", *units, unordered=True).outcome == "mismatch"
        assert match("3\n1\n...", *units, unordered=True).outcome == "matched"

    def test_what_is_left_waits(self) -> None:
        report = shown("log", "a\nb\nc")
        found = match("c\na", report, unordered=True)
        assert found == BlockMatch("matched", (shown("log", "b"),))

    def test_what_is_missing_may_still_come(self) -> None:
        assert match("2\n1", shown("log", "1"), unordered=True).outcome == "open"

    def test_a_line_that_may_be_several_leaves_to_the_others_what_only_they_can_be(self) -> None:
        units = [shown(EVAL, text) for text in ("ab", "a", "c")]
        assert match("[..]\na[..]\nab", *units).outcome == "matched"
        assert match("[..]\na[..]\na[..]", *units).outcome == "matched"
        assert match("a[..]\na[..]\na[..]", *units).outcome == "mismatch"

    def test_a_line_of_the_evaluation_goes_before_an_equal_one_of_others(self) -> None:
        assert match("a", shown("log", "a"), shown(EVAL, "a")) == BlockMatch("matched", (shown("log", "a"),))

    def test_ten_thousand_lines(self) -> None:
        lines = [f"line {number}" for number in range(10_000)]
        units = [shown(EVAL, line) for line in lines]
        assert match("\n".join(reversed(lines)), *units).outcome == "matched"
        assert match("\n".join([*lines[1:], "other"]), *units).outcome == "mismatch"
        pids = [f"<0.{number}.0>" for number in range(1_000)]
        assert match("\n".join(reversed(pids)), *[shown(EVAL, pid) for pid in pids]).outcome == "matched"

    def test_what_fits_in_too_many_ways_does_not_match(self) -> None:
        units = [shown(EVAL, f"{number}") for number in range(30)]
        assert match("\n".join(["[..]"] * 29 + ["x[..]"]), *units).outcome == "mismatch"
