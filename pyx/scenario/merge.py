"""`pyx replay --merge A B ...`: recordings of several shells, made at one time, become one transcript.

Blocks are ordered by the time at which they began.  An input during which somebody else typed is marked
`# blocks`, and its result is claimed where it came: else a replay would wait for it before it goes on.
Not here: recording (`record.py`).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from pyx.errors import TranscriptError
from pyx.scenario.transcript import CONTINUATION, PROMPT, lines_of, read_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_STAMP: Final = re.compile(r"# (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}) \+(\d+\.\d{3})")
_DIRECTIVE: Final = "  # blocks"


class _Recorded(NamedTuple):
    began: datetime
    ended: datetime
    file: int
    lines: tuple[str, ...]

    @property
    def typed(self) -> int:
        """How many of the lines are prompts with something typed."""
        found = PROMPT.match(self.lines[0])
        if found is None or not (found.group("code") or "").strip():
            return 0
        return 1 + sum(1 for line in self.lines[1:] if CONTINUATION.match(line))


def merge(paths: Sequence[str]) -> str:
    """The transcript of all these recordings.

    Raises:
        TranscriptError: one of them cannot be read, or has no times.
    """
    blocks = [block for number, path in enumerate(paths) for block in _blocks(path, number)]
    pieces: list[tuple[datetime, tuple[str, ...]]] = []
    for block in blocks:
        between = any(
            block.began < other.began < block.ended and other.file != block.file and other.typed
            for other in blocks
        )
        if between and block.typed:
            last = block.typed - 1
            typed = (*block.lines[:last], block.lines[last] + _DIRECTIVE)
            look = block.lines[0][: block.lines[0].index(">") + 1]
            pieces += [(block.began, typed), (block.ended, (look, *block.lines[block.typed :]))]
        else:
            pieces.append((block.began, block.lines))
    pieces.sort(key=lambda piece: piece[0])
    return "\n".join("".join(f"{line}\n" for line in lines) for _, lines in pieces)


def _blocks(path: str, number: int) -> Iterator[_Recorded]:
    text = "\n".join(lines_of(read_text(path, path)))
    for match in re.finditer(r"[^\n]+(?:\n[^\n]+)*", text):
        stamp, *lines = match.group().split("\n")
        found = _STAMP.fullmatch(stamp)
        if found is None or not lines:
            line = text.count("\n", 0, match.start()) + 1
            raise TranscriptError(
                path, line, 1, "this block does not say when it was", hint="merge what --record wrote"
            )
        began = datetime.fromisoformat(found.group(1))
        yield _Recorded(began, began + timedelta(seconds=float(found.group(2))), number, tuple(lines))
