"""output_units.py: pieces of text become units of output."""

from __future__ import annotations

from pyx.scenario.output_units import OutputUnit, ScreenOutput


def test_piece_that_ends_its_line_is_a_unit() -> None:
    screen = ScreenOutput()
    screen.add("eval", "print", "a\nb\n", 1.0)
    screen.add("eval", "print", "c\n", 2.0)
    assert screen.units == [
        OutputUnit("eval", "print", ("a", "b"), 1.0),
        OutputUnit("eval", "print", ("c",), 2.0),
    ]


def test_line_in_pieces_is_one_line_of_one_unit() -> None:
    screen = ScreenOutput()
    screen.add("eval", "print", "first\n10%", 1.0)
    assert screen.units == [OutputUnit("eval", "print", ("first", "10%"), 1.0)]
    assert screen.is_open(screen.units[0])
    screen.add("<0.5.0>", "print", "hello\n", 2.0)
    screen.add("eval", "print", "\r100%\nlast\n", 3.0)
    assert screen.units == [
        OutputUnit("eval", "print", ("first", "100%", "last"), 1.0),
        OutputUnit("<0.5.0>", "print", ("hello",), 2.0),
    ]
    assert not screen.is_open(screen.units[0])


def test_echo_begins_a_line() -> None:
    screen = ScreenOutput()
    screen.add("eval", "print", "a")
    screen.add("eval", "echo", "5\n")
    assert [unit.lines for unit in screen.units] == [("a",), ("5",)]


def test_prompt_ends_all_lines() -> None:
    screen = ScreenOutput()
    screen.add("eval", "print", "a")
    screen.end_lines()
    screen.add("eval", "print", "b\n")
    assert [unit.lines for unit in screen.units] == [("a",), ("b",)]


def test_piece_after_a_removed_one_is_a_unit_of_its_own() -> None:
    screen = ScreenOutput()
    screen.add("eval", "print", "Name: ")
    screen.units.clear()
    screen.add("eval", "print", "gus\n")
    assert [unit.lines for unit in screen.units] == [("gus",)]


def test_on_unit_is_called_once_for_each_whole_unit() -> None:
    units: list[tuple[str, ...]] = []
    screen = ScreenOutput(lambda unit: units.append(unit.lines))
    screen.add("eval", "print", "a")
    screen.add("<0.5.0>", "print", "b\n")
    assert units == [("b",)]
    assert screen.units[0].lines == ("a",)
    screen.add("eval", "print", "c")
    screen.end_lines()
    assert units == [("b",), ("ac",)]
