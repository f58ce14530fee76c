"""wildcards.py: `[..]`, `*` and `?` are matched in linear time."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from pyx.scenario.bindings import Bindings, NodeView
from pyx.scenario.wildcards import match_any, match_glob
from pyx.terms import Incarnation

VIEW = NodeView(Incarnation("a@vm", 1), {1: Incarnation("b@vm", 2)})


def fits(text: str, shown: str, names: Bindings | None = None) -> bool:
    return match_any(text, shown, names or Bindings(), VIEW)


class TestAnyText:
    @given(st.lists(st.text("ab", max_size=3), min_size=2, max_size=5), st.text("ab", max_size=12))
    def test_any_text_matches_like_a_regular_expression(self, pieces: list[str], shown: str) -> None:
        assert fits("[..]".join(pieces), shown) == bool(re.fullmatch(".*".join(pieces), shown))

    def test_any_text_may_be_empty(self) -> None:
        assert fits("a[..]b", "ab")
        assert not fits("a[..]a", "a")

    def test_pid_between_wildcards_is_bound_where_the_line_matches(self) -> None:
        names = Bindings()
        assert fits("[..]<0.2.0> left[..]", "<0.7.0> came, <0.8.0> left, <0.9.0> came", names)
        assert fits("<0.2.0>[..]", "<0.8.0> again", names)
        assert not fits("[..]<0.2.0>[..]", "<0.7.0> again", names)

    def test_pid_that_occurs_twice_is_found(self) -> None:
        assert fits("[..]<0.2.0>[..] and <0.2.0>", "<0.6.0> <0.7.0> <0.8.0> and <0.7.0>")
        assert not fits("[..]<0.2.0>[..] and <0.2.0>", "<0.6.0> <0.8.0> and <0.7.0>")

    def test_hundred_wildcards_in_a_long_line_are_matched(self) -> None:
        assert fits("a[..]" * 100 + "b", "a" * 10_000 + "b")
        assert not fits("a[..]" * 100 + "b", "a" * 10_000)
        many = " ".join(f"<0.{number}.0>" for number in range(100))
        assert not fits("[..]".join(f"<0.{number}.0>" for number in range(30)) + "[..]x", many)


class TestGlobs:
    @given(st.text("ab*?", max_size=8), st.text("ab", max_size=12))
    def test_glob_matches_like_a_regular_expression(self, pattern: str, shown: str) -> None:
        expression = "".join({"*": ".*", "?": "."}.get(char, char) for char in pattern)
        assert match_glob(pattern, shown) == bool(re.fullmatch(expression, shown))

    def test_hundred_stars_in_a_long_line_are_matched(self) -> None:
        assert not match_glob("*a" * 100 + "*b", "a" * 10_000)
