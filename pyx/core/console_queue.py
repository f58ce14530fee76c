"""Lines on their way to a console of this node, and how many characters that is.

The kernel puts them in, with its lock held; the one thread that shows them takes them out without it.  Each
counter has one writer, so none can miss a step (see `outbox.py`).  See `execution/output.py` for how lines
are shown, and `runtime/back_pressure.py` for how a process waits.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from pyx.core.waiters import Waiters

if TYPE_CHECKING:
    from pyx.terms import Pid

HIGH_WATER_CHARACTERS: Final = 1 << 20
"""From so many on a process that prints has to wait."""

MOST_CHARACTERS: Final = 1 << 24
"""Beyond so many, lines are dropped and counted: those of coroutines and other nodes, which do not wait."""


class ConsoleQueue(deque[tuple["Pid", str]]):
    """Who printed, and what; see the file."""

    __slots__ = ("added", "dropped", "taken", "told", "waiters")

    busy_reason: Final = None
    """A console that stands still (Ctrl-S, `| less`) is its reader's wish: nothing is said about it."""

    def __init__(self) -> None:
        super().__init__()
        self.added = 0
        """Characters that were ever put in; written under the kernel's lock."""
        self.taken = 0
        """Characters that have been taken out; written by the thread that shows them."""
        self.dropped = 0
        """Lines that were ever dropped; written under the kernel's lock."""
        self.told = 0
        """Dropped lines that were reported; written by the thread that shows them."""
        self.waiters: Final = Waiters()

    def put(self, frm: Pid, text: str) -> bool:
        """Takes *text*, or drops its lines; True if the process that printed it should wait."""
        if self.added - self.taken > MOST_CHARACTERS:
            self.dropped += text.count("\n")
        else:
            self.added += len(text)
            self.append((frm, text))
        return self.is_busy

    def take(self) -> tuple[Pid, str]:
        """The oldest ones, which are about to be shown; by one thread at a time."""
        frm, text = self.popleft()
        self.taken += len(text)
        return frm, text

    def take_dropped(self) -> int:
        """The number of lines dropped since the last time; by one thread at a time."""
        dropped = self.dropped - self.told
        self.told += dropped
        return dropped

    @property
    def is_busy(self) -> bool:
        """True while a process that prints has to wait."""
        return self.added - self.taken >= HIGH_WATER_CHARACTERS

    @property
    def is_below_low_water(self) -> bool:
        """True when those who wait may go on."""
        return self.added - self.taken <= HIGH_WATER_CHARACTERS // 2
