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
from pyx.execution.console_writer import Pace
from pyx.execution.context import current
from pyx.execution.stdout_router import StdoutRouter
from pyx.runtime.shell_process import ShellProcess
from pyx.shell.screen import Screen
from pyx.shell.tty import (
    ScriptedStdin,
    TtyStdin,
    as_utf8,
    first_line,
    input_of_typed_ahead,
    let_interrupt,
    typed_ahead,
    unechoed,
    was_taken_back,
)
from tests.local_nodes import as_process, in_kernel, until, wait_for

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


def wait_for_keys(tty: Tty, keys: str) -> None:
    """Waits until exactly *keys* were taken, as typed text takes a moment to arrive."""
    taken: list[str] = []
    until(lambda: "".join(taken) == keys or taken.append(typed_ahead(tty.program)) is not None)


def test_typed_ahead_is_empty_where_nothing_was_typed(tty: Tty) -> None:
    assert typed_ahead(tty.program) == ""


@pytest.mark.parametrize("keys", ["1 + 1\n", "é\n\n", "\x04", "one\ntwo\n\x04", "one\n\x04three\n"])
def test_typed_ahead_returns_whole_lines_and_ctrl_d(keys: str, tty: Tty) -> None:
    os.write(tty.person, keys.encode())
    wait_for_keys(tty, keys)


def test_typed_ahead_leaves_an_unfinished_line_in_the_terminal(tty: Tty) -> None:
    os.write(tty.person, b"whole\nhalf")
    wait_for_keys(tty, "whole\n")
    assert typed_ahead(tty.program) == ""


def has_unfinished_line(tty: Tty) -> bool:
    with unechoed(tty.program) as is_unfinished:
        return is_unfinished


def test_unfinished_line_is_noticed_and_stays_in_the_terminal(tty: Tty) -> None:
    assert not has_unfinished_line(tty)
    modes = termios.tcgetattr(tty.program)
    os.write(tty.person, "hälf".encode())
    until(lambda: has_unfinished_line(tty))
    assert termios.tcgetattr(tty.program) == modes
    modes[3] &= ~termios.ICANON
    termios.tcsetattr(tty.program, termios.TCSANOW, modes)
    assert os.read(tty.program, 100) == "hälf".encode()


def test_keys_typed_while_an_editor_starts_are_not_shown_by_the_terminal(tty: Tty) -> None:
    modes = termios.tcgetattr(tty.program)
    with unechoed(tty.program):
        os.write(tty.person, b"half")
        assert os.read(tty.program, 100) == b"half"  # after an echo, if there was one
        os.write(tty.program, b"prompt")
        assert os.read(tty.person, 100) == b"prompt"
    assert termios.tcgetattr(tty.program) == modes


def test_whole_line_is_not_an_unfinished_one(tty: Tty) -> None:
    os.write(tty.person, b"whole\n")
    wait_for_keys(tty, "whole\n")
    assert not has_unfinished_line(tty)


def test_typed_ahead_takes_nothing_from_a_terminal_that_reads_keys(tty: Tty) -> None:
    modes = termios.tcgetattr(tty.program)
    modes[3] &= ~termios.ICANON
    termios.tcsetattr(tty.program, termios.TCSANOW, modes)
    os.write(tty.person, b"keys\n")
    assert typed_ahead(tty.program) == ""


def test_descriptor_that_is_not_a_terminal_is_left_alone() -> None:
    read, write = os.pipe()
    os.write(write, b"a line\n")
    assert typed_ahead(read) == ""
    assert was_taken_back(read) is False
    with unechoed(read) as is_unfinished:
        assert is_unfinished is False
    let_interrupt(read)
    assert os.read(read, 100) == b"a line\n"
    os.close(read)
    os.close(write)
    let_interrupt(read)
    assert was_taken_back(read) is False


def test_terminal_of_another_session_was_not_taken_back(tty: Tty) -> None:
    assert was_taken_back(tty.program) is False


class TestAsUtf8:
    @pytest.mark.parametrize("typed", ["x = 1", "'é'", "'日本' + \"🎈\"", ""])
    def test_utf_8_that_an_ascii_locale_decoded_is_decoded_again(self, typed: str) -> None:
        assert as_utf8(typed.encode().decode("ascii", "surrogateescape")) == typed

    @pytest.mark.parametrize("typed", ["'é'", "'\udcff'", "'é\udcc3'"])
    def test_other_text_is_unchanged(self, typed: str) -> None:
        assert as_utf8(typed) == typed


def test_let_interrupt_makes_ctrl_c_a_signal_again(tty: Tty) -> None:
    modes = termios.tcgetattr(tty.program)
    modes[3] &= ~(termios.ISIG | termios.ICANON)
    termios.tcsetattr(tty.program, termios.TCSANOW, modes)
    let_interrupt(tty.program)
    now = termios.tcgetattr(tty.program)[3]
    assert now & termios.ISIG
    assert not now & termios.ICANON


# ---------------------------------------------------------------- sys.stdin

READS: tuple[Callable[[Any], object], ...] = (
    lambda stdin: stdin.readline(),
    lambda stdin: stdin.read(),
    lambda stdin: stdin.buffer,
    lambda stdin: stdin.fileno(),
    iter,
    next,
)


class SilentConsole:
    """A console that shows nothing."""

    def write(self, text: str, *, frm: Pid) -> None: ...


@pytest.fixture
def stdin_of_prompt() -> TtyStdin:
    return TtyStdin(io.TextIOWrapper(io.BytesIO(b"one\ntwo\nthree\n")))


@pytest.fixture
def shell(node: LocalNode) -> Iterator[ShellProcess]:
    shell = ShellProcess(node, SilentConsole(), ("tests", "shell", 0))
    yield shell
    current.set(None)
    in_kernel(
        node, node.kernel.process_signals.process_exited, shell.runner.process, "normal"
    )  # a kill would interrupt us


@pytest.mark.usefixtures("shell")
def test_shell_reads_stdin(stdin_of_prompt: TtyStdin) -> None:
    assert stdin_of_prompt.readline() == "one\n"
    assert next(stdin_of_prompt) == "two\n"
    assert list(stdin_of_prompt) == ["three\n"]


def test_output_of_an_await_is_shown_before_it_reads_stdin(
    stdin_of_prompt: TtyStdin, node: LocalNode
) -> None:
    shown = io.StringIO()
    screen = Screen(shown)
    screen._write_on_thread = lambda: None  # type: ignore[method-assign] # as if that were too late
    node.output.pace = Pace(screen.has_room, screen.settle)
    shell = ShellProcess(node, screen, ("tests", "shell", 0))
    stdout = StdoutRouter(io.StringIO())

    async def ask() -> tuple[str, str]:
        stdout.write("before\nand ")
        return stdin_of_prompt.readline(), shown.getvalue()

    assert shell.run_coroutine(ask()) == ("one\n", "before\nand ")
    current.set(None)
    in_kernel(node, node.kernel.process_signals.process_exited, shell.runner.process, "normal")


def test_main_thread_reads_stdin_before_the_shell_is_a_process(stdin_of_prompt: TtyStdin) -> None:
    assert stdin_of_prompt.read() == "one\ntwo\nthree\n"


@pytest.mark.parametrize("read", READS)
def test_other_process_is_refused_stdin(
    read: Callable[[Any], object], stdin_of_prompt: TtyStdin, node: LocalNode
) -> None:
    with pytest.raises(TerminalTaken, match=r"#PID<0\.\d+\.0> cannot read the terminal: the shell reads"):
        as_process(node, lambda: read(stdin_of_prompt))


def test_thread_of_a_program_is_refused_stdin(stdin_of_prompt: TtyStdin) -> None:
    refused: list[TerminalTaken] = []
    over = threading.Event()

    def read() -> None:
        try:
            stdin_of_prompt.readline()
        except TerminalTaken as error:
            refused.append(error)
        over.set()

    threading.Thread(target=read).start()
    wait_for(over)
    assert str(refused[0]).startswith("this thread cannot read the terminal")


def test_attributes_that_read_nothing_are_open_to_all_processes(
    stdin_of_prompt: TtyStdin, node: LocalNode
) -> None:
    assert as_process(node, lambda: (stdin_of_prompt.isatty(), stdin_of_prompt.closed)) == (False, False)


def test_input_reads_scripted_lines_and_echoes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = ScriptedStdin(io.StringIO("what else there is\n"))
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stdin", answers)
    monkeypatch.setattr(sys, "stdout", shown)
    answers.set_lines(["gus", ""])
    assert [input("Name: "), input(), input("More: ")] == ["gus", "", "what else there is"]
    assert shown.getvalue() == "Name: gus\n\nMore: "


class TestInputOfTypedAhead:
    @pytest.mark.parametrize(
        ("keys", "line", "count"),
        [
            ("joe\rx", "joe\n", 4),
            ("joe\nx", "joe\n", 4),
            ("jo\x7f\x7f\x7fann\r", "ann\n", 9),
            ("no\x15yes\r", "yes\n", 7),
            ("\x04x", "", 1),
            ("jo", "jo", 2),
            ("\x7f", None, 1),
            ("", None, 0),
        ],
    )
    def test_first_line_is_that_of_a_terminal(self, keys: str, line: str | None, count: int) -> None:
        assert first_line([*keys]) == (line, count)

    @pytest.mark.usefixtures("shell")
    def test_lines_that_an_editor_has_read_come_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        shown, found = io.StringIO(), input
        monkeypatch.setattr(sys, "stdin", TtyStdin(io.TextIOWrapper(io.BytesIO(b"one\nn\n"))))
        typed: list[str | None] = ["gus\n", "", "jo", None]
        with input_of_typed_ahead(lambda: typed.pop(0), shown.write):
            assert input("Name: ") == "gus"
            with pytest.raises(EOFError):
                input("More: ")
            assert input("Again: ") == "joone"
            assert input() == "n"
            monkeypatch.setattr(sys, "stdin", io.StringIO("of the program\n"))
            assert input() == "of the program"
        assert shown.getvalue() == "Name: gus\nMore: Again: jo"
        assert input is found

    def test_other_process_takes_none_of_them(
        self, node: LocalNode, stdin_of_prompt: TtyStdin, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "stdin", stdin_of_prompt)
        typed: list[str | None] = ["gus\n"]
        with input_of_typed_ahead(typed.pop, io.StringIO().write), pytest.raises(TerminalTaken):
            as_process(node, input)
        assert typed == ["gus\n"]


def test_unread_scripted_lines_are_dropped_by_the_next() -> None:
    answers = ScriptedStdin(io.StringIO())
    answers.set_lines(["gus"])
    answers.set_lines([])
    assert list(answers) == []
