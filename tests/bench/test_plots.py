"""The plots of the benchmarks: axes, lines and labels, as SVG."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from tests.bench.plots import HEIGHT, WIDTH, Axis, Point, Series, log_ticks, plot, short, spread, ticks

SVG = "{http://www.w3.org/2000/svg}"


def drawn(*series: Series, x_log: bool = False, y_log: bool = False) -> ET.Element:
    return ET.fromstring(plot("A <title>", "bytes", "µs", series, x_log=x_log, y_log=y_log))


def lines(picture: ET.Element) -> list[list[tuple[float, float]]]:
    found = picture.findall(f"{SVG}polyline")
    return [
        [(float(x), float(y)) for x, y in re.findall(r"([\d.]+),([\d.]+)", line.attrib["points"])]
        for line in found
    ]


@pytest.mark.parametrize(
    ("highest", "expected"),
    [
        (10, [0, 2, 4, 6, 8, 10]),
        (307, [0, 100, 200, 300, 400]),
        (0.9, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0, [0, 0.1]),
    ],
)
def test_ticks_are_round_and_reach_the_highest_value(highest: float, expected: list[float]) -> None:
    assert ticks(highest) == pytest.approx(expected)


def test_ticks_of_a_logarithmic_axis_are_powers_of_ten_around_the_values() -> None:
    assert log_ticks(30, 20_000) == [10, 100, 1_000, 10_000, 100_000]
    assert log_ticks(100, 100) == [100, 1_000]


def test_axis_places_values_in_proportion() -> None:
    linear = Axis([0, 100], 0, 500, is_log=False)
    assert [linear(value) for value in (0, 50, 100)] == pytest.approx([0, 250, 500])
    logarithmic = Axis([1, 100], 500, 0, is_log=True)
    assert [logarithmic(value) for value in (1, 10, 100)] == pytest.approx([500, 250, 0])


def test_plot_draws_each_series_with_its_name() -> None:
    picture = drawn(
        Series("pyx", [Point(1, 10), Point(10, 20)], "#123456"),
        Series("Erlang", [Point(1, 5), Point(10, 6)], "#654321"),
    )
    (first, second) = lines(picture)
    assert first[0][0] == second[0][0] < first[1][0]
    assert first[1][1] < first[0][1], "a higher value stands higher"
    texts = [text.text for text in picture.iter(f"{SVG}text")]
    assert {"pyx", "Erlang", "bytes", "µs", "A <title>"} <= set(texts)


@pytest.mark.parametrize("is_log", [True, False])
def test_plot_stays_inside_its_picture(is_log: bool) -> None:
    picture = drawn(Series("pyx", [Point(10, 3), Point(1e6, 70_000)], "blue"), x_log=is_log, y_log=is_log)
    for line in lines(picture):
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in line)


def test_zero_stands_at_the_left_end_of_a_logarithmic_axis() -> None:
    [line] = lines(drawn(Series("pyx", [Point(0, 1), Point(10, 1), Point(100, 2)], "blue"), x_log=True))
    assert line[0][0] == line[1][0] < line[2][0]


def test_names_of_lines_that_end_together_do_not_overlap() -> None:
    assert spread([100, 101, 140]) == [100, 115, 140]


def test_number_at_an_axis_is_short() -> None:
    assert [short(value) for value in (0, 0.5, 200, 50_000, 2e6)] == ["0", "0.5", "200", "50 k", "2 M"]
