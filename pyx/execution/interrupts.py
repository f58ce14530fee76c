"""Signals on the main thread: Ctrl-C, and the handlers of the program itself, strike outside of pyx only.

Python runs a signal's handler on the main thread between two instructions of whatever runs there.  What it
raises may strike user code, or a wait of pyx; in the middle of pyx it would leave a step half done.  So the
handlers in `WATCHED` are replaced by ones that look where they are: inside pyx the signal is noted, and
raises KeyboardInterrupt or runs the program's own handler when the step is left; where no step is left, it is
sent again a moment later.  Library frames belong to their caller: a `threading.Event.wait` of the user's is
interrupted, as in Python.
See `thread_kill.py` for kills, which reach other threads.
"""

from __future__ import annotations

import _thread
import functools
import signal
import sys
import threading
import time
from operator import is_
from typing import TYPE_CHECKING, Any, Final

from pyx.execution.thread_state import thread
from pyx.execution.user_code import PYX, is_standard_library

if TYPE_CHECKING:
    from types import FrameType

_NAMES: Final = "SIGINT SIGTERM SIGHUP SIGALRM SIGABRT SIGUSR1 SIGUSR2 SIGQUIT SIGPROF SIGVTALRM"
WATCHED: Final = tuple(getattr(signal, name) for name in _NAMES.split() if hasattr(signal, name))
"""The signals that programs raise exceptions for."""

_AGAIN_SECONDS: Final = 0.002
_LONGEST_PAUSE_SECONDS: Final = 0.05
_handler_of: Final = signal._signal.getsignal  # type: ignore[attr-defined] # noqa: SLF001 - without its enum


class PendingInterrupt:
    """A signal that found pyx at work, and has had no effect yet.  The main thread alone writes `noted`."""

    __slots__ = ("noted", "repeated")

    def __init__(self) -> None:
        self.noted = False
        self.repeated = False
        """The next signal of this number is not a new one: `send_again` sent it."""


pending_interrupt: Final = PendingInterrupt()


class _Deferring(PendingInterrupt):
    """The handler that a program has set, which runs when pyx is not at work."""

    __slots__ = ("handler",)

    def __init__(self, handler: Any) -> None:
        super().__init__()
        self.handler = handler

    def __call__(self, signum: int, frame: FrameType | None) -> Any:
        repeated, self.repeated = self.repeated, False
        if repeated and not self.noted:
            return None  # it ran on the way out of a step, just when the signal was sent again
        if not is_at_work(frame):
            return self.run(signum, frame)
        if not self.noted:
            self.noted = True
            pending_handlers[signum] = self
            send_again(signum, self)
        return None

    def run(self, signum: int, frame: FrameType | None) -> Any:
        """Calls the program's handler; once for all the signals that have come since it was called last."""
        self.noted = False
        pending_handlers.pop(signum, None)
        return self.handler(signum, frame)


pending_handlers: Final[dict[int, _Deferring]] = {}
"""By the number of their signal: those that wait until the main thread leaves a step."""


_seen: tuple[Any, ...] = ()
"""The handlers of `WATCHED` when they were looked at last."""


def guard_main_thread() -> None:
    """Makes the handlers of signals spare pyx's own work, Python's own for Ctrl-C too.

    Called at each step on the main thread, as a program may set a handler at any time.  Without effect on
    other threads.  Differs from Python: `signal.getsignal` returns what stands in for the program's
    handler.
    """
    global _seen
    handlers = tuple(map(_handler_of, WATCHED))
    if len(_seen) == len(handlers) and all(map(is_, handlers, _seen)):
        return
    if not thread.state.is_main:
        return
    for signum, handler in zip(WATCHED, handlers, strict=True):
        if handler is signal.default_int_handler or _asyncio_runner_of(handler) is not None:
            signal.signal(signum, interrupted)
        elif callable(handler) and not _is_of_pyx(handler):
            signal.signal(signum, _Deferring(handler))
    _seen = tuple(map(_handler_of, WATCHED))


def interrupted(signum: int, frame: FrameType | None) -> None:
    """The handler of Ctrl-C: raises KeyboardInterrupt, but never inside pyx."""
    pending = pending_interrupt
    repeated, pending.repeated = pending.repeated, False
    if repeated and not pending.noted:
        return  # it was raised on the way out of a step, just when it was sent again
    if not is_at_work(frame):
        _raise_interrupt(frame)
    elif not pending.noted:
        pending.noted = True
        send_again(signum, pending)


def raise_pending() -> None:
    """Raises the KeyboardInterrupt that was noted, if this is the main thread; on leaving a step."""
    if pending_interrupt.noted and thread.state.is_main:
        _raise_interrupt(sys._getframe())  # noqa: SLF001 - as a handler would be given


def run_pending_handlers() -> None:
    """Runs the program's handlers of signals that were noted, if this is the main thread; on leaving a step.

    Raises what the first of them that fails raises; the others run later.
    """
    if thread.state.is_main:
        for signum, handler in list(pending_handlers.items()):
            if handler.noted:  # else one before it left a step itself
                handler.run(signum, sys._getframe())  # noqa: SLF001 - as a handler is given


def take_pending() -> bool:
    """Returns whether a Ctrl-C was noted, if this is the main thread; it has had its effect by that."""
    if not (pending_interrupt.noted and thread.state.is_main):
        return False
    pending_interrupt.noted = False
    return True


def forget_pending() -> None:
    """Drops a Ctrl-C that was noted and not raised yet."""
    pending_interrupt.noted = pending_interrupt.repeated = False


def forget_pending_handlers() -> None:
    """Drops the signals that handlers of the program wait for."""
    while pending_handlers:
        pending_handlers.popitem()[1].noted = False


def _raise_interrupt(frame: FrameType | None) -> None:
    """Does what Python does on Ctrl-C: under `asyncio.run` the first one cancels the main task."""
    pending_interrupt.noted = False
    while frame is not None:
        if frame.f_code.co_name == "run" and frame.f_globals.get("__name__") == "asyncio.runners":
            runner: Any = frame.f_locals.get("self")
            task = frame.f_locals.get("task")
            if task is not None and hasattr(runner, "_on_sigint"):
                runner._on_sigint(signal.SIGINT, frame, task)  # noqa: SLF001 - the handler that it sets
                return
        frame = frame.f_back
    raise KeyboardInterrupt


def _asyncio_runner_of(handler: object) -> object | None:
    """The `asyncio.Runner` whose handler this is, for as long as it runs its main task."""
    if type(handler) is not functools.partial:
        return None
    bound_to = getattr(handler.func, "__self__", None)
    return bound_to if type(bound_to).__module__ == "asyncio.runners" else None


def _is_of_pyx(handler: object) -> bool:
    """True for the handlers of this file and of the shell, which look where they are themselves."""
    return str(getattr(handler, "__module__", None)).startswith("pyx.")


def is_at_work(frame: FrameType | None) -> bool:
    """True where pyx must not be left by an exception; *frame* is what a signal handler has interrupted."""
    state = thread.state
    if state.inside or state.waiting:
        return state.inside
    while frame is not None and is_standard_library(frame):
        frame = frame.f_back  # at work for its caller
    return frame is not None and frame.f_code.co_filename.startswith(PYX)


def send_again(signum: int, pending: PendingInterrupt) -> None:
    """Sends the main thread this signal once more, a moment later, and so on while it is noted.

    More than once, as one that comes when the thread is about to sleep is noticed only when it wakes.
    Without `threading`, whose locks the interrupted frame may hold.
    """
    _thread.start_new_thread(_send_while, (signum, pending))


def _send_while(signum: int, pending: PendingInterrupt) -> None:
    main_thread = threading.main_thread().ident
    assert main_thread is not None
    pause = _AGAIN_SECONDS
    while True:
        time.sleep(pause)
        # From here to the call nothing else runs: no instruction between gives way.
        if not pending.noted:
            return
        pending.repeated = True
        signal.pthread_kill(main_thread, signum)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def interrupt_main_thread() -> None:
    """Does what Ctrl-C does.  A real signal, to that very thread: nothing else ends a sleep of its own."""
    main_thread = threading.main_thread().ident
    assert main_thread is not None
    signal.pthread_kill(main_thread, signal.SIGINT)
