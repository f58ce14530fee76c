"""Compares a block with the units of output of several sources: the block has to be these, interleaved.

A unit is the output of one echo or one print: its lines stay together.  Within a source the order is fixed,
between sources it is free.  The units of the evaluation itself (source `EVAL`) have to be there in full; of
the other sources the block takes the units that it names and leaves the rest to later blocks.

The search is depth first.  It does not recurse, does not repeat a place that failed with the same bindings,
and its comparisons are bounded (`ComparisonBudget`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pyx.scenario.match_echo import end_of_echo, match_echo
from pyx.scenario.match_line import ComparisonBudget, ExpectedLine, expected_line, match_line
from pyx.scenario.match_term import end_of_term, match_term
from pyx.scenario.match_unordered import UnorderedSearch
from pyx.scenario.output_units import EVAL, OutputUnit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyx.scenario.bindings import Bindings, NodeView


REBROKEN: Final = frozenset({"echo", "term"})
"""The kinds of units whose line breaks do not matter."""


class BlockMatch(NamedTuple):
    """The outcome for a block: `"matched"`, `"open"` (missing lines may still come) or `"mismatch"`."""

    outcome: str
    unclaimed: tuple[OutputUnit, ...]
    """The units that the block does not take."""


def match_block(
    written: Sequence[str],
    units: Sequence[OutputUnit],
    bindings: Bindings,
    view: NodeView,
    *,
    unordered: bool = False,
) -> BlockMatch:
    """Compares the lines of a block with the units on a screen; keeps the bindings of a match only.

    Raises:
        ExpressionTooSlow: a regular expression could not be matched in time.
    """
    lines = [expected_line(line) for line in written]
    before = bindings.savepoint()
    search = (
        UnorderedSearch(lines, units, bindings, view)
        if unordered
        else _OrderedSearch(lines, units, bindings, view)
    )
    try:
        taken = search.run(holes=False)
        if taken is not None:
            left = tuple(unit for index, unit in enumerate(units) if index not in taken)
            return BlockMatch("matched", left + search.parts_left())
        bindings.rollback(before)
        fits = search.run(holes=True) is not None
    except BaseException:
        bindings.rollback(before)
        raise
    bindings.rollback(before)
    return BlockMatch("open" if fits else "mismatch", tuple(units))


def names_unit(written: Sequence[str], unit: OutputUnit, bindings: Bindings, view: NodeView) -> bool:
    """Returns True if some lines of the block could be this unit; binds nothing."""
    lines = [expected_line(line) for line in written]
    before = bindings.savepoint()
    found = any(
        lines[at].kind != "dots" and any(True for _ in unit_fits(lines, at, unit, bindings, view))
        for at in range(len(lines))
    )
    bindings.rollback(before)
    return found


def unit_fits(
    lines: Sequence[ExpectedLine],
    at: int,
    unit: OutputUnit,
    bindings: Bindings,
    view: NodeView,
    budget: ComparisonBudget | None = None,
) -> Iterator[int]:
    """Yields each index behind the expected lines that *unit* may be, from index *at* on.

    The bindings of one way hold while the generator is suspended there; it rolls them back when it goes on.
    """
    budget = budget or ComparisonBudget(len(lines) + len(unit.lines))
    yield from _lines_fit(lines, at, unit.lines, bindings, view, budget)
    if unit.kind == "echo":
        actual = "\n".join(unit.lines)
        end = end_of_echo(lines, at, actual)
        if end is not None and budget.spend():
            savepoint = bindings.savepoint()
            if match_echo(lines[at:end], actual, bindings, view):
                yield end
            bindings.rollback(savepoint)
    elif unit.kind == "term":
        actual = "\n".join(unit.lines)
        end = end_of_term(lines, at, actual)
        if end is not None and budget.spend():
            savepoint = bindings.savepoint()
            if match_term(lines[at:end], actual, bindings, view):
                yield end
            bindings.rollback(savepoint)


def _lines_fit(
    lines: Sequence[ExpectedLine],
    at: int,
    actual: Sequence[str],
    bindings: Bindings,
    view: NodeView,
    budget: ComparisonBudget,
) -> Iterator[int]:
    """Like `unit_fits`, line by line.  `...` takes at least one line, inside the unit also none."""
    before = bindings.savepoint()
    tried: set[tuple[int, int, int]] = set()
    # The ways still to try: an expected line, an actual line, and the bindings there.
    ways = [(at, 0, before)]
    while ways:
        row, column, savepoint = ways.pop()
        bindings.rollback(savepoint)
        while True:
            if column == len(actual):
                yield row
                break
            if row == len(lines) or not budget.spend():
                break
            if lines[row].kind == "dots":
                state = (row, column, bindings.state)
                if state in tried:
                    break
                tried.add(state)
                if column + 1 < len(actual):
                    ways.append((row, column + 1, bindings.savepoint()))
                row, column = row + 1, column + 1
                continue
            if not match_line(lines[row], actual[column], bindings, view):
                break
            row, column = row + 1, column + 1
            if column < len(actual) and row < len(lines) and lines[row].kind == "dots":
                # `...` inside a unit may also stand for nothing
                ways.append((row, column, bindings.savepoint()))
                row += 1
    bindings.rollback(before)


class _PlacedUnits(NamedTuple):
    """The number of units of each source that are placed, in the order of the sources."""

    counts: tuple[int, ...]

    def after(self, source: int) -> _PlacedUnits:
        """Returns the counts with one more of *source*."""
        return _PlacedUnits((*self.counts[:source], self.counts[source] + 1, *self.counts[source + 1 :]))


class _OrderedSearch:
    """Searches for a merge of the sources that is the block."""

    def __init__(
        self, lines: Sequence[ExpectedLine], units: Sequence[OutputUnit], bindings: Bindings, view: NodeView
    ) -> None:
        self._lines = lines
        self._units = units
        self._bindings = bindings
        self._view = view
        self._queues: dict[str, list[int]] = {}
        for index, unit in enumerate(units):
            self._queues.setdefault(unit.source, []).append(index)
        self._holes = False

    def run(self, *, holes: bool) -> set[int] | None:
        """Returns the indexes of the units that the block takes; None if it does not match.

        With *holes* lines may stay without a unit, as if their output had not come yet; only the units of
        the evaluation are placed then.
        """
        self._holes = holes
        self._sources = [source for source in self._queues if source == EVAL or not holes]
        self._budget = ComparisonBudget(len(self._lines) + sum(len(unit.lines) for unit in self._units))
        placed = self._place()
        if placed is None:
            return None
        return {
            index
            for source, count in zip(self._sources, placed.counts, strict=True)
            for index in self._queues[source][:count]
        }

    def parts_left(self) -> tuple[OutputUnit, ...]:
        """Returns the remainders of units that were taken in part: in order there are none."""
        return ()

    def _place(self) -> _PlacedUnits | None:
        start = _PlacedUnits((0,) * len(self._sources))
        if (over := self._at_end(0, start)) is not None or not self._lines or self._has_too_few_lines():
            return over
        failed = _FailedPlaces(self._holes)
        ways = [(0, start, self._ways(0, start))]
        while ways:
            at, placed, following = ways[-1]
            if self._budget.is_spent:
                return None
            step = next(following, None)
            if step is None:
                ways.pop()
                failed.note(at, placed, self._bindings.state)
                continue
            if (over := self._at_end(*step)) is not None:
                return over
            if step[0] < len(self._lines) and not failed.knows(*step, self._bindings.state):
                ways.append((*step, self._ways(*step)))
        return None

    def _has_too_few_lines(self) -> bool:
        """Returns True if there are fewer actual lines than expected ones, as while more are to come."""
        actual = sum(len(unit.lines) for unit in self._units)
        loose = self._holes or any(line.kind == "dots" for line in self._lines)
        return (
            not loose and actual < len(self._lines) and all(unit.kind not in REBROKEN for unit in self._units)
        )

    def _at_end(self, at: int, placed: _PlacedUnits) -> _PlacedUnits | None:
        """Returns the placed units if line *at* is the end of the block and the evaluation is all there."""
        if at == len(self._lines):
            complete = all(
                count == len(self._queues[source])
                for source, count in zip(self._sources, placed.counts, strict=True)
                if source == EVAL
            )
            return placed if complete else None
        if at == len(self._lines) - 1 and self._lines[at].kind == "dots":
            # the last line is `...`, which takes all that is left
            return _PlacedUnits(tuple(len(self._queues[source]) for source in self._sources))
        return None

    def _ways(self, at: int, placed: _PlacedUnits) -> Iterator[tuple[int, _PlacedUnits]]:
        """Yields where the search may go on from line *at*; as in `unit_fits`, bindings hold meanwhile."""
        dots = self._lines[at].kind == "dots"
        for number, source in enumerate(self._sources):
            queue, count = self._queues[source], placed.counts[number]
            if count == len(queue) or not self._budget.spend():
                continue
            after = placed.after(number)
            unit = self._units[queue[count]]
            state = self._bindings.state
            for end in unit_fits(self._lines, at, unit, self._bindings, self._view, self._budget):
                plain = self._bindings.state == state and self._is_shortest(at, end, unit)
                yield end, after
                if self._holes and plain:
                    return  # no other place for this unit leaves more lines to the next ones
            if dots:
                yield at, after
        if dots or self._holes:
            yield at + 1, placed

    def _is_shortest(self, at: int, end: int, unit: OutputUnit) -> bool:
        """Returns True if *unit*, at the lines from *at* to *end*, cannot take fewer lines."""
        if any(line.kind == "dots" for line in self._lines[at:end]):
            return False
        return end == at + 1 or (end == at + len(unit.lines) and unit.kind not in REBROKEN)


class _FailedPlaces:
    """The places from which the search failed: (line, placed units, state of the bindings)."""

    def __init__(self, holes: bool) -> None:
        self._holes = holes
        self._lines: dict[tuple[_PlacedUnits, int], set[int]] = {}
        self._least: dict[tuple[_PlacedUnits, int], int] = {}

    def note(self, at: int, placed: _PlacedUnits, state: int) -> None:
        self._lines.setdefault((placed, state), set()).add(at)
        self._least[placed, state] = min(at, self._least.get((placed, state), at))

    def knows(self, at: int, placed: _PlacedUnits, state: int) -> bool:
        if self._holes:  # lines may be left out, so what fails here fails further down too
            return at >= self._least.get((placed, state), at + 1)
        return at in self._lines.get((placed, state), ())
