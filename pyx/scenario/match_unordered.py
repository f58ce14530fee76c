"""`# unordered`: each expected line is some line shown, and each line of the evaluation is expected.

A line that can be written in one way only takes one that is written so; for the others partners are tried one
after the other, those with the fewest first, a bounded number of times.
See `match_block.py` for blocks in order.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING, NamedTuple

from pyx.scenario.bindings import Token, split_tokens
from pyx.scenario.match_line import BLANKS, ComparisonBudget, match_line
from pyx.scenario.output_units import EVAL, OutputUnit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyx.scenario.bindings import Bindings, NodeView
    from pyx.scenario.match_line import ExpectedLine


class _ShownLine(NamedTuple):
    """A line of a unit: the unit's index, the line's index in it."""

    unit: int
    line: int
    text: str


class UnorderedSearch:
    """One block against the units of a screen."""

    def __init__(
        self, lines: Sequence[ExpectedLine], units: Sequence[OutputUnit], bindings: Bindings, view: NodeView
    ) -> None:
        self._wanted = [line for line in lines if line.kind != "dots"]
        self._loose = len(self._wanted) != len(lines)
        self._units = units
        self._bindings = bindings
        self._view = view
        everything = [
            _ShownLine(index, line, text)
            for index, unit in enumerate(units)
            for line, text in enumerate(unit.lines)
        ]
        self._shown = sorted(
            everything, key=lambda one: units[one.unit].source != EVAL
        )  # they have to be taken
        self._used: set[_ShownLine] = set()
        self._holes = False

    def run(self, *, holes: bool) -> set[int] | None:
        """See `match_block._Search.run`."""
        self._holes = holes
        self._used = set()
        self._budget = ComparisonBudget(len(self._wanted) + len(self._shown))
        by_shape: defaultdict[tuple[str, ...], deque[_ShownLine]] = defaultdict(deque)
        for one in self._shown:
            if not holes or self._units[one.unit].source == EVAL:
                by_shape[_shape(one.text)].append(one)
        open_: list[tuple[ExpectedLine, Sequence[_ShownLine]]] = []
        for line in self._wanted:
            alike = by_shape[_shape(line.text)]
            if line.kind != "text":
                open_.append((line, self._shown))
            elif len(_shape(line.text)) > 1:
                open_.append((line, alike))
            elif alike:
                self._used.add(alike.popleft())
            elif not holes:
                return None
        open_.sort(key=lambda each: len(each[1]))
        return {one.unit for one in self._used} if self._place(open_) else None

    def parts_left(self) -> tuple[OutputUnit, ...]:
        """Units that were taken in part."""
        left: list[OutputUnit] = []
        for index, unit in enumerate(self._units):
            lines = tuple(
                text
                for line, text in enumerate(unit.lines)
                if _ShownLine(index, line, text) not in self._used
            )
            if lines and len(lines) < len(unit.lines) and unit.source != EVAL:
                left.append(unit._replace(lines=lines))
        return tuple(left)

    def _place(self, wanted: Sequence[tuple[ExpectedLine, Sequence[_ShownLine]]]) -> bool:
        """Finds partners for all of *wanted*; what it has used and bound stays if it does."""
        ways: list[Iterator[None]] = []
        while len(ways) < len(wanted):
            ways.append(self._partners(*wanted[len(ways)]))
            while not self._goes_on(ways[-1]):
                ways.pop()
                if not ways:
                    return False
        if self._is_complete():
            return True
        while ways:  # all have partners, but something that the evaluation showed has none
            if not self._goes_on(ways[-1]):
                ways.pop()
            elif len(ways) < len(wanted):
                ways.append(self._partners(*wanted[len(ways)]))
            elif self._is_complete():
                return True
        return False

    @staticmethod
    def _goes_on(way: Iterator[None]) -> bool:
        return next(way, way) is None

    def _partners(self, line: ExpectedLine, candidates: Sequence[_ShownLine]) -> Iterator[None]:
        """Rests once for each partner of *line*, which is used then."""
        for one in candidates:
            if one in self._used or (self._holes and self._units[one.unit].source != EVAL):
                continue
            if not self._budget.spend():
                return
            savepoint = self._bindings.savepoint()
            if match_line(line, one.text, self._bindings, self._view):
                self._used.add(one)
                yield
                self._used.discard(one)
            self._bindings.rollback(savepoint)
        if self._holes:
            yield

    def _is_complete(self) -> bool:
        return self._loose or all(
            one in self._used for one in self._shown if self._units[one.unit].source == EVAL
        )


def _shape(text: str) -> tuple[str, ...]:
    """What texts that are the same up to names have in common: the plain parts, the kinds of the others."""
    return tuple(
        f"<{part.kind}>" if isinstance(part, Token) else part for part in split_tokens(text.rstrip(BLANKS))
    )
