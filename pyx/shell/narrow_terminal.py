"""What fits into a narrow terminal: a prompt that leaves room for the input, sentences that break at blanks.

The editor shows nothing at all behind a prompt that is wider than its window.  See `render` for values.
"""

from __future__ import annotations

import textwrap
from typing import Final

from pyx.shell.loop import Prompt

_ROOM_COLUMNS: Final = 20
"""So many are left to the input, where the terminal has twice as many."""

NARROW_COLUMNS: Final = 80
"""From here on a sentence is left as it is, so that a copied session has the lines that were shown."""


def fitted(prompt: Prompt, columns: int) -> Prompt:
    """*prompt*, with its node's name cut where it leaves too little of that many columns."""
    most = max(columns - _ROOM_COLUMNS, columns // 2)
    return Prompt(_cut(prompt.first, most), _cut(prompt.rest, most))


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    name, bracket, number = text.rpartition(")")
    left = most - len(f"..{bracket}{number}")
    return f"{name[:left]}..{bracket}{number}" if left >= len("pyx(") else text[-2:]


def wrapped(text: str, columns: int) -> str:
    """*text* with its sentences broken at blanks; lines that are indented stay (a traceback's)."""
    if columns >= NARROW_COLUMNS:
        return text
    return "".join(_broken(line, columns) for line in text.splitlines(keepends=True))


def _broken(line: str, columns: int) -> str:
    sentence = line.rstrip("\n")
    if len(sentence) <= columns or sentence[:1].isspace():
        return line
    pieces = textwrap.wrap(
        sentence, columns, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )
    return "\n".join(pieces) + line[len(sentence) :]
