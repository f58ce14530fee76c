"""What runs one process: its gate, the slot it waits on, its unfinished line of output.

The kernel keeps a `Process` (who it is) and knows its runner only as an opaque handle; this file is the other
half.  Not here: threads (`threads.py`) and tasks (`tasks.py`) themselves, and what is received (`mail.py`).
"""

from __future__ import annotations

import _thread
from typing import TYPE_CHECKING, Final, Protocol

from pyx.runtime.context import thread
from pyx.runtime.gate import Gate

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from pyx.core.processes import Process
    from pyx.runtime.local_node import LocalNode
    from pyx.runtime.output import Console
    from pyx.runtime.portal import LoopThread
    from pyx.terms import Ref

_MARKS: Final = 64
"""So many references remember where the mailbox stood; older ones search from the start again."""


class Slot(Protocol):
    """What somebody sleeps on until it is woken.  A wake-up too many is harmless: sleepers look again."""

    def wake(self) -> None:
        """Wakes the sleeper; from any thread, at any time, any number of times."""


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
        thread.waiting = True
        try:
            if timeout is None:
                return self._lock.acquire()
            return self._lock.acquire(timeout=min(max(timeout, 0.0), _thread.TIMEOUT_MAX))
        finally:
            thread.waiting = False


class FutureSlot:
    """A coroutine awaits it, on whichever loop it runs."""

    __slots__ = ("_loop", "_loop_thread", "future")

    def __init__(self, loop: asyncio.AbstractEventLoop, loop_thread: LoopThread | None) -> None:
        self._loop = loop
        self._loop_thread = loop_thread
        self.future: asyncio.Future[None] = loop.create_future()

    def wake(self) -> None:
        """See `Slot`."""
        if self._loop_thread is not None:
            self._loop_thread.soon(self._set)  # one wake-up of the loop for many of these
            return
        try:
            self._loop.call_soon_threadsafe(self._set)
        except RuntimeError:  # that loop is closed: nobody sleeps there any more
            return

    def _set(self) -> None:
        if not self.future.done():
            self.future.set_result(None)


class Runner:
    """What runs one process.  Only its own thread (or task) waits; anybody may wake or stop it."""

    __slots__ = (
        "console",
        "dirty",
        "fresh",
        "gate",
        "line",
        "marks",
        "node",
        "over",
        "own_slot",
        "process",
        "showing",
        "slot",
        "stop_task",
        "task",
        "thread_ident",
        "undecodable",
    )

    def __init__(self, node: LocalNode, process: Process) -> None:
        self.node = node
        self.process = process
        self.gate = Gate()
        self.own_slot = LockSlot()
        self.slot: Slot = self.own_slot
        self.thread_ident: int | None = None
        """Of the thread that is this process's alone; None for a task, or before it runs."""
        self.stop_task: Callable[[], None] | None = None
        """Cancels the task of an `async def` process; from any thread."""
        self.fresh = True
        """It waited since its last transmission: the next one is written by its own thread (design 7)."""
        self.dirty: set[object] = set()
        """The links whose queues it filled since, to be flushed before it waits."""
        self.line = ""
        """What it printed since the last newline."""
        self.task: asyncio.Task[None] | None = None
        """Of an `async def` process, once it runs."""
        self.console: Console | None = None
        """Of a process that leads a terminal."""
        self.showing = _thread.allocate_lock()
        """Held by the one thread that hands lines to the console."""
        self.marks: dict[Ref, int] = {}
        self.over = False
        """Nothing runs for this process any more."""
        self.undecodable = 0
        """Letters it could not open."""

    @property
    def killed(self) -> bool:
        """True once the process is dead by a signal, while its thread may still run."""
        return self.gate.killed

    def wake(self) -> None:
        """Something happened that it may be waiting for."""
        self.slot.wake()

    def stop(self) -> None:
        """Ends whatever runs the process; the kernel has buried it already.  From any thread, once."""
        self.gate.kill(self.thread_ident)
        self.slot.wake()
        if self.stop_task is not None:
            self.stop_task()

    def began(self, thread_ident: int) -> None:
        """This thread runs the process from now on; raises ProcessKilled if it is dead already."""
        self.gate.enter()
        try:
            self.thread_ident = thread_ident
        finally:
            self.gate.leave()

    def before_wait(self) -> None:
        """Sees that what this process queued is on its way before it sleeps."""
        if self.dirty:
            self.node.flush(self.dirty)
            self.dirty.clear()

    def remember(self, ref: Ref) -> None:
        """Notes where the mailbox stands now that *ref* is made: no message before can hold it."""
        if len(self.marks) >= _MARKS:
            del self.marks[next(iter(self.marks))]
        self.marks[ref] = self.process.mailbox.mark()
