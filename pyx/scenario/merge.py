"""`pyx replay --merge A B ...`: joins recordings of several shells that ran at the same time.

Blocks are ordered by the time at which they began.  An input that still ran when another shell got one is
marked `# blocks`, and an empty prompt has its result where that came: else a replay would wait for the result
before the other input.
"""

from __future__ import annotations

import contextlib
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from pyx.errors import TranscriptError
from pyx.scenario.comment_directives import split_directives, with_blocks
from pyx.scenario.parse_error import ParseError
from pyx.scenario.scenario_files import lines_of, read_text
from pyx.scenario.transcript import CONTINUATION, PROMPT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_TIMEOUT: Final = re.compile(r"\$ timeout (\d+)s")
_STAMP: Final = re.compile(r"# (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}) \+(\d+\.\d{3})")


class _RecordedBlock(NamedTuple):
    """A block of a recording; `file` is the index of its recording."""

    began: datetime
    ended: datetime
    file: int
    lines: tuple[str, ...]

    @property
    def typed(self) -> range:
        """The range of the lines that are prompts with code; `$ ` lines may be above them."""
        first = next((at for at, line in enumerate(self.lines) if not line.startswith("$ ")), len(self.lines))
        found = PROMPT.match(self.lines[first]) if first < len(self.lines) else None
        if found is None or not (found.group("code") or "").strip():
            return range(first, first)
        end = first + 1
        while end < len(self.lines) and CONTINUATION.match(self.lines[end]):
            end += 1
        return range(first, end)


def merge(paths: Sequence[str]) -> str:
    """Returns the transcript of all these recordings.

    Raises:
        TranscriptError: one of them cannot be read, or has a block without its time.
    """
    blocks = [block for number, path in enumerate(paths) for block in _blocks(path, number)]
    pieces: list[tuple[datetime, tuple[str, ...]]] = []
    for number in range(len(paths)):
        pieces += _pieces([block for block in blocks if block.file == number], blocks)
    pieces.sort(key=lambda piece: piece[0])
    texts: list[str] = []
    timeout = 0
    for _, lines in pieces:
        kept: list[str] = []
        for line in lines:
            found = _TIMEOUT.fullmatch(line)
            if found is None or int(found.group(1)) > timeout:  # else a longer one is above
                kept.append(line)
                timeout = int(found.group(1)) if found is not None else timeout
        texts.append("".join(f"{line}\n" for line in kept))
    return "\n".join(texts)


def _pieces(
    mine: Iterable[_RecordedBlock], all_: Sequence[_RecordedBlock]
) -> Iterator[tuple[datetime, tuple[str, ...]]]:
    """Yields the blocks of one file with their times; a result apart if another shell's input came first."""
    held: tuple[str, ...] = ()
    for block in mine:
        typed = block.typed
        between = typed and any(
            block.began < other.began < block.ended and other.file != block.file and other.typed
            for other in all_
        )
        if not between:
            lines = block.lines
            if held and not typed and PROMPT.match(lines[0]):  # the empty prompt after an interrupt
                lines, held = (lines[0], *held, *lines[1:]), ()
            yield block.began, lines
            continue
        above, output = block.lines[: typed.start], block.lines[typed.stop :]
        code, blocks = _blocking(block.lines[typed.start : typed.stop])
        yield block.began, (*above, *code)
        if blocks:
            held = output
        else:
            empty_prompt = code[0][: code[0].index(">") + 1]
            yield block.ended, (empty_prompt, *output)


def _blocking(lines: Sequence[str]) -> tuple[list[str], bool]:
    """Returns the lines of an input with `# blocks`, and whether they had it already."""
    prompt = lines[0][: lines[0].index(">") + 2]
    code = "\n".join(line[len(prompt) :] for line in lines)
    with contextlib.suppress(ParseError):  # a comment that is nearly a directive
        if split_directives(code)[1].blocks:
            return list(lines), True
    first, *rest = with_blocks(code).split("\n")
    further = f"...{prompt[3:]}"
    return [prompt + first, *(further + line if line else further.rstrip() for line in rest)], False


def _blocks(path: str, number: int) -> Iterator[_RecordedBlock]:
    text = "\n".join(lines_of(read_text(path, path)))
    for match in re.finditer(r"[^\n]+(?:\n[^\n]+)*", text):
        stamp, *lines = match.group().split("\n")
        found = _STAMP.fullmatch(stamp)
        if found is None or not lines:
            line = text.count("\n", 0, match.start()) + 1
            raise TranscriptError(
                path, line, 1, "this block has no time", hint="--merge joins the files of pyx --record"
            )
        began = datetime.fromisoformat(found.group(1))
        yield _RecordedBlock(began, began + timedelta(seconds=float(found.group(2))), number, tuple(lines))
