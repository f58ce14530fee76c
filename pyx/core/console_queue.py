"""Lines on their way to a console of this node, and their size in characters.

The kernel puts lines in, with its lock held; the one thread that writes to the console takes them out without
it.  Each counter has one writer, so none can miss a change (see `outbox.py`).  How lines are shown:
`execution/console_writer.py`; how a process waits: `runtime/sending.py`.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from pyx.core.waiters import Waiters

if TYPE_CHECKING:
    from pyx.terms import Pid

HIGH_WATER_CHARACTERS: Final = 1 << 20
"""From this size on a process that prints has to wait; until half of it."""

MAX_CHARACTERS: Final = 1 << 24
"""Beyond this size lines are dropped and counted: those of coroutines and other nodes, which do not wait."""


class ConsoleQueue(deque[tuple["Pid", str]]):
    """Pairs of the pid that printed and whole lines."""

    __slots__ = ("added", "dropped", "reported", "taken", "waiters")

    busy_reason: Final = None
    """A console that stands still (Ctrl-S, `| less`) does so on purpose: no message is shown for it."""

    def __init__(self) -> None:
        super().__init__()
        self.added = 0
        """Characters that were ever put in; written under the kernel's lock."""
        self.taken = 0
        """Characters that have been taken out; written by the thread that shows them."""
        self.dropped = 0
        """Lines that were ever dropped; written under the kernel's lock."""
        self.reported = 0
        """Dropped lines that were reported; written by the thread that shows them."""
        self.waiters: Final = Waiters()

    def put(self, frm: Pid, text: str) -> bool:
        """Adds whole lines, or drops and counts them; True if the process that printed them should wait."""
        if self.added - self.taken > MAX_CHARACTERS:
            self.dropped += text.count("\n")
        else:
            self.added += len(text)
            self.append((frm, text))
        return self.is_busy

    def take(self) -> tuple[Pid, str]:
        """Removes and returns the oldest entry, for showing it; by one thread at a time."""
        frm, text = self.popleft()
        self.taken += len(text)
        return frm, text

    def take_dropped(self) -> int:
        """Returns the number of lines dropped since the last call; by one thread at a time."""
        dropped = self.dropped - self.reported
        self.reported += dropped
        return dropped

    @property
    def is_busy(self) -> bool:
        """True while a process that prints has to wait."""
        return self.added - self.taken >= HIGH_WATER_CHARACTERS

    @property
    def is_below_low_water(self) -> bool:
        """True when waiters may go on."""
        return self.added - self.taken <= HIGH_WATER_CHARACTERS // 2
