"""Who is running: the current process (a ContextVar), and what this thread is in the middle of.

See `runner.py` for what a runner is, and `thread_kill.py` for how a thread is stopped.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from pyx.errors import NotAProcess, WouldBlock
from pyx.execution.thread_state import runs_loop, thread

if TYPE_CHECKING:
    from pyx.execution.runner import Runner

current: ContextVar[Runner | None] = ContextVar("pyx.process", default=None)
"""The runner of the process whose code runs; threads that user code starts have none."""


def acting() -> Runner | None:
    """Whose act it is that this thread is about to carry out; None where no process acts."""
    return None if thread.state.runs_transport else current.get()


def require(call: str) -> Runner:
    """The current process, or NotAProcess naming *call*."""
    runner = current.get()
    if runner is None:
        raise NotAProcess(call)
    return runner


def forbid_running_loop(call: str, twin: str) -> None:
    """Raises WouldBlock when this thread runs an event loop: *call* would stop it, *twin* would not."""
    if runs_loop():
        raise WouldBlock(call, twin)


def may_not_wait() -> bool:
    """True where no process acts, or an event loop runs, so that nobody can be made to wait."""
    return acting() is None or runs_loop()
