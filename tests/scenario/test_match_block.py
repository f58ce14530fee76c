"""match_block.py: a block against several sources."""

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


class TestTheEvaluation:
    def test_what_it_showed_is_there_and_complete(self) -> None:
        assert match("1\n2", shown(EVAL, "1"), echo("2")).outcome == "matched"

    def test_a_wrong_line_fails_at_once(self) -> None:
        assert match("'pong'", echo("'pang'")).outcome == "mismatch"

    def test_an_extra_line_fails_at_once(self) -> None:
        assert match("1", shown(EVAL, "1"), echo("2")).outcome == "mismatch"

    def test_its_order_is_fixed(self) -> None:
        assert match("2\n1", shown(EVAL, "1"), echo("2")).outcome == "mismatch"

    def test_what_is_missing_may_still_come_from_elsewhere(self) -> None:
        assert match("1\n2", echo("1")).outcome == "open"
        assert match("1\n2").outcome == "open"

    def test_nothing_below_asserts_its_silence(self) -> None:
        assert match("").outcome == "matched"
        assert match("", echo("1")).outcome == "mismatch"

    def test_an_echo_is_one_unit_whatever_its_wrapping(self) -> None:
        assert (
            match("x\n[1, 2]\ny", shown(EVAL, "x"), echo("[1,\n 2]"), shown("<0.2.0>", "y")).outcome
            == "matched"
        )

    def test_a_print_is_text(self) -> None:
        assert match("[1, 2]", shown(EVAL, "[1,\n 2]")).outcome == "mismatch"

    def test_a_traceback_is_its_header_and_its_last_line(self) -> None:
        text = 'Traceback (most recent call last):\n  File "<pyx 1>", line 1, in f\n    1 / 0\nE: no'
        block = "Traceback (most recent call last):\n...\nE: no"
        assert match(block, shown(EVAL, text, "error")).outcome == "matched"
        assert match(block.replace("no", "NO"), shown(EVAL, text, "error")).outcome != "matched"


class TestOtherSources:
    def test_between_sources_the_order_is_free(self) -> None:
        one, two = shown("<0.2.0>", "from a process"), echo("'hi'")
        for block in ("from a process\n'hi'", "'hi'\nfrom a process"):
            assert match(block, one, two).outcome == "matched"
            assert match(block, two, one).outcome == "matched"

    def test_within_a_source_it_is_fixed(self) -> None:
        one, two = shown("<0.2.0>", "one"), shown("<0.2.0>", "two")
        assert match("one\ntwo", one, two).outcome == "matched"
        assert match("two\none", one, two).outcome == "open"  # and so it stays until the time is out

    def test_lines_of_a_unit_stay_together(self) -> None:
        report = shown("<0.2.0>", "[error] Process\n  crashed")
        other = shown("<0.3.0>", "tick")
        assert match("tick\n[error] Process\n  crashed", report, other).outcome == "matched"
        assert match("[error] Process\ntick\n  crashed", report, other).outcome == "open"

    def test_what_is_not_named_waits_for_a_later_block(self) -> None:
        one, two, late = shown("<0.2.0>", "one"), shown("<0.2.0>", "two"), shown("log", "[warning] x")
        found = match("one\n'hi'", one, two, late, echo("'hi'"))
        assert found == BlockMatch("matched", (two, late))

    def test_nothing_is_taken_out_of_turn(self) -> None:
        assert match("two", shown("<0.2.0>", "one"), shown("<0.2.0>", "two")).outcome == "open"

    def test_equal_texts_find_the_source_that_fits(self) -> None:
        units = (shown("<0.2.0>", "go"), shown("<0.3.0>", "go"), shown("<0.3.0>", "stop"))
        assert match("go\nstop", *units) == BlockMatch("matched", (units[0],))


class TestEllipsis:
    def test_alone_on_a_line_it_is_any_number_of_lines(self) -> None:
        units = [shown(EVAL, text) for text in ("1", "2", "3", "4")]
        assert match("1\n...\n4", *units).outcome == "matched"
        assert match("...\n4", *units).outcome == "matched"
        assert match("1\n...", *units).outcome == "matched"
        assert match("1\n...\n3", *units).outcome == "open"  # a later 3 may come from elsewhere

    def test_at_the_end_it_takes_whatever_is_there(self) -> None:
        assert match("...", shown("log", "noise"), echo("1")) == BlockMatch("matched", ())

    def test_a_unit_may_end_before_it_would_without_one(self) -> None:
        units = (shown(EVAL, "1\nx\n2"), shown(EVAL, "3"))
        assert match("1\n...\n...\n2", *units).outcome == "open"


class TestBindings:
    def test_a_match_binds_and_a_mismatch_does_not(self) -> None:
        names = Bindings()
        assert match("#PID<0.1.0>\n2", echo("#PID<0.7.0>"), names=names).outcome == "open"
        assert (
            match("#PID<0.1.0>\n'x'", echo("#PID<0.8.0>"), shown("<0.2.0>", "'x'"), names=names).outcome
            == "matched"
        )
        assert match("#PID<0.1.0>", echo("#PID<0.7.0>"), names=names).outcome == "mismatch"

    def test_a_wrong_guess_is_taken_back(self) -> None:
        names = Bindings()
        assert match("#PID<0.5.0>", echo("#PID<0.55.0>"), names=names).outcome == "matched"
        units = (shown("<0.2.0>", "<0.99.0> asks"), shown("<0.3.0>", "<0.55.0> asks"))
        assert match("<0.5.0> asks\n<0.6.0> asks", *units, names=names).outcome == "matched"


class TestCost:
    """What would take ages in a search that goes back over everything, or a stack as deep as it is long."""

    def test_ten_thousand_lines_of_one_unit(self) -> None:
        lines = [f"line {number}" for number in range(10_000)]
        assert match("\n".join(lines), shown(EVAL, "\n".join(lines))).outcome == "matched"
        assert match("\n".join([*lines[:-1], "other"]), shown(EVAL, "\n".join(lines))).outcome == "mismatch"

    def test_ten_thousand_units_of_one_line(self) -> None:
        lines = [f"line {number}" for number in range(10_000)]
        units = [shown(EVAL, line) for line in lines]
        assert match("\n".join(lines), *units).outcome == "matched"
        assert match("\n".join([*lines[:5000], "other", *lines[5001:]]), *units).outcome == "mismatch"

    def test_a_block_of_thousands_of_ellipses(self) -> None:
        lines = [f"line {number}" for number in range(10_000)]
        block = "\n...\n".join(f"line {number}" for number in range(0, 10_000, 3))
        assert match(block, shown(EVAL, "\n".join(lines))).outcome == "matched"
        assert match(block, *[shown(EVAL, line) for line in lines]).outcome == "matched"
        assert match(block + "\nother", shown(EVAL, "\n".join(lines))).outcome == "open"
        block = "\n".join(["..."] * 2_000 + ["other"])
        assert match(block, shown(EVAL, "\n".join(lines))).outcome == "open"

    def test_a_long_echo(self) -> None:
        numbers = list(range(5_000))
        assert match(repr(numbers), echo(repr(numbers).replace(", ", ",\n "))).outcome == "matched"
        assert match("\n".join(map(str, numbers)), echo(repr(numbers))).outcome == "mismatch"

    def test_pids_in_thousands_of_lines(self) -> None:
        written = [f"#PID<0.{number}.0> began" for number in range(3_000)]
        units = [shown(f"<0.{number}.0>", f"#PID<0.{number}.0> began") for number in range(9_000, 12_000)]
        assert match("\n".join(written), *units[:100]).outcome == "open"
        assert match("\n".join(written[:1000]), shown(EVAL, "\n".join(written[:1000]))).outcome == "matched"
