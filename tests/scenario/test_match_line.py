"""match_line.py: an expected line is compared with an actual one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyx.scenario.bindings import Bindings, NodeView
from pyx.scenario.characters import as_seen
from pyx.scenario.match_line import expected_line, match_line, protected
from pyx.terms import Incarnation

VIEW = NodeView(Incarnation("a@vm", 1), {1: Incarnation("b@vm", 2), 2: Incarnation("c@vm", 3)})


def fits(written: str, shown: str, names: Bindings | None = None) -> bool:
    return match_line(expected_line(written), shown, names or Bindings(), VIEW)


class TestLines:
    def test_text_matches_but_for_blanks_at_the_end(self) -> None:
        assert fits("hello", "hello  ")
        assert not fits("hello", "hello!")
        assert not fits("  hello", "hello")

    def test_pids_match_up_to_the_bindings(self) -> None:
        names = Bindings()
        assert fits("#PID<0.3.0> checked <9.1.0>", "#PID<0.8.0> checked <1.4.0>", names)
        assert not fits("#PID<0.3.0>", "#PID<0.9.0>", names)
        assert fits("#PID<0.3.0>", "#PID<0.8.0>", names)

    def test_wildcard_matches_any_text_inside_a_line(self) -> None:
        assert fits("took [..] s", "took 0.25 s")
        assert fits("[..]Error:[..]", "TypeError: ")
        assert not fits("took [..] s", "took 0.25 ms")

    def test_wildcard_finds_a_bound_pid(self) -> None:
        names = Bindings()
        assert fits("<0.2.0>", "<0.7.0>", names)
        assert fits("[..] <0.2.0>[..]", "x <0.6.0> <0.7.0> <0.8.0>", names)

    def test_ellipsis_inside_a_line_is_text(self) -> None:
        assert fits("[1, ...]", "[1, ...]")
        assert not fits("[1, ...]", "[1, 2]")

    def test_suffixes_make_expressions_and_globs(self) -> None:
        assert fits(r"pid \d+ (re)", "pid 4242")
        assert not fits(r"pid \d+ (re)", "pid 4242!")
        assert fits("*.py? (glob)", "(x).pyc")
        assert not fits("*.py? (glob)", "x.py")

    def test_backslash_makes_a_line_plain_text(self) -> None:
        assert fits("\\", "")
        assert fits("\\...", "...")
        assert fits("\\took [..] s", "took [..] s")
        assert not fits("\\took [..] s", "took 1 s")
        assert fits("\\x (re)", "x (re)")
        assert fits("\\\\x", "\\x")

    @pytest.mark.parametrize(
        "shown",
        [
            "",
            "...",
            "  ...",
            "a [..] b",
            "x (re)",
            "x (glob)",
            "\\x",
            "$ 5",
            "pyx(a@vm)1> 1",
            "...(1)> x",
            "```",
            "   ````",
            "~~~",
        ],
    )
    def test_line_that_would_be_misread_is_protected(self, shown: str) -> None:
        written = protected(shown)
        assert written == "\\" + shown
        assert fits(written, shown)

    @pytest.mark.parametrize(
        ("shown", "written"),
        [
            ("a\x07", r"a\x07 (esc)"),
            ("\udc80", r"\udc80 (esc)"),
            ("\\ \x07", r"\\ \x07 (esc)"),
            ("$ \x07 [..]", r"\x24 \x07 [..] (esc)"),
            ("x (esc)", "x (esc) (esc)"),
            ("$ x (esc)", r"\x24 x (esc) (esc)"),
        ],
    )
    def test_line_that_a_file_does_not_keep_is_escaped(self, shown: str, written: str) -> None:
        assert protected(shown) == written
        assert fits(written, shown)

    def test_escaped_line_is_compared_as_a_terminal_shows_it(self) -> None:
        assert fits(r"\r10%\r\x1b[31m100%\x1b[0m (esc)", "100%")

    @given(st.text(st.characters(exclude_characters="\n")))
    def test_protected_line_matches_the_line_it_was_made_of(self, shown: str) -> None:
        assert fits(protected(as_seen(shown)), as_seen(shown))

    def test_plain_line_is_not_protected(self) -> None:
        assert protected("#PID<0.1.0>") == "#PID<0.1.0>"
        assert protected("plain") == "plain"
