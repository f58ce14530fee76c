"""`--update`: rewrites the blocks that failed, and nothing else.

A line that still matches stays as it is, with its wildcards and its names; new lines are written in the
file's own names, so that a diff shows meaning.  A traceback becomes its header, `...` and its last line.
Not here: playing the result again at once (`replay.py`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from pyx.scenario.match_block import match_block, unit_fits
from pyx.scenario.match_line import ExpectedLine, expected_line, protected
from pyx.scenario.output_units import EVAL, OutputUnit
from pyx.scenario.scenario_files import lines_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pyx.scenario.bindings import Bindings, NodeView
    from pyx.scenario.player import StepFailure

_PREFIX: Final = re.compile(r"[ \t>]*")
_HEADER: Final = "Traceback (most recent call last):"


class LineEdit(NamedTuple):
    """Lines of the file, from index `first` up to `end`, to be replaced."""

    first: int
    end: int
    lines: tuple[str, ...]


class Updater:
    """Collects the edits of one file.  Args: text: the file as it is, line ends and byte order mark too."""

    def __init__(self, text: str) -> None:
        self._rows = text.split("\n")
        self._lines = lines_of(text)
        self.edits: list[LineEdit] = []

    def add_edit(self, failure: StepFailure, bindings: Bindings) -> None:
        """Notes what should stand below the failed step."""
        node = failure.node
        assert node is not None, "only a block is mended, and a block is some node's"
        own = [unit for unit in failure.output if unit.source == EVAL]
        others = [unit for unit in failure.output if unit.source != EVAL]
        lines = rewritten(failure.block.lines, [*own, *others], bindings, node.view)
        if failure.step is None:
            # No step asked for this: it becomes a look at that node's screen, at the end.
            prefix = self._prefix(failure)
            last = failure.line - 1
            while last + 1 < len(self._lines) and self._goes_on(self._lines[last + 1], prefix):
                last += 1
            prompt = node.prompt.rstrip() or "pyx(1)>"
            look = [prefix.rstrip(), *(prefix + line for line in (prompt, *lines))]
            self.edits.append(LineEdit(last + 1, last + 1, tuple(look)))
            return
        block = failure.block
        prefix = self._prefix(failure)
        new = tuple(prefix + line for line in lines)
        first = block.first - 1
        self.edits.append(LineEdit(first, first + len(block.lines), new))
        # Bind what the new block names, as a replay of it will.
        match_block(lines, failure.output, bindings, node.view)

    def _prefix(self, failure: StepFailure) -> str:
        """What stands before the step that failed: its fence may be indented, or in a block quote."""
        found = _PREFIX.match(self._lines[failure.line - 1])
        assert found is not None, "it matches the empty text"
        return found.group()

    @staticmethod
    def _goes_on(line: str, prefix: str) -> bool:
        """True for a line of the last block: it is not blank, and does not end the fence."""
        rest = line.removeprefix(prefix).strip()
        return bool(rest) and line.startswith(prefix) and not rest.startswith(("```", "~~~"))

    def text(self) -> str:
        """The file with its edits: all other lines have the bytes that they had, new ones its line ends."""
        end = "\r" if self._rows[0].endswith("\r") else ""
        rows = list(self._rows)
        ended = rows[-1] == ""  # else its last line has no end, and shall have none
        if ended:
            rows.pop()
        else:
            rows[-1] += end
        for edit in sorted(self.edits, reverse=True):
            rows[edit.first : edit.end] = [line + end for line in edit.lines]
        text = "\n".join(rows)
        return f"{text}\n" if ended else text.removesuffix(end)


def rewritten(
    old: Sequence[str], units: Sequence[OutputUnit], bindings: Bindings, view: NodeView
) -> list[str]:
    """The lines that show *units*; those of *old* that still do are kept."""
    expected = [expected_line(line) for line in old]
    lines: list[str] = []
    at = 0
    for unit in units:
        place = _place_of(unit, expected, at, bindings, view)
        if place is None:
            lines += as_written(unit, bindings, view)
        else:
            start, at = place
            lines += old[start:at]
    return lines


def _place_of(
    unit: OutputUnit, expected: Sequence[ExpectedLine], at: int, bindings: Bindings, view: NodeView
) -> tuple[int, int] | None:
    """The first stretch of old lines, from *at* on, that fits the unit as a whole; it is bound."""
    for start in range(at, len(expected)):
        for end in unit_fits(expected, start, unit, bindings, view):
            return start, end
    return None


def as_written(unit: OutputUnit, bindings: Bindings, view: NodeView) -> list[str]:
    """A unit's lines as a file has them."""
    return guarded([bindings.rename(line, view) for line in shortened(unit.lines)])


def guarded(lines: Iterable[str]) -> list[str]:
    """Shortened lines so that each is read as what was shown, but for the `...` of a traceback."""
    kept: list[str] = []
    for line in lines:
        frames = line.strip() == "..." and bool(kept) and kept[-1].strip() == _HEADER
        kept.append(line if frames else protected(line))
    return kept


def shortened(lines: Sequence[str]) -> list[str]:
    """The lines with the frames of every traceback as `...`: they hold paths and the numbers of lines."""
    kept: list[str] = []
    inside: str | None = None
    for line in lines:
        indent = line[: len(line) - len(line.lstrip())]
        if inside is not None:
            if line.startswith(f"{inside} ") or not line.strip():
                continue
            inside = None
        kept.append(line)
        if line.strip() == _HEADER:
            kept.append(f"{indent}...")
            inside = indent
    return kept
