"""shell_process.py, evaluation_context.py: the shell as a process, and the context of its inputs."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import io
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pyx import Exit, Process, aio, receive, send, spawn, spawn_link
from pyx import self as own_pid
from pyx.errors import ProcessKilled, ReceiveTimeout
from pyx.execution.context import current
from pyx.execution.interrupts import guard_main_thread, interrupt_main_thread, pending_interrupt
from pyx.execution.stdout_router import StdoutRouter
from pyx.runtime import evaluation_context
from pyx.runtime.shell_process import ShellProcess, shell_process
from pyx.terms import Pid
from tests.local_nodes import HANG, in_kernel, until, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyx.runtime.local_node import LocalNode


say = StdoutRouter(io.StringIO()).write
"""As `print` does once the router is installed."""


BEGAN = ("pyx.shell.app", "run", 1)


class Console:
    """Records the text that is shown."""

    def __init__(self) -> None:
        self.shown: list[tuple[Pid, str]] = []

    def write(self, text: str, *, frm: Pid) -> None:
        self.shown.append((frm, text))


@pytest.fixture
def console() -> Console:
    return Console()


@pytest.fixture
def shell(node: LocalNode, console: Console) -> Iterator[ShellProcess]:
    """This thread is the shell."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    guard_main_thread()
    shell = ShellProcess(node, console, BEGAN)
    yield shell
    current.set(None)
    in_kernel(
        node, node.kernel.process_signals.process_exited, shell.runner.process, "normal"
    )  # a kill would interrupt us
    signal.signal(signal.SIGINT, handler)


class TestShellProcess:
    def test_shell_has_a_pid_and_a_mailbox(self, shell: ShellProcess) -> None:
        assert own_pid() == shell.pid
        send(own_pid(), "hello")
        assert receive(timeout=0) == "hello"
        assert Process.info(own_pid(), "initial_call") == ("initial_call", BEGAN)

    def test_shell_leads_a_terminal(self, shell: ShellProcess, console: Console) -> None:
        assert Process.group_leader() == shell.pid
        done = threading.Event()

        def child() -> None:
            say("from a child\n")
            done.set()

        pid = spawn(child)
        wait_for(done)
        until(lambda: console.shown == [(pid, "from a child\n")])

    def test_unfinished_line_is_ended_before_the_prompt(self, shell: ShellProcess, console: Console) -> None:
        say("half a line")
        assert console.shown == []
        shell.finish_line()
        assert console.shown == [(shell.pid, "half a line\n")]

    def test_all_output_is_shown_before_the_prompt(self, shell: ShellProcess, console: Console) -> None:
        assert shell.runner.process.output is not None
        shell.runner.process.output.append((Pid(7), "left to another thread\n"))
        shell.finish_line()
        assert console.shown == [(Pid(7), "left to another thread\n")]

    def test_linked_crash_is_shown_and_survived(self, shell: ShellProcess, console: Console) -> None:
        def fail() -> None:
            raise Exit("boom")

        pid = spawn_link(fail)
        until(lambda: bool(console.shown))
        assert console.shown == [(pid, f"** (EXIT from {pid}) boom\n")]
        assert shell.is_alive
        assert own_pid() == shell.pid


def killed(shell: ShellProcess) -> None:
    """Kills the shell's process from another thread, and waits for the interrupt that follows."""
    node = shell._node
    pid = shell.pid
    threading.Thread(
        target=in_kernel, args=(node, node.kernel.process_signals.exit, Pid(0), pid, "kill")
    ).start()
    wait_for(threading.Event())


class TestKill:
    def test_killed_shell_is_interrupted_and_gets_another_pid(self, shell: ShellProcess) -> None:
        before = shell.pid
        with pytest.raises(KeyboardInterrupt):
            killed(shell)
        assert not shell.is_alive
        with pytest.raises(ProcessKilled):
            send(before, "x")
        assert shell.renew() == before
        assert shell.is_alive
        assert own_pid() == shell.pid != before  # type: ignore[unreachable]

    def test_shell_killed_in_a_receive_is_interrupted(self, shell: ShellProcess) -> None:
        node = shell._node

        def killer() -> None:
            until(lambda: shell.runner.process.waiting)
            in_kernel(node, node.kernel.process_signals.exit, Pid(0), shell.pid, "kill")

        threading.Thread(target=killer).start()
        with pytest.raises((KeyboardInterrupt, ProcessKilled)):
            settle(lambda: receive(timeout=HANG))
        shell.renew()
        assert shell.is_alive

    def test_unfinished_line_of_a_killed_shell_is_dropped(
        self, shell: ShellProcess, console: Console
    ) -> None:
        say("half a line")
        with pytest.raises(KeyboardInterrupt):
            killed(shell)
        shell.finish_line()
        assert console.shown == []


def settle(call: Callable[[], object]) -> None:
    """A kill refuses the call and interrupts the thread, in either order; both have come here."""
    try:
        call()
    except ProcessKilled:
        wait_for(threading.Event())


def test_end_of_the_shell_leaves_nothing_behind(
    node: LocalNode, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    with shell_process(node, console, BEGAN) as shell:
        pid = shell.pid
        assert node.output.console is console
        assert isinstance(sys.stdout, StdoutRouter)
    assert current.get() is None
    assert node.kernel.tables.find(pid) is None
    assert node.output.console is None


def test_run_coroutine_returns_its_value(shell: ShellProcess) -> None:
    assert shell.run_coroutine(asyncio.sleep(0, 5)) == 5


def test_run_coroutine_raises_its_exception(shell: ShellProcess) -> None:
    with pytest.raises(ReceiveTimeout):
        shell.run_coroutine(aio.receive(timeout=0))


def test_ctrl_c_while_a_coroutine_is_started_cancels_it(shell: ShellProcess) -> None:
    pending_interrupt.noted = True  # as the handler of SIGINT leaves it where it finds pyx at work
    with pytest.raises(KeyboardInterrupt):
        shell.run_coroutine(aio.receive("never"))
    with pytest.raises(ReceiveTimeout):  # no code of the shell receives any more
        shell.run_coroutine(aio.receive(timeout=0))


VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="unset")


class TestContext:
    """All evaluations share one context, on this thread and on the loop."""

    def test_coroutine_shares_the_context_of_calls(self, shell: ShellProcess) -> None:
        async def swap(text: str) -> str:
            before = VARIABLE.get()
            VARIABLE.set(text)
            return before

        shell.run(VARIABLE.set, "call")
        assert shell.run_coroutine(swap("first")) == "call"
        assert shell.run_coroutine(swap("second")) == "first"
        assert shell.run(VARIABLE.get) == "second"
        assert VARIABLE.get() == "unset"  # nor is it that of the shell itself

    def test_coroutine_resets_a_token_of_a_call(self, shell: ShellProcess) -> None:
        async def take_back(token: contextvars.Token[str]) -> None:
            VARIABLE.reset(token)

        shell.run_coroutine(take_back(shell.run(VARIABLE.set, "for a moment")))
        assert shell.run(VARIABLE.get) == "unset"

    def test_task_begins_with_a_copy_of_the_context(self, shell: ShellProcess) -> None:
        async def task() -> str:
            before = VARIABLE.get()
            VARIABLE.set("of the task")
            return before

        async def main() -> tuple[str, str]:
            VARIABLE.set("of main")
            return await asyncio.create_task(task()), VARIABLE.get()

        assert shell.run_coroutine(main()) == ("of main", "of main")

    def test_context_holds_the_new_process_after_a_kill(self, node: LocalNode, shell: ShellProcess) -> None:
        async def who() -> Any:
            return current.get()

        dead = shell.runner
        shell.renew()
        assert shell.runner is not dead
        assert shell.run(current.get) is shell.run_coroutine(who()) is shell.runner
        in_kernel(node, node.kernel.process_signals.process_exited, dead.process, "normal")

    def test_coroutine_that_outlives_its_ctrl_c_leaves_the_context_free(
        self, shell: ShellProcess, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(evaluation_context, "_CANCEL_SECONDS", 0.0)
        begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

        async def stubborn() -> None:
            VARIABLE.set("before")
            try:
                begun.set()
                await asyncio.sleep(HANG)
            except asyncio.CancelledError:
                wait_for(go_on)  # the loop's thread is in the context meanwhile
            ended.set()

        def press() -> None:
            wait_for(begun)
            interrupt_main_thread()

        threading.Thread(target=press).start()
        with pytest.raises(KeyboardInterrupt):
            shell.run_coroutine(stubborn())
        assert shell.run(VARIABLE.get) == "before"
        go_on.set()
        wait_for(ended)


def test_killed_shell_starts_no_process(shell: ShellProcess) -> None:
    shell.runner.gate.closed = True
    coroutine = aio.receive()
    with pytest.raises(ProcessKilled):
        shell.run_coroutine(coroutine)
    assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED
