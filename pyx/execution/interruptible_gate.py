"""The gate of a process that evaluates inputs for a prompt elsewhere: closed for a moment by an interrupt.

Ctrl-C at a shell is a signal of its main thread.  An evaluation on another thread gets its KeyboardInterrupt
the way a kill gets its ProcessKilled: at the gate, which every wait and every primitive of pyx passes, or by
`thread_kill.py` in user code.  See `evaluation_interrupt.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from pyx.execution.gate import Gate

if TYPE_CHECKING:
    from pyx.execution.runner import Runner


class InterruptibleGate(Gate):
    """A gate that raises KeyboardInterrupt, once for each interrupt, and ProcessKilled once it is dead."""

    __slots__ = ("_is_dead", "_is_interrupted")

    def __init__(self) -> None:
        self._is_dead = False
        self._is_interrupted = False
        super().__init__()

    @property
    def closed(self) -> bool:  # the slot of `Gate`, with two reasons
        """True while the next primitive raises."""
        return self._is_interrupted or self._is_dead

    @closed.setter
    def closed(self, closed: bool) -> None:
        self._is_dead = closed

    @property
    def is_interrupted(self) -> bool:
        """True from an interrupt until it has raised."""
        return self._is_interrupted

    def interrupt(self) -> None:
        """Lets the next primitive raise KeyboardInterrupt; callable from any thread."""
        self._is_interrupted = True

    def forget_interrupt(self) -> None:
        """Opens the gate again, unless the process is dead."""
        self._is_interrupted = False

    def refuse(self) -> NoReturn:
        """See `Gate`."""
        if self._is_interrupted and not self._is_dead:
            self._is_interrupted = False
            self.told += 1
            raise KeyboardInterrupt
        super().refuse()

    @classmethod
    def of(cls, runner: Runner) -> InterruptibleGate:
        """Replaces the gate of the process that the calling thread runs by one of this class; returns it."""
        before, gate = runner.gate, cls()
        gate.begin()
        runner.gate = gate
        if before.closed:  # a kill closes the gate that it finds
            gate.closed = True
        return gate
