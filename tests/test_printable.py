"""printable.py: Text of other nodes and programs, made safe for a terminal or a log."""

from __future__ import annotations

import pytest

from pyx.printable import filter_foreign, on_one_line, short_repr


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
