"""The waiters of a queue: what those who added to a busy queue wait on until it is below its low-water mark.

When that is, the queue decides (`outbox.py`, `mailbox.py`, `console_queue.py`); how a process waits:
`runtime/sending.py`.
"""

from __future__ import annotations

from typing import Protocol


class Waiter(Protocol):
    """What one thread or coroutine waits on."""

    def wake(self) -> None:
        """Wakes the waiter; from any thread, at any time, any number of times."""


class Waiters(set[Waiter]):
    """The waiters of one queue.

    A waiter adds itself before it looks at the queue, and removes itself when it goes on.  So a thread that
    takes from the queue and calls `wake` afterwards misses none.
    """

    def wake(self) -> None:
        """Wakes all waiters, for them to look at the queue; from any thread, without the kernel's lock."""
        for waiter in list(self):
            waiter.wake()
