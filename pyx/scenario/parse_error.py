"""What a parser of a scenario complains with: a problem and the column of a line, later a place in a file.

Not here: what is right and wrong (`shell_lines.py`, `directives.py`, `transcript.py`).
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class ParseError(Exception):
    """A problem at a column (from 1) of the line at hand; `offset` lines below it, for what spans several."""

    def __init__(self, column: int, problem: str, *, hint: str | None = None, offset: int = 0) -> None:
        self.column = column
        self.problem = problem
        self.hint = hint
        self.offset = offset
        super().__init__(problem)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return found[0] if found else None


def did_you_mean(word: str, known: Iterable[str], *, otherwise: str) -> str:
    """The hint for a word that is not known."""
    near = nearest(word, known)
    return f"did you mean {near!r}?" if near is not None else otherwise
