"""The gate of a process: every primitive passes it, and a dead process does not.

A process may be over while code still runs in its name: a thread that a kill has not reached yet, a task or a
thread that it left behind.  Whatever they do next raises ProcessKilled.
See `thread_kill.py` for how a kill gets into a thread that calls no primitive, and `core` for who is killed
and why.
"""

from __future__ import annotations

import _thread
from typing import TYPE_CHECKING, Final, NoReturn

from pyx.execution.thread_kill import Killed
from pyx.execution.thread_state import thread

if TYPE_CHECKING:
    from pyx.execution.thread_state import ThreadState


class Gate:
    """The gate of one process.  It starts open; closed, it stays so."""

    __slots__ = ("alive", "closed", "thread_ident", "thread_state", "told")

    def __init__(self) -> None:
        self.alive = 0
        """How many of the exceptions that were raised in its code still exist."""
        self.closed = False
        """The process is dead: killed, or at its end."""
        self.told = 0
        """How often ProcessKilled was raised in its code."""
        self.thread_ident: int | None = None
        """The thread that runs this process and nothing else; None for a task, and at the end."""
        self.thread_state: ThreadState | None = None
        """What that thread is in the middle of."""

    def enter(self) -> None:
        """Passes the gate.

        Raises:
            ProcessKilled: the process is dead.
        """
        if self.closed:
            self.refuse()

    def refuse(self) -> NoReturn:
        """Raises ProcessKilled: a dead process does not act.  Called only where `closed` was seen."""
        self.told += 1
        raise Killed

    def begin(self) -> None:
        """The calling thread runs the process from now on.

        Raises:
            ProcessKilled: the process is dead already.
        """
        self.enter()
        self.thread_state = thread.state
        self.thread_ident = _thread.get_ident()
        self.thread_state.gate = self

    def end(self) -> None:
        """The thread has done with the process; a coroutine may go on for it."""
        if self.thread_state is not None:
            self.thread_state.gate = None
        self.thread_ident = self.thread_state = None


NO_GATE: Final = Gate()
"""Passed where no process acts; never closed."""
