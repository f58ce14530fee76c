"""match_block.py: a block is compared with several sources."""

from __future__ import annotations

from pyx.scenario.bindings import Bindings, NodeView
from pyx.scenario.match_block import BlockMatch, match_block
from pyx.scenario.output_units import EVAL, OutputUnit
from pyx.terms import Incarnation

VIEW = NodeView(Incarnation("a@vm", 1), {})


def shown(source: str, text: str, kind: str = "print") -> OutputUnit:
    return OutputUnit(source, kind, tuple(text.split("\n")))


def echo(text: str) -> OutputUnit:
    return shown(EVAL, text, "echo")


def match(
    block: str, *units: OutputUnit, names: Bindings | None = None, unordered: bool = False
) -> BlockMatch:
    lines = block.split("\n") if block else []
    return match_block(lines, units, names or Bindings(), VIEW, unordered=unordered)


class TestEvaluation:
    def test_block_with_all_output_matches(self) -> None:
        assert match("1\n2", shown(EVAL, "1"), echo("2")).outcome == "matched"

    def test_wrong_line_is_a_mismatch(self) -> None:
        assert match("'pong'", echo("'pang'")).outcome == "mismatch"

    def test_extra_line_of_the_evaluation_is_a_mismatch(self) -> None:
        assert match("1", shown(EVAL, "1"), echo("2")).outcome == "mismatch"

    def test_order_of_the_evaluation_is_fixed(self) -> None:
        assert match("2\n1", shown(EVAL, "1"), echo("2")).outcome == "mismatch"

    def test_missing_line_may_still_come(self) -> None:
        assert match("1\n2", echo("1")).outcome == "open"
        assert match("1\n2").outcome == "open"

    def test_empty_block_asserts_silence_of_the_evaluation(self) -> None:
        assert match("").outcome == "matched"
        assert match("", echo("1")).outcome == "mismatch"

    def test_echo_matches_with_other_line_breaks(self) -> None:
        assert (
            match("x\n[1, 2]\ny", shown(EVAL, "x"), echo("[1,\n 2]"), shown("<0.2.0>", "y")).outcome
            == "matched"
        )

    def test_print_is_compared_as_text(self) -> None:
        assert match("[1, 2]", shown(EVAL, "[1,\n 2]")).outcome == "mismatch"

    def test_ellipsis_matches_the_frames_of_a_traceback(self) -> None:
        text = 'Traceback (most recent call last):\n  File "<pyx 1>", line 1, in f\n    1 / 0\nE: no'
        block = "Traceback (most recent call last):\n...\nE: no"
        assert match(block, shown(EVAL, text, "error")).outcome == "matched"
        assert match(block.replace("no", "NO"), shown(EVAL, text, "error")).outcome != "matched"


class TestOtherSources:
    def test_order_between_sources_is_free(self) -> None:
        one, two = shown("<0.2.0>", "from a process"), echo("'hi'")
        for block in ("from a process\n'hi'", "'hi'\nfrom a process"):
            assert match(block, one, two).outcome == "matched"
            assert match(block, two, one).outcome == "matched"

    def test_order_within_a_source_is_fixed(self) -> None:
        one, two = shown("<0.2.0>", "one"), shown("<0.2.0>", "two")
        assert match("one\ntwo", one, two).outcome == "matched"
        assert match("two\none", one, two).outcome == "open"  # and so it stays until the time is out

    def test_lines_of_a_unit_stay_together(self) -> None:
        report = shown("<0.2.0>", "[error] Process\n  crashed")
        other = shown("<0.3.0>", "tick")
        assert match("tick\n[error] Process\n  crashed", report, other).outcome == "matched"
        assert match("[error] Process\ntick\n  crashed", report, other).outcome == "open"

    def test_unit_that_the_block_does_not_name_stays_unclaimed(self) -> None:
        one, two, late = shown("<0.2.0>", "one"), shown("<0.2.0>", "two"), shown("log", "[warning] x")
        found = match("one\n'hi'", one, two, late, echo("'hi'"))
        assert found == BlockMatch("matched", (two, late))

    def test_second_unit_of_a_source_waits_for_the_first(self) -> None:
        assert match("two", shown("<0.2.0>", "one"), shown("<0.2.0>", "two")).outcome == "open"

    def test_equal_lines_are_taken_from_the_source_that_fits(self) -> None:
        units = (shown("<0.2.0>", "go"), shown("<0.3.0>", "go"), shown("<0.3.0>", "stop"))
        assert match("go\nstop", *units) == BlockMatch("matched", (units[0],))


class TestEllipsis:
    def test_ellipsis_alone_matches_any_number_of_lines(self) -> None:
        units = [shown(EVAL, text) for text in ("1", "2", "3", "4")]
        assert match("1\n...\n4", *units).outcome == "matched"
        assert match("...\n4", *units).outcome == "matched"
        assert match("1\n...", *units).outcome == "matched"
        assert match("1\n...\n3", *units).outcome == "open"  # a later 3 may come from elsewhere

    def test_ellipsis_at_the_end_takes_all_that_is_left(self) -> None:
        assert match("...", shown("log", "noise"), echo("1")) == BlockMatch("matched", ())

    def test_ellipsis_may_end_inside_a_unit(self) -> None:
        units = (shown(EVAL, "1\nx\n2"), shown(EVAL, "3"))
        assert match("1\n...\n...\n2", *units).outcome == "open"


class TestBindings:
    def test_match_binds_and_mismatch_does_not(self) -> None:
        names = Bindings()
        assert match("#PID<0.1.0>\n2", echo("#PID<0.7.0>"), names=names).outcome == "open"
        assert (
            match("#PID<0.1.0>\n'x'", echo("#PID<0.8.0>"), shown("<0.2.0>", "'x'"), names=names).outcome
            == "matched"
        )
        assert match("#PID<0.1.0>", echo("#PID<0.7.0>"), names=names).outcome == "mismatch"

    def test_wrong_binding_is_rolled_back(self) -> None:
        names = Bindings()
        assert match("#PID<0.5.0>", echo("#PID<0.55.0>"), names=names).outcome == "matched"
        units = (shown("<0.2.0>", "<0.99.0> asks"), shown("<0.3.0>", "<0.55.0> asks"))
        assert match("<0.5.0> asks\n<0.6.0> asks", *units, names=names).outcome == "matched"


class TestCost:
    """Blocks on which a search with full backtracking never ends, and a recursive one overflows."""

    def test_ten_thousand_lines_of_one_unit_are_compared(self) -> None:
        lines = [f"line {number}" for number in range(10_000)]
        assert match("\n".join(lines), shown(EVAL, "\n".join(lines))).outcome == "matched"
        assert match("\n".join([*lines[:-1], "other"]), shown(EVAL, "\n".join(lines))).outcome == "mismatch"

    def test_ten_thousand_units_of_one_line_are_compared(self) -> None:
        lines = [f"line {number}" for number in range(10_000)]
        units = [shown(EVAL, line) for line in lines]
        assert match("\n".join(lines), *units).outcome == "matched"
        assert match("\n".join([*lines[:5000], "other", *lines[5001:]]), *units).outcome == "mismatch"

    def test_block_of_thousands_of_ellipses_is_compared(self) -> None:
        lines = [f"line {number}" for number in range(10_000)]
        block = "\n...\n".join(f"line {number}" for number in range(0, 10_000, 3))
        assert match(block, shown(EVAL, "\n".join(lines))).outcome == "matched"
        assert match(block, *[shown(EVAL, line) for line in lines]).outcome == "matched"
        assert match(block + "\nother", shown(EVAL, "\n".join(lines))).outcome == "open"
        block = "\n".join(["..."] * 2_000 + ["other"])
        assert match(block, shown(EVAL, "\n".join(lines))).outcome == "open"

    def test_long_echo_is_compared(self) -> None:
        numbers = list(range(5_000))
        assert match(repr(numbers), echo(repr(numbers).replace(", ", ",\n "))).outcome == "matched"
        assert match("\n".join(map(str, numbers)), echo(repr(numbers))).outcome == "mismatch"

    def test_pids_in_thousands_of_lines_are_compared(self) -> None:
        written = [f"#PID<0.{number}.0> began" for number in range(3_000)]
        units = [shown(f"<0.{number}.0>", f"#PID<0.{number}.0> began") for number in range(9_000, 12_000)]
        assert match("\n".join(written), *units[:100]).outcome == "open"
        assert match("\n".join(written[:1000]), shown(EVAL, "\n".join(written[:1000]))).outcome == "matched"
