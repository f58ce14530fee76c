"""console_queue.py: the size of a console queue, when it is busy, and which lines are dropped."""

from __future__ import annotations

from pyx.core.console_queue import HIGH_WATER_CHARACTERS, MAX_CHARACTERS, ConsoleQueue
from pyx.terms import Pid

LINE = "x" * 999 + "\n"


def filled(characters: int) -> ConsoleQueue:
    lines = ConsoleQueue()
    for _ in range(characters // len(LINE)):
        lines.put(Pid(1), LINE)
    return lines


def test_lines_leave_in_order() -> None:
    lines = ConsoleQueue()
    assert not lines.put(Pid(1), "a\n")
    assert not lines.put(Pid(2), "b\n")
    assert [lines.take(), lines.take()] == [(Pid(1), "a\n"), (Pid(2), "b\n")]
    assert not lines


def test_console_queue_is_busy_from_a_mebibyte_down_to_half_of_it() -> None:
    lines = filled(HIGH_WATER_CHARACTERS)
    assert not lines.is_busy
    assert lines.put(Pid(1), LINE)
    assert (lines.is_busy, lines.is_below_low_water) == (True, False)
    while not lines.is_below_low_water:
        lines.take()
    assert lines.added - lines.taken <= HIGH_WATER_CHARACTERS // 2
    assert not lines.put(Pid(1), LINE)


def test_lines_beyond_the_limit_are_dropped_and_counted_once() -> None:
    lines = filled(MAX_CHARACTERS)
    kept = len(lines)
    for _ in range(5):
        assert lines.put(Pid(1), "two\nlines\n" * 100)
    assert len(lines) <= kept + 1
    dropped = lines.take_dropped()
    assert dropped in {800, 1000}
    assert lines.take_dropped() == 0
    assert lines.added - lines.taken <= MAX_CHARACTERS + 1000
