"""tty_modes.py: What a terminal has kept from before the prompt.  That an editor gets it back from others is
a story.
"""

from __future__ import annotations

import os
import termios
from typing import TYPE_CHECKING

import pytest

from pyx.shell.tty_modes import as_utf8, leaves_line_unfinished, let_interrupt, typed_ahead, was_taken_back
from tests.staging import until

if TYPE_CHECKING:
    from collections.abc import Iterator


class Tty:
    """A terminal: `person` types, `program` reads."""

    def __init__(self) -> None:
        self.person, self.program = os.openpty()

    def close(self) -> None:
        os.close(self.person)
        os.close(self.program)


@pytest.fixture
def tty() -> Iterator[Tty]:
    tty = Tty()
    yield tty
    tty.close()


def takes(tty: Tty, keys: str) -> None:
    """Waits for exactly these, as typing takes a moment to arrive."""
    taken: list[str] = []
    until(lambda: "".join(taken) == keys or taken.append(typed_ahead(tty.program)) is not None)


def test_nothing_typed_is_nothing(tty: Tty) -> None:
    assert typed_ahead(tty.program) == ""


@pytest.mark.parametrize("keys", ["1 + 1\n", "é\n\n", "\x04", "one\ntwo\n\x04", "one\n\x04three\n"])
def test_whole_lines_and_the_ends_of_input_between_them(keys: str, tty: Tty) -> None:
    os.write(tty.person, keys.encode())
    takes(tty, keys)


def test_what_is_typed_of_a_line_stays_for_the_editor(tty: Tty) -> None:
    os.write(tty.person, b"whole\nhalf")
    takes(tty, "whole\n")
    assert typed_ahead(tty.program) == ""


def test_what_is_typed_of_a_line_is_noticed_and_stays(tty: Tty) -> None:
    assert not leaves_line_unfinished(tty.program)
    modes = termios.tcgetattr(tty.program)
    os.write(tty.person, b"half")
    until(lambda: leaves_line_unfinished(tty.program))
    assert termios.tcgetattr(tty.program) == modes
    modes[3] &= ~termios.ICANON
    termios.tcsetattr(tty.program, termios.TCSANOW, modes)
    assert os.read(tty.program, 100) == b"half"


def test_a_whole_line_is_not_an_unfinished_one(tty: Tty) -> None:
    os.write(tty.person, b"whole\n")
    takes(tty, "whole\n")
    assert not leaves_line_unfinished(tty.program)


def test_where_there_is_no_line_there_is_nothing_to_take(tty: Tty) -> None:
    modes = termios.tcgetattr(tty.program)
    modes[3] &= ~termios.ICANON
    termios.tcsetattr(tty.program, termios.TCSANOW, modes)
    os.write(tty.person, b"keys\n")
    assert typed_ahead(tty.program) == ""


def test_no_terminal() -> None:
    read, write = os.pipe()
    os.write(write, b"a line\n")
    assert typed_ahead(read) == ""
    assert was_taken_back(read) is False
    assert leaves_line_unfinished(read) is False
    os.close(read)
    os.close(write)


def test_somebody_elses_terminal(tty: Tty) -> None:
    assert was_taken_back(tty.program) is False


class TestAsUtf8:
    @pytest.mark.parametrize("typed", ["x = 1", "'é'", "'日本' + \"🎈\"", ""])
    def test_what_an_ascii_locale_made_of_utf_8_is_that_text_again(self, typed: str) -> None:
        assert as_utf8(typed.encode().decode("ascii", "surrogateescape")) == typed

    @pytest.mark.parametrize("typed", ["'é'", "'\udcff'", "'é\udcc3'"])
    def test_other_text_is_left_alone(self, typed: str) -> None:
        assert as_utf8(typed) == typed


def test_an_editors_terminal_takes_ctrl_c_as_a_signal_again(tty: Tty) -> None:
    modes = termios.tcgetattr(tty.program)
    modes[3] &= ~(termios.ISIG | termios.ICANON)
    termios.tcsetattr(tty.program, termios.TCSANOW, modes)
    let_interrupt(tty.program)
    now = termios.tcgetattr(tty.program)[3]
    assert now & termios.ISIG
    assert not now & termios.ICANON


def test_what_is_not_a_terminal_has_no_ctrl_c() -> None:
    reads, writes = os.pipe()
    let_interrupt(reads)
    os.close(reads)
    os.close(writes)
    let_interrupt(reads)
