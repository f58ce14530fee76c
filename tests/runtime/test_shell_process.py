"""The shell's process: a coroutine typed at the prompt, and a Ctrl-C at its very beginning."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING

import pytest

from pyx import aio
from pyx.errors import ProcessKilled, ReceiveTimeout
from pyx.runtime.context import current
from pyx.runtime.gate import wish
from pyx.runtime.shell_process import ShellProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.runtime.local_node import LocalNode
    from pyx.terms import Pid


class Silent:
    """A console that nobody looks at."""

    def write(self, text: str, *, frm: Pid) -> None:
        del text, frm


@pytest.fixture
def shell(node: LocalNode) -> Iterator[ShellProcess]:
    shell = ShellProcess(node, Silent())
    yield shell
    current.set(None)
    node.step(node.kernel.process_exited, shell.runner.process, "normal")  # a kill would interrupt us


def test_gives_the_value_of_a_coroutine(shell: ShellProcess) -> None:
    assert shell.run_coroutine(asyncio.sleep(0, 5)) == 5


def test_raises_what_the_coroutine_raised(shell: ShellProcess) -> None:
    with pytest.raises(ReceiveTimeout):
        shell.run_coroutine(aio.receive(timeout=0))


def test_a_ctrl_c_that_comes_while_it_is_started_cancels_it(shell: ShellProcess) -> None:
    wish.noted = True  # as the handler of SIGINT leaves it where it finds pyx at work
    with pytest.raises(KeyboardInterrupt):
        shell.run_coroutine(aio.receive("never"))
    with pytest.raises(ReceiveTimeout):  # nothing of the shell's receives any more
        shell.run_coroutine(aio.receive(timeout=0))


def test_a_killed_shell_starts_nothing(shell: ShellProcess) -> None:
    shell.runner.gate.killed = True
    coroutine = aio.receive()
    with pytest.raises(ProcessKilled):
        shell.run_coroutine(coroutine)
    assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED
