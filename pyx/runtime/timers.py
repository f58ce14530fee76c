"""`Process.send_after`: messages that leave later.  Not here: sleeping and time-outs, which need no table."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.runtime.local_node import LocalNode
    from pyx.terms import Pid, Ref


class Timers:
    """The timers of one node, by reference.  They run on the transport's loop."""

    def __init__(self, node: LocalNode) -> None:
        self._node = node
        self._running: dict[Ref, tuple[float, Callable[[], None]]] = {}

    def start(self, ref: Ref, seconds: float, frm: Pid | None, dest: Any, body: Any) -> None:
        """Sends *body* to *dest* in so many seconds, unless cancelled."""
        node = self._node

        def fire() -> None:
            # Whoever takes the entry out of the table decides the timer's fate: popping is one step.
            if self._running.pop(ref, None) is not None:
                node.tell(node.kernel.send, frm, dest, body)

        due = time.monotonic() + seconds
        armed: list[Callable[[], None]] = []
        self._running[ref] = (due, lambda: armed[0]() if armed else None)
        armed.append(node.portal.later(seconds, fire))

    def cancel(self, ref: Ref) -> float | bool:
        """The seconds that were left, or False where the message has left (or never was)."""
        entry = self._running.pop(ref, None)
        if entry is None:
            return False
        due, cancel = entry
        cancel()
        return max(0.0, due - time.monotonic())
