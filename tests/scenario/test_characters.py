"""characters.py: lines as a terminal shows them, and their escapes in a file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyx.scenario.characters import (
    as_seen,
    escaped,
    look_alike,
    needs_escapes,
    unescaped,
    with_escapes,
    without_controls,
)


@pytest.mark.parametrize(
    ("shown", "seen"),
    [
        ("plain\ttab", "plain\ttab"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\r10%\r100%", "100%"),
        ("abcdef\rxy", "xycdef"),
        ("ends\r", "ends"),
        ("50%\x1b[K\r\x1b[2Kdone", "done"),
        ("abc\b\bX", "aXc"),
        ("\bX", "X"),
        ("abcdef\b\b\x1b[Kx", "abcdx"),
        ("abcdef\b\b\x1b[1K", "    ef"),
        ("\x1b]0;title\x07", "\x1b]0;title\x07"),
    ],
)
def test_line_is_seen_as_a_terminal_shows_it_in_the_end(shown: str, seen: str) -> None:
    assert as_seen(shown) == seen
    assert as_seen(seen) == seen


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("\x07ring", r"\x07ring (esc)"),
        ("a\\b\x1b[5n", r"a\\b\x1b[5n (esc)"),
        ("\udc80 \u202e \ufeff", r"\udc80 \u202e \ufeff (esc)"),
        ("é 𝄞 \t", "é 𝄞 \t (esc)"),
    ],
)
def test_control_characters_are_escaped_and_come_back(text: str, written: str) -> None:
    assert escaped(text) == written
    assert unescaped(written) == text


def test_first_character_is_escaped_on_request() -> None:
    assert escaped("$ \x07", first=True) == r"\x24 \x07 (esc)"


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (r"\r\t\a\b\f\v\\ (esc)", "\r\t\a\b\f\v\\"),
        (r"\d \x4 \u12 (esc)", r"\d \x4 \u12"),
        (r"\U0001f600 (esc)", "😀"),
    ],
)
def test_other_escapes_of_python_are_read(written: str, text: str) -> None:
    assert unescaped(written) == text


@given(st.text(st.sampled_from("ab \x1b[0mK\r\b")))
def test_as_seen_is_idempotent(text: str) -> None:
    assert as_seen(as_seen(text)) == as_seen(text)


@given(st.text(st.characters(exclude_characters="\n")), st.booleans())
def test_escaped_text_comes_back(text: str, first: bool) -> None:
    written = escaped(text, first=first)
    assert not needs_escapes(written)
    assert unescaped(written) == text
    written.encode()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("caf\u00e9", "cafe\u0301"),
        ("12\u00a0000", "12 000"),
        ("a\tb", "a       b"),
        ("ab", "a\u200bb"),
        ("ab", "a\u202eb"),
        ("a", "\x1b\x07a"),
        ("\ufb01n", "fin"),
    ],
)
def test_texts_with_invisible_differences_look_alike(one: str, other: str) -> None:
    assert look_alike(one, other)
    assert look_alike(other, one)


@pytest.mark.parametrize(("one", "other"), [("a", "b"), ("a", "a"), ("", "-"), ("caf\u00e9", "cafes")])
def test_texts_with_visible_differences_do_not_look_alike(one: str, other: str) -> None:
    assert not look_alike(one, other)


def test_with_escapes_shows_invisible_characters() -> None:
    assert with_escapes("caf\u00e9\t\u200b \\x") == r"caf\xe9\t\u200b \x"


def test_without_controls_leaves_nothing_that_a_terminal_obeys() -> None:
    assert without_controls("\x1b[2J\u00e9\ta\x9b") == "\\x1b[2J\u00e9\ta\\x9b"
