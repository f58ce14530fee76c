"""sys.stdout -> the group leader of whoever prints: whole lines, in that process's order, across nodes.

`print` in a process goes to the terminal of whoever spawned it; `print` on a thread that is no process goes
to the stream that was there before.  Not here: what a terminal does with the lines (`shell`), how they
travel.
"""

from __future__ import annotations

import _thread
import os
import sys
from collections.abc import Callable  # noqa: TC003 - a NamedTuple's
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TextIO

from pyx.execution.context import current
from pyx.execution.stream_proxy import StreamProxy

if TYPE_CHECKING:
    from pyx.core.console_queue import ConsoleQueue
    from pyx.execution.runner import Runner
    from pyx.execution.threads import Pool
    from pyx.terms import Pid


class Console(Protocol):
    """Where a leader's lines are shown.  Calls come from any thread, one at a time, in order."""

    def write(self, text: str, *, frm: Pid) -> None:
        """Shows *text* that *frm* printed: whole lines, except what its own process flushed."""


class Pace(NamedTuple):
    """What a console that keeps a queue of its own says of it; the default is one that shows all at once."""

    has_room: Callable[[Callable[[], object]], bool] = lambda _then: True
    """True if it takes more; else it calls its argument once it does, on any thread."""
    settle: Callable[[], bool] = lambda: True
    """Waits until all that was written is shown; False if that is given up.  For its shell's thread."""


class Outlet:
    """The way of queued lines to one console: one thread at a time, in order, whoever has queued them.

    Args:
        lines: put in by the kernel; those who wait until they are fewer are woken here.
        write: the console's.
        pace: the console's.  While it has no room the lines wait here, where their number is bounded.
    """

    def __init__(
        self,
        lines: ConsoleQueue,
        write: Callable[[str, Pid], object],
        pace: Callable[[], Pace] = Pace,
    ) -> None:
        self._lines = lines
        self._write = write
        self._pace = pace
        self._writing = _thread.allocate_lock()
        self._is_due = False

    def show(self) -> None:
        """Writes what is queued, unless another thread is at it."""
        # Try, drain, release, look again: nobody waits for a slow console, and no line is left behind.
        while self._lines and self._pace().has_room(self.show) and self._writing.acquire(blocking=False):
            try:
                self._drain()
            finally:
                self._writing.release()

    def show_all(self) -> None:
        """`show` for who is about to write on that console itself: waits for a thread that is at it."""
        with self._writing:
            self._drain()

    def settle(self) -> None:
        """Waits until all is shown; for the thread of the console's shell, outside of a step."""
        while True:
            self.show_all()
            if not self._pace().settle() or not self._lines:
                return

    def show_elsewhere(self, pool: Pool) -> None:
        """`show` on a thread of *pool*: a console that stands still (Ctrl-S, a full pipe) stops only that."""
        if not self._is_due:
            self._is_due = True
            pool.run(self._due)

    def _due(self) -> None:
        self._is_due = False  # before the look: lines queued from here on ask anew
        self.show()

    def _drain(self) -> None:
        lines = self._lines
        while lines and self._pace().has_room(self.show):
            frm, text = lines.take()
            self._write(text, frm)
            if not lines and (dropped := lines.take_dropped()):
                self._write(f"... {dropped} lines dropped: they came faster than they can be shown\n", frm)
            if lines.waiters and lines.is_light:
                lines.waiters.wake()


class Router(StreamProxy):
    """Stands in for `sys.stdout`; everything but writing is the found stream's."""

    def put(self, text: str) -> None:
        """Hands over whole lines; a dead process raises ProcessKilled, and its lines are dropped."""
        runner = current.get()
        if runner is None:
            self._found.write(text)
        elif runner.line.write(text):
            runner.node.print_lines(runner)

    def pass_on(self) -> None:
        """A terminal's own process sees its unfinished line at once (a progress bar, `input`)."""
        runner = current.get()
        if runner is None:
            self._found.flush()
        elif runner.process.output is not None:
            finish_line(runner, newline=False)


def finish_line(runner: Runner, *, newline: bool) -> None:
    """Hands over the unfinished line of a process, if any: it ends, or it asked for that."""
    if runner.has_unfinished_line:
        if newline:
            runner.line.write("\n")
        runner.node.print_lines(runner, everything=True)


def install() -> None:
    """Puts the router before `sys.stdout`, once.

    A program that was started without stdout has none (`None`): what its threads print vanishes, as before.
    """
    if not isinstance(sys.stdout, Router):
        sys.stdout = Router(_nowhere() if sys.stdout is None else sys.stdout)


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")


def found_stream() -> TextIO | None:
    """The stream beneath the router: where a node without a shell shows its own lines."""
    stream: Any = sys.stdout
    return stream._found if isinstance(stream, Router) else stream  # noqa: SLF001 - this file's own
