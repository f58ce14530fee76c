"""Raises ProcessKilled in a thread that calls no primitive: in user code only.

An asynchronous exception may be raised between any two instructions of a thread.  Between `lock.acquire()`
and the `try` behind it, it leaves a lock taken for ever: a logging handler's, a queue's, an importer's, or
one of pyx.  So there are two ways.

*The innermost frame is user code*, and the thread is not inside a kernel call (a user's finalizer may run
there): the exception is raised by `PyThreadState_SetAsyncExc`.  The look and the act are one instruction of
the interpreter (a chain of C iterators that `list` drains), so the thread cannot move on between them.  The
interpreter raises at the next of its checks: in that frame, or at the very start of a function that it
calls, which has taken nothing yet.

*The thread is inside a library*, or in pyx outside a kernel call: a trap is set on the outermost of those
frames, the one that user code called.  A trap is an object in `f_trace`, which Python lets go of when the
frame has ended; its finalizer runs on the thread itself, back in user code, and makes Python trace that
frame: its next instruction raises, if the `try` or `with` block that the call stood in is still around it
(`exception_table.py`).  A debugger or coverage tool that traces the thread already is set aside until the
process has ended.

An exception that a program swallows (`except:`, a finalizer) is let go of by Python when its handler has
ended; its own finalizer then makes the next instruction raise again.

A program's own `lock.acquire()` without `with` has the same gap, in user code: `with lock:` has none.
See `kill_retry.py` for when this is repeated.
"""

from __future__ import annotations

import _thread
import contextlib
import ctypes
import sys
from itertools import compress, repeat, starmap
from operator import attrgetter, is_, not_
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from pyx.errors import ProcessKilled
from pyx.execution.exception_table import is_still_protected
from pyx.execution.stacks import callers, undisturbed
from pyx.execution.thread_state import thread
from pyx.execution.user_code import is_user_code

if TYPE_CHECKING:
    from types import CodeType, FrameType

    from pyx.execution.thread_state import ProcessGate

_set_async_exc = ctypes.pythonapi.PyThreadState_SetAsyncExc
_set_async_exc.argtypes = (ctypes.c_ulong, ctypes.py_object)
_set_async_exc.restype = ctypes.c_int

_EVENT: Final = "line" if sys.version_info[:2] == (3, 12) else "opcode"
"""The trace event at which a frame raises: Python 3.12 crashes on opcode events beside another tracer."""

_NO_FRAME: Final = SimpleNamespace(f_code=None)
_look = sys._current_frames  # noqa: SLF001 - its documented use
_code_of = attrgetter("f_code")
_gate_of = attrgetter("gate")
_is_inside = attrgetter("inside")
_told_by = attrgetter("told")


def kill_thread(gate: ProcessGate, frame: FrameType, told: int, exception: Any = None) -> bool:
    """Raises ProcessKilled in the thread of *gate* if that still runs user code; else sets a trap.

    Args:
        gate: the gate of a dead process.
        frame: the innermost frame of its thread, a moment ago.
        told: `gate.told` at that time; if the number has grown since, nothing happens.
        exception: a `ctypes.py_object` of another class, for a gate that is closed for another reason.

    Returns:
        True if the exception was raised.
    """
    state, ident = gate.thread_state, gate.thread_ident
    if state is None or ident is None or state.inside:
        return False
    if is_user_code(frame):
        return _raise_if(gate, state, ident, frame.f_code, told, exception or _THE_EXCEPTION)
    _set_trap(gate, frame, told)
    return False


def _raise_if(
    gate: ProcessGate, state: object, ident: int, code: CodeType, told: int, exception: Any
) -> bool:
    runs_it = map(is_, map(_gate_of, (state,)), (gate,))
    is_outside = map(not_, map(_is_inside, (state,)))
    is_untold = map(int.__eq__, map(_told_by, (gate,)), (told,))
    frames: Any = map(dict.get, starmap(_look, repeat(())), (ident,), (_NO_FRAME,))
    is_there = map(is_, map(_code_of, frames), (code,))
    targets = compress(compress(compress(compress((ident,), runs_it), is_outside), is_untold), is_there)
    was_raised = bool(undisturbed(map(_set_async_exc, targets, (exception,))))
    gate.told += was_raised
    return was_raised


def receive_what_is_due(kind: type[BaseException] = ProcessKilled) -> None:
    """Consumes an exception that was raised in the calling thread and has not arrived yet.

    By raising another one in its place: where a pending exception is only taken back, Python leaves its flag
    set, and each check on every thread takes the slow path from then on.
    """
    with contextlib.suppress(kind):
        _set_async_exc(
            _thread.get_ident(), _THE_EXCEPTION if kind is ProcessKilled else ctypes.py_object(kind)
        )
        for _ in range(1000):  # each round is a check
            pass


class Killed(ProcessKilled):
    """A ProcessKilled that is raised again, at once, where a program swallows it.

    Not while the program keeps the exception, or another one propagates: `finally` blocks run to their end.
    """

    def __init__(self) -> None:
        super().__init__()
        self._gate = thread.state.gate
        if self._gate is not None:
            self._gate.alive += 1

    def __del__(self) -> None:
        gate = self._gate
        if gate is None:
            return
        gate.alive -= 1
        if not gate.alive and gate is thread.state.gate:  # else the process is over
            _raise_soon(gate, sys._getframe(1))  # noqa: SLF001 - the frame that swallowed it


Killed.__name__ = Killed.__qualname__ = ProcessKilled.__name__
Killed.__module__ = ProcessKilled.__module__

_THE_EXCEPTION: Final = ctypes.py_object(Killed)


# ---------------------------------------------------------------- the trap


def _set_trap(gate: ProcessGate, frame: FrameType, told: int) -> None:
    """Has the thread of *gate* raise when the library code that it is in returns to user code."""
    library = frame
    for below in callers(frame)[1:]:
        if is_user_code(below):
            if type(library.f_trace) is not _Trap:
                library.f_trace = _Trap(gate, told)
            break
        library = below


class _Trap:
    """A trap, see the module.  Callable, as a trace function; it traces nothing."""

    __slots__ = ("_gate", "_told")

    def __init__(self, gate: ProcessGate, told: int) -> None:
        self._gate = gate
        self._told = told

    def __call__(self, *_: object) -> None:
        return None

    def __del__(self) -> None:
        gate = thread.state.gate
        if gate is self._gate and gate.told == self._told:
            _raise_soon(gate, sys._getframe(1))  # noqa: SLF001 - the frame that goes on


def _raise_soon(gate: ProcessGate, frame: FrameType) -> None:
    """Makes the calling thread raise in *frame*, or after *frame* has returned if it is a library's."""
    if thread.state.inside:
        return  # `kill_retry.py` tries again
    if not is_user_code(frame):
        _set_trap(gate, frame, gate.told)
        return
    below: FrameType | None = frame
    while below is not None:  # the frame may return before it may raise
        if is_user_code(below):
            below.f_trace = _AfterCall(below.f_lasti, gate.told)
            below.f_trace_lines, below.f_trace_opcodes = _EVENT == "line", _EVENT == "opcode"
        below = below.f_back
    tracer: Any = sys.gettrace()
    if tracer is not None and tracer is not _trace_no_call:
        thread.state.tracer = tracer
    sys.settrace(_trace_no_call)


class _AfterCall:
    """The trace function of a frame in the middle of a call: raises at the first instruction after it.

    Not where the call was the last of a `with` or `try` block, as the clean-up would be skipped.  Then the
    frame's callers raise, or the frame itself where a loop has entered that block again.
    """

    __slots__ = ("_call", "_told")

    def __init__(self, call: int, told: int) -> None:
        self._call = call
        self._told = told

    def __call__(self, frame: FrameType, event: str, _: object) -> Any:
        gate = thread.state.gate
        if gate is None or not gate.closed or gate.told != self._told:
            frame.f_trace = None
            stop_tracing()
            return None
        if event == _EVENT and is_still_protected(frame.f_code, self._call, frame.f_lasti):
            gate.refuse()  # Python removes a trace function that raises
        return self


def _trace_no_call(*_: object) -> None:
    """The trace function of a thread whose frames have their own."""


def stop_tracing() -> None:
    """Removes the trace functions of a trap from the calling thread, and restores an earlier tracer."""
    tracer, thread.state.tracer = thread.state.tracer, None
    if tracer is not None or sys.gettrace() is _trace_no_call:
        sys.settrace(tracer)
