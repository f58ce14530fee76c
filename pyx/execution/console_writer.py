"""Writes queued lines to a console, one thread at a time.  They come from `stdout_router.py`."""

from __future__ import annotations

import _thread
from collections.abc import Callable  # noqa: TC003 - a NamedTuple's
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from pyx.core.console_queue import ConsoleQueue
    from pyx.execution.thread_pool import Pool
    from pyx.terms import Pid


class Console(Protocol):
    """Shows the lines of a group leader.  Called from any thread, one call at a time, in order."""

    def write(self, text: str, *, frm: Pid) -> None:
        """Shows *text* that *frm* printed: whole lines, except where its own process has flushed."""


class Pace(NamedTuple):
    """How a console with a queue of its own limits its input; the default console shows all text at once."""

    has_room: Callable[[Callable[[], object]], bool] = lambda _then: True
    """Returns True if the console accepts more; else calls the argument once it does."""
    settle: Callable[[], bool] = lambda: True
    """Waits until all text is shown; False if given up.  Called on the shell's thread."""


class ConsoleWriter:
    """Writes the queued lines of one console: one thread at a time, in order.

    Args:
        lines: filled by the kernel; processes that wait until the queue is shorter are woken here.
        write: the console's.
        pace: the console's.  While it accepts nothing the lines stay in *lines*, which is bounded.
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
        """Writes what is queued, unless another thread is writing."""
        # Try, drain, release, look again: no thread waits for a slow console, and no line is left in the
        # queue.
        while self._lines and self._pace().has_room(self.show) and self._writing.acquire(blocking=False):
            try:
                self._drain()
            finally:
                self._writing.release()

    def show_all(self) -> None:
        """Like `show`, but waits for a thread that is writing; call it before a direct write."""
        with self._writing:
            self._drain()

    def settle(self) -> None:
        """Waits until all lines are shown; called on the shell's thread, outside a kernel call."""
        while True:
            self.show_all()
            if not self._pace().settle() or not self._lines:
                return

    def show_elsewhere(self, pool: Pool) -> None:
        """Runs `show` on a thread of *pool*: a blocked console (Ctrl-S) blocks that thread alone."""
        if not self._is_due:
            self._is_due = True
            pool.run(self._due)

    def _due(self) -> None:
        self._is_due = False  # before the queue is read: lines queued from here on start a new `show`
        self.show()

    def _drain(self) -> None:
        lines = self._lines
        while lines and self._pace().has_room(self.show):
            frm, text = lines.take()
            self._write(text, frm)
            if not lines and (dropped := lines.take_dropped()):
                self._write(f"... {dropped} lines dropped: they came faster than they can be shown\n", frm)
            if lines.waiters and lines.is_below_low_water:
                lines.waiters.wake()
