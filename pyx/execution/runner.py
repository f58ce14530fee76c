"""The runner of a process: its gate, the slot it waits on, its output buffer; and waits that a kill ends.

The kernel keeps a `ProcessRecord` and knows the runner as an opaque handle only.  See `threads.py` and
`tasks.py` for the thread or task beneath.
"""

from __future__ import annotations

import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias
from weakref import WeakSet

from pyx.execution.gate import Gate
from pyx.execution.line_buffer import LineBuffer
from pyx.execution.reading_waits import give_back, read_until_woken
from pyx.execution.slots import NO_SLOT, LockSlot, Slot

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping
    from collections.abc import Set as AbstractSet

    from pyx.core.processes import ProcessRecord
    from pyx.execution.console_writer import ConsoleWriter
    from pyx.execution.loop_thread import FutureSlot
    from pyx.net.connection import Connection
    from pyx.terms import Ref

    Finished: TypeAlias = Callable[["Runner", BaseException | None, Any], None]
    """What is told that the code of a process is over: what it raised, or the value it returned."""

_MARKS: Final = 64
"""Number of references whose mailbox mark is kept; a receive by an older one scans from the start."""


class LeftRequest(Protocol):
    """A request whose answer a process fetches later, if it fetches it."""

    def cancel(self) -> bool:
        """Gives the request up; nothing once its answer is there."""


class Host(Protocol):
    """The part of a node that the code which runs its processes needs."""

    def flush(self, runner: Runner) -> None:
        """Writes what the process has queued for other nodes since it waited last."""

    def print_lines(self, runner: Runner, *, everything: bool = False) -> None:
        """Sends the lines that the process has printed; with *everything* the unfinished one too."""


_NOTHING: Final[frozenset[Any]] = frozenset()
_NO_MARKS: Final[Mapping[Any, int]] = MappingProxyType({})


class Runner:
    """The runner of one process.  Its own thread or task waits; any thread may wake or stop it."""

    __slots__ = (
        "_rare",
        "asked_at",
        "binaries",
        "borrowed",
        "console_writer",
        "dirty",
        "fresh",
        "gate",
        "marks",
        "node",
        "over",
        "process",
        "quick_waits",
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
        """The slot of a receive that waits, or of the last one that did."""
        self.waits: AbstractSet[Slot] = _NOTHING
        """The slots of other waits: for answers, or for a time."""
        self.binaries = "str"
        """`"bytes"`: the binaries that Erlang nodes send are never made texts."""
        self.receiving = False
        """True while a receive is under way."""
        self.stop_task: Callable[[Runner], object] | None = None
        """Cancels the task of an `async def` process; callable from any thread."""
        self.fresh = True
        """True if the process waited since its last transmission: its own thread writes the next one."""
        self.asked_at = 0.0
        self.quick_waits = 0
        self.borrowed: Connection | None = None
        """A connection whose watch the process has while an answer is likely: see `reading_waits.py`."""
        self.dirty: AbstractSet[Connection] = _NOTHING
        """Connections whose queues the process has filled since, to be flushed before it waits."""
        self._rare: Final[dict[str, Any]] = {}
        """Parts that few processes need, by name: made at the first access, on any thread."""
        self.task: asyncio.Task[None] | None = None
        """The task of an `async def` process, once it runs."""
        self.console_writer: ConsoleWriter | None = None
        """Writes the lines of a process that leads a terminal to the console; None: a process without one."""
        self.marks: Mapping[Ref, int] = _NO_MARKS
        """By reference: the mark of the mailbox when the reference was made."""
        self.over = False
        """True once no thread or task runs the process any more."""

    @property
    def line(self) -> LineBuffer:
        """The process's output buffer."""
        line: LineBuffer | None = self._rare.get("line")
        if line is None:
            line = self._rare.setdefault("line", LineBuffer())
        return line

    @property
    def own_slot(self) -> LockSlot:
        """The slot of a thread that receives; deliveries wake it from now on."""
        slot: LockSlot | None = self._rare.get("slot")
        if slot is None:
            slot = self._rare.setdefault("slot", LockSlot())
        self.slot = slot
        return slot

    def own_waits(self) -> set[Slot]:
        """Returns the set of `waits`: a kill wakes every slot that is added to it."""
        waits: set[Slot] = self._rare.setdefault("waits", set())
        self.waits = waits
        return waits

    def has_filled(self, connection: Connection) -> None:
        """Has *connection* flushed before the process waits."""
        dirty: set[Connection] = self._rare.setdefault("dirty", set())
        self.dirty = dirty
        dirty.add(connection)

    def take_dirty(self) -> Connection:
        """Takes one connection out of `dirty`."""
        connection: Connection = self._rare["dirty"].pop()
        return connection

    @property
    def left_over(self) -> set[asyncio.Task[Any]]:
        """The tasks that the process has made, which end with it."""
        tasks: set[asyncio.Task[Any]] = self._rare.setdefault("left_over", set())
        return tasks

    def take_left_over(self) -> list[asyncio.Task[Any]]:
        """Returns the tasks of `left_over` that still run; callable from any thread."""
        return list(self._rare.get("left_over", ()))

    @property
    def requests(self) -> WeakSet[LeftRequest]:
        """The requests that the process has made and not waited for, which are given up when it ends."""
        requests: WeakSet[LeftRequest] = self._rare.setdefault("requests", WeakSet())
        return requests

    def take_requests(self) -> list[LeftRequest]:
        """Returns the requests of `requests` that are still known; callable from any thread."""
        return list(self._rare.get("requests", ()))

    @property
    def has_unfinished_line(self) -> bool:
        """True if the process printed text that is not queued yet."""
        return bool(self._rare.get("line"))

    @property
    def is_waiting(self) -> bool:
        """True while the process waits in a call of pyx."""
        return self.process.waiting or bool(self.waits)

    def stop(self) -> None:
        """Wakes the thread, or cancels the task, of a process that the kernel has removed; any thread."""
        self.gate.closed = True
        self.slot.wake()
        for slot in list(self.waits):
            slot.wake()
        stop_task = self.stop_task
        if stop_task is not None:  # else the process is a thread, or has just ended
            stop_task(self)

    def ended(self) -> bool:
        """Notes that no thread or task runs the process any more, lets go of its task and closes its gate.

        Returns:
            True if it may have left something: tasks, an unfinished line, signals that are not sent.
        """
        self.over = True
        if self.borrowed is not None:
            give_back(self)
        self.task = self.stop_task = None
        self.gate.closed = True  # for threads and tasks that it left behind; before the last look
        return bool(self._rare)

    def remember(self, ref: Ref, mark: int) -> None:
        """Notes the mailbox mark from before *ref* was made: no earlier message can hold *ref*."""
        marks = self.marks
        if not isinstance(marks, dict):  # a mark lost to another thread means a longer search, no more
            self.marks = marks = {}
        if len(marks) >= _MARKS:
            del marks[next(iter(marks))]
        marks[ref] = mark


class Awaited(Protocol):
    """What a thread waits for; a plain attribute costs no call."""

    @property
    def over(self) -> bool:
        """True once it is there, or at its end."""


class _Condition:
    """A condition as what a thread waits for."""

    __slots__ = ("_is_over",)

    def __init__(self, is_over: Callable[[], bool]) -> None:
        self._is_over = is_over

    @property
    def over(self) -> bool:
        return self._is_over()


def sleep(runner: Runner | None, slot: LockSlot, timeout: float | None, is_over: Callable[[], bool]) -> bool:
    """Waits as `sleep_for`, until *is_over*, called after each wake-up, returns True."""
    return sleep_for(runner, slot, timeout, _Condition(is_over))


def sleep_for(
    runner: Runner | None,
    slot: LockSlot,
    timeout: float | None,
    awaited: Awaited,
    borrowed: Connection | None = None,
) -> bool:
    """Waits on *slot* until *awaited* is `over`; returns False after *timeout* seconds.

    Args:
        runner: of the process that waits, if one does.
        slot: of the calling thread.
        timeout: seconds; None: no limit.
        awaited: looked at after each wake-up.
        borrowed: a connection whose watch the thread has, to read from it meanwhile; it is given back.

    Raises:
        ProcessKilled: the process was killed.
        KeyboardInterrupt: Ctrl-C, on the main thread.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    if runner is not None:
        waits = runner.waits if type(runner.waits) is set else runner.own_waits()
        waits.add(slot)  # before the gate is read: a kill closes the gate first and wakes these slots then
    try:
        if runner is not None:
            if borrowed is None:
                borrowed, runner.borrowed = runner.borrowed, None
            if runner.dirty:
                runner.node.flush(runner)
        while not awaited.over:
            if runner is not None and runner.gate.closed:
                runner.gate.refuse()
            remaining = None if deadline is None else deadline - time.monotonic()
            if remaining is not None and remaining <= 0:
                return False
            if borrowed is not None:
                reads, borrowed = borrowed, None
                read_until_woken(reads, slot, remaining)
            else:
                slot.wait(remaining)
        return True
    finally:
        if borrowed is not None:
            borrowed.watch.give_back()
        if runner is not None:
            waits.discard(slot)
            runner.fresh = True


async def sleep_async(runner: Runner | None, slot: FutureSlot, timeout: float | None) -> None:
    """Waits like `sleep_for`, in a coroutine, until *slot* is woken."""
    if runner is not None:
        if runner.dirty:
            runner.node.flush(runner)
        waits = runner.own_waits()
        waits.add(slot)
    try:
        if runner is not None and runner.gate.closed:
            runner.gate.refuse()
        await slot.wait(timeout)
        if runner is not None and runner.gate.closed:
            runner.gate.refuse()
    finally:
        if runner is not None:
            waits.discard(slot)
            runner.fresh = True
