"""The error of a scenario's parsers: a problem at a column; `transcript.py` adds the file and the line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyx.close_words import close_word

if TYPE_CHECKING:
    from collections.abc import Iterable

_CLOSE: Final = 0.5
"""The words of a scenario are short, so a slip changes much of one."""


class ParseError(Exception):
    """A problem at a column (from 1), `offset` lines below the first line of the step that is parsed."""

    def __init__(self, column: int, problem: str, *, hint: str | None = None, offset: int = 0) -> None:
        self.column = column
        self.problem = problem
        self.hint = hint
        self.offset = offset
        super().__init__(problem)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Returns the known word that was probably meant, or None."""
    return close_word(word, known, _CLOSE)


def did_you_mean(word: str, known: Iterable[str], *, otherwise: str) -> str:
    """Returns the hint for an unknown *word*: the nearest known one, else *otherwise*."""
    near = nearest(word, known)
    return f"did you mean {near!r}?" if near is not None else otherwise
