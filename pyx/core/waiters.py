"""Those who wait until a queue is lighter.  Not here: when that is (`outbox.py`, `mailbox.py`), and how they
sleep (`runtime/back_pressure.py`).
"""

from __future__ import annotations

from typing import Protocol


class Waiter(Protocol):
    """What one of them sleeps on."""

    def wake(self) -> None:
        """Wakes the waiter; from any thread, at any time, any number of times."""


class Waiters(set[Waiter]):
    """Their slots: each puts his own in before he looks at the queue, and takes it out when he goes on.

    So whoever makes the queue lighter, and wakes all that are here afterwards, misses nobody.
    """

    def wake(self) -> None:
        """Has them look again; from any thread, without the kernel's lock."""
        for slot in list(self):
            slot.wake()
