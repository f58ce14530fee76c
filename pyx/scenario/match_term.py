"""Compares terms as `iex` prints them: line breaks and indents do not matter outside of quotation marks.

Where iex breaks a line depends on the length of pids and references, which differ from run to run.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pyx.scenario.bindings import split_tokens
from pyx.scenario.match_line import match_parts
from pyx.scenario.wildcards import ANY, match_any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyx.scenario.bindings import Bindings, NodeView
    from pyx.scenario.match_line import ExpectedLine

_LEXEME: Final = re.compile(r"""(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(?P<blank>\s+)|.""", re.DOTALL)
_OPENING: Final = "([{"
_CLOSING: Final = ")]}"


def may_be_term(line: str) -> bool:
    """Returns True for a line with which a term of several lines may begin."""
    return line.startswith(("{", "[", "%", "#", "<<"))


def is_balanced(text: str) -> bool:
    """Returns True if every bracket of *text* is closed."""
    depth = 0
    for found in _LEXEME.finditer(text):
        lexeme = found.group()
        if lexeme in {'"', "'"}:  # a quotation mark that has no end
            return False
        depth += (lexeme in _OPENING) - (lexeme in _CLOSING)
    return depth == 0


def end_of_term(lines: Sequence[ExpectedLine], at: int, actual: str) -> int | None:
    """Returns the index behind the expected lines, from index *at* on, that may be the term *actual*.

    None if no such lines are there.
    """
    most = 4 * len(actual) + 1000  # line breaks and indents do not make it longer than that
    text = ""
    for index in range(at, len(lines)):
        text += lines[index].text + "\n"
        if lines[index].kind not in {"text", "any"} or len(text) > most:
            return None
        if is_balanced(text):
            return index + 1
    return None


def match_term(expected: Sequence[ExpectedLine], actual: str, bindings: Bindings, view: NodeView) -> bool:
    """Returns True if both are the same term.

    Makes bindings; the caller rolls back after False.
    """
    one = _in_one_line("\n".join(line.text for line in expected))
    other = _in_one_line(actual)
    if ANY in one:
        return match_any(one, other, bindings, view)
    return match_parts(split_tokens(one), split_tokens(other), bindings, view)


def _in_one_line(text: str) -> str:
    return _LEXEME.sub(lambda found: "" if found["blank"] else found.group(), text)
