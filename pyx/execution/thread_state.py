"""What the calling thread is in the middle of, as far as kills, signals and waits must know it.

See `context.py` for the process whose code runs.
"""

from __future__ import annotations

import _thread
import contextlib
import sys
import threading
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from pyx.core.console_queue import ConsoleQueue
    from pyx.core.mailbox import Mailbox
    from pyx.core.outbox import Outbox

    TraceFunction: TypeAlias = Callable[[FrameType, str, Any], Any]


class ProcessGate(Protocol):
    """The gate of a process (`gate.py`), as far as it is read here and in `thread_kill.py`."""

    alive: int
    closed: bool
    thread_ident: int | None
    thread_state: ThreadState | None
    told: int


class ThreadState:
    """What one thread is in the middle of.

    `inside`: it is in a step of the kernel or carries one out.  A finalizer or a signal handler that calls
    pyx now must not enter again, and Ctrl-C must not raise here.
    `runs_transport`: it is the transport's loop: no process, whatever context a callback was given in.
    `waiting`: it sleeps in a pyx wait, where Ctrl-C may raise.
    `heavy`: the queue that its last steps have made too heavy; whoever cares clears it before.
    `gate`: of the `def` process that it runs.
    `is_main`: it is the main thread, where Python runs the handlers of signals.
    `tracer`: the trace function of a debugger, say, that is set aside while a kill is under way.
    """

    __slots__ = ("gate", "heavy", "inside", "is_main", "runs_transport", "tracer", "waiting")

    def __init__(self) -> None:
        self.gate: ProcessGate | None = None
        self.inside = False
        self.is_main = _thread.get_ident() == threading.main_thread().ident
        self.runs_transport = False
        self.tracer: TraceFunction | None = None
        self.waiting = False
        self.heavy: Outbox | Mailbox | ConsoleQueue | None = None

    def take_heavy(self) -> Outbox | Mailbox | ConsoleQueue | None:
        """`heavy`, which is cleared."""
        heavy, self.heavy = self.heavy, None
        return heavy


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


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Lets signals raise in what is done meanwhile, as in any wait of pyx, though it is pyx at work.

    For calls that may wait for something outside, such as a read from a pipe, and that may be left anywhere.
    """
    state = thread.state
    state.waiting = True
    try:
        yield
    finally:
        state.waiting = False


def runs_loop() -> bool:
    """True when this thread is in an event loop, so nothing here may wait."""
    # Without asyncio loaded no loop runs; importing it here would cost every script 40 ms.
    asyncio_events = sys.modules.get("asyncio.events")
    return asyncio_events is not None and asyncio_events._get_running_loop() is not None  # noqa: SLF001 - documented for this
