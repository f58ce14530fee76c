"""Units of output: pieces of text become whole lines, for each source by itself.

A line that is printed in pieces (`print(..., end="", flush=True)`) is one line of one unit, though other
sources may print between its pieces.  A replay and a recording share these rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from pyx.scenario.characters import as_seen

if TYPE_CHECKING:
    from collections.abc import Callable

EVAL: Final = "eval"
"""The source of the output of the running evaluation itself."""


class OutputUnit(NamedTuple):
    """The output of one echo, print, error, interrupt or notice: `kind` is one of these words."""

    source: str
    kind: str
    lines: tuple[str, ...]
    at: float = 0.0
    """When it came, in seconds since the start of the session."""


@dataclass
class _OpenLine:
    """A unit whose last line has no end yet, as it is in the list, and the pieces of its text."""

    unit: OutputUnit
    pieces: list[str]


class ScreenOutput:
    """The units on one screen, in the order in which they began.

    Args:
        on_unit: called with each unit once it is whole.
    """

    def __init__(self, on_unit: Callable[[OutputUnit], object] = lambda _unit: None) -> None:
        self._on_unit = on_unit
        self._units: list[OutputUnit] = []
        self._open: dict[str, _OpenLine] = {}
        """By source."""

    @property
    def units(self) -> list[OutputUnit]:
        """All units; the caller may remove some from the list."""
        for unfinished in self._open.values():
            self._write(unfinished)
        return self._units

    def add(self, source: str, kind: str, text: str, at: float = 0.0) -> None:
        """Adds a piece of text; see `OutputUnit` for the arguments."""
        unfinished = self._open.get(source)
        if unfinished is None or unfinished.unit.kind != kind or self._index_of(unfinished.unit) is None:
            self._end_line(source)
            unfinished = self._open[source] = _OpenLine(OutputUnit(source, kind, (), at), [])
            self._units.append(unfinished.unit)
        # A progress bar comes in thousands of pieces: they are joined when the units are read.
        unfinished.pieces.append(text)
        if text.endswith("\n"):
            self._end_line(source)

    def is_open(self, unit: OutputUnit) -> bool:
        """Returns True while the last line of *unit* has no end."""
        return any(unit is one.unit for one in self._open.values())

    def end_lines(self) -> None:
        """Ends every line, as a prompt does."""
        for source in list(self._open):
            self._end_line(source)

    def _end_line(self, source: str) -> None:
        unfinished = self._open.pop(source, None)
        if unfinished is not None:
            self._write(unfinished)
            self._on_unit(unfinished.unit)

    def _write(self, unfinished: _OpenLine) -> None:
        text = "".join(unfinished.pieces)
        unfinished.pieces[:] = [text]
        lines = tuple(as_seen(line) for line in text.removesuffix("\n").split("\n"))
        place = self._index_of(unfinished.unit)
        unfinished.unit = unfinished.unit._replace(lines=lines)
        if place is not None:
            self._units[place] = unfinished.unit

    def _index_of(self, unit: OutputUnit) -> int | None:
        # By identity, from the end: equal units may be there several times, and an open one is new.
        found = (at for at in range(len(self._units) - 1, -1, -1) if self._units[at] is unit)
        return next(found, None)
