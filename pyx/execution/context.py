"""The current process, a context variable, and the checks of calls that need one or may block.

See `thread_state.py` for what the calling thread is in the middle of.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from pyx.errors import NotAProcess, WouldBlock
from pyx.execution.thread_state import runs_loop, thread

if TYPE_CHECKING:
    from pyx.execution.runner import Runner
    from pyx.terms import Pid

current: ContextVar[Runner | None] = ContextVar("pyx.process", default=None)
"""The runner of the process whose code runs; None on threads that user code has started."""


def acting() -> Runner | None:
    """Returns the process that this thread acts for; None on the transport thread and outside processes."""
    return None if thread.state.runs_transport else current.get()


def acting_pid() -> Pid | None:
    """Returns the pid of the running process; None outside of processes."""
    runner = current.get()
    return runner.process.pid if runner is not None else None


def acting_leader() -> Pid | None:
    """Returns the group leader of the running process; None without one, and outside of processes."""
    runner = current.get()
    return runner.process.leader if runner is not None else None


def require(call: str) -> Runner:
    """Returns the current process; raises NotAProcess naming *call* where there is none."""
    runner = current.get()
    if runner is None:
        raise NotAProcess(call)
    return runner


def forbid_running_loop(call: str, twin: str) -> None:
    """Raises WouldBlock if this thread runs an event loop: *call* would block it, its *twin* would not."""
    if runs_loop():
        raise WouldBlock(call, twin)


def may_not_wait() -> bool:
    """Returns True outside processes and in an event loop: back-pressure cannot make such a caller wait."""
    return acting() is None or runs_loop()
