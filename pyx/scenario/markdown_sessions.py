"""The sessions of a Markdown file: its ```` ```pyx ```` blocks, and errors for blocks that are nearly one.

See `fences.py` for which blocks a Markdown file has, and `transcript.py` for what the lines mean.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from pyx.errors import TranscriptError
from pyx.scenario.fences import Fence, language_of, read_fences
from pyx.scenario.scenario_files import lines_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_LANGUAGE: Final = "pyx"
_LIKE_LANGUAGE: Final = re.compile(r"pyxt?(?:[^a-z].*)?|pyxnode", re.IGNORECASE)
"""Meant as the language of a session, most likely.  (`pyxel` is another word.)"""


class Region(NamedTuple):
    """A run of transcript lines; the first of them has index `first` in the file.

    `columns` is the number of characters of the file's line before each: indents, marks of a block quote.
    Regions of one `section` of a Markdown file are one session.
    """

    first: int
    lines: tuple[str, ...]
    columns: tuple[int, ...]
    section: str

    @property
    def end(self) -> int:
        """The index behind the last line."""
        return self.first + len(self.lines)


class MarkdownBlocks(NamedTuple):
    """The blocks of a Markdown file that are sessions, and those of other languages."""

    sessions: tuple[Region, ...]
    others: tuple[Fence, ...]
    hidden: int
    """The number of sessions in HTML or in indented code, where a Markdown reader sees no fence."""


def has_sessions(text: str) -> bool:
    """Returns True for Markdown with at least one session, or what is most likely meant as one."""
    blocks = read_fences(lines_of(text)).blocks
    return any(_LIKE_LANGUAGE.fullmatch(block.language) for block in blocks)


def find_sessions(lines: Sequence[str], path: str) -> MarkdownBlocks:
    """Returns the blocks of the Markdown *lines*; *path* is for errors.

    Raises:
        TranscriptError: a session's fence is not closed, is inside another one, or its language is misspelt.
    """
    found = read_fences(lines)
    sessions: list[Region] = []
    others: list[Fence] = []
    for block in found.blocks:
        for index in block.inside:
            if _LIKE_LANGUAGE.fullmatch(language_of(lines[index].lstrip(" \t>`~"))):
                problem = f"this fence is inside the one of line {block.first}, which is still open"
                hint = "close that one above, or make it longer than the fences in it"
                raise TranscriptError(path, index + 1, 1, problem, hint=hint)
        if block.language == _LANGUAGE:
            if not block.closed:
                problem = "this fence is not closed"
                hint = "end it with a line of the same characters, at least as many"
                raise TranscriptError(path, block.first, 1, problem, hint=hint)
            sessions.append(Region(block.first, block.lines, block.columns, block.section))
        elif _LIKE_LANGUAGE.fullmatch(block.language):
            problem = f"unknown language {block.language!r} of a block"
            raise TranscriptError(path, block.first, 1, problem, hint="a session is a ```pyx block")
        else:
            others.append(block)
    hidden = sum(1 for _, info in found.lookalikes if language_of(info) == _LANGUAGE)
    return MarkdownBlocks(tuple(sessions), tuple(others), hidden)
