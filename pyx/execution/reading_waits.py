"""Waits of a thread that reads meanwhile what its node receives: see `net/watch.py` for why, and the rules.

While the thread reads it acts for the node, not for its process: no gate, no Ctrl-C and no handler of the
program's ends it there.  In between it waits as `LockSlot.wait` does.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final

from pyx.execution.thread_state import thread
from pyx.net.watch import LEASE_SECONDS

if TYPE_CHECKING:
    from pyx.execution.slots import LockSlot
    from pyx.net.connection import Connection

_FRAMES: Final = 400
"""Frames that reading and the kernel may need: user code that is near its recursion limit does not read."""


def borrow(connection: Connection | None) -> bool:
    """Returns True if the calling thread reads from *connection* now; it has to call `read_until_woken`."""
    return connection is not None and connection.watch.lend()


def may_read() -> bool:
    """Returns False for a thread whose stack has no room for reading."""
    try:
        sys._getframe(max(1, sys.getrecursionlimit() - _FRAMES))  # noqa: SLF001 - its depth is all that counts
    except ValueError:
        return True
    return False


def read_until_woken(connection: Connection, slot: LockSlot, timeout: float | None) -> bool:
    """Reads from *connection*, whose watch this thread has borrowed, until *slot* is woken.

    Args:
        connection: the watch on it is given back at the end.
        slot: of this thread.
        timeout: seconds; None: no limit.

    Returns:
        True if the slot was woken.  False after *timeout*, or earlier: after `LEASE_SECONDS`, or when the
        connection has ended.
    """
    watch, state = connection.watch, thread.state
    runs_transport = state.runs_transport
    try:
        slot.bell = watch.bell
        seconds = LEASE_SECONDS if timeout is None else min(timeout, LEASE_SECONDS)
        end = time.monotonic() + seconds
        while not slot.take():
            state.waiting = True
            ready = watch.poll(seconds)
            state.waiting = False
            if not ready:
                return False
            state.runs_transport = True
            connection.read_for_loop()
            state.runs_transport = runs_transport
            seconds = end - time.monotonic()
        return True
    finally:
        state.waiting = False
        state.runs_transport = runs_transport
        slot.bell = None
        watch.give_back()
