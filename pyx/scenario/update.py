"""`--update`: rewrites the blocks that failed, and nothing else.

A line that still matches stays as it is, with its wildcards and its names; new lines are written in the
file's own names, so that a diff shows what changed.  A traceback becomes its header, `...` and its last line.
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
    from pyx.scenario.step_failure import StepFailure

_PREFIX: Final = re.compile(r"[ \t>]*")
_HEADER: Final = "Traceback (most recent call last):"


class LineEdit(NamedTuple):
    """The lines of the file from index `first` up to `end` are replaced by `lines`."""

    first: int
    end: int
    lines: tuple[str, ...]


class Updater:
    """Collects the edits of one file.

    Args:
        text: the file as it is, with its line ends and byte order mark.
    """

    def __init__(self, text: str) -> None:
        self._rows = text.split("\n")
        self._lines = lines_of(text)
        self.edits: list[LineEdit] = []

    def add_edit(self, failure: StepFailure, bindings: Bindings) -> None:
        """Adds the edit after which the block of the failed step matches the output."""
        node = failure.node
        assert node is not None, "only a block is rewritten, and each block is of a node"
        own = [unit for unit in failure.output if unit.source == EVAL]
        others = [unit for unit in failure.output if unit.source != EVAL]
        lines = rewritten(failure.block.lines, [*own, *others], bindings, node.view)
        if failure.step is None:
            # The end of the session: an empty prompt of that node is appended.
            prefix = self._prefix(failure)
            last = failure.line - 1
            while last + 1 < len(self._lines) and self._is_in_block(self._lines[last + 1], prefix):
                last += 1
            prompt = node.prompt.rstrip() or "pyx(1)>"
            appended = [prefix.rstrip(), *(prefix + line for line in (prompt, *lines))]
            self.edits.append(LineEdit(last + 1, last + 1, tuple(appended)))
            return
        block = failure.block
        prefix = self._prefix(failure)
        new = tuple(prefix + line for line in lines)
        first = block.first - 1
        self.edits.append(LineEdit(first, first + len(block.lines), new))
        # Bind the names of the new block, as its replay will.
        match_block(lines, failure.output, bindings, node.view)

    def _prefix(self, failure: StepFailure) -> str:
        """Returns the text before the step that failed: its fence may be indented, or in a block quote."""
        found = _PREFIX.match(self._lines[failure.line - 1])
        assert found is not None, "it matches the empty text, too"
        return found.group()

    @staticmethod
    def _is_in_block(line: str, prefix: str) -> bool:
        """Returns True for a line of the last block: not blank, and not the end of the fence."""
        rest = line.removeprefix(prefix).strip()
        return bool(rest) and line.startswith(prefix) and not rest.startswith(("```", "~~~"))

    def text(self) -> str:
        """Returns the file with its edits: other lines are unchanged, new ones have the file's line ends."""
        end = "\r" if self._rows[0].endswith("\r") else ""
        rows = list(self._rows)
        ended = rows[-1] == ""  # else its last line has no end, and gets none
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
    """Returns the lines of a block for *units*; keeps the lines of *old* that still match."""
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
    """Returns the first run of old lines, from *at* on, that matches the whole unit; makes its bindings."""
    for start in range(at, len(expected)):
        for end in unit_fits(expected, start, unit, bindings, view):
            return start, end
    return None


def as_written(unit: OutputUnit, bindings: Bindings, view: NodeView) -> list[str]:
    """Returns the lines of a unit as a file has them."""
    return protected_lines([bindings.rename(line, view) for line in shortened(unit.lines)])


def protected_lines(lines: Iterable[str]) -> list[str]:
    """Returns the lines protected against being misread, except for the `...` of a traceback."""
    kept: list[str] = []
    for line in lines:
        frames = line.strip() == "..." and bool(kept) and kept[-1].strip() == _HEADER
        kept.append(line if frames else protected(line))
    return kept


def shortened(lines: Sequence[str]) -> list[str]:
    """Returns the lines with the frames of every traceback as `...`: they hold paths and line numbers."""
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
