"""The text of an input up to the cursor: open brackets with their callees, an open string, a comment."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

PATH: Final = r"[^\W\d]\w*(?:\.[^\W\d]\w*|\[[^\[\]]*\])*"
"""Matches a path of names, attributes and subscripts: `a.b["c"].d`."""
_CALLEE: Final = re.compile(rf"({PATH})\s*$")


class OpenBracket(NamedTuple):
    """A bracket that is open at the cursor: the callee before it, the number of the argument, where it is."""

    bracket: str
    callee: str
    argument: int
    at: int


class InputScanner:
    """Reads the text up to the cursor once; finds open brackets, an open string, a comment."""

    def __init__(self, text: str) -> None:
        self.open: list[OpenBracket] = []
        self.quote: str | None = None
        self.quote_at = 0
        self.quote_length = 0
        self.comment = False
        index = 0
        while index < len(text):
            index = self._step(text, index)

    def _step(self, text: str, index: int) -> int:
        character = text[index]
        if self.comment:
            self.comment = character != "\n"
        elif self.quote is not None:
            if character == "\\":
                return index + 2
            if text.startswith(self.quote, index) or (len(self.quote) == 1 and character == "\n"):
                length = len(self.quote)
                self.quote = None
                return index + length
        elif character in "'\"":
            triple = character * 3
            self.quote = triple if text.startswith(triple, index) else character
            self.quote_length = len(self.quote)
            self.quote_at = index + self.quote_length
            return self.quote_at
        elif character == "#":
            self.comment = True
        elif character in "([{":
            callee = _CALLEE.search(text[:index]) if character == "(" else None
            self.open.append(OpenBracket(character, callee.group(1) if callee else "", 0, index))
        elif character in ")]}":
            if self.open:
                self.open.pop()
        elif character == "," and self.open:
            self.open[-1] = self.open[-1]._replace(argument=self.open[-1].argument + 1)
        return index + 1
