"""Pings several nodes at once and measures how long their answers take."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from pyx.execution.context import current
from pyx.execution.runner import sleep
from pyx.execution.slots import LockSlot
from pyx.runtime.request import PendingAnswer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyx.runtime.local_node import LocalNode


class _Arrival:
    """The slot of one ping: notes when its answer came, and wakes the thread that waits for all."""

    def __init__(self, waiter: LockSlot) -> None:
        self._waiter = waiter
        self.at: float | None = None

    def wake(self) -> None:
        """See `Slot`."""
        if self.at is None:
            self.at = time.monotonic()
        self._waiter.wake()


def round_trips(here: LocalNode, nodes: Iterable[str], timeout: float) -> dict[str, float | None]:
    """Returns the seconds that each of *nodes* took to answer a ping; None for no answer within *timeout*.

    Blocks the calling thread, which runs no event loop.
    """
    waiter = LockSlot()
    begun: dict[str, tuple[PendingAnswer, _Arrival, float]] = {}
    with contextlib.ExitStack() as stack:
        for node in nodes:
            arrival = _Arrival(waiter)
            pending = stack.enter_context(PendingAnswer(here, arrival))
            now = time.monotonic()
            begun[node] = pending, arrival, now
            with here.kernel_call as kernel:
                pending.number = kernel.requests.ping(pending, node, now)
        pendings = [pending for pending, _, _ in begun.values()]
        sleep(current.get(), waiter, timeout, lambda: all(one.outcome is not None for one in pendings))
        return {
            node: arrival.at - start if pending.outcome == "pong" and arrival.at is not None else None
            for node, (pending, arrival, start) in begun.items()
        }
