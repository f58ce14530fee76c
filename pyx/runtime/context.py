"""Who is running: the current process (a ContextVar), and what this thread is in the middle of.

Not here: what a runner is (`runners.py`), or how a thread is stopped (`gate.py`).
"""

from __future__ import annotations

import sys
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING

from pyx.errors import NotAProcess, WouldBlock

if TYPE_CHECKING:
    from pyx.runtime.runners import Runner

current: ContextVar[Runner | None] = ContextVar("pyx.process", default=None)
"""The runner of the process whose code runs; threads that user code starts have none."""


class ThreadState:
    """What one thread is in the middle of.

    `inside`: it is in a step of the kernel or carries one out.  A finalizer or a signal handler that calls
    pyx now must not enter again (design 6.4), and Ctrl-C must not raise here (design 6.3).
    `runs_transport`: it is the transport's loop: no process, whatever context a callback was given in.
    `waiting`: it sleeps in a pyx wait, where Ctrl-C may raise.
    """

    __slots__ = ("inside", "runs_transport", "waiting")

    def __init__(self) -> None:
        self.inside = False
        self.runs_transport = False
        self.waiting = False


class _FirstState:
    """Makes a thread's state when it is first asked for, and steps aside: the next look finds it there.

    Not in an `__init__`: a finalizer that runs in the middle of one would find no state.
    """

    def __get__(self, owner: threading.local, _: type) -> ThreadState:
        state: ThreadState = owner.__dict__.setdefault("state", ThreadState())
        return state


class _OfThisThread(threading.local):
    """`thread.state` is fetched once a step: an attribute of a thread-local costs eight times a slot."""

    state = _FirstState()


thread = _OfThisThread()


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
    # Without asyncio loaded no loop runs; importing it here would cost every script 40 ms.
    asyncio_events = sys.modules.get("asyncio.events")
    if asyncio_events is not None and asyncio_events._get_running_loop() is not None:  # noqa: SLF001 - documented for this
        raise WouldBlock(call, twin)
