"""Why a process did not start: `StartFailed`, `ServerAlreadyStarted`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyx.errors import PyxError
from pyx.terms import Raised

if TYPE_CHECKING:
    from pyx.terms import Pid


class StartFailed(PyxError):
    """A process ended before it was ready, or was not ready in time and was killed.

    Attributes: `what` (a word for what was started), `reason` (its exit reason, as data: a `Raised` for an
    exception; `"timeout"`).
    """

    def __init__(self, what: str, reason: Any) -> None:
        self.what = what
        self.reason = reason
        if isinstance(reason, Raised):
            why = f"{reason.type}: {reason.text}" if reason.text else reason.type
        else:
            why = repr(reason)
        super().__init__(f"{what} did not start: {why}")


class ServerAlreadyStarted(PyxError):
    """The name of a process to be started is held by another one; nothing was run.

    Attributes: `name`, `pid` (of the process that holds it).
    """

    def __init__(self, name: object, pid: Pid) -> None:
        self.name = name
        self.pid = pid
        super().__init__(f"{name!r} is {pid} already")
