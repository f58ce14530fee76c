"""`Process.send_after`: messages that are sent later."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.runtime.dispatch import Dispatch
    from pyx.terms import Ref


class _Timer:
    """A message to be sent."""

    __slots__ = ("cancel", "due")

    def __init__(self, due: float) -> None:
        self.due = due
        self.cancel: Callable[[], None] | None = None


class Timers:
    """The timers of one node, by reference; on the transport's loop.

    Args:
        dispatch: of the node.
    """

    def __init__(self, dispatch: Dispatch) -> None:
        self._dispatch = dispatch
        self._running: dict[Ref, _Timer] = {}

    def start(self, seconds: float, dest: Any, body: Any) -> Ref:
        """Sends *body* to *dest* in *seconds*; returns the reference that cancels it.

        The sender is the timer, not the process that set it, which may have ended by then (as in OTP).
        """
        dispatch = self._dispatch
        with dispatch.critical_section() as section:
            with section.kernel_call() as kernel:
                ref = kernel.tables.make_ref()

            def fire() -> None:
                # Taking the entry out of the table decides the timer's fate: popping is atomic.
                if self._running.pop(ref, None) is not None:
                    with dispatch.kernel_call as kernel:
                        kernel.router.send(None, dest, body)

            timer = self._running[ref] = _Timer(time.monotonic() + seconds)  # in the table before it can fire
            timer.cancel = dispatch.transport_loop.later(seconds, fire)
        return ref

    def cancel(self, ref: Ref) -> float | bool:
        """Cancels a timer; returns the seconds that were left, or False if it has fired or never was."""
        timer = self._running.pop(ref, None)
        if timer is None:
            return False
        if timer.cancel is not None:
            with self._dispatch.critical_section():
                timer.cancel()
        return max(0.0, timer.due - time.monotonic())
