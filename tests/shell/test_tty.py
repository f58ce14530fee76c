"""tty.py: What a terminal has kept from before the prompt, and which process may read `sys.stdin`.

That an editor takes its terminal back from other programs is tested in `tests/stories`.
"""

from __future__ import annotations

import io
import os
import sys
import termios
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pyx.errors import TerminalTaken
from pyx.execution.context import current
from pyx.execution.outlet import Pace
from pyx.execution.output import StdoutRouter
from pyx.runtime.shell_process import ShellProcess
from pyx.shell.screen import Screen
from pyx.shell.tty import (
    ScriptedStdin,
    TtyStdin,
    as_utf8,
    leaves_line_unfinished,
    let_interrupt,
    typed_ahead,
    was_taken_back,
)
from tests.staging import as_process, in_kernel, until, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyx.runtime.local_node import LocalNode
    from pyx.terms import Pid


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


# ---------------------------------------------------------------- sys.stdin

READS: tuple[Callable[[Any], object], ...] = (
    lambda stdin: stdin.readline(),
    lambda stdin: stdin.read(),
    lambda stdin: stdin.buffer,
    lambda stdin: stdin.fileno(),
    iter,
    next,
)


class Silent:
    """A console."""

    def write(self, text: str, *, frm: Pid) -> None: ...


@pytest.fixture
def keyboard() -> TtyStdin:
    return TtyStdin(io.TextIOWrapper(io.BytesIO(b"one\ntwo\nthree\n")))


@pytest.fixture
def shell(node: LocalNode) -> Iterator[ShellProcess]:
    shell = ShellProcess(node, Silent(), ("tests", "shell", 0))
    yield shell
    current.set(None)
    in_kernel(node, node.kernel.process_exited, shell.runner.process, "normal")  # a kill would interrupt us


@pytest.mark.usefixtures("shell")
def test_the_shell_reads(keyboard: TtyStdin) -> None:
    assert keyboard.readline() == "one\n"
    assert next(keyboard) == "two\n"
    assert list(keyboard) == ["three\n"]


def test_what_an_await_has_printed_is_shown_before_it_reads(keyboard: TtyStdin, node: LocalNode) -> None:
    shown = io.StringIO()
    screen = Screen(shown)
    screen._have_written = lambda: None  # type: ignore[method-assign] # its own thread comes too late
    node.pace = Pace(screen.has_room, screen.settle)
    shell = ShellProcess(node, screen, ("tests", "shell", 0))
    stdout = StdoutRouter(io.StringIO())

    async def ask() -> tuple[str, str]:
        stdout.write("before\nand ")
        return keyboard.readline(), shown.getvalue()

    assert shell.run_coroutine(ask()) == ("one\n", "before\nand ")
    current.set(None)
    in_kernel(node, node.kernel.process_exited, shell.runner.process, "normal")


def test_so_does_its_thread_where_it_is_no_process_yet(keyboard: TtyStdin) -> None:
    assert keyboard.read() == "one\ntwo\nthree\n"


@pytest.mark.parametrize("read", READS)
def test_a_process_beside_it_is_refused(
    read: Callable[[Any], object], keyboard: TtyStdin, node: LocalNode
) -> None:
    with pytest.raises(TerminalTaken, match=r"#PID<0\.\d+\.0> cannot read the terminal: the shell reads"):
        as_process(node, lambda: read(keyboard))


def test_so_is_a_thread_of_the_users(keyboard: TtyStdin) -> None:
    refused: list[TerminalTaken] = []
    over = threading.Event()

    def read() -> None:
        try:
            keyboard.readline()
        except TerminalTaken as error:
            refused.append(error)
        over.set()

    threading.Thread(target=read).start()
    wait_for(over)
    assert str(refused[0]).startswith("this thread cannot read the terminal")


def test_what_reads_nothing_is_everybodys(keyboard: TtyStdin, node: LocalNode) -> None:
    assert as_process(node, lambda: (keyboard.isatty(), keyboard.closed)) == (False, False)


def test_input_reads_them_and_they_are_shown_as_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = ScriptedStdin(io.StringIO("what else there is\n"))
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stdin", answers)
    monkeypatch.setattr(sys, "stdout", shown)
    answers.set_lines(["gus", ""])
    assert [input("Name: "), input(), input("More: ")] == ["gus", "", "what else there is"]
    assert shown.getvalue() == "Name: gus\n\nMore: "


def test_those_that_were_not_read_are_gone_with_the_next() -> None:
    answers = ScriptedStdin(io.StringIO())
    answers.set_lines(["gus"])
    answers.set_lines([])
    assert list(answers) == []
