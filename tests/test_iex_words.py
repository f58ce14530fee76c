"""The table of IEx's and OTP's words: each word of pyx in it exists, and says what it does."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Final

import pytest

import pyx
from pyx.cli_parser import parser
from pyx.shell.helpers import Helpers

PAGE: Final = Path(__file__).parents[1] / "docs" / "differences-from-iex.md"

OF_PYTHON: Final = {"await", "breakpoint", "import logging"}
"""Words that pyx leaves to Python, and what it adds to them is told beside them."""


def words() -> list[str]:
    """The words of the second column."""
    table = PAGE.read_text().partition("## Words of IEx and OTP")[2].partition("\n## ")[0]
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| ")]
    found = [word for row in rows for word in re.findall(r"`([^`]+)`", row[1])]
    return list(dict.fromkeys(found))


@pytest.mark.parametrize("word", [word for word in words() if word.startswith("-")])
def test_option_of_the_table_exists_and_is_described(word: str) -> None:
    actions = [action for action in parser()._actions if word in action.option_strings]
    assert [bool(action.help) for action in actions] == [True]


@pytest.mark.parametrize("word", [word for word in words() if word[:1].isalpha() and word not in OF_PYTHON])
def test_word_of_the_table_exists_and_has_documentation(word: str) -> None:
    if word.startswith("pyx "):
        commands = parser().format_help()
        assert f"\n  {word} " in commands or f"\n{word} " in commands.replace("\n  ", "\n")
        return
    first, *attributes = word.split(".")
    found = getattr(Helpers, first, None) if not attributes else None
    if found is None:
        found = getattr(pyx, first)
        for attribute in attributes:
            found = getattr(found, attribute)
    assert inspect.getdoc(found), f"{word} has no documentation"


def test_table_is_read() -> None:
    assert len(words()) > 100
