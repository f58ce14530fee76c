"""Asynchronous exceptions reach user code only: the gate of a `def` process, and Ctrl-C on the main thread.

A kill may interrupt user code at any instruction, but never pyx inside a primitive: there it would leak the
kernel's lock or tear a frame.  So every primitive passes its process's gate, and a killer raises in the
thread only while it holds that gate itself (design 6.3).  The proof, for one victim V and one killer K:

    V: acquire gate; if killed: raise        K: killed = True; if gate is free, take it: raise in V; free it

    K took the gate first: `killed` was set before, so V sees it and raises before it touches the kernel.
    V took it first:       K finds it taken and raises nothing; V sees `killed` when it leaves.

A gate that a dying thread leaves locked harms nobody: its process never passes again (`killed` is looked at
before the lock), and other killers only try.

On the main thread Python runs the handler of SIGINT between two instructions of whatever runs.  Ours raises
KeyboardInterrupt when that is user code or a pyx wait, and asks again a moment later when it is pyx.
Not here: who is killed and why (`core`), or what then happens to the thread (`threads.py`).
"""

from __future__ import annotations

import _thread
import ctypes
import os
import signal
import threading
from typing import TYPE_CHECKING, Final

from pyx.errors import ProcessKilled
from pyx.runtime.context import thread

if TYPE_CHECKING:
    from types import FrameType

_set_async_exc = ctypes.pythonapi.PyThreadState_SetAsyncExc
_set_async_exc.argtypes = (ctypes.c_ulong, ctypes.py_object)
_set_async_exc.restype = ctypes.c_int

_NOTHING: Final = ctypes.py_object()
"""NULL: takes back an exception that has not been raised yet."""

_PYX: Final = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")  # noqa: PTH100, PTH118, PTH120 - compared with co_filename, which is a str
_ASK_AGAIN_SECONDS: Final = 0.002


class Gate:
    """The gate of one process; see the file's proof."""

    __slots__ = ("_closed", "_lock", "killed")

    def __init__(self) -> None:
        self._lock = _thread.allocate_lock()
        self._closed = False
        self.killed = False

    def enter(self) -> None:
        """Passes the gate; raises ProcessKilled if the process is dead.  Pair it with `leave`."""
        if self.killed:
            raise ProcessKilled
        self._lock.acquire()
        if self.killed:
            self._lock.release()  # type: ignore[unreachable] # another thread may have set it meanwhile
            raise ProcessKilled

    def leave(self) -> None:
        """Leaves the gate; raises ProcessKilled if the process died meanwhile."""
        self._lock.release()
        if self.killed:
            raise ProcessKilled

    def kill(self, thread_ident: int | None) -> None:
        """Marks the process dead and, if its thread is in user code, raises ProcessKilled there.

        Called at most once, from any thread.  *thread_ident* is None for a process that owns no thread.
        """
        self.killed = True
        if thread_ident is None or not self._lock.acquire(blocking=False):
            return
        try:
            if not self._closed:
                _set_async_exc(thread_ident, ctypes.py_object(ProcessKilled))
        finally:
            self._lock.release()

    def close(self, thread_ident: int) -> None:
        """Ends the thread's duty for this process: nothing is raised in it after this returns.

        The thread itself calls it, again if ProcessKilled struck while it did.
        """
        self._closed = True
        # A killer that saw the gate open may still be raising: it holds the lock for microseconds.  If the
        # lock is ours, leaked by a kill that struck in `enter`, nobody holds it and the wait is the cost.
        if self._lock.acquire(timeout=0.05):
            self._lock.release()
        _set_async_exc(thread_ident, _NOTHING)


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
    del signum
    if thread.waiting or not (thread.inside or _is_ours(frame)):
        raise KeyboardInterrupt
    # Nothing is lost: pyx's steps are short, and the wish is repeated until user code (or a wait) runs.
    again = threading.Timer(_ASK_AGAIN_SECONDS, _thread.interrupt_main)
    again.daemon = True
    again.start()


def _is_ours(frame: FrameType | None) -> bool:
    return frame is not None and frame.f_code.co_filename.startswith(_PYX)
