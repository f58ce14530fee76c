"""The generated parts of `docs/performance.md`, between its markers, and the plots beside it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.bench.cases import CASES, GROUPS, LENGTHS, PEERS, PROCESSES, SENDERS, SIZES
from tests.bench.plots import Point, Series, plot
from tests.bench.ratios import summary
from tests.bench.report import ERLANG, against_erlang, cases_of, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.bench.results import Measured

PAGE: Final = "performance.md"
FOLDER: Final = "performance"
BEGIN: Final = "<!-- measured: python -m tests.bench --write -->"
END: Final = "<!-- end of what was measured -->"

SHOWN_NAMES: Final = {
    "pyx": "pyx",
    "pyx-tls": "pyx over TLS",
    "pyx-general": "pyx, general paths",
    "erlang": "Erlang",
    "rpyc": "RPyC",
    "execnet": "execnet",
    "zeromq": "ZeroMQ and msgpack",
    "raw": "msgpack and a socket by hand",
    "sketch": "sketch",
}
"""How contenders are called on the page, in the order of the columns."""

COLOURS: Final = {
    "pyx": "#0b62a8",
    "pyx-tls": "#7b3fa0",
    "pyx-general": "#8a6d00",
    "erlang": "#c8501e",
    "zeromq": "#2e7d32",
}
OTHER_COLOUR: Final = "#555555"


class Curve(NamedTuple):
    """A plot: a group whose cases differ in one number."""

    group: str
    title: str
    x_name: str
    y_name: str
    prefix: str
    numbers: tuple[int, ...]
    x_log: bool
    y_log: bool

    @property
    def file(self) -> str:
        """The name of its picture."""
        return f"{self.group}.svg"


CURVES: Final = (
    Curve("sizes", "A message and its answer, by size", "bytes", "µs", "size_", SIZES, True, True),
    Curve("senders", "Messages a second, by senders", "senders", "per s", "senders_", SENDERS, False, False),
    Curve("peers", "An rpc, by connected peers", "peers", "µs", "peers_", PEERS, False, False),
    Curve(
        "population", "An rpc, by idle processes", "processes", "µs", "processes_", PROCESSES, False, False
    ),
    Curve(
        "mailbox",
        "A receive by pattern, by waiting messages",
        "messages",
        "µs",
        "mailbox_",
        LENGTHS,
        True,
        True,
    ),
)


class NoMarkers(Exception):
    """The page lacks one of its two markers."""


def write(kept: Mapping[str, Measured], docs: Path) -> list[Path]:
    """Writes the page's tables and the plots from what is kept; returns the files that it wrote."""
    folder = docs / FOLDER
    folder.mkdir(exist_ok=True)
    written = []
    for curve, measured in _measured_curves(kept):
        file = folder / curve.file
        file.write_text(drawn(curve, measured))
        written.append(file)
    page = docs / PAGE
    page.write_text(replaced(page.read_text(), "\n".join(tables(kept))))
    return [*written, page]


def replaced(text: str, generated: str) -> str:
    """The page with *generated* between its markers.

    Raises:
        NoMarkers: it has none.
    """
    pattern = re.compile(rf"(?<={re.escape(BEGIN)}\n).*?(?={re.escape(END)}$)", re.DOTALL | re.MULTILINE)
    if not pattern.search(text):
        raise NoMarkers(f"the page has no two lines {BEGIN!r} and {END!r}")
    return pattern.sub(lambda _: f"\n{generated}\n", text)


def tables(kept: Mapping[str, Measured]) -> Iterator[str]:
    """The lines of all tables, in the order of the groups."""
    curves = {curve.group: curve for curve in CURVES}
    yield from sorted({f"Measured with {one.machine}." for one in kept.values()})
    yield ""
    for group in GROUPS:
        for measured in (one for one in kept.values() if one.group == group.name):
            yield f"### {group.what[0].upper()}{group.what[1:]}{_place(measured)}"
            yield ""
            yield _provenance(measured)
            yield ""
            if group.name in curves:
                yield f"![{curves[group.name].title}]({FOLDER}/{curves[group.name].file})"
                yield ""
                yield from curve_table(curves[group.name], measured)
            else:
                yield from table(measured)
            yield ""


def _place(measured: Measured) -> str:
    """Where its sides ran, if the group is measured in several ways."""
    return {"same": ", on one core", "split": ", on two cores"}[measured.pin]


def _provenance(measured: Measured) -> str:
    least, most = measured.load
    rounds = f"{len(measured.rounds)} round{'s' if len(measured.rounds) != 1 else ''}"
    return f"{measured.date}; {rounds}; load {least:.1f} to {most:.1f}."


def table(measured: Measured) -> Iterator[str]:
    """A row for each case and contender; the first of a case says what it is."""
    yield "| What | Who | Best | Median | Of Erlang: best, median | CPU µs | Switches |"
    yield "|---|---|---|---|---|---|---|"
    for case in cases_of(measured):
        what = case.what
        for contender in _in_order(measured.contenders):
            found = summary(measured.rounds, contender, case)
            if found is not None:
                cells = (
                    what,
                    _shown(contender),
                    f"{number(found.best)} {case.unit}",
                    number(found.median),
                    against_erlang(measured, contender, case).replace(" (", ", ").rstrip(")"),
                    "" if found.cpu is None else number(found.cpu),
                    "" if found.switches is None else f"{found.switches:.1f}",
                )
                yield f"| {' | '.join(cells)} |"
                what = ""


def curve_table(curve: Curve, measured: Measured) -> Iterator[str]:
    """The best values of a plot: a row for each contender."""
    yield f"| {curve.y_name} at {curve.x_name} | {' | '.join(f'{one:,}' for one in curve.numbers)} |"
    yield f"|---|{'---|' * len(curve.numbers)}"
    for line in series(curve, measured):
        values = {point.x: number(point.y) for point in line.points}
        yield f"| {line.name} | {' | '.join(values.get(one, '') for one in curve.numbers)} |"


def drawn(curve: Curve, measured: Measured) -> str:
    """The plot of a group."""
    lines = series(curve, measured)
    return plot(
        f"{curve.title} ({measured.date})",
        curve.x_name, curve.y_name, lines,
        x_log=curve.x_log, y_log=curve.y_log,
    )  # fmt: skip


def series(curve: Curve, measured: Measured) -> list[Series]:
    """The best value of each contender at each number."""
    lines = []
    for contender in _in_order(measured.contenders):
        found = (
            (one, summary(measured.rounds, contender, CASES[f"{curve.prefix}{one}"])) for one in curve.numbers
        )
        points = [Point(one, summed.best) for one, summed in found if summed is not None]
        if points:
            lines.append(Series(_shown(contender), points, COLOURS.get(contender, OTHER_COLOUR)))
    return lines


def _measured_curves(kept: Mapping[str, Measured]) -> Iterator[tuple[Curve, Measured]]:
    for curve in CURVES:
        for measured in kept.values():
            if measured.group == curve.group and series(curve, measured):
                yield curve, measured


def _in_order(contenders: Sequence[str]) -> list[str]:
    """Known ones in the order of their names' table, then others (revisions)."""
    known = list(SHOWN_NAMES)
    return sorted(contenders, key=lambda one: known.index(one) if one in known else len(known))


def _shown(contender: str) -> str:
    """A contender's name on the page."""
    return SHOWN_NAMES.get(contender, contender)


assert ERLANG in SHOWN_NAMES
