"""What runs one process: its gate, the slot it waits on, its unfinished line of output.

The kernel keeps a `ProcessRecord` (who it is) and knows its runner only as an opaque handle; this file is
the other half.  Not here: threads (`threads.py`) and tasks (`tasks.py`) themselves, and what is received
(`receiving.py`).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from pyx.execution.gate import Gate
from pyx.execution.line_buffer import LineBuffer
from pyx.execution.slots import NO_SLOT, LockSlot, Slot

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from pyx.core.processes import ProcessRecord
    from pyx.execution.loop_thread import FutureSlot
    from pyx.execution.outlet import Outlet
    from pyx.net.connection import Connection
    from pyx.terms import Ref

    Finished: TypeAlias = Callable[["Runner", BaseException | None, Any], None]
    """What is told that the code of a process is over: what it raised, or the value it returned."""

_MARKS: Final = 64
"""So many references remember where the mailbox stood; older ones search from the start again."""


class Host(Protocol):
    """The node of a process, as far as the code that runs the process needs it."""

    def flush(self, runner: Runner) -> None:
        """Writes what the process has queued for other nodes since it waited last."""

    def print_lines(self, runner: Runner, *, everything: bool = False) -> None:
        """Sends the lines that the process has printed; with *everything* the unfinished one too."""


_NOTHING: Final[frozenset[Any]] = frozenset()


class Runner:
    """What runs one process.  Only its own thread (or task) waits; anybody may wake or stop it."""

    __slots__ = (
        "_rare",
        "dirty",
        "fresh",
        "gate",
        "marks",
        "node",
        "outlet",
        "over",
        "process",
        "receiving",
        "slot",
        "stop_task",
        "task",
        "waits",
    )

    def __init__(self, node: Host, process: ProcessRecord) -> None:
        self.node = node
        self.process = process
        self.gate = Gate()
        self.slot: Slot = NO_SLOT
        """What it sleeps on while it receives."""
        self.waits: AbstractSet[Slot] = _NOTHING
        """What it sleeps on otherwise: for answers, or for the clock."""
        self.receiving = False
        """Somewhere in it a receive is under way."""
        self.stop_task: Callable[[Runner], object] | None = None
        """Cancels the task of an `async def` process; from any thread."""
        self.fresh = True
        """It waited since its last transmission: the next one is written by its own thread."""
        self.dirty: AbstractSet[Connection] = _NOTHING
        """The links whose queues it filled since, to be flushed before it waits."""
        self._rare: Final[dict[str, Any]] = {}
        """What not every process needs: made when it is asked for, by whichever thread comes first."""
        self.task: asyncio.Task[None] | None = None
        """Of an `async def` process, once it runs."""
        self.outlet: Outlet | None = None
        """Of a process that leads a terminal: the way of its lines to the console."""
        self.marks: dict[Ref, int] = {}
        """Where the mailbox stood when the reference was made."""
        self.over = False
        """Nothing runs for this process any more."""

    @property
    def line(self) -> LineBuffer:
        """What it printed and has not handed over."""
        line: LineBuffer | None = self._rare.get("line")
        if line is None:
            line = self._rare.setdefault("line", LineBuffer())
        return line

    @property
    def own_slot(self) -> LockSlot:
        """What a thread of it sleeps on while it receives; from now on it is woken there."""
        slot: LockSlot | None = self._rare.get("slot")
        if slot is None:
            slot = self._rare.setdefault("slot", LockSlot())
        self.slot = slot
        return slot

    def sleeps_on(self, slot: Slot) -> None:
        """Has a killer wake *slot* too, until it is discarded from `waits`."""
        waits: set[Slot] = self._rare.setdefault("waits", set())
        self.waits = waits
        waits.add(slot)

    def woke(self, slot: Slot) -> None:
        """Takes back `sleeps_on`."""
        self._rare["waits"].discard(slot)

    def has_filled(self, link: Connection) -> None:
        """Has *link* flushed before the process waits."""
        dirty: set[Connection] = self._rare.setdefault("dirty", set())
        self.dirty = dirty
        dirty.add(link)

    def take_dirty(self) -> Connection:
        """One of `dirty`, which is left out from now on."""
        link: Connection = self._rare["dirty"].pop()
        return link

    @property
    def left_over(self) -> set[asyncio.Task[Any]]:
        """The tasks that an `async def` process has made, which end with it."""
        tasks: set[asyncio.Task[Any]] = self._rare.setdefault("left_over", set())
        return tasks

    def take_left_over(self) -> list[asyncio.Task[Any]]:
        """Those of them that go on; from any thread."""
        return list(self._rare.get("left_over", ()))

    @property
    def has_unfinished_line(self) -> bool:
        """It printed something that has not been handed over."""
        return bool(self._rare.get("line"))

    @property
    def is_waiting(self) -> bool:
        """True while it sleeps in a call of pyx."""
        return self.process.waiting or bool(self.waits)

    def stop(self) -> None:
        """Wakes or cancels whatever runs the process, which the kernel has ended already; any thread."""
        self.gate.closed = True
        self.slot.wake()
        for slot in list(self.waits):
            slot.wake()
        stop_task = self.stop_task
        if stop_task is not None:  # else it is a thread, or has just come to its end
            stop_task(self)

    def is_over(self) -> None:
        """Nothing runs for the process any more, and nothing of it is kept alive from here."""
        self.over = True
        self.task = self.stop_task = None

    def remember(self, ref: Ref, mark: int) -> None:
        """Notes where the mailbox stood before *ref* was made: no message before that can hold it."""
        if len(self.marks) >= _MARKS:
            del self.marks[next(iter(self.marks))]
        self.marks[ref] = mark


def sleep(runner: Runner | None, slot: LockSlot, timeout: float | None, is_over: Callable[[], bool]) -> bool:
    """Sleeps on *slot* until *is_over*; False after *timeout* seconds.

    Raises:
        ProcessKilled: the process was killed.
        KeyboardInterrupt: Ctrl-C, on the main thread.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    if runner is not None:
        runner.node.flush(runner)
        runner.sleeps_on(slot)  # before the look at the gate: a killer looks here after it has closed that
    try:
        while not is_over():
            if runner is not None and runner.gate.closed:
                runner.gate.refuse()
            remaining = None if deadline is None else deadline - time.monotonic()
            if remaining is not None and remaining <= 0:
                return False
            slot.wait(remaining)
        return True
    finally:
        if runner is not None:
            runner.woke(slot)
            runner.fresh = True


async def sleep_async(runner: Runner | None, slot: FutureSlot, timeout: float | None) -> None:
    """`sleep` for a coroutine, until *slot* is woken."""
    if runner is not None:
        runner.node.flush(runner)
        runner.sleeps_on(slot)
    try:
        if runner is not None and runner.gate.closed:
            runner.gate.refuse()
        await slot.wait(timeout)
        if runner is not None and runner.gate.closed:
            runner.gate.refuse()
    finally:
        if runner is not None:
            runner.woke(slot)
            runner.fresh = True
