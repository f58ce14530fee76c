"""Ctrl-C for an evaluation on a thread of its own: interrupts it at once, or when its call returns.

*A wait of pyx* (`receive`, `rpc.call`, `Process.sleep`) raises KeyboardInterrupt as it is woken.  *User code*
raises between two of its instructions.  *An event loop* that the evaluation runs (`asyncio.run`) has its
tasks cancelled.  *A library or C* is not interrupted inside: the user's code raises when the call returns.
The means are those of a kill (`thread_kill.py`).
"""

from __future__ import annotations

import _thread
import ctypes
import linecache
from asyncio.exceptions import CancelledError
from typing import TYPE_CHECKING, Final

from pyx.execution.private_loops import cancel_tasks, loop_below
from pyx.execution.stacks import callers, current_frames
from pyx.execution.thread_kill import kill_thread, receive_what_is_due, stop_tracing
from pyx.execution.user_code import is_user_code

if TYPE_CHECKING:
    from types import FrameType

    from pyx.execution.interruptible_gate import InterruptibleGate
    from pyx.execution.runner import Runner

_INTERRUPT: Final = ctypes.py_object(KeyboardInterrupt)


class EvaluationInterrupt:
    """The interrupts of the evaluations that one thread runs, one after another.

    Args:
        runner: of the process of that thread.
        gate: its gate.
    """

    def __init__(self, runner: Runner, gate: InterruptibleGate) -> None:
        self._runner = runner
        self._gate = gate
        self._lock = _thread.allocate_lock()
        self._running: int | None = None
        self._told = 0
        self._has_cancelled = False
        """True if an interrupt of this evaluation has cancelled the tasks of its event loop."""

    def begin(self, number: int) -> None:
        """Notes that evaluation *number* begins; called by its thread."""
        self._told = self._gate.told
        self._has_cancelled = False
        with self._lock:
            self._running = number

    def end(self) -> None:
        """Notes that the evaluation has ended; called by its thread.  An interrupt that comes now is lost.

        May raise KeyboardInterrupt, if one was raised in the evaluation's last instruction: call it again.
        """
        if self._gate.told != self._told:
            self._told = self._gate.told
            receive_what_is_due(KeyboardInterrupt)
        with self._lock:
            self._running = None
            self._gate.forget_interrupt()
        stop_tracing()

    def interrupt(self, number: int) -> bool:
        """Interrupts evaluation *number*; returns False if it has ended.  Called by another thread."""
        with self._lock:
            if self._running != number:
                return False
            self._gate.interrupt()
        self._tell()
        return True

    def has_ended_by_cancelling(self, error: BaseException) -> bool:
        """True if *error* ended the evaluation because an interrupt had cancelled its tasks."""
        return self._has_cancelled and issubclass(type(error), CancelledError)

    def insist(self, number: int) -> bool:
        """Repeats an interrupt that has not raised yet; returns False if the evaluation has ended."""
        if self._gate.is_interrupted:
            self._tell()
        return self._running == number

    def _tell(self) -> None:
        runner, gate = self._runner, self._gate
        runner.slot.wake()
        for slot in list(runner.waits):
            slot.wake()
        frame = self._frame()
        if frame is None or runner.is_waiting:
            return
        loop = loop_below(frame) if gate.is_interrupted and not is_user_code(frame) else None
        if loop is not None:
            self._has_cancelled = True
            gate.forget_interrupt()  # once: cancelled code cleans up
            cancel_tasks(loop)  # last: the evaluation may end before this returns
        elif kill_thread(gate, frame, gate.told, _INTERRUPT):
            gate.forget_interrupt()

    @property
    def waits(self) -> bool:
        """True while the evaluation is in a wait of pyx."""
        return self._runner.is_waiting

    def place(self) -> str:
        """Returns where the evaluation is: the file, number and text of the user's line that runs."""
        frame = next(filter(is_user_code, callers(self._frame())), None)
        if frame is None:
            return "code of a library"
        filename = frame.f_code.co_filename
        line = linecache.getline(filename, frame.f_lineno).strip()
        return f"{filename}:{frame.f_lineno}" + (f" {line}" if line else "")

    def _frame(self) -> FrameType | None:
        ident = self._gate.thread_ident
        return None if ident is None else current_frames().get(ident)
