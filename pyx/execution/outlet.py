"""The way of queued lines to a console, one thread at a time.  See `output.py` for where lines come from."""

from __future__ import annotations

import _thread
from collections.abc import Callable  # noqa: TC003 - a NamedTuple's
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from pyx.core.console_queue import ConsoleQueue
    from pyx.execution.thread_pool import Pool
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
