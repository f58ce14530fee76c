"""Starts that are waited for: a process says that it is ready, or its end answers for it.

As OTP's `proc_lib`.  See `otp/starting.py` for what a start means to its starter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyx.core.pending_requests import UnansweredRequest
from pyx.core.processes import Starter
from pyx.signals import Call

if TYPE_CHECKING:
    from pyx.core.pending_requests import PendingRequests
    from pyx.core.process_signals import ProcessSignals
    from pyx.core.processes import ProcessRecord


class Starts:
    """Answers those who wait for processes that they start on this node, each once.

    The waiter gets `"ready"` with the pid, `"ignored"` with the pid, or `"exit"` with the reason; the last
    two in the step in which the process has ended: its name is free, and its links are told.
    """

    def __init__(self, pending: PendingRequests, process_signals: ProcessSignals) -> None:
        self._pending = pending
        self._process_signals = process_signals

    def awaited(self, process: ProcessRecord, waiter: object) -> int:
        """Notes that *waiter* waits for the start of *process*; returns the number of the request."""
        number = next(self._pending.numbers)
        self._pending[number] = UnansweredRequest(waiter, None, Call)
        process.call = Starter(number)
        return number

    def ready(self, process: ProcessRecord) -> None:
        """Tells the waiter that the process has started; nothing without one."""
        self._tell(process, "ready")

    def ignored(self, process: ProcessRecord) -> None:
        """Ends a process that is not wanted, with the reason `"normal"`, and tells the waiter so."""
        self._tell(process, "ignored")
        self._process_signals.process_exited(process, "normal")

    def _tell(self, process: ProcessRecord, outcome: str) -> None:
        starter = process.call
        if type(starter) is not Starter:
            return
        process.call = None
        pending = self._pending.pop(starter.number, None)  # None: it was given up
        if pending is not None:
            self._pending.tell(pending.waiter, outcome, process.pid)
