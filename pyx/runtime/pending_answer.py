"""Somebody waits for an answer from a node: the handle that the kernel keeps, and both ways to wait for it.

Not here: what is asked (`rpc`, `Node`, `Process`), or the numbers and the fate of requests (`core`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self

from pyx.execution.context import current
from pyx.execution.loop_thread import FutureSlot
from pyx.execution.node_log import log
from pyx.execution.runner import sleep, sleep_async
from pyx.execution.slots import LockSlot

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.runtime.local_node import LocalNode
    from pyx.terms import Pid, Ref


_LOG_SECONDS: Final = 0.5
"""So long an answer waits for the lines logged before it, where the log stands still."""


class PendingAnswer:
    """One request under way.  The kernel resolves it once; a thread or a coroutine waits for that.

        with Pending(node) as pending:
            pending.ask(node.kernel.request_call, ...)
            in_time = pending.wait(timeout)

    Whatever leaves that block before the answer (time-out, Ctrl-C, a kill, a cancelled coroutine) abandons
    the request: it may go on over there, its late answer vanishes.

    Args:
        node: which asks.
        slot: of the coroutine that will wait; without one a thread does.
        then: called when the answer is there, on the thread that brings it.
    """

    __slots__ = ("_node", "_slot", "_then", "body", "monitor", "nobody", "number", "outcome")

    def __init__(
        self,
        node: LocalNode,
        slot: FutureSlot | None = None,
        *,
        then: Callable[[PendingAnswer], None] | None = None,
    ) -> None:
        self._node = node
        self._slot: LockSlot | FutureSlot = slot if slot is not None else LockSlot()
        self._then = then
        self.number = 0
        self.outcome: str | None = None
        self.body: Any = None
        self.monitor: Ref | None = None
        """Of a spawn that is monitored from its first moment."""
        self.nobody: Pid | None = None
        """Of a spawn that reached no node: the pid to hand out instead."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.outcome is None and self.number:
            self.abandon()

    def ask(self, request: Callable[..., int | None], *args: Any) -> None:
        """Makes the request, `request(self, *args)`, and notes its number in that very step: none is lost."""
        with self._node.kernel_call:
            self.number = request(self, *args) or 0

    def abandon(self) -> None:
        """Nobody waits for it any more."""
        self._node.sending.abandon(self.number)

    def resolve(self, outcome: str, body: Any, nobody: Pid | None = None) -> None:
        """The answer is here; from any thread."""
        self.body = body
        self.nobody = nobody
        self.outcome = outcome
        self._slot.wake()
        if self._then is not None:
            self._then(self)

    def wait(self, timeout: float | None) -> bool:
        """Sleeps until the answer is there; False after *timeout* seconds."""
        assert isinstance(self._slot, LockSlot)
        in_time = sleep(current.get(), self._slot, timeout, lambda: self.outcome is not None)
        if self._node.kernel.console:  # what a call printed is seen before its value
            self._node.output.outlet.show_all()
        log.settle(_LOG_SECONDS)  # and so is why it failed
        return in_time

    async def wait_async(self, timeout: float | None) -> bool:
        """`wait` for a coroutine."""
        assert isinstance(self._slot, FutureSlot)
        if self.outcome is None:
            await sleep_async(current.get(), self._slot, timeout)
        return self.outcome is not None
