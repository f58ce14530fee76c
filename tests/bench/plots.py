"""Line plots as SVG, written by hand: a few series of points over two axes, linear or logarithmic."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTH: Final = 720
HEIGHT: Final = 400
LEFT: Final = 80
RIGHT: Final = 130
TOP: Final = 44
BOTTOM: Final = 56
LABEL_HEIGHT: Final = 15
MOST_TICKS: Final = 6


class Point(NamedTuple):
    """One measured value."""

    x: float
    y: float


class Series(NamedTuple):
    """One line, the name at its right end, and the colour of both."""

    name: str
    points: Sequence[Point]
    colour: str


class Axis:
    """Places values between two pixels.

    Args:
        values: all that are to be placed.
        first: the pixel of the lowest value.
        last: the pixel of the highest value.
        is_log: each factor has the same length; needs values above zero.
    """

    def __init__(self, values: Sequence[float], first: float, last: float, *, is_log: bool) -> None:
        self._is_log = is_log
        self.ticks: Final = log_ticks(min(values), max(values)) if is_log else ticks(max(values))
        self._low, self._high = self._scaled(self.ticks[0]), self._scaled(self.ticks[-1])
        self._first, self._last = first, last

    def __call__(self, value: float) -> float:
        """The pixel of *value*."""
        share = (self._scaled(value) - self._low) / (self._high - self._low)
        return self._first + share * (self._last - self._first)

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self._is_log else value


def ticks(highest: float) -> list[float]:
    """Round numbers from 0 to *highest* or a little more."""
    exponent = math.floor(math.log10(highest)) if highest > 0 else 0
    steps = (factor * 10**power for power in (exponent - 1, exponent, exponent + 1) for factor in (1, 2, 5))
    step = next(one for one in steps if highest / one <= MOST_TICKS - 1)
    return [number * step for number in range(max(1, math.ceil(highest / step - 1e-9)) + 1)]


def log_ticks(lowest: float, highest: float) -> list[float]:
    """Powers of ten around all values."""
    first, last = math.floor(math.log10(lowest)), math.ceil(math.log10(highest))
    return [10.0**power for power in range(first, max(last, first + 1) + 1)]


def short(value: float) -> str:
    """A number at an axis: 50 k instead of 50000."""
    for factor, letter in ((1e6, " M"), (1e3, " k")):
        if value >= factor:
            return f"{value / factor:g}{letter}"
    return f"{value:g}"


def plot(title: str, x_name: str, y_name: str, series: Sequence[Series], *, x_log: bool, y_log: bool) -> str:
    """Draws the series; each needs a point at least.

    Args:
        title: stands above.
        x_name: stands below the horizontal axis, with its unit.
        y_name: stands above the vertical axis, with its unit.
        series: the lines.
        x_log: the horizontal axis is logarithmic; values of 0 stand at its left end.
        y_log: the same for the vertical one.
    """
    lowest = min((point.x for line in series for point in line.points if point.x > 0), default=1.0)
    lines = [
        line._replace(points=[Point(max(p.x, lowest) if x_log else p.x, p.y) for p in line.points])
        for line in series
    ]
    across = Axis([p.x for line in lines for p in line.points], LEFT, WIDTH - RIGHT, is_log=x_log)
    up = Axis([p.y for line in lines for p in line.points], HEIGHT - BOTTOM, TOP, is_log=y_log)
    body = [*_axes(across, up, x_name, y_name), *_lines(lines, across, up)]
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
            f'<text x="{LEFT}" y="18" font-size="14" font-weight="bold">{escape(title)}</text>',
            *body,
            "</svg>\n",
        ]
    )


def _axes(across: Axis, up: Axis, x_name: str, y_name: str) -> Iterator[str]:
    """Grid lines with their numbers, and the names of the axes."""
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    for tick in across.ticks:
        x = f"{across(tick):.1f}"
        yield f'<line x1="{x}" y1="{TOP}" x2="{x}" y2="{bottom}" stroke="#e4e4e4"/>'
        yield f'<text x="{x}" y="{bottom + 16}" text-anchor="middle" fill="#333333">{short(tick)}</text>'
    for tick in up.ticks:
        y = up(tick)
        yield f'<line x1="{LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#e4e4e4"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="#333333">{short(tick)}</text>'
    middle = (LEFT + right) / 2
    yield f'<text x="{middle}" y="{HEIGHT - 14}" text-anchor="middle" fill="#333333">{escape(x_name)}</text>'
    yield f'<text x="{LEFT}" y="{TOP - 10}" fill="#333333">{escape(y_name)}</text>'


def _lines(series: Sequence[Series], across: Axis, up: Axis) -> Iterator[str]:
    """The lines with their points, and the names at their ends, which do not overlap."""
    ends = [(up(line.points[-1].y), number) for number, line in enumerate(series)]
    places = dict(
        zip((number for _, number in sorted(ends)), spread(sorted(y for y, _ in ends)), strict=True)
    )
    for number, line in enumerate(series):
        colour = line.colour
        points = [(across(point.x), up(point.y)) for point in line.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points)
        x, y = points[-1][0] + 8, places[number] + 4
        yield f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}">{escape(line.name)}</text>'


def spread(places: Sequence[float]) -> list[float]:
    """Ascending places, moved down where two are nearer than the height of a label."""
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + LABEL_HEIGHT) if moved else place)
    return moved
