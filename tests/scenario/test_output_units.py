"""output_units.py: Pieces of text become the units of a screen."""

from __future__ import annotations

from pyx.scenario.output_units import OutputUnit, ScreenOutput


def test_each_piece_that_ends_its_line_is_a_unit() -> None:
    shown = ScreenOutput()
    shown.add("eval", "print", "a\nb\n", 1.0)
    shown.add("eval", "print", "c\n", 2.0)
    assert shown.units == [
        OutputUnit("eval", "print", ("a", "b"), 1.0),
        OutputUnit("eval", "print", ("c",), 2.0),
    ]


def test_a_line_in_pieces_is_one_line_whatever_comes_between() -> None:
    shown = ScreenOutput()
    shown.add("eval", "print", "first\n10%", 1.0)
    assert shown.units == [OutputUnit("eval", "print", ("first", "10%"), 1.0)]
    assert shown.is_open(shown.units[0])
    shown.add("<0.5.0>", "print", "hello\n", 2.0)
    shown.add("eval", "print", "\r100%\nlast\n", 3.0)
    assert shown.units == [
        OutputUnit("eval", "print", ("first", "100%", "last"), 1.0),
        OutputUnit("<0.5.0>", "print", ("hello",), 2.0),
    ]
    assert not shown.is_open(shown.units[0])


def test_an_echo_begins_a_line() -> None:
    shown = ScreenOutput()
    shown.add("eval", "print", "a")
    shown.add("eval", "echo", "5\n")
    assert [unit.lines for unit in shown.units] == [("a",), ("5",)]


def test_a_prompt_ends_all_lines() -> None:
    shown = ScreenOutput()
    shown.add("eval", "print", "a")
    shown.end_lines()
    shown.add("eval", "print", "b\n")
    assert [unit.lines for unit in shown.units] == [("a",), ("b",)]


def test_what_follows_a_piece_that_was_taken_out_is_a_unit_of_its_own() -> None:
    shown = ScreenOutput()
    shown.add("eval", "print", "Name: ")
    shown.units.clear()
    shown.add("eval", "print", "gus\n")
    assert [unit.lines for unit in shown.units] == [("gus",)]


def test_each_unit_is_told_once_when_it_is_whole() -> None:
    told: list[tuple[str, ...]] = []
    shown = ScreenOutput(lambda unit: told.append(unit.lines))
    shown.add("eval", "print", "a")
    shown.add("<0.5.0>", "print", "b\n")
    assert told == [("b",)]
    assert shown.units[0].lines == ("a",)
    shown.add("eval", "print", "c")
    shown.end_lines()
    assert told == [("b",), ("ac",)]
