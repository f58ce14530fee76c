"""How SIGTERM, SIGHUP or lost output end a run of `pyx`: at the prompt, in user code, and against its will.

The first signal raises SystemExit where that tears nothing, as Ctrl-C raises KeyboardInterrupt.  User code
may swallow it (a bare `except:` in a service's loop does), and pyx itself may wait for something that never
comes; then the process says goodbye to its peers without asking again, and ends.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from pyx.execution import interrupts
from pyx.runtime import start_stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_SAME_SECONDS: Final = 0.1
"""A second signal within this time is not a second wish: `timeout` signals its child and then its group."""

_ASK_SECONDS: Final = 0.002

_AT_WORK_SECONDS: Final = 2.0
"""No piece of pyx's own work takes so long, unless it waits for a disk or a pipe that stands still."""

_GOODBYE_SECONDS: Final = 2.0
"""So long a process that ends against the will of its code may take to tell its peers."""


class Termination:
    """The end of one run.

    Args:
        goodbye: what is done before the process ends without its code; on a thread of its own.
        hurry: called at each signal: nothing waits without an end from then on.
    """

    def __init__(self, goodbye: Callable[[], object], hurry: Callable[[], object] = lambda: None) -> None:
        self._goodbye = goodbye
        self._hurry = hurry
        self.end_prompt: Callable[[BaseException], bool] = lambda _error: False
        """Ends the prompt that is being shown with an exception; False if none is."""
        self.is_ending = False
        """The run is over and its parts are being taken apart: SystemExit is of no use any more."""
        self.lost_output = False
        """What was printed could not be written, so the run has failed."""
        self._catches = False
        self._turns = 0
        """How often a signal came."""
        self._asked_at: float | None = None
        """When a signal found pyx at work, first."""
        self._granted_at: float | None = None
        """When SystemExit was raised, or the prompt was told to end, first."""

    @contextlib.contextmanager
    def caught(self, *, interactive: bool) -> Iterator[None]:
        """Catches the signals, meanwhile."""
        caught: dict[signal.Signals, Any] = {signal.SIGTERM: self._on_signal}
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under `nohup`
            caught[signal.SIGHUP] = self._on_signal
        if interactive and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            # Started with `&` and brought to the foreground.  The shell's process replaces Python's handler.
            caught[signal.SIGINT] = signal.default_int_handler
        before = {number: signal.signal(number, handler) for number, handler in caught.items()}
        self._catches = True
        try:
            yield
        finally:
            self._catches = False
            for number, handler in before.items():
                signal.signal(number, handler)

    @property
    def was_asked(self) -> bool:
        """True once a signal has ended what ran, or the prompt."""
        return self._granted_at is not None

    def output_was_lost(self) -> None:
        """Ends the run with the exit code 1; from any thread."""
        self.lost_output = True
        if self._catches and not self.is_ending:
            os.kill(os.getpid(), signal.SIGTERM)

    def exit_code(self, code: int) -> int:
        """The run's exit code, where its own would be *code*."""
        return code or (1 if self.lost_output else 0)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._turns += 1
        start_stop.hurry()
        self._hurry()
        now = time.monotonic()
        code = 1 if self.lost_output else 128 + number
        if self._granted_at is not None:
            if now - self._granted_at >= _SAME_SECONDS:
                self._end_now(code)
            return
        leaving = SystemExit(code)
        if self.is_ending or self.end_prompt(leaving):
            self._granted_at = now
        elif not interrupts.is_at_work(frame):
            self._granted_at = now
            raise leaving
        elif self._asked_at is not None and now - self._asked_at >= _AT_WORK_SECONDS:
            self._end_now(code)
        else:
            self._asked_at = now if self._asked_at is None else self._asked_at
            self._ask_again(number)

    def _ask_again(self, number: int) -> None:
        """Sends the main thread this signal once more, a moment later, until its handler has seen it.

        One that comes while the thread is on its way into a wait is noticed only when the wait is over.
        """
        turn = self._turns

        def ask() -> None:
            main_thread = threading.main_thread().ident
            assert main_thread is not None
            pause = _ASK_SECONDS
            while True:
                time.sleep(pause)
                if self._turns != turn or not self._catches:
                    return
                signal.pthread_kill(main_thread, number)
                pause = _SAME_SECONDS / 2

        _thread.start_new_thread(ask, ())  # without `threading`, whose locks the frame below may hold

    def _end_now(self, code: int) -> None:
        """Ends the process, without its code.  The frame below may hold any lock, so others say goodbye."""

        def end() -> None:
            try:
                self._goodbye()
                with contextlib.suppress(OSError, ValueError):
                    sys.stderr.flush()
            finally:
                os._exit(code)

        _thread.start_new_thread(end, ())
        time.sleep(_GOODBYE_SECONDS)
        os._exit(code)
