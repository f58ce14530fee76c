"""The timers of a node on the transport's loop: the kernel's ticks, the loop's lag, the files of the name."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from pyx.errors import PyxError
from pyx.execution.node_log import log
from pyx.net.directory_log import DirectoryLog
from pyx.runtime.lag import EVERY_SECONDS, Lag

if TYPE_CHECKING:
    from pyx.net.directory import HostDirectory
    from pyx.net.endpoint import Endpoint
    from pyx.net.name_claim import NameClaim
    from pyx.runtime.dispatch import Dispatch


class Ticks:
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

    def _tick(self, period: float) -> None:
        self._ticking = asyncio.get_running_loop().call_later(period, self._tick, period)
        now = time.monotonic()
        with self._dispatch.kernel_call as kernel:
            kernel.mesh.tick(now)

    def _measure(self, endpoint: Endpoint) -> None:
        self.lag.measure(time.monotonic())
        self._measuring = asyncio.get_running_loop().call_later(EVERY_SECONDS, self._measure, endpoint)
        if self._name_files is not None:
            self._name_files.restore(endpoint)


class NameFiles:
    """The files by which new nodes find one with a short name: other programs may remove them.

    Args:
        directory: where they are.
        claim: of the name.
        name: the full name.
    """

    def __init__(self, directory: HostDirectory, claim: NameClaim, name: str) -> None:
        self._directory = directory
        self._claim = claim
        self._log = DirectoryLog(name)

    def restore(self, endpoint: Endpoint) -> None:
        """Makes what is missing anew, and logs that, or why it cannot."""
        try:
            restored = self._claim.restore()
        except PyxError as error:
            line = self._log.failed(error, self._directory.path)
        else:
            if restored is None:
                return
            if restored.listening is not None:
                endpoint.listen_on(restored.listening)
            line = self._log.restored(restored.gone, self._directory.path)
        if line is not None:
            log.log(line.level, "%s", line.text)
