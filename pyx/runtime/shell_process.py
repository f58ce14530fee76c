"""The shell as a process: the main thread gets a pid, a mailbox and a terminal for other processes' output.

See `pyx.shell` for the prompt.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, TypeVar

from pyx.errors import ProcessKilled
from pyx.execution import stdout_router
from pyx.execution.console_writer import ConsoleWriter, Pace
from pyx.execution.context import current
from pyx.execution.interrupts import guard_main_thread, interrupt_main_thread
from pyx.execution.runner import Runner
from pyx.execution.tasks import cancel_left_over
from pyx.runtime.evaluation_context import EvaluationContext

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from pyx.execution.console_writer import Console
    from pyx.runtime.local_node import LocalNode
    from pyx.terms import Pid

T = TypeVar("T")


class ShellProcess:
    """One shell's process on the main thread; `renew` gives it a new pid after a kill.

    Args:
        node: of the process.
        console: shows the output of processes that the shell leads.
        initial_call: as `Process.info` shows it.
    """

    def __init__(self, node: LocalNode, console: Console, initial_call: tuple[str, str, int]) -> None:
        self._node = node
        self._console = console
        self._initial_call = initial_call
        self._evaluations = EvaluationContext(node)
        self.runner = self._start()

    def _start(self) -> Runner:
        node = self._node
        with node.kernel_call as kernel:
            process, _ = kernel.process_signals.process_started(
                "shell", initial_call=self._initial_call, keeps_pid=True, terminal=True
            )
            assert process.output is not None
            runner = process.runner = Runner(node, process)
            runner.console_writer = ConsoleWriter(process.output, self._write, lambda: node.output.pace)
        # A kill interrupts the main thread as Ctrl-C does: no exception is raised in it from another thread.
        runner.stop_task = lambda _: interrupt_main_thread()
        current.set(runner)
        self._evaluations.belongs_to(runner)
        return runner

    def _write(self, text: str, frm: Pid) -> None:
        self._console.write(text, frm=frm)

    @property
    def pid(self) -> Pid:
        """The shell's pid."""
        return self.runner.process.pid

    @property
    def is_alive(self) -> bool:
        """False after a kill of the shell's process; the prompt goes on."""
        return self.runner.process.alive

    def renew(self) -> Pid:
        """Becomes a new process, as IEx does after a kill; returns the dead pid."""
        dead = self.pid
        cancel_left_over(self.runner)
        current.set(None)
        self.runner = self._start()
        return dead

    def finish_line(self, *, newline: bool = True) -> None:
        """Sends the unfinished line of an evaluation, and returns when all its output is on the console.

        Args:
            newline: ends the line, as a prompt needs it.
        """
        with contextlib.suppress(ProcessKilled):  # a dead process prints nothing more
            stdout_router.finish_line(self.runner, newline=newline)
        assert self.runner.console_writer is not None
        self.runner.console_writer.settle()

    def run(self, function: Callable[..., T], *args: Any) -> T:
        """Calls *function* on this thread, in the context of the evaluations."""
        return self._evaluations.run(function, *args)

    def run_coroutine(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Runs a coroutine on the process loop under the shell's pid; see `EvaluationContext`."""
        return self._evaluations.run_coroutine(coroutine)


@contextlib.contextmanager
def shell_process(
    node: LocalNode,
    console: Console,
    initial_call: tuple[str, str, int],
    pace: Pace = Pace(),  # noqa: B008 - it is a value
) -> Iterator[ShellProcess]:
    """Makes the calling (main) thread the shell's process, and has `sys.stdout` write to *console*."""
    stdout_router.install()
    guard_main_thread()
    node.output.console, node.output.pace = console, pace
    shell = ShellProcess(node, console, initial_call)
    try:
        yield shell
    finally:
        current.set(None)
        with node.kernel_call as kernel:
            kernel.process_signals.process_exited(shell.runner.process, "normal")
        node.output.console, node.output.pace = None, Pace()
