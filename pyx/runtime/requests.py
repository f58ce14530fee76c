"""Somebody waits for an answer from a node: the handle that the kernel keeps, and both ways to wait for it.

Not here: what is asked (`rpc`, `Node`, `Process`), or the numbers and the fate of requests (`core`).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pyx.runtime.context import current
from pyx.runtime.runners import LockSlot

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.runtime.local_node import LocalNode
    from pyx.runtime.runners import Slot
    from pyx.terms import Pid


class Pending:
    """One request under way.  The kernel resolves it once; a thread or a coroutine waits for that."""

    __slots__ = ("_then", "body", "nobody", "number", "outcome", "slot")

    def __init__(self, slot: Slot | None = None, then: Callable[[Pending], None] | None = None) -> None:
        self.slot: Slot = slot if slot is not None else LockSlot()
        self.number = 0
        self.outcome: str | None = None
        self.body: Any = None
        self.nobody: Pid | None = None
        """Of a spawn that reached no node: the pid to hand out instead."""
        self._then = then

    def resolve(self, outcome: str, body: Any, nobody: Pid | None = None) -> None:
        """The answer is here; from any thread."""
        self.body = body
        self.nobody = nobody
        self.outcome = outcome
        self.slot.wake()
        if self._then is not None:
            self._then(self)


def wait(node: LocalNode, pending: Pending, timeout: float | None) -> bool:
    """Sleeps until *pending* is resolved; False after *timeout* seconds.

    Whatever ends the wait early (time-out, Ctrl-C, a kill) abandons the request: it may go on over there, its
    late answer vanishes.
    """
    runner = current.get()
    slot = pending.slot
    assert isinstance(slot, LockSlot)
    if runner is not None:
        runner.before_wait()
        runner.slot = slot  # so that a kill wakes us
    deadline = None if timeout is None else time.monotonic() + timeout
    try:
        while pending.outcome is None:
            if runner is not None and runner.killed:
                runner.gate.enter()  # raises
            remaining = None if deadline is None else deadline - time.monotonic()
            if remaining is not None and remaining <= 0:
                return False
            slot.wait(remaining)
        return True
    finally:
        if runner is not None:
            runner.slot = runner.own_slot
            runner.fresh = True
        if pending.outcome is None:
            node.abandon(pending.number)


async def wait_async(node: LocalNode, pending: Pending, timeout: float | None) -> bool:
    """`wait` for a coroutine; cancelling it abandons the request too."""
    import asyncio

    from pyx.runtime.runners import FutureSlot

    runner = current.get()
    slot = pending.slot
    assert isinstance(slot, FutureSlot)
    if runner is not None:
        runner.before_wait()
    try:
        if pending.outcome is None:
            if timeout is None:
                await slot.future
            else:
                await asyncio.wait((slot.future,), timeout=timeout)
        return pending.outcome is not None
    finally:
        if runner is not None:
            runner.fresh = True
        if pending.outcome is None:
            node.abandon(pending.number)
