"""A block against what several sources showed: the lines have to be a merge of their units.

A unit is what one echo or one print put on the screen: its lines stay together.  Within a source the order is
fixed, between sources it is free.  What the evaluation itself showed (source `EVAL`) has to be there in full;
of the other sources the block takes what it names and leaves the rest to later blocks.

Not here: one line (`expectation.py`), waiting for more (`player.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pyx.scenario.expectation import Line, expected_line, match_echo, match_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyx.scenario.renaming import Renaming, View

EVAL: Final = "eval"
"""The source of what an evaluation itself showed."""

_MOST_TRIES: Final = 50_000
"""A block that fits in so many ways is no test; it is taken as not matching."""


class Unit(NamedTuple):
    """What one echo, print, error or notice showed: `kind` is one of these words."""

    source: str
    kind: str
    lines: tuple[str, ...]
    at: float = 0.0
    """When it came, in seconds since the start of the scenario."""


class Found(NamedTuple):
    """How a block stands: `"matched"`, `"open"` (what is missing may still come) or `"mismatch"`."""

    verdict: str
    left: tuple[Unit, ...]
    """The units that the block did not take."""


def match_block(
    written: Sequence[str],
    units: Sequence[Unit],
    renaming: Renaming,
    view: View,
    *,
    unordered: bool = False,
) -> Found:
    """How the lines of a block and the units on a screen go together; keeps bindings only when it matched."""
    lines = [expected_line(line) for line in written]
    before = renaming.mark()
    search = _Unordered(lines, units, renaming, view) if unordered else _Search(lines, units, renaming, view)
    taken = search.run(holes=False)
    if taken is not None:
        left = tuple(unit for index, unit in enumerate(units) if index not in taken)
        return Found("matched", left + search.parts_left())
    renaming.rewind(before)
    fits = search.run(holes=True) is not None
    renaming.rewind(before)
    return Found("open" if fits else "mismatch", tuple(units))


def names_unit(written: Sequence[str], unit: Unit, renaming: Renaming, view: View) -> bool:
    """True if some lines of the block could be this unit; binds nothing."""
    lines = [expected_line(line) for line in written]
    before = renaming.mark()
    found = any(
        lines[at].kind != "dots" and any(True for _ in unit_fits(lines, at, unit, renaming, view))
        for at in range(len(lines))
    )
    renaming.rewind(before)
    return found


def unit_fits(lines: Sequence[Line], at: int, unit: Unit, renaming: Renaming, view: View) -> Iterator[int]:
    """Each index behind the expected lines that *unit* may be, from index *at* on.

    The bindings of one way hold while the generator rests there; they are taken back when it goes on.
    """
    yield from _lines_fit(lines, at, unit.lines, renaming, view)
    if unit.kind == "echo":
        shown = "\n".join(unit.lines)
        for end in range(at + 1, len(lines) + 1):
            mark = renaming.mark()
            if match_echo(lines[at:end], shown, renaming, view):
                yield end
            renaming.rewind(mark)


def _lines_fit(
    lines: Sequence[Line], at: int, shown: Sequence[str], renaming: Renaming, view: View
) -> Iterator[int]:
    if not shown:
        yield at
        return
    if at == len(lines):
        return
    if lines[at].kind == "dots":
        for skipped in range(1, len(shown) + 1):
            yield from _lines_fit(lines, at + 1, shown[skipped:], renaming, view)
        return
    mark = renaming.mark()
    if match_line(lines[at], shown[0], renaming, view):
        if len(shown) > 1 and at + 1 < len(lines) and lines[at + 1].kind == "dots":
            # `...` inside a unit may also stand for nothing
            yield from _lines_fit(lines, at + 2, shown[1:], renaming, view)
        yield from _lines_fit(lines, at + 1, shown[1:], renaming, view)
    renaming.rewind(mark)


class _Search:
    """Looks for a merge, deepest first."""

    def __init__(self, lines: Sequence[Line], units: Sequence[Unit], renaming: Renaming, view: View) -> None:
        self._lines = lines
        self._units = units
        self._renaming = renaming
        self._view = view
        self._queues: dict[str, list[int]] = {}
        for index, unit in enumerate(units):
            self._queues.setdefault(unit.source, []).append(index)
        self._holes = False
        self._tries = 0

    def run(self, *, holes: bool) -> set[int] | None:
        """The indexes of the units that the block takes; None if it does not match.

        With *holes* lines may stay without a unit, as if theirs had not come yet; only the evaluation's units
        are placed then.
        """
        self._holes = holes
        self._tries = 0
        heads = dict.fromkeys([EVAL] if holes else self._queues, 0)
        if not self._place(0, heads):
            return None
        return {index for source, head in heads.items() for index in self._queues.get(source, [])[:head]}

    def parts_left(self) -> tuple[Unit, ...]:
        """Units that were taken in part."""
        return ()

    def _place(self, at: int, heads: dict[str, int]) -> bool:
        self._tries += 1
        if self._tries > _MOST_TRIES:
            return False
        if at == len(self._lines):
            return heads.get(EVAL, 0) == len(self._queues.get(EVAL, ()))
        dots = self._lines[at].kind == "dots"
        if dots and at == len(self._lines) - 1:
            for source in heads:  # the last line is `...`: whatever is there
                heads[source] = len(self._queues.get(source, ()))
            return True
        for source in heads:
            unit = self._next(source, heads)
            if unit is None:
                continue
            heads[source] += 1
            for after in unit_fits(self._lines, at, unit, self._renaming, self._view):
                if self._place(after, heads):
                    return True
            if dots and self._place(at, heads):
                return True
            heads[source] -= 1
        return (dots or self._holes) and self._place(at + 1, heads)

    def _next(self, source: str, heads: dict[str, int]) -> Unit | None:
        queue = self._queues.get(source, ())
        head = heads[source]
        return self._units[queue[head]] if head < len(queue) else None


class _Unordered:
    """`# unordered`: each expected line is some line shown, each line of the evaluation is expected."""

    def __init__(self, lines: Sequence[Line], units: Sequence[Unit], renaming: Renaming, view: View) -> None:
        self._wanted = [line for line in lines if line.kind != "dots"]
        self._loose = len(self._wanted) != len(lines)
        self._units = units
        self._renaming = renaming
        self._view = view
        self._shown = [
            (index, line, text) for index, unit in enumerate(units) for line, text in enumerate(unit.lines)
        ]
        self._used: set[tuple[int, int]] = set()
        self._holes = False
        self._tries = 0

    def run(self, *, holes: bool) -> set[int] | None:
        """See `_Search.run`."""
        self._holes = holes
        self._tries = 0
        self._used = set()
        return {index for index, _ in self._used} if self._place(0) else None

    def parts_left(self) -> tuple[Unit, ...]:
        """See `_Search`."""
        left: list[Unit] = []
        for index, unit in enumerate(self._units):
            lines = tuple(text for line, text in enumerate(unit.lines) if (index, line) not in self._used)
            if lines and len(lines) < len(unit.lines) and unit.source != EVAL:
                left.append(unit._replace(lines=lines))
        return tuple(left)

    def _place(self, at: int) -> bool:
        self._tries += 1
        if self._tries > _MOST_TRIES:
            return False
        if at == len(self._wanted):
            return self._loose or all(
                (index, line) in self._used
                for index, line, _ in self._shown
                if self._units[index].source == EVAL
            )
        for index, line, text in self._shown:
            if (index, line) in self._used or (self._holes and self._units[index].source != EVAL):
                continue
            mark = self._renaming.mark()
            self._used.add((index, line))
            if match_line(self._wanted[at], text, self._renaming, self._view) and self._place(at + 1):
                return True
            self._used.discard((index, line))
            self._renaming.rewind(mark)
        return self._holes and self._place(at + 1)
