"""tty_stdin.py: Who may read what is typed: the shell, and nobody beside it."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pyx.errors import TerminalTaken
from pyx.execution.context import current
from pyx.execution.outlet import Pace
from pyx.execution.output import StdoutRouter
from pyx.runtime.shell_process import ShellProcess
from pyx.shell.screen import Screen
from pyx.shell.tty_stdin import TtyStdin
from tests.staging import as_process, in_kernel, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyx.runtime.local_node import LocalNode
    from pyx.terms import Pid

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
