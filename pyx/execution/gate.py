"""The gate of a process: every primitive passes it, and raises ProcessKilled once the process is dead.

A process may be over while code still runs in its name: a thread that a kill has not reached yet, a task or a
thread that it has started.  See `thread_kill.py` for kills of code that calls no primitive.
"""

from __future__ import annotations

import _thread
from typing import TYPE_CHECKING, NoReturn

from pyx.execution.thread_kill import Killed
from pyx.execution.thread_state import thread

if TYPE_CHECKING:
    from pyx.execution.thread_state import ThreadState


class Gate:
    """The gate of one process: open at first; once closed it stays closed."""

    __slots__ = ("alive", "closed", "thread_ident", "thread_state", "told")

    def __init__(self) -> None:
        self.alive = 0
        """Number of ProcessKilled exceptions raised in the process's code that still exist."""
        self.closed = False
        """True once the process is dead: killed, or at its end."""
        self.told = 0
        """Number of times ProcessKilled was raised in the process's code."""
        self.thread_ident: int | None = None
        """The thread that runs this process alone; None for a task, and at the end."""
        self.thread_state: ThreadState | None = None
        """The state of that thread."""

    def enter(self) -> None:
        """Passes the gate.

        Raises:
            ProcessKilled: the process is dead.
        """
        if self.closed:
            self.refuse()

    def refuse(self) -> NoReturn:
        """Raises ProcessKilled.  Called only where `closed` was True."""
        self.told += 1
        raise Killed

    def begin(self) -> None:
        """Notes that the calling thread runs the process from now on.

        Raises:
            ProcessKilled: the process is dead already.
        """
        if self.closed:
            self.refuse()
        self.thread_state = state = thread.state
        self.thread_ident = _thread.get_ident()
        state.gate = self

    def end(self) -> None:
        """Notes that the thread no longer runs the process; a coroutine may go on for it."""
        if self.thread_state is not None:
            self.thread_state.gate = None
        self.thread_ident = self.thread_state = None
