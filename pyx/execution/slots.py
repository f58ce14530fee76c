"""Slots: what a process sleeps on until it is woken.  See `loop_thread.py` for the slot of a coroutine."""

from __future__ import annotations

import _thread
from typing import Final, Protocol

from pyx.execution.thread_state import thread


class Slot(Protocol):
    """What somebody sleeps on until it is woken.  A wake-up too many is harmless: waiters look again."""

    def wake(self) -> None:
        """Wakes the waiter; from any thread, at any time, any number of times."""


class LockSlot:
    """A thread sleeps on it."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = _thread.allocate_lock()
        self._lock.acquire()

    def wake(self) -> None:
        """See `Slot`."""
        try:
            self._lock.release()
        except RuntimeError:  # awake already
            return

    def wait(self, timeout: float | None) -> bool:
        """Sleeps at most *timeout* seconds (None: for ever); False on time-out.  Ctrl-C may raise here."""
        state = thread.state
        state.waiting = True
        try:
            return self.wait_through(timeout)
        finally:
            state.waiting = False

    def wait_through(self, timeout: float | None) -> bool:
        """`wait` that Ctrl-C does not end: what is waited for must not be left half done."""
        if timeout is None:
            return self._lock.acquire()
        return self._lock.acquire(timeout=min(max(timeout, 0.0), _thread.TIMEOUT_MAX))


class _NoSlot:
    """Where no receive is under way, there is none to wake."""

    __slots__ = ()

    def wake(self) -> None:
        """See `Slot`."""


NO_SLOT: Final = _NoSlot()
