r"""The fenced blocks of a Markdown file, by CommonMark's rules, with the position of each line.

A fence is three or more backticks or tildes, indented by up to three columns, also inside block quotes and
list items, nested to any depth; only a fence of the same character and at least that length closes it.  A tab
ends at the next multiple of four columns.  Lines that look like a fence and are none are reported too: those
inside an HTML comment or `<pre>`, and those indented by four columns, which are code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_OPENING: Final = re.compile(r"(?P<run>`{3,}|~{3,})(?P<info>.*)", re.DOTALL)
_BULLET: Final = re.compile(r"(?:[-+*]|\d{1,9}[.)])(?=[ \t]|$)")
_BREAK: Final = re.compile(r"(?:\*[ \t]*){3,}$|(?:-[ \t]*){3,}$|(?:_[ \t]*){3,}$")
_HEADING: Final = re.compile(r"#{1,6}(?:[ \t]|$)")
_SECTION: Final = re.compile(r"##?(?:[ \t]|$)")
_HTML: Final = (
    (re.compile(r"<!--"), re.compile(r"-->")),
    (
        re.compile(r"<(?:pre|script|style|textarea)(?:[\s>]|$)", re.IGNORECASE),
        re.compile(r"</(?:pre|script|style|textarea)>", re.IGNORECASE),
    ),
)
"""The start and the end of HTML, in which there are no fences."""
_LANGUAGE: Final = re.compile(r"\s*\{?\s*\.?([^\s,:;{}]*)")
_CODE_INDENT: Final = 4


class Fence(NamedTuple):
    """A fenced block.

    `lines` are those between the fences, without the marks of their containers and the fence's own indent;
    `columns` is the number of characters that were removed from each.  The first of them has index `first` in
    the file.
    """

    info: str
    first: int
    lines: tuple[str, ...]
    columns: tuple[int, ...]
    closed: bool
    section: str
    """The heading of first or second level above it."""
    inside: tuple[int, ...]
    """Indexes of lines in it that look like the opening of another fence, which its own end would close."""

    @property
    def language(self) -> str:
        """The language of the block; see `language_of`."""
        return language_of(self.info)


class Fences(NamedTuple):
    """The fenced blocks of a file, and (index, info) of each line that only looks like a fence."""

    blocks: tuple[Fence, ...]
    lookalikes: tuple[tuple[int, str], ...]


def language_of(info: str) -> str:
    """Returns the first word of an info string without braces: `pyx` of `{.pyx #id}`."""
    found = _LANGUAGE.match(info)
    return found.group(1) if found is not None else ""


def read_fences(lines: Iterable[str]) -> Fences:
    """Returns the fenced blocks of a file's lines, in order."""
    reader = _FenceReader()
    for index, line in enumerate(lines):
        reader.take(index, line)
    reader.end()
    return Fences(tuple(reader.blocks), tuple(reader.lookalikes))


@dataclass
class _LineCursor:
    """A position in a line; `column` counts with tabs, `pending` are the columns left of a tab."""

    line: str
    at: int = 0
    column: int = 0
    pending: int = 0
    _known: tuple[int, int] = (-1, 0)
    """The last result of `_blanks`: each container asks, and a line may be inside thousands of them."""

    @property
    def rest(self) -> str:
        return " " * self.pending + self.line[self.at :]

    @property
    def text(self) -> str:
        """The text behind the next blanks."""
        return self.line[self.begin :]

    @property
    def begin(self) -> int:
        """The index of the next character that is not a blank."""
        return self._blanks()[0]

    @property
    def indent(self) -> int:
        """The number of columns of blanks that come next."""
        return self._blanks()[1] - self.column

    @property
    def is_blank(self) -> bool:
        return self.begin == len(self.line)

    def _blanks(self) -> tuple[int, int]:
        """Returns the end of the next blanks: the index, and the column."""
        if self._known[0] < self.at:
            end, column = self.at, self.column + self.pending
            for char in self.line[self.at :]:
                if char not in " \t":
                    break
                column += 1 if char == " " else 4 - column % 4
                end += 1
            self._known = end, column
        return self._known

    def take_columns(self, wanted: int) -> None:
        """Goes past at most *wanted* columns of blanks."""
        target = self.column + wanted
        while self.column < target:
            if self.pending:
                self.pending -= 1
                self.column += 1
            elif self.line[self.at : self.at + 1] == " ":
                self.at += 1
                self.column += 1
            elif self.line[self.at : self.at + 1] == "\t":
                self.at += 1
                self.pending = 4 - self.column % 4
            else:
                return

    def take_text(self, length: int) -> None:
        """Goes past *length* characters that are not blanks."""
        self.at += length
        self.column += length


@dataclass
class _OpenFence:
    """The fence whose end has not come yet."""

    run: str
    info: str
    indent: int
    depth: int
    first: int
    section: str

    def closes(self, text: str) -> bool:
        found = _OPENING.match(text)
        return (
            found is not None
            and found.group("run")[0] == self.run[0]
            and len(found.group("run")) >= len(self.run)
            and not found.group("info").strip(" \t")
        )


class _FenceReader:
    """Collects the blocks from the lines, one by one."""

    def __init__(self) -> None:
        self.blocks: list[Fence] = []
        self.lookalikes: list[tuple[int, str]] = []
        self._containers: list[int] = []
        """The open containers, the outermost first: 0 for a block quote, a list item's indent."""
        self._open: _OpenFence | None = None
        self._lines: list[str] = []
        self._columns: list[int] = []
        self._inside: list[int] = []
        self._html: re.Pattern[str] | None = None
        self._paragraph = False
        self._is_item_empty = False
        self._section = ""

    def take(self, index: int, line: str) -> None:
        cursor = _LineCursor(line)
        if self._is_item_empty and self._open is None and cursor.is_blank:
            self._containers.pop()  # an item may begin with one blank line, and not with two
        self._is_item_empty = False
        matched = self._continued(cursor)
        if self._open is not None:
            if matched == self._open.depth:
                self._take_inside(index, cursor, self._open)
                return
            self._finish(closed=False)  # its container ends, and so does the fence
        if self._html is not None:
            self._note_lookalike(index, cursor)
            if self._html.search(cursor.rest):
                self._html = None
            return
        self._begin(index, cursor, matched)

    def end(self) -> None:
        if self._open is not None:
            self._finish(closed=False)

    def _continued(self, cursor: _LineCursor) -> int:
        """Returns the number of open containers that this line is in; the cursor goes past their marks."""
        for number, width in enumerate(self._containers):
            if width:
                if not cursor.is_blank and cursor.indent < width:
                    return number
                cursor.take_columns(width)
            elif not _take_quote(cursor):
                return number
        return len(self._containers)

    def _take_inside(self, index: int, cursor: _LineCursor, fence: _OpenFence) -> None:
        indent = cursor.indent
        text = cursor.text
        if indent < _CODE_INDENT and fence.closes(text):
            self._finish(closed=True)
            return
        found = _OPENING.match(text)
        if found is not None and found.group("run").startswith(fence.run):
            self._inside.append(index)
        cursor.take_columns(min(indent, fence.indent))
        self._lines.append(cursor.rest)
        self._columns.append(cursor.at)

    def _begin(self, index: int, cursor: _LineCursor, matched: int) -> None:
        """Takes a line outside all fences, which may open containers, a fence or HTML."""
        opened: list[int] = []
        goes_on = self._paragraph and matched == len(self._containers)
        while cursor.indent < _CODE_INDENT and not cursor.is_blank:
            if _take_quote(cursor):
                opened.append(0)
            elif width := _take_bullet(cursor, in_paragraph=goes_on and not opened):
                opened.append(width)
            else:
                break
        indent = cursor.indent
        text = cursor.text
        self._is_item_empty = bool(opened) and opened[-1] > 0 and not text
        found = html = None
        is_heading = False
        if indent >= _CODE_INDENT:
            is_text = bool(text) and self._paragraph and not opened  # else it is code
        else:
            found = _opening(text)
            html = next((ends for begins, ends in _HTML if begins.match(text)), None)
            is_heading = _HEADING.match(text) is not None
            is_text = bool(text) and not (found or html or is_heading or _BREAK.match(text))
        if not (is_text and self._paragraph and not opened):
            del self._containers[matched:]  # a paragraph may go on without the marks of its containers
        self._containers += opened
        self._paragraph = is_text
        if found is not None:
            depth = len(self._containers)
            info = found.group("info").strip()
            self._open = _OpenFence(found.group("run"), info, indent, depth, index + 1, self._section)
        elif html is not None:
            self._html = None if html.search(text[3:]) else html
        elif is_heading and not self._containers and _SECTION.match(text):
            self._section = f"{index + 1} {text}"
        elif indent >= _CODE_INDENT:
            self._note_lookalike(index, cursor)

    def _note_lookalike(self, index: int, cursor: _LineCursor) -> None:
        found = _opening(cursor.text)
        if found is not None and found.group("info").strip():
            self.lookalikes.append((index, found.group("info").strip()))

    def _finish(self, *, closed: bool) -> None:
        fence = self._open
        assert fence is not None
        self.blocks.append(
            Fence(
                fence.info,
                fence.first,
                tuple(self._lines),
                tuple(self._columns),
                closed,
                fence.section,
                tuple(self._inside),
            )
        )
        self._open = None
        self._lines, self._columns, self._inside = [], [], []


def _opening(text: str) -> re.Match[str] | None:
    """Matches the opening of a fence; a run of backticks with more of them in its info is inline code."""
    found = _OPENING.match(text)
    return None if found is None or ("`" in found.group("run") and "`" in found.group("info")) else found


def _take_quote(cursor: _LineCursor) -> bool:
    """Goes past the mark of a block quote; returns False if there is none."""
    indent = cursor.indent
    if indent >= _CODE_INDENT or not cursor.line.startswith(">", cursor.begin):
        return False
    cursor.take_columns(indent)
    cursor.take_text(1)
    cursor.take_columns(1)
    return True


def _take_bullet(cursor: _LineCursor, *, in_paragraph: bool) -> int:
    """Goes past the mark of a list item; returns the indent of its content in columns, 0 if there is no item.

    *in_paragraph*: the line is in a paragraph, which an empty item or one with a number other than 1 does not
    end.
    """
    indent = cursor.indent
    found = _BULLET.match(cursor.line, cursor.begin)
    if found is None or _BREAK.match(cursor.text):
        return 0
    if in_paragraph and (not cursor.line[found.end() :].strip() or found.group()[:-1] not in {"", "1"}):
        return 0
    cursor.take_columns(indent)
    cursor.take_text(len(found.group()))
    blanks = 1 if cursor.is_blank or cursor.indent > _CODE_INDENT else cursor.indent
    cursor.take_columns(blanks)
    return indent + len(found.group()) + blanks
