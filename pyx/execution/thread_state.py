"""What a thread is in the middle of, as far as kills, signal handlers and waits must know it.

See `context.py` for the process whose code runs.
"""

from __future__ import annotations

import _thread
import contextlib
import sys
import threading
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from pyx.core.console_queue import ConsoleQueue
    from pyx.core.mailbox import Mailbox
    from pyx.core.outbox import Outbox
    from pyx.net.connection import Connection

    TraceFunction: TypeAlias = Callable[[FrameType, str, Any], Any]


class ProcessGate(Protocol):
    """The part of a process's gate (`gate.py`) that `thread_kill.py` reads."""

    alive: int
    closed: bool
    thread_ident: int | None
    thread_state: ThreadState | None
    told: int

    def refuse(self) -> NoReturn:
        """Raises what the gate is closed for."""


class ThreadState:
    """The state of one thread.

    Attributes:
        inside: the thread is in a kernel call or performs its effects.  A finalizer or signal handler that
            calls pyx now must not enter again, and Ctrl-C must not raise.
        runs_transport: the thread runs the transport's loop: no process acts, whatever context a callback
            was scheduled in.
        waiting: the thread is in a wait of pyx, where Ctrl-C may raise.
        answered: the connection that the process on this thread has just answered a call on; the thread has
            borrowed its watch.
        busy_queue: a queue that the last kernel call pushed over its high-water mark; reset before the call
            whose result is read.
        gate: the gate of the `def` process that the thread runs.
        is_main: the thread is the main thread, where Python runs signal handlers.
        is_pooled: the thread belongs to the pool (`thread_pool.py`).
        tracer: the trace function (of a debugger, say) that is set aside while a kill is under way.
    """

    __slots__ = (
        "answered",
        "busy_queue",
        "gate",
        "inside",
        "is_main",
        "is_pooled",
        "runs_transport",
        "tracer",
        "waiting",
    )

    def __init__(self) -> None:
        self.gate: ProcessGate | None = None
        self.inside = False
        self.is_main = _thread.get_ident() == threading.main_thread().ident
        self.is_pooled = False
        self.runs_transport = False
        self.tracer: TraceFunction | None = None
        self.waiting = False
        self.answered: Connection | None = None
        self.busy_queue: Outbox | Mailbox | ConsoleQueue | None = None


class _FirstState:
    """Makes a thread's state at the first access; later accesses find it in the instance's dict.

    Not in an `__init__`: a finalizer that runs in the middle of one would find no state.
    """

    def __get__(self, owner: threading.local, _: type) -> ThreadState:
        state: ThreadState = owner.__dict__.setdefault("state", ThreadState())
        return state


class _OfThisThread(threading.local):
    """Read once in a kernel call: an attribute of a thread-local costs eight times a slot."""

    state = _FirstState()


thread = _OfThisThread()


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Lets signal handlers raise in the body, as in a wait of pyx.

    For calls of pyx that may block, such as a read from a pipe, and may be left at any point.
    """
    state = thread.state
    was_waiting, state.waiting = state.waiting, True
    try:
        yield
    finally:
        state.waiting = was_waiting


def runs_loop() -> bool:
    """Returns True if this thread runs an event loop, so that nothing may block."""
    # Without asyncio loaded no loop runs; importing it here would cost every script 40 ms.
    asyncio_events = sys.modules.get("asyncio.events")
    return asyncio_events is not None and asyncio_events._get_running_loop() is not None  # noqa: SLF001 - documented for this
