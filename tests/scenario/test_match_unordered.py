"""match_unordered.py: the lines of a block with `# unordered`."""

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
    def test_order_within_a_source_is_free(self) -> None:
        units = [shown(EVAL, text) for text in ("1", "2", "3")]
        assert match("3\n1\n2", *units, unordered=True).outcome == "matched"
        assert match("3\n1", *units, unordered=True).outcome == "mismatch"
        assert match("3\n1\n...", *units, unordered=True).outcome == "matched"

    def test_remainder_of_a_unit_stays_unclaimed(self) -> None:
        report = shown("log", "a\nb\nc")
        found = match("c\na", report, unordered=True)
        assert found == BlockMatch("matched", (shown("log", "b"),))

    def test_missing_line_may_still_come(self) -> None:
        assert match("2\n1", shown("log", "1"), unordered=True).outcome == "open"

    def test_wildcard_line_leaves_to_others_the_lines_only_they_match(self) -> None:
        units = [shown(EVAL, text) for text in ("ab", "a", "c")]
        assert match("[..]\na[..]\nab", *units).outcome == "matched"
        assert match("[..]\na[..]\na[..]", *units).outcome == "matched"
        assert match("a[..]\na[..]\na[..]", *units).outcome == "mismatch"

    def test_line_of_the_evaluation_is_taken_before_an_equal_one(self) -> None:
        assert match("a", shown("log", "a"), shown(EVAL, "a")) == BlockMatch("matched", (shown("log", "a"),))

    def test_ten_thousand_lines_are_compared(self) -> None:
        lines = [f"line {number}" for number in range(10_000)]
        units = [shown(EVAL, line) for line in lines]
        assert match("\n".join(reversed(lines)), *units).outcome == "matched"
        assert match("\n".join([*lines[1:], "other"]), *units).outcome == "mismatch"
        pids = [f"<0.{number}.0>" for number in range(1_000)]
        assert match("\n".join(reversed(pids)), *[shown(EVAL, pid) for pid in pids]).outcome == "matched"

    def test_block_with_too_many_ways_to_match_is_a_mismatch(self) -> None:
        units = [shown(EVAL, f"{number}") for number in range(30)]
        assert match("\n".join(["[..]"] * 29 + ["x[..]"]), *units).outcome == "mismatch"
