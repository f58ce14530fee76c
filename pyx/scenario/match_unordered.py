"""Compares a block with `# unordered`: its lines in any order, and all lines of the evaluation.

A line of plain text takes an equal line; the other lines try their candidates one after the other, the lines
with the fewest first, a bounded number of times.
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


class _ActualLine(NamedTuple):
    """An actual line: the index of its unit, and its own index in that."""

    unit: int
    line: int
    text: str


class UnorderedSearch:
    """Compares one block with the units of a screen."""

    def __init__(
        self, lines: Sequence[ExpectedLine], units: Sequence[OutputUnit], bindings: Bindings, view: NodeView
    ) -> None:
        self._wanted = [line for line in lines if line.kind != "dots"]
        self._loose = len(self._wanted) != len(lines)
        self._units = units
        self._bindings = bindings
        self._view = view
        everything = [
            _ActualLine(index, line, text)
            for index, unit in enumerate(units)
            for line, text in enumerate(unit.lines)
        ]
        self._actual = sorted(
            everything, key=lambda one: units[one.unit].source != EVAL
        )  # they have to be taken
        self._used: set[_ActualLine] = set()
        self._holes = False

    def run(self, *, holes: bool) -> set[int] | None:
        """See `match_block._OrderedSearch.run`."""
        self._holes = holes
        self._used = set()
        self._budget = ComparisonBudget(len(self._wanted) + len(self._actual))
        by_shape: defaultdict[tuple[str, ...], deque[_ActualLine]] = defaultdict(deque)
        for one in self._actual:
            if not holes or self._units[one.unit].source == EVAL:
                by_shape[_shape(one.text)].append(one)
        undecided: list[tuple[ExpectedLine, Sequence[_ActualLine]]] = []
        for line in self._wanted:
            alike = by_shape[_shape(line.text)]
            if line.kind != "text":
                undecided.append((line, self._actual))
            elif len(_shape(line.text)) > 1:
                undecided.append((line, alike))
            elif alike:
                self._used.add(alike.popleft())
            elif not holes:
                return None
        undecided.sort(key=lambda each: len(each[1]))
        return {one.unit for one in self._used} if self._place(undecided) else None

    def parts_left(self) -> tuple[OutputUnit, ...]:
        """Returns the remainders of units that were taken in part."""
        left: list[OutputUnit] = []
        for index, unit in enumerate(self._units):
            lines = tuple(
                text
                for line, text in enumerate(unit.lines)
                if _ActualLine(index, line, text) not in self._used
            )
            if lines and len(lines) < len(unit.lines) and unit.source != EVAL:
                left.append(unit._replace(lines=lines))
        return tuple(left)

    def _place(self, wanted: Sequence[tuple[ExpectedLine, Sequence[_ActualLine]]]) -> bool:
        """Finds partners for all of *wanted*; keeps the used lines and the bindings if it does."""
        ways: list[Iterator[None]] = []
        while len(ways) < len(wanted):
            ways.append(self._partners(*wanted[len(ways)]))
            while not self._advances(ways[-1]):
                ways.pop()
                if not ways:
                    return False
        if self._is_complete():
            return True
        while ways:  # all have partners, but a line of the evaluation has none
            if not self._advances(ways[-1]):
                ways.pop()
            elif len(ways) < len(wanted):
                ways.append(self._partners(*wanted[len(ways)]))
            elif self._is_complete():
                return True
        return False

    @staticmethod
    def _advances(way: Iterator[None]) -> bool:
        return next(way, way) is None

    def _partners(self, line: ExpectedLine, candidates: Sequence[_ActualLine]) -> Iterator[None]:
        """Yields once for each partner of *line*, which is used while the generator is suspended."""
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
            one in self._used for one in self._actual if self._units[one.unit].source == EVAL
        )


def _shape(text: str) -> tuple[str, ...]:
    """Returns a key that is equal for texts that are equal up to their tokens."""
    return tuple(
        f"<{part.kind}>" if isinstance(part, Token) else part for part in split_tokens(text.rstrip(BLANKS))
    )
