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
    exception; `"timeout"`; of a supervisor `("shutdown", ("failed_to_start_child", id, reason))`).
    """

    def __init__(self, what: str, reason: Any) -> None:
        self.what = what
        self.reason = reason
        children, cause = cause_of(reason)
        if isinstance(cause, Raised):
            why = f"{cause.type}: {cause.text}" if cause.text else cause.type
        else:
            why = repr(cause)
        super().__init__(f"{what} did not start: {''.join(f'{child}: ' for child in children)}{why}")


def cause_of(reason: Any) -> tuple[list[str], Any]:
    """Returns the ids of the children that did not start, each below the one before it, and why the last."""
    children: list[str] = []
    while True:
        match reason:
            case ("shutdown", ("failed_to_start_child", child, inner)):
                children.append(child if isinstance(child, str) else repr(child))
                reason = inner
            case _:
                return children, reason


class ServerAlreadyStarted(PyxError):
    """The name of a process to be started is held by another one; nothing was run.

    Attributes: `name`, `pid` (of the process that holds it).
    """

    def __init__(self, name: object, pid: Pid, *, hint: str | None = None) -> None:
        self.name = name
        self.pid = pid
        super().__init__(f"{name!r} is {pid} already", hint=hint)
