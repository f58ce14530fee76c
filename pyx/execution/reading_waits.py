"""Waits of a thread that reads meanwhile what its node receives: see `net/watch.py` for why, and the rules.

While the thread reads it acts for the node, not for its process: no gate, no Ctrl-C and no handler of the
program's ends it there.  In between it waits as `LockSlot.wait` does.
"""

from __future__ import annotations

import asyncio
import functools
import sys
import time
from typing import TYPE_CHECKING, Final, Protocol

from pyx.execution.thread_state import thread
from pyx.net.watch import LEASE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from pyx.execution.slots import LockSlot
    from pyx.net.connection import Connection

_FRAMES: Final = 400
"""Frames that reading and the kernel may need: user code that is near its recursion limit does not read."""

_QUICK_SECONDS: Final = 0.001
_QUICK_WAITS: Final = 8


class LoneSender(Protocol):
    """The runner of a process, as far as its messages and its waits for answers to lone ones go."""

    fresh: bool
    task: asyncio.Task[None] | None
    dirty: AbstractSet[Connection]
    asked_at: float
    borrowed: Connection | None
    quick_waits: int

    def has_filled(self, connection: Connection) -> None:
        """Has *connection* flushed before the process waits."""


def may_read() -> bool:
    """Returns False for a thread whose stack has no room for reading."""
    try:
        sys._getframe(max(1, sys.getrecursionlimit() - _FRAMES))  # noqa: SLF001 - its depth is all that counts
    except ValueError:
        return True
    return False


def flush_for(runner: LoneSender, connection: Connection) -> None:
    """Has the queue of a connection written, into which the process of *runner* has put a signal.

    A lone message goes out from this very thread, without a hop; a stream of them gathers.  A thread reads
    from here on if it is likely to wait for the answer to its lone message.  Likely means that most of its
    lone messages were followed by a wait within `_QUICK_SECONDS`: one that was not counts as much as
    `_QUICK_WAITS` that were.  Where that is wrong for once, the loop takes the watch back soon (`watch.py`).
    """
    if not runner.fresh:
        if connection not in runner.dirty:
            runner.has_filled(connection)
        connection.flush_later()
        return
    runner.fresh = False
    if runner.task is not None:
        may_be_answered_on_loop(connection)
    else:
        if runner.quick_waits >= _QUICK_WAITS and runner.borrowed is None and connection.watch.lend():
            runner.borrowed = connection
        runner.asked_at = time.monotonic()
    connection.flush()


def read_answer(runner: LoneSender, slot: LockSlot, timeout: float | None) -> bool:
    """Reads the answer to a lone message, if the process has borrowed a watch; True if *slot* was woken."""
    asked_at, runner.asked_at = runner.asked_at, 0.0
    if asked_at:
        is_quick = time.monotonic() - asked_at < _QUICK_SECONDS
        waits = runner.quick_waits + (1 if is_quick else -_QUICK_WAITS)
        runner.quick_waits = min(max(0, waits), 3 * _QUICK_WAITS)
    connection = runner.borrowed
    if connection is None:
        return False
    if not may_read():
        give_back(runner)
        return False
    runner.borrowed = None
    return read_until_woken(connection, slot, timeout)


def may_be_answered_on_loop(connection: Connection) -> None:
    """Has the running loop read from *connection*: a coroutine asks a question there, or answers a call."""
    loop = asyncio.get_running_loop()
    connection.watch.lend_to_loop(loop, functools.partial(read_on_loop, connection))


def read_on_loop(connection: Connection) -> None:
    """Reads on a loop that has borrowed the watch, for the node: no process acts meanwhile."""
    state = thread.state
    state.runs_transport = True
    try:
        connection.read()
    finally:
        state.runs_transport = False


def give_back(runner: LoneSender) -> None:
    """Gives back the watch that a process has borrowed, if it has; on its own thread."""
    connection, runner.borrowed = runner.borrowed, None
    if connection is not None:
        connection.watch.give_back()


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
    runs_transport, was_waiting = state.runs_transport, state.waiting
    try:
        slot.bell = watch.bell
        seconds = LEASE_SECONDS if timeout is None else min(timeout, LEASE_SECONDS)
        end = time.monotonic() + seconds
        is_woken = slot.lock.acquire
        while not is_woken(False):
            state.waiting = True
            ready = watch.poll(seconds)
            state.waiting = False
            if not ready:
                return False
            state.runs_transport = True
            connection.read()
            state.runs_transport = runs_transport
            seconds = end - time.monotonic()
        return True
    finally:
        state.waiting = was_waiting
        state.runs_transport = runs_transport
        slot.bell = None
        watch.give_back()
