"""The text of an input up to the cursor: open brackets with their callees, an open string, a comment."""

from __future__ import annotations

import keyword
import re
from typing import Final, NamedTuple

_SPECIAL: Final = re.compile(r"""['"#()\[\]{},\n\\]""")
_REST_OF_STRING: Final = {
    "'": re.compile(r"(?:[^'\\\n]|\\.)*+", re.DOTALL),
    '"': re.compile(r'(?:[^"\\\n]|\\.)*+', re.DOTALL),
    "'''": re.compile(r"(?:[^'\\]|\\.|'(?!''))*+", re.DOTALL),
    '"""': re.compile(r'(?:[^"\\]|\\.|"(?!""))*+', re.DOTALL),
}
_PREFIX: Final = re.compile(r"(?<!\w)[rbfutRBFUT]{1,2}$")
_WORD: Final = re.compile(r"\w+$")
_NUMBER_ENDS: Final = re.compile(r"(?<![\w.])\d[\d_]*$")
_VALUES: Final = frozenset({"None", "True", "False"})


class OpenBracket(NamedTuple):
    """A bracket that is open at the cursor: the callee before it, the number of the argument, where it is.

    `argument_at` is where the argument at the cursor begins.
    """

    bracket: str
    callee: str
    argument: int
    at: int
    argument_at: int


class InputScanner:
    """Reads the text up to the cursor once; finds open brackets, an open string, a comment.

    Args:
        text: ends at the cursor.
    """

    def __init__(self, text: str) -> None:
        self.text: Final = text
        self.quote: str | None = None
        """The quotes that have opened the string at the cursor; None outside of strings."""
        self.quote_at = 0
        """Where that string's text begins."""
        self.prefix = ""
        """The letters before those quotes, in lower case."""
        self.comment_at: int | None = None
        """Where the comment at the cursor begins."""
        self.statement_at = 0
        """Where the line begins at which the statement at the cursor begins."""
        self._open: list[tuple[str, int]] = []
        self._commas: list[tuple[int, int]] = []
        """For each open bracket the number of commas in it, and where the text after the last one begins."""
        self._begins: dict[int, int] = {}
        """Where a closed bracket or a string ends -> where it begins."""
        index = 0
        while (found := _SPECIAL.search(text, index)) is not None:
            index = self._step(found.group(), found.start())

    @property
    def comment(self) -> bool:
        """True if the cursor is in a comment."""
        return self.comment_at is not None

    @property
    def quote_length(self) -> int:
        """The number of quotes that have opened the string at the cursor."""
        return len(self.quote or "")

    @property
    def open(self) -> list[OpenBracket]:
        """The brackets that are open at the cursor, the outermost first."""
        return [
            OpenBracket(bracket, self._callee(at) if bracket == "(" else "", commas, at, argument_at)
            for (bracket, at), (commas, argument_at) in zip(self._open, self._commas, strict=True)
        ]

    def _callee(self, at: int) -> str:
        return self.text[self.primary_at(at) : at].strip()

    def primary_at(self, end: int) -> int:
        """Returns where the expression begins that ends at *end*, and that a dot or a bracket may follow.

        In `x = f(1)["a"].b` that is `f(1)["a"].b`.  Returns *end* if no such expression ends there, nor can
        begin to: after an operator, a keyword, or in the digits of a number.
        """
        at = end
        while True:
            at, found = self._atom_at(at)
            if not found:
                return end if at == end else self._skip_blanks_after(at, end)
            before = self._skip_blanks_before(at)
            if self.text[before - 1 : before] == ".":
                at = before - 1
            elif self.text[at] in "([" and self._may_be_followed(before):
                at = before
            else:
                return at

    def _atom_at(self, end: int) -> tuple[int, bool]:
        """Returns where the name, number, string or bracket begins that ends at *end*; False if none does."""
        end = self._skip_blanks_before(end)
        if (begin := self._begins.get(end)) is not None:
            return begin, True
        word = _WORD.search(self.text, max(0, end - 200), end)
        if word is None or (keyword.iskeyword(word.group()) and word.group() not in _VALUES):
            return end, False
        return word.start(), True

    def _may_be_followed(self, end: int) -> bool:
        """Returns True if a bracket after *end* is a call or a subscript."""
        return self._atom_at(end)[1]

    def _skip_blanks_before(self, at: int) -> int:
        while at and self.text[at - 1] in " \t":
            at -= 1
        return at

    def _skip_blanks_after(self, at: int, end: int) -> int:
        while at < end and self.text[at] in " \t.":
            at += 1
        return at

    def _step(self, character: str, index: int) -> int:
        """Reads on from a character with a meaning; returns where to go on."""
        text = self.text
        if character in "'\"":
            return self._read_string(character, index)
        if character == "#":
            end = text.find("\n", index)
            self.comment_at = index if end < 0 else None
            return len(text) if end < 0 else end
        if character == "\\":
            return index + 2
        if character == "\n":
            if not self._open:
                self.statement_at = index + 1
        elif character in "([{":
            self._open.append((character, index))
            self._commas.append((0, index + 1))
        elif character == ",":
            if self._commas:
                self._commas[-1] = (self._commas[-1][0] + 1, index + 1)
        elif self._open:
            self._begins[index + 1] = self._open.pop()[1]
            self._commas.pop()
        return index + 1

    def _read_string(self, character: str, index: int) -> int:
        text = self.text
        triple = character * 3
        quote = triple if text.startswith(triple, index) else character
        at = index + len(quote)
        rest = _REST_OF_STRING[quote].match(text, at)
        assert rest is not None
        end = rest.end()
        prefix = _PREFIX.search(text, max(0, index - 3), index)
        begin = index if prefix is None else prefix.start()
        if text.startswith(quote, end):
            self._begins[end + len(quote)] = begin
            return end + len(quote)
        if len(quote) == 1 and end < len(text) and text[end] == "\n":  # never closed: an error of its line
            return end
        self.quote, self.quote_at, self.prefix = quote, at, text[begin:index].lower()
        return len(text)


def is_number(expression: str) -> bool:
    """Returns True for digits, which a dot makes a float: nothing is known of what follows."""
    return _NUMBER_ENDS.fullmatch(expression) is not None
