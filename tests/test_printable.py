"""printable.py: Text of other nodes and programs, made safe for a terminal or a log."""

from __future__ import annotations

from typing import Any

import pytest

from pyx.printable import filter_foreign, on_one_line, repr_within, short_repr


class TestForeignText:
    @pytest.mark.parametrize("text", ["plain\n", "\x1b[1;31mred\x1b[0m\n", "a\tb\n", "ümläut 日本\n"])
    def test_colours_tabs_and_newlines_are_kept(self, text: str) -> None:
        assert filter_foreign(text) == text

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("\x1b]0;title\x07", "^[]0;title^G"),
            ("\x1b[2J", "^[[2J"),
            ("a\rb", "a^Mb"),
            ("a\r\nb\n", "a\nb\n"),
            ("\x08\x7f\x00", "^H^?^@"),
            ("\x9b2J", "\\x9b2J"),
            ("\u202egnp", "\\u202egnp"),
        ],
    )
    def test_other_control_characters_become_visible(self, text: str, shown: str) -> None:
        assert filter_foreign(text) == shown

    def test_colour_left_on_is_reset(self) -> None:
        assert filter_foreign("\x1b[31mred\n") == "\x1b[31mred\x1b[0m\n"


class Odd:
    """An object whose repr is counted."""

    made = 0

    def __repr__(self) -> str:
        type(self).made += 1
        return "Odd()"


def nested(depth: int) -> list[Any]:
    outer: list[Any] = []
    for _ in range(depth):
        outer = [outer]
    return outer


CYCLE: list[Any] = [1]
CYCLE.append({"self": CYCLE})


class TestReprWithin:
    @pytest.mark.parametrize(
        "value",
        [
            *(None, True, 1, 1.5, "it's", b"x", [], (), {}, set(), frozenset(), range(3), Odd(), int),
            *([1, "a"], (1,), (1, 2), {"a": [1, {2}]}, {(1, "b"): None}, frozenset({1}), CYCLE),
            {"nike": {"sizes": (41, 42), "tags": {"new"}}, "puma": [b"\x00", Odd()]},
        ],
        ids=repr,
    )
    def test_short_repr_is_that_of_python(self, value: object) -> None:
        assert repr_within(value, 400) == repr(value)

    def test_long_repr_is_cut(self) -> None:
        assert repr_within(list(range(1000)), 12) == "[0, 1, 2, 3,"
        assert repr_within("x" * 1000, 5) == "'xxxx"
        assert repr_within(nested(100_000), 5) == "[[[[["

    def test_no_more_is_made_than_is_shown(self) -> None:
        Odd.made = 0
        repr_within([Odd()] * 1_000_000, 40)
        assert Odd.made < 10


class TestTextOnOneLine:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("too long", "too long"),
            ("größe 日本", "größe 日本"),
            ("x\n[error] forged", "x\\n[error] forged"),
            ("x\x85y\u2028z", "x\\x85y\\u2028z"),
            ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
            ("\udc80", "\\udc80"),
        ],
    )
    def test_line_ends_and_control_characters_are_escaped(self, text: str, shown: str) -> None:
        assert on_one_line(text, 100) == shown

    def test_long_text_is_cut(self) -> None:
        assert on_one_line("x" * 1000, 10) == "x" * 10


class TestShortRepr:
    def test_scalar_is_its_repr_in_40_characters(self) -> None:
        assert short_repr("stock") == "'stock'"
        assert short_repr(None) == "None"
        assert short_repr("x" * 100) == "'" + "x" * 36 + "..."

    def test_other_value_is_its_class(self) -> None:
        class Hostile:
            def __repr__(self) -> str:
                raise AssertionError

        assert short_repr(Hostile()) == "<Hostile>"
        assert short_repr([1]) == "<list>"
        assert short_repr(1 << 20_000) == "<int>"
