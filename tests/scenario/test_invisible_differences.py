"""invisible_differences.py: Lines that differ and look the same."""

from __future__ import annotations

import pytest

from pyx.scenario.invisible_differences import look_alike, with_escapes, without_controls


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
def test_differences_that_cannot_be_seen(one: str, other: str) -> None:
    assert look_alike(one, other)
    assert look_alike(other, one)


@pytest.mark.parametrize(("one", "other"), [("a", "b"), ("a", "a"), ("", "-"), ("caf\u00e9", "cafes")])
def test_differences_that_can_be_seen(one: str, other: str) -> None:
    assert not look_alike(one, other)


def test_escapes_show_such_characters() -> None:
    assert with_escapes("caf\u00e9\t\u200b \\x") == r"caf\xe9\t\u200b \x"


def test_a_terminal_obeys_nothing() -> None:
    assert without_controls("\x1b[2J\u00e9\ta\x9b") == "\\x1b[2J\u00e9\ta\\x9b"
