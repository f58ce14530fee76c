"""OS signals on the main thread: Ctrl-C and the program's own handlers run outside pyx's own work only.

Python runs a signal handler on the main thread between two instructions of any code there.  An exception that
the handler raises may end user code, or a wait of pyx; in the middle of a kernel call it would leave the call
half done.  So the handlers of the signals in `WATCHED` are replaced by ones that check where they run: inside
pyx the signal is kept pending, and raises KeyboardInterrupt, or runs the program's handler, at the end of the
kernel call; where no kernel call is under way, it is sent again a moment later.  Library frames belong to
their caller: a `threading.Event.wait` of user code is interrupted, as in Python.
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
"""Signals whose handlers may raise exceptions."""

_AGAIN_SECONDS: Final = 0.002
_LONGEST_PAUSE_SECONDS: Final = 0.05
_handler_of: Final = signal._signal.getsignal  # type: ignore[attr-defined] # noqa: SLF001 - without its enum


class PendingInterrupt:
    """A pending signal: it came during pyx's own work.  The main thread alone writes `noted`."""

    __slots__ = ("noted", "repeated", "senders")

    def __init__(self) -> None:
        self.noted = False
        self.senders = 0
        """Number of threads that have been started to send the signal again; the last of them does."""
        self.repeated = False
        """True if the next signal of this number was sent by `send_again`."""


pending_interrupt: Final = PendingInterrupt()


class _Deferring(PendingInterrupt):
    """A handler set by the program, which runs outside pyx's own work."""

    __slots__ = ("handler",)

    def __init__(self, handler: Any) -> None:
        super().__init__()
        self.handler = handler

    def __call__(self, signum: int, frame: FrameType | None) -> Any:
        repeated, self.repeated = self.repeated, False
        if repeated and not self.noted:
            return None  # the handler ran at the end of a kernel call, just when the signal was sent again
        if not is_at_work(frame):
            return self.run(signum, frame)
        if not self.noted:
            self.noted = True
            pending_handlers[signum] = self
            send_again(signum, self)
        return None

    def run(self, signum: int, frame: FrameType | None) -> Any:
        """Calls the program's handler, once for all signals since its last call."""
        self.noted = False
        pending_handlers.pop(signum, None)
        state = thread.state
        # The handler may call pyx, whose work Ctrl-C must not interrupt though the frame below is in a wait.
        was_waiting, state.waiting = state.waiting, False
        try:
            return self.handler(signum, frame)
        finally:
            state.waiting = was_waiting


pending_handlers: Final[dict[int, _Deferring]] = {}
"""By signal number: the handlers that wait for the end of a kernel call on the main thread."""


_seen: tuple[Any, ...] = (object(),)  # no handler
"""The handlers of `WATCHED` at the last check."""


def guard_main_thread() -> None:
    """Replaces signal handlers that would interrupt pyx's own work, Python's own for Ctrl-C included.

    Called at each kernel call on the main thread, as a program may set a handler at any time.  Without effect
    on other threads.  Differs from Python: `signal.getsignal` returns the replacement.
    """
    global _seen
    if all(map(is_, map(_handler_of, WATCHED), _seen)):
        return
    handlers = tuple(map(_handler_of, WATCHED))
    if not thread.state.is_main:
        return
    for signum, handler in zip(WATCHED, handlers, strict=True):
        if handler is signal.default_int_handler or _asyncio_runner_of(handler) is not None:
            signal.signal(signum, interrupted)
        elif callable(handler) and not _is_of_pyx(handler):
            signal.signal(signum, _Deferring(handler))
    _seen = tuple(map(_handler_of, WATCHED))


def interrupted(signum: int, frame: FrameType | None) -> None:
    """The handler of Ctrl-C: raises KeyboardInterrupt, but not inside pyx's own work."""
    pending = pending_interrupt
    repeated, pending.repeated = pending.repeated, False
    if repeated and not pending.noted:
        return  # raised at the end of a kernel call, just when it was sent again
    if not is_at_work(frame):
        _raise_interrupt(frame)
    elif not pending.noted:
        pending.noted = True
        send_again(signum, pending)


def raise_pending() -> None:
    """Raises the pending KeyboardInterrupt on the main thread; called at the end of a kernel call."""
    if pending_interrupt.noted and thread.state.is_main:
        _raise_interrupt(sys._getframe())  # noqa: SLF001 - as a handler would be given


def run_pending_handlers() -> None:
    """Runs the program's handlers of pending signals on the main thread; called at the end of a kernel call.

    Raises the exception of the first handler that fails; the others run later.
    """
    if thread.state.is_main:
        for signum, handler in pending_handlers.copy().items():
            if handler.noted:  # else an earlier handler has run it, by a kernel call of its own
                handler.run(signum, sys._getframe())  # noqa: SLF001 - as a handler is given


def take_pending() -> bool:
    """Clears a pending Ctrl-C on the main thread; returns True if there was one."""
    if not (pending_interrupt.noted and thread.state.is_main):
        return False
    pending_interrupt.noted = False
    return True


def forget_pending() -> None:
    """Drops a pending Ctrl-C."""
    pending_interrupt.noted = pending_interrupt.repeated = False


def forget_pending_handlers() -> None:
    """Drops the pending signals of the program's handlers."""
    while pending_handlers:
        pending_handlers.popitem()[1].noted = False


def _raise_interrupt(frame: FrameType | None) -> None:
    """Acts like Python on Ctrl-C: under `asyncio.run` the first one cancels the main task."""
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
    """Returns the `asyncio.Runner` whose handler this is, while it runs its main task."""
    if type(handler) is not functools.partial:
        return None
    bound_to = getattr(handler.func, "__self__", None)
    return bound_to if type(bound_to).__module__ == "asyncio.runners" else None


def _is_of_pyx(handler: object) -> bool:
    """Returns True for the handlers of pyx, which check where they run themselves."""
    return str(getattr(handler, "__module__", None)).startswith("pyx.")


def is_at_work(frame: FrameType | None) -> bool:
    """Returns True where an exception must not leave pyx; *frame* is the interrupted frame."""
    state = thread.state
    if state.inside or state.waiting:
        return state.inside
    while frame is not None and is_standard_library(frame):
        frame = frame.f_back  # a library works for its caller
    return frame is not None and frame.f_code.co_filename.startswith(PYX)


def send_again(signum: int, pending: PendingInterrupt) -> None:
    """Sends the main thread this signal again, a moment later, and repeatedly while it is pending.

    Repeatedly, as a signal that comes just before a thread blocks is handled only when it wakes.  Without
    `threading`, whose locks the interrupted frame may hold.
    """
    pending.senders += 1
    _thread.start_new_thread(_send_while, (signum, pending, pending.senders))


def _send_while(signum: int, pending: PendingInterrupt, sender: int) -> None:
    main_thread = threading.main_thread().ident
    assert main_thread is not None
    pause = _AGAIN_SECONDS
    while True:
        time.sleep(pause)
        # No other thread runs from here to the call: no instruction between them releases the GIL.
        if not pending.noted or pending.senders != sender:  # two at a time would be a second Ctrl-C
            return
        pending.repeated = True
        signal.pthread_kill(main_thread, signum)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def interrupt_main_thread() -> None:
    """Acts like Ctrl-C: sends the main thread a real SIGINT, which alone ends a blocking system call."""
    main_thread = threading.main_thread().ident
    assert main_thread is not None
    signal.pthread_kill(main_thread, signal.SIGINT)
