"""The two timers of a node on the transport's loop.

At each tick the kernel ticks; each second the loop's lag is measured, the latest pid is noted, and the files
of a short name are restored if they vanished.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from pyx.runtime.lag import EVERY_SECONDS, Lag
from pyx.runtime.process_ages import ProcessAges

if TYPE_CHECKING:
    from pyx.net.endpoint import Endpoint
    from pyx.runtime.dispatch import Dispatch
    from pyx.runtime.name_files import NameFiles


class NodeTimers:
    """The timers of one node, between `start` and `stop`; both on the loop.

    Args:
        dispatch: makes the kernel tick.
        name_files: of a short name; looked at whenever the lag is measured.
    """

    def __init__(self, dispatch: Dispatch, name_files: NameFiles | None) -> None:
        self._dispatch = dispatch
        self._name_files = name_files
        self._ticking: asyncio.TimerHandle | None = None
        self._measuring: asyncio.TimerHandle | None = None
        self.lag = Lag(time.monotonic())
        self.ages = ProcessAges(dispatch.kernel.tables.processes.latest, time.monotonic())

    def start(self, period: float, endpoint: Endpoint) -> None:
        """Ticks every *period* seconds from now on.

        Args:
            period: seconds.
            endpoint: accepts on the socket that `NameFiles` may have to make anew.
        """
        self._tick(period)
        self._measure(endpoint)

    def stop(self) -> None:
        """Ends the timers."""
        for timer in (self._ticking, self._measuring):
            if timer is not None:
                timer.cancel()

    def change_period(self, period: float) -> None:
        """Ticks now, and every *period* seconds from then on, unless the timers have ended."""
        if self._ticking is not None and not self._ticking.cancelled():
            self._ticking.cancel()
            self._tick(period)

    def _tick(self, period: float) -> None:
        self._ticking = asyncio.get_running_loop().call_later(period, self._tick, period)
        now = time.monotonic()
        with self._dispatch.kernel_call as kernel:
            kernel.sessions.tick(now)

    def _measure(self, endpoint: Endpoint) -> None:
        now = time.monotonic()
        self.lag.measure(now)
        self.ages.note(self._dispatch.kernel.tables.processes.latest, now)
        self._measuring = asyncio.get_running_loop().call_later(EVERY_SECONDS, self._measure, endpoint)
        if self._name_files is not None:
            self._name_files.restore(endpoint)
