r"""One line: does what the file says match what was shown?

    \text            protected: the text as it is (a lone \ is an empty line)
    ...              alone on a line: any number of lines
    [..]             inside a line: any text
    text (re)        a regular expression for the whole line; one that starts with \ is written (?:\d+) (re)
    text (glob)      * and ? for the whole line
    text (esc)       the text with Python's escapes; it may start with one (see `characters.py`)
    anything else    the text, with its pids, references, addresses and ports up to the bindings

See `match_echo.py` for echoes, which are compared as Python values, and `match_block.py` for several sources.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from pyx.scenario.bindings import Token, split_tokens
from pyx.scenario.characters import ESCAPED, as_seen, escaped, needs_escapes, unescaped
from pyx.scenario.expressions import fullmatch
from pyx.scenario.wildcards import ANY, match_any, match_glob

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyx.scenario.bindings import Bindings, NodeView


_LEAST_TRIES: Final = 50_000
_TRIES_PER_LINE: Final = 20

BLANKS: Final = " \t"
"""What may stand at the end of a line and is not compared: editors take it off."""


class ExpectedLine(NamedTuple):
    """An expected line: `kind` is `"text"`, `"any"` (with `[..]`), `"re"`, `"glob"` or `"dots"`."""

    kind: str
    text: str
    written: str


@lru_cache(maxsize=4096)
def expected_line(written: str) -> ExpectedLine:
    """The line of a block, as it is to be compared."""
    written = written.rstrip(BLANKS)
    if written.endswith(ESCAPED):
        return ExpectedLine("text", as_seen(unescaped(written)).rstrip(BLANKS), written)
    if written.startswith("\\"):
        return ExpectedLine("text", written[1:], written)
    if written.strip() == "...":
        return ExpectedLine("dots", written, written)
    for suffix, kind in ((" (re)", "re"), (" (glob)", "glob")):
        if written.endswith(suffix):
            return ExpectedLine(kind, written.removesuffix(suffix), written)
    return ExpectedLine("any" if ANY in written else "text", written, written)


def protected(shown: str) -> str:
    """A line as the file has to write it, so that it is read as the text that was *shown*."""
    shown = shown.rstrip(BLANKS)
    misread = (
        not shown
        or shown.startswith(("\\", "$", "pyx(", "...("))
        or shown.lstrip().startswith(("```", "~~~"))
        or shown.strip() == "..."
        or shown.endswith((" (re)", " (glob)"))
        or ANY in shown
    )
    if shown.endswith(ESCAPED) or needs_escapes(shown):
        return escaped(shown, first=misread)
    return "\\" + shown if misread else shown


def match_line(line: ExpectedLine, shown: str, bindings: Bindings, view: NodeView) -> bool:
    """True if *shown* is what the line says; makes bindings (the caller rewinds after False).

    Raises:
        ExpressionTooSlow: a regular expression could not be matched in time.
    """
    shown = shown.rstrip(BLANKS)
    match line.kind:
        case "dots":
            return True
        case "re":
            return fullmatch(line.text, shown)
        case "glob":
            return match_glob(line.text, shown)
        case "any":
            return match_any(line.text, shown, bindings, view)
        case _:
            return match_parts(split_tokens(line.text), split_tokens(shown), bindings, view)


def match_parts(
    expected: Sequence[str | Token], shown: Sequence[str | Token], bindings: Bindings, view: NodeView
) -> bool:
    """True if both are the same up to the bindings; makes bindings (the caller rewinds after False)."""
    if len(expected) != len(shown):
        return False
    for one, other in zip(expected, shown, strict=True):
        if isinstance(one, Token) and isinstance(other, Token):
            if not bindings.match(one, other, view):
                return False
        elif one != other:
            return False
    return True


class ComparisonBudget:
    """How often lines may be compared in one search, in which so many *lines* take part.

    A block that fits in more ways than that is not a test, and does not match.
    """

    def __init__(self, lines: int) -> None:
        self._left = _LEAST_TRIES + _TRIES_PER_LINE * lines

    @property
    def is_spent(self) -> bool:
        """True once nothing is left."""
        return self._left <= 0

    def spend(self) -> bool:
        """Takes one comparison off; False if there was none left."""
        self._left -= 1
        return self._left >= 0
