"""`Process.send_after` and `Process.send_interval`: messages that are sent later, once or again and again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.runtime.dispatch import Dispatch
    from pyx.terms import Pid, Ref


class _Timer:
    """A message to be sent.

    `every` is the interval in seconds, None for one message; `owner` the process that set the interval.
    """

    __slots__ = ("cancel", "due", "every", "owner")

    def __init__(self, due: float, every: float | None, owner: Pid | None) -> None:
        self.due = due
        self.every = every
        self.owner = owner
        self.cancel: Callable[[], None] | None = None


class Timers:
    """The timers of one node, by reference; on the transport's loop.

    Args:
        dispatch: of the node.
    """

    def __init__(self, dispatch: Dispatch) -> None:
        self._dispatch = dispatch
        self._running: dict[Ref, _Timer] = {}

    def start(
        self, seconds: float, dest: Any, body: Any, *, repeats: bool = False, owner: Pid | None = None
    ) -> Ref:
        """Sends *body* to *dest* in *seconds*; returns the reference that cancels it.

        The sender is the timer, not the process that set it, which may have ended by then (as in OTP).

        Args:
            seconds: the delay.
            dest: as the kernel takes it.
            body: encoded, or a flat value.
            repeats: send it again every *seconds*, until `interval_has_ended`.
            owner: the process that sets the interval; None: another thread does.
        """
        dispatch = self._dispatch
        with dispatch.critical_section() as section:
            with section.kernel_call() as kernel:
                ref = kernel.tables.make_ref()
            every = seconds if repeats else None
            timer = self._running[ref] = _Timer(
                time.monotonic() + seconds, every, owner
            )  # before it can fire
            timer.cancel = dispatch.transport_loop.later(seconds, lambda: self._fire(ref, dest, body))
        return ref

    def _fire(self, ref: Ref, dest: Any, body: Any) -> None:
        timer = self._running.get(ref)
        if timer is None:
            return
        if timer.every is None:
            # Taking the entry out of the table decides the timer's fate: popping is atomic.
            if self._running.pop(ref, None) is not None:
                with self._dispatch.kernel_call as kernel:
                    kernel.router.send(None, dest, body)
            return
        from pyx.core.intervals import following, interval_has_ended  # not before the first prompt

        with self._dispatch.kernel_call as kernel:
            goes_on = not interval_has_ended(kernel.tables, dest, timer.owner)
            queue = kernel.router.queue_for(dest)
            if goes_on and ref in self._running and not (queue is not None and queue.is_busy):
                goes_on = kernel.router.send(None, dest, body)
        if not goes_on:
            self._running.pop(ref, None)
            return
        now = time.monotonic()
        timer.due = following(timer.due, timer.every, now)
        again = self._dispatch.transport_loop.later(timer.due - now, lambda: self._fire(ref, dest, body))
        timer.cancel = again
        if ref not in self._running:  # cancelled meanwhile, when the former handle stood there
            again()

    def read(self, ref: Ref) -> float | bool:
        """Returns the seconds until the next message of a timer, or False if there is none to come."""
        timer = self._running.get(ref)
        return False if timer is None else max(0.0, timer.due - time.monotonic())

    def cancel(self, ref: Ref) -> float | bool:
        """Cancels a timer; returns the seconds that were left, or False if it has fired or never was."""
        timer = self._running.pop(ref, None)
        if timer is None:
            return False
        if timer.cancel is not None:
            with self._dispatch.critical_section():
                timer.cancel()
        return max(0.0, timer.due - time.monotonic())
