"""Tracebacks in the colours of a theme: the head, files and lines, carets, the class of the exception.

What is coloured is the finished text, which pipes, scenarios and recordings get as it is; so a traceback that
another node has made (of a remote shell, of a process there) looks the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pyx.shell.theme import Theme

_MARGIN: Final = re.compile(r"(?: *\| ?| *\+[-+]+ \d+ -+$| *\+ )?")  # of an exception group
_HEAD: Final = re.compile(r" *(?:Exception Group )?Traceback \(most recent call last\):$")
_FRAME: Final = re.compile(r'( +File )(".*")(, line )(\d+)(?:(, in )(.+))?$')
_CARETS: Final = re.compile(r" +[~^]+[~^ ]*$")
_EXCEPTION: Final = re.compile(r"([A-Za-z_][\w.]*)(:|$)")
_SENTENCES: Final = ("The above exception was", "During handling of the above")


def painted_traceback(text: str, theme: Theme, *, is_alone: bool = True) -> str:
    """Returns *text*, which is or holds a traceback, with the colours of *theme*.

    Args:
        text: lines.
        theme: has the roles `traceback`, `location`, `caret`, `error` and `notice`.
        is_alone: *text* is that of a failure, and its first line the class of the exception where there is no
            frame; a first line that is neither is coloured whole.
    """
    if not theme.has_colours:
        return text
    lines = text.split("\n")
    names_exception = is_alone  # the next line without indentation is the exception's
    is_source = False
    for number, line in enumerate(lines):
        margin, rest = _cut_margin(line)
        if _HEAD.match(rest):
            lines[number] = margin + theme.painted(rest, "traceback")
            names_exception = True
        elif (frame := _FRAME.match(rest)) is not None:
            lines[number] = margin + _painted_frame(frame, theme)
            names_exception = is_source = True
        elif is_source and _CARETS.match(rest):
            lines[number] = margin + theme.painted(rest, "caret")
            is_source = False
        elif rest.startswith(_SENTENCES):
            lines[number] = theme.painted(line, "notice")
            names_exception = True
        elif names_exception and (found := _EXCEPTION.match(rest)) is not None:
            end = found.end(1)
            lines[number] = margin + theme.painted(rest[:end], "error") + rest[end:]
            names_exception = is_source = False
        elif is_alone and number == 0:
            lines[number] = theme.painted(line, "error")
        elif rest.startswith("hint: "):
            lines[number] = margin + theme.painted("hint:", "notice") + rest[len("hint:") :]
        elif margin.endswith("-"):
            names_exception = True
    return "\n".join(lines)


def _cut_margin(line: str) -> tuple[str, str]:
    """Returns the bars that stand before a line of an exception group, and the rest of it."""
    margin = _MARGIN.match(line)
    assert margin is not None
    return margin[0], line[margin.end() :]


def _painted_frame(frame: re.Match[str], theme: Theme) -> str:
    before, file, between, line, behind, function = frame.groups()
    place = f"{before}{theme.painted(file, 'location')}{between}{theme.painted(line, 'location')}"
    return place if function is None else f"{place}{behind}{theme.painted(function, 'location')}"
