"""Asynchronous exceptions reach user code only: the gate of a process, and Ctrl-C on the main thread.

A kill may interrupt user code at any instruction, but never pyx inside a step: there it would leak the
kernel's lock or tear a frame.  So every step passes its process's gate, and a killer raises in the thread
only while it holds that gate itself (design 6.3).  The proof, for one victim V and one killer K:

    V: acquire gate; if killed: raise        K: killed = True; if gate is free, take it: raise in V; free it

    K took the gate first: `killed` was set before, so V sees it and raises before it touches the kernel.
    V took it first:       K finds it taken and raises nothing; V sees `killed` when it leaves.

*At most one* exception is ever raised from outside, and none after V raised one itself or came to its end,
or one could strike in the few lines that clear up after V.  Who decides that, K by raising or V by refusing,
says so in `_settled`, under the gate; so K never comes after V, and V waits for a K that is at it.

A gate that its thread leaves locked (K's exception struck between taking it and holding it) harms nobody: by
then all is settled, nobody waits for it any more, and other killers only try.

On the main thread Python runs the handler of SIGINT between two instructions of whatever runs.  Ours raises
KeyboardInterrupt where that is user code or a pyx wait.  Where it is pyx at work the wish is noted, and
raised when the step is left, or where no step follows, when user code runs a moment later.
Not here: who is killed and why (`core`), or what then happens to the thread (`threads.py`).
"""

from __future__ import annotations

import _thread
import ctypes
import os
import signal
import sysconfig
import threading
import time
from typing import TYPE_CHECKING, Final, NoReturn

from pyx.errors import ProcessKilled
from pyx.runtime.context import thread

if TYPE_CHECKING:
    from types import FrameType

_set_async_exc = ctypes.pythonapi.PyThreadState_SetAsyncExc
_set_async_exc.argtypes = (ctypes.c_ulong, ctypes.py_object)
_set_async_exc.restype = ctypes.c_int

_PYX: Final = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")  # noqa: PTH100, PTH118, PTH120 - compared with co_filename, which is a str
_LIBRARY: Final = os.path.join(sysconfig.get_path("stdlib"), "")  # noqa: PTH118
_PACKAGES: Final = os.path.join(_LIBRARY, "site-packages", "")  # noqa: PTH118
_ASK_AGAIN_SECONDS: Final = 0.002


class Gate:
    """The gate of one process; see the file's proof."""

    __slots__ = ("_lock", "_settled", "_thread_ident", "killed")

    def __init__(self) -> None:
        self._lock = _thread.allocate_lock()
        self._thread_ident: int | None = None
        self._settled = False
        """No exception will be raised from outside any more."""
        self.killed = False

    def enter(self) -> None:
        """Passes the gate; raises ProcessKilled if the process is dead.  Pair it with `leave`."""
        if self.killed:
            self.refuse()
        self._lock.acquire()
        if self.killed:
            self._lock.release()  # type: ignore[unreachable] # another thread may have set it meanwhile
            self.refuse()

    def leave(self) -> None:
        """Leaves the gate; raises ProcessKilled if the process died meanwhile."""
        self._lock.release()
        if self.killed:
            self.refuse()

    def refuse(self) -> NoReturn:
        """Raises ProcessKilled: a dead process may not act.  Only where `killed` was seen."""
        self._settle()
        raise ProcessKilled

    def kill(self) -> None:
        """Marks the process dead and, if its thread is in user code, raises ProcessKilled there; once."""
        self.killed = True
        # Looked at after the mark: a thread that opens the gate later sees the mark as it leaves.
        if self._thread_ident is None or not self._lock.acquire(blocking=False):
            return
        try:
            if not self._settled:
                _set_async_exc(self._thread_ident, ctypes.py_object(ProcessKilled))
                self._settled = True
        finally:
            self._lock.release()

    def open(self, thread_ident: int) -> None:
        """This thread runs the process from now on; raises ProcessKilled if it is dead already."""
        self.enter()
        self._thread_ident = thread_ident
        self.leave()

    def close(self) -> None:
        """The thread itself has done with the process: nothing is raised in it once this is over."""
        self._settle()

    @property
    def thread_ident(self) -> int | None:
        """The thread that is this process's alone; None for a task, and for a process at its end."""
        return None if self._settled else self._thread_ident

    def _settle(self) -> None:
        if not self._settled:
            self._lock.acquire()
            self._settled = True
            self._lock.release()


class _NoGate(Gate):
    """Where no process acts there is nobody to kill."""

    __slots__ = ()

    def enter(self) -> None:
        """Passes."""

    def leave(self) -> None:
        """Passes."""


NO_GATE: Final = _NoGate()


# ---------------------------------------------------------------- signals on the main thread


class _Wish:
    """A Ctrl-C that found pyx at work, and has not been raised yet.  The main thread alone writes `noted`."""

    __slots__ = ("noted", "repeated")

    def __init__(self) -> None:
        self.noted = False
        self.repeated = False
        """The next SIGINT is no new one: `_ask_again` sent it."""


wish: Final = _Wish()


def guard_main_thread() -> None:
    """Makes Ctrl-C spare pyx's own steps: replaces Python's default SIGINT handler, and only that one.

    A program with a handler of its own keeps it.  Without effect outside the main thread.
    """
    if threading.current_thread() is threading.main_thread() and (
        signal.getsignal(signal.SIGINT) is signal.default_int_handler
    ):
        signal.signal(signal.SIGINT, interrupted)


def interrupted(signum: int, frame: FrameType | None) -> None:
    """The SIGINT handler: raises KeyboardInterrupt, but never inside pyx."""
    repeated, wish.repeated = wish.repeated, False
    if repeated and not wish.noted:
        return  # it was raised on the way out of a step, just when it was asked for again
    if not is_at_work(frame):
        raise_interrupt()
    if repeated or not wish.noted:  # else somebody is about to ask again
        wish.noted = True
        ask_again(signum)


def raise_interrupt() -> NoReturn:
    """Grants the wish of a Ctrl-C."""
    wish.noted = False
    raise KeyboardInterrupt


def raise_noted() -> None:
    """Raises the KeyboardInterrupt that was noted, if this is the main thread; on leaving a step."""
    if wish.noted and _thread.get_ident() == threading.main_thread().ident:
        raise_interrupt()


def take_noted() -> bool:
    """Returns whether a Ctrl-C was noted, if this is the main thread; it has had its effect by that."""
    if not wish.noted or _thread.get_ident() != threading.main_thread().ident:
        return False
    wish.noted = False
    return True


def is_at_work(frame: FrameType | None) -> bool:
    """True where pyx must not be left by an exception; *frame* is what a signal handler has interrupted."""
    state = thread.state
    if state.inside or state.waiting:
        return state.inside
    while frame is not None and _is_library(frame):
        frame = frame.f_back  # at work for whoever called it
    return frame is not None and frame.f_code.co_filename.startswith(_PYX)


def _is_library(frame: FrameType) -> bool:
    """True for Python's own code: `threading`, `contextlib`, the importer, or what `namedtuple` has made."""
    filename = frame.f_code.co_filename
    if filename.startswith("<"):
        return filename.startswith("<frozen") or frame.f_globals["__name__"].startswith("namedtuple_")
    return filename.startswith(_LIBRARY) and not filename.startswith(_PACKAGES)


def ask_again(signum: int) -> None:
    """Sends the main thread this signal once more, a moment later; for a handler that found pyx at work.

    Without `threading`, whose locks the interrupted frame may hold.
    """
    _thread.start_new_thread(_ask_again, (signum,))


def _ask_again(signum: int) -> None:
    time.sleep(_ASK_AGAIN_SECONDS)
    main_thread = threading.main_thread().ident
    assert main_thread is not None
    if signum != signal.SIGINT:
        signal.pthread_kill(main_thread, signum)
    elif wish.noted:  # from here to the call nothing else runs: no instruction between gives way
        wish.repeated = True
        signal.pthread_kill(main_thread, signum)


def interrupt_main_thread() -> None:
    """Does what Ctrl-C does.  A real signal, to that very thread: nothing else ends a sleep of its own."""
    main_thread = threading.main_thread().ident
    assert main_thread is not None
    signal.pthread_kill(main_thread, signal.SIGINT)
