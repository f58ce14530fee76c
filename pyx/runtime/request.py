"""Requests to other nodes, each written once, as a coroutine, for threads and for coroutines.

    return wait("Node.ping", node_requests.ping(node))    # `Node.ping`: the thread blocks
    return await node_requests.ping(node)                 # `aio.Node.ping`

`PendingAnswer` blocks a thread that runs no event loop, and awaits on one that does.  See `core/requests.py`
for the numbers of requests, and `rpc_functions.py` for what the other node runs.
"""

from __future__ import annotations

from asyncio.events import _get_running_loop
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from pyx.errors import Reentered, WouldBlock
from pyx.execution.context import current
from pyx.execution.loop_thread import FutureSlot
from pyx.execution.node_log import log
from pyx.execution.reading_waits import may_be_answered_on_loop, may_read
from pyx.execution.runner import sleep_async, sleep_for
from pyx.execution.slots import LockSlot
from pyx.execution.thread_state import thread

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from pyx.execution.slots import Slot
    from pyx.net.connection import Connection
    from pyx.runtime.local_node import LocalNode
    from pyx.terms import Pid

T = TypeVar("T")

ANSWER_SECONDS: Final = 5.0
"""The time limit of a ping and of `Process.info`; a frozen node takes all of it."""

_LOG_SECONDS: Final = 0.5
"""An answer waits at most this long for the log lines written before it came."""


class PendingAnswer:
    """A request under way: the kernel resolves it once, a thread or a coroutine waits for that.

        with PendingAnswer(node) as pending:
            with node.kernel_call as kernel:
                pending.number = kernel.requests.call(pending, ...)  # in the kernel call: none is lost
            in_time = await pending.wait(timeout)

    A request that is left without an answer (time-out, Ctrl-C, a kill, a cancelled coroutine) is abandoned:
    the other node may go on with it, and a late answer is dropped.

    Args:
        here: the node that asks.
        slot: woken when the answer is there, on the thread that brings it; None: one for the caller.
    """

    __slots__ = ("_borrowed", "_here", "_slot", "body", "dead_pid", "number", "outcome", "over")

    def __init__(self, here: LocalNode, slot: Slot | None = None) -> None:
        self._here = here
        self._slot: Slot = slot or (LockSlot() if _get_running_loop() is None else here.tasks.slot())
        self._borrowed: Connection | None = None
        self.number = 0
        self.outcome: str | None = None
        """The kind of answer; None until it is there."""
        self.over = False
        """True once the answer is there; set last."""
        self.body: Any = None
        self.dead_pid: Pid | None = None
        """Of a spawn that reached no node: the pid that the caller gets."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._borrowed is not None:
            self._borrowed.watch.give_back()
        if self.outcome is None and self.number:
            self.abandon()

    def read_from(self, node: str) -> None:
        """Has this thread read what *node* (a full name) sends, from now until the answer is there."""
        peer = self._here.kernel.tables.peers.get(node)
        connection = peer.connection if peer is not None else None
        if connection is None:
            return
        if type(self._slot) is FutureSlot:
            may_be_answered_on_loop(connection)
        elif type(self._slot) is LockSlot and may_read() and connection.watch.lend():
            self._borrowed = connection

    def abandon(self) -> None:
        """Gives the request up."""
        self._here.sending.abandon(self.number)

    def resolve(self, outcome: str, body: Any, dead_pid: Pid | None = None) -> None:
        """Keeps the answer and wakes the slot; on any thread."""
        self.body = body
        self.dead_pid = dead_pid
        self.outcome = outcome
        self.over = True
        self._slot.wake()

    async def wait(self, timeout: float | None) -> bool:
        """Returns True when the answer is there, False after *timeout* seconds (None: no limit)."""
        if isinstance(self._slot, FutureSlot):
            if self.outcome is None:
                await sleep_async(current.get(), self._slot, timeout)
            return self.outcome is not None
        assert isinstance(self._slot, LockSlot)
        borrowed, self._borrowed = self._borrowed, None
        in_time = sleep_for(current.get(), self._slot, timeout, self, borrowed)
        if self._here.kernel.tables.console:  # what a call printed is shown before its value
            self._here.output.writer.show_all()
        if log.waiting and not log.is_blocked:
            log.settle(_LOG_SECONDS)  # and so is the reason of a failure
        return in_time


def wait(call: str, request: Coroutine[Any, Any, T]) -> T:
    """Runs a request to its end on this thread, which blocks; returns its value.

    Args:
        call: the public function, as `"Node.ping"`; its awaitable twin has that name in `aio`.
        request: a coroutine that waits for nothing but `PendingAnswer`s.

    Raises:
        WouldBlock: the thread runs an event loop.
        Reentered: a finalizer or signal handler has interrupted the thread while it reads for the node, so
            the answer could not be read.
        Exception: what the request raises.
    """
    if _get_running_loop() is not None:
        request.close()
        raise WouldBlock(f"{call}()", f"aio.{call}()")
    if thread.state.runs_transport:
        request.close()
        raise Reentered
    try:
        request.send(None)
    except StopIteration as end:
        value: T = end.value
        return value
    raise AssertionError(call)  # it has awaited something
