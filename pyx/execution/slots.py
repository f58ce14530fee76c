"""Slots: a process waits on one until it is woken.  See `loop_thread.py` for the slot of a coroutine."""

from __future__ import annotations

import _thread
from typing import TYPE_CHECKING, Final, Protocol

from pyx.execution.thread_state import thread

if TYPE_CHECKING:
    from pyx.net.bell import Bell


class Slot(Protocol):
    """A waiting place.  A surplus wake-up is harmless: waiters check their condition again."""

    def wake(self) -> None:
        """Wakes the waiter; callable from any thread, at any time, any number of times."""


class LockSlot:
    """A slot for a thread."""

    __slots__ = ("bell", "lock")

    def __init__(self) -> None:
        self.lock = _thread.allocate_lock()
        """Free once the slot was woken; the waiter takes it."""
        self.lock.acquire()
        self.bell: Bell | None = None
        """Rung too: the thread waits for data as well (`reading_waits.py`).  Set before the lock is tried,
        and read after its release: so a wake-up is seen by the one or by the other."""

    def wake(self) -> None:
        """See `Slot`."""
        try:
            self.lock.release()
        except RuntimeError:  # awake already
            return
        bell = self.bell
        if bell is not None and bell.holder != _thread.get_ident():  # `ring` looks too: a call less
            bell.ring()

    def wait(self, timeout: float | None) -> bool:
        """Waits at most *timeout* seconds (None: for ever); False on time-out.  Ctrl-C may raise here."""
        state = thread.state
        was_waiting, state.waiting = state.waiting, True  # of a handler that runs inside another wait
        try:
            return self.lock.acquire() if timeout is None else self.wait_through(timeout)
        finally:
            state.waiting = was_waiting

    def wait_through(self, timeout: float | None) -> bool:
        """Waits like `wait`, but Ctrl-C does not end it: for work that must not be left half done."""
        if timeout is None:
            return self.lock.acquire()
        return self.lock.acquire(timeout=min(max(timeout, 0.0), _thread.TIMEOUT_MAX))


class _NoSlot:
    """The slot of a process that is not receiving."""

    __slots__ = ()

    def wake(self) -> None:
        """See `Slot`."""


NO_SLOT: Final = _NoSlot()
