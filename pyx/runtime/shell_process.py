"""The shell as a process: the main thread gets a pid, a mailbox and a terminal that others print on.

Not here: the prompt and what is typed there (`shell`).
"""

from __future__ import annotations

import contextlib
import contextvars
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pyx.errors import ProcessKilled
from pyx.execution import outlet, output
from pyx.execution.context import acting, current
from pyx.execution.interrupts import guard_main_thread, interrupt_main_thread
from pyx.execution.runner import Runner
from pyx.execution.slots import LockSlot
from pyx.execution.tasks import cancel_left_over

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from pyx.execution.tasks import CoroutineRun
    from pyx.runtime.local_node import LocalNode
    from pyx.terms import Pid

T = TypeVar("T")

_CANCEL_SECONDS: Final = 5.0
"""So long a cancelled coroutine may take to clear up before the prompt comes back."""


class ShellProcess:
    """One shell's process on the main thread; `renew` gives it a new pid after a kill.

    Args:
        initial_call: what `Process.info` shows that it began with.
    """

    def __init__(self, node: LocalNode, console: outlet.Console, initial_call: tuple[str, str, int]) -> None:
        self._node = node
        self._console = console
        self._initial_call = initial_call
        self._context = contextvars.copy_context()
        """The one context of all that is evaluated, on this thread or on the process loop."""
        self.runner = self._start()

    def _start(self) -> Runner:
        node = self._node
        with node.kernel_call as kernel:
            process, _ = kernel.process_signals.process_started(
                "shell", initial_call=self._initial_call, keeps_pid=True, terminal=True
            )
            assert process.output is not None
            runner = process.runner = Runner(node, process)
            runner.outlet = outlet.Outlet(process.output, self._write, lambda: node.output.pace)
        # No exception is raised in the main thread from outside: a kill interrupts it as Ctrl-C does.
        runner.stop_task = lambda _: interrupt_main_thread()
        current.set(runner)
        self._context.run(current.set, runner)
        return runner

    def _write(self, text: str, frm: Pid) -> None:
        self._console.write(text, frm=frm)

    @property
    def pid(self) -> Pid:
        """The shell's pid."""
        return self.runner.process.pid

    @property
    def is_alive(self) -> bool:
        """False once somebody killed the shell's process (the prompt itself lives on)."""
        return self.runner.process.alive

    def renew(self) -> Pid:
        """Becomes a new process, as IEx does after a kill; gives the dead pid."""
        dead = self.pid
        cancel_left_over(self.runner)
        current.set(None)
        self.runner = self._start()
        return dead

    def finish_line(self, *, newline: bool = True) -> None:
        """Hands over the line that the evaluation left unfinished, and sees all it printed on the console.

        Args:
            newline: the line is ended, as a prompt needs it.
        """
        with contextlib.suppress(ProcessKilled):  # a dead process says nothing more
            output.finish_line(self.runner, newline=newline)
        assert self.runner.outlet is not None
        self.runner.outlet.settle()

    def run(self, function: Callable[..., T], *args: Any) -> T:
        """Calls *function* on this thread, in the context of the evaluations."""
        return self._context.run(function, *args)

    def run_coroutine(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Runs a coroutine on the process loop under the shell's pid and waits for its value.

        It runs in the context of the evaluations: what `run` has set there it sees, and the other way round.

        Raises:
            KeyboardInterrupt: Ctrl-C; the coroutine is cancelled first.
        """
        done = LockSlot()
        begun: list[CoroutineRun] = []
        try:
            with self._node.dispatch.critical_section():
                begun.append(self._node.tasks.run(acting(), coroutine, done, self._context))
            while not begun[0].over:
                done.wait(None)
        except (KeyboardInterrupt, ProcessKilled):
            if not begun:
                coroutine.close()
            elif not begun[0].over:
                begun[0].cancel()
                try:
                    done.wait(_CANCEL_SECONDS)
                finally:
                    if not begun[0].over:  # it goes on in that context, and two threads cannot be in one
                        self._context = self._context.copy()
            raise
        return begun[0].outcome()


@contextlib.contextmanager
def shell_process(
    node: LocalNode,
    console: outlet.Console,
    initial_call: tuple[str, str, int],
    pace: outlet.Pace = outlet.Pace(),  # noqa: B008 - it is a value
) -> Iterator[ShellProcess]:
    """Makes the calling (main) thread the shell's process, and sys.stdout its way to *console*."""
    output.install()
    guard_main_thread()
    node.output.console, node.output.pace = console, pace
    shell = ShellProcess(node, console, initial_call)
    try:
        yield shell
    finally:
        current.set(None)
        with node.kernel_call as kernel:
            kernel.process_signals.process_exited(shell.runner.process, "normal")
        node.output.console, node.output.pace = None, outlet.Pace()
