r"""Compares an expected line with an actual one.

The forms of an expected line:

\text            protected: the text as it is (a lone \ is an empty line)
...              alone on a line: any number of lines
[..]             inside a line: any text
text (re)        a regular expression for the whole line; one that starts with \ is written (?:\d+) (re)
text (glob)      * and ? for the whole line
text (esc)       the text with Python's escapes; it may start with one (see `characters.py`)
anything else    the text, with its pids, references, addresses and ports up to the bindings
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
"""Blanks at the end of a line are not compared: editors remove them."""


class ExpectedLine(NamedTuple):
    """An expected line: `kind` is `"text"`, `"any"` (with `[..]`), `"re"`, `"glob"` or `"dots"`.

    `text` is the part to compare, `written` the whole line as the file has it.
    """

    kind: str
    text: str
    written: str


@lru_cache(maxsize=4096)
def expected_line(written: str) -> ExpectedLine:
    """Parses a line of a block."""
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


def protected(actual: str) -> str:
    """Returns an actual line as a file has to write it, so that it is expected as plain text."""
    actual = actual.rstrip(BLANKS)
    misread = (
        not actual
        or actual.startswith(("\\", "$", "pyx(", "iex(", "...("))
        or actual.lstrip().startswith(("```", "~~~"))
        or actual.strip() == "..."
        or actual.endswith((" (re)", " (glob)"))
        or ANY in actual
    )
    if actual.endswith(ESCAPED) or needs_escapes(actual):
        return escaped(actual, first=misread)
    return "\\" + actual if misread else actual


def match_line(line: ExpectedLine, actual: str, bindings: Bindings, view: NodeView) -> bool:
    """Returns True if *actual* matches the line; makes bindings (the caller rolls back after False).

    Raises:
        ExpressionTooSlow: a regular expression could not be matched in time.
    """
    actual = actual.rstrip(BLANKS)
    match line.kind:
        case "dots":
            return True
        case "re":
            return fullmatch(line.text, actual)
        case "glob":
            return match_glob(line.text, actual)
        case "any":
            return match_any(line.text, actual, bindings, view)
        case _:
            return match_parts(split_tokens(line.text), split_tokens(actual), bindings, view)


def match_parts(
    expected: Sequence[str | Token], actual: Sequence[str | Token], bindings: Bindings, view: NodeView
) -> bool:
    """Returns True if both are equal up to the bindings.

    Makes bindings; the caller rolls back after False.
    """
    if len(expected) != len(actual):
        return False
    for one, other in zip(expected, actual, strict=True):
        if isinstance(one, Token) and isinstance(other, Token):
            if not bindings.match(one, other, view):
                return False
        elif one != other:
            return False
    return True


class ComparisonBudget:
    """Bounds the comparisons of one search among *lines* lines, expected and actual.

    A block that could match in more ways than that is not a test, and does not match.
    """

    def __init__(self, lines: int) -> None:
        self._left = _LEAST_TRIES + _TRIES_PER_LINE * lines

    @property
    def is_spent(self) -> bool:
        """True once no comparison is left."""
        return self._left <= 0

    def spend(self) -> bool:
        """Counts one comparison; returns False if none was left."""
        self._left -= 1
        return self._left >= 0
