"""How SIGTERM, SIGHUP or lost output end a run of `pyx`: at the prompt, in user code, and by force.

The first signal raises SystemExit where no work of pyx is cut short, as Ctrl-C raises KeyboardInterrupt.
User code may swallow it (a bare `except:` in a service does), and pyx itself may wait for an event that
never comes; then the process says goodbye to its peers and ends, without the consent of its code.
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
"""A second signal within this time counts as the first: `timeout` signals its child and then its group."""

_AGAIN_SECONDS: Final = 0.002

_AT_WORK_SECONDS: Final = 2.0
"""Longer than any work of pyx's own, unless that waits for a blocked disk or pipe."""

_GOODBYE_SECONDS: Final = 2.0
"""Time for the goodbye of a process that is ended by force."""


class Termination:
    """The end of one run.

    Args:
        goodbye: called on a thread of its own before the process is ended by force.
        hurry: called at each signal: from then on no wait is endless.
    """

    def __init__(self, goodbye: Callable[[], object], hurry: Callable[[], object] = lambda: None) -> None:
        self._goodbye = goodbye
        self._hurry = hurry
        self.end_prompt: Callable[[BaseException], bool] = lambda _error: False
        """Ends the prompt that is being shown with an exception; False if none is."""
        self.is_ending = False
        """True once the run is over and its parts are being stopped: SystemExit would have no use."""
        self.lost_output = False
        """True if printed text could not be written: the run has failed."""
        self._catches = False
        self._signals = 0
        """The number of signals that arrived."""
        self._deferred_at: float | None = None
        """The time of the first signal that found pyx at work."""
        self._raised_at: float | None = None
        """The time at which SystemExit was raised, or the prompt ended, first."""

    @contextlib.contextmanager
    def caught(self, *, interactive: bool) -> Iterator[None]:
        """Catches the signals inside."""
        handlers: dict[signal.Signals, Any] = {signal.SIGTERM: self._on_signal}
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # ignored under `nohup`
            handlers[signal.SIGHUP] = self._on_signal
        if interactive and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            # Started with `&` and brought to the foreground.  The shell's process replaces Python's handler.
            handlers[signal.SIGINT] = signal.default_int_handler
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        self._catches = True
        try:
            yield
        finally:
            self._catches = False
            for number, handler in before.items():
                signal.signal(number, handler)

    @property
    def was_signalled(self) -> bool:
        """True once a signal has ended the running code, or the prompt."""
        return self._raised_at is not None

    def output_was_lost(self) -> None:
        """Ends the run with the exit code 1; may be called by any thread."""
        self.lost_output = True
        if self._catches and not self.is_ending:
            os.kill(os.getpid(), signal.SIGTERM)

    def exit_code(self, code: int) -> int:
        """Returns the run's exit code: *code*, or 1 if that is 0 and output was lost."""
        return code or (1 if self.lost_output else 0)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1
        start_stop.hurry()
        self._hurry()
        now = time.monotonic()
        code = 1 if self.lost_output else 128 + number
        if self._raised_at is not None:
            if now - self._raised_at >= _SAME_SECONDS:
                self._end_now(code)
            return
        leaving = SystemExit(code)
        if self.is_ending or self.end_prompt(leaving):
            self._raised_at = now
        elif not interrupts.is_at_work(frame):
            self._raised_at = now
            raise leaving
        elif self._deferred_at is not None and now - self._deferred_at >= _AT_WORK_SECONDS:
            self._end_now(code)
        else:
            self._deferred_at = now if self._deferred_at is None else self._deferred_at
            self._send_again(number)

    def _send_again(self, number: int) -> None:
        """Sends the main thread this signal again, a moment later, until its handler has run.

        A signal that arrives while the thread is on its way into a wait is noticed only after the wait.
        """
        count = self._signals

        def send() -> None:
            main_thread = threading.main_thread().ident
            assert main_thread is not None
            pause = _AGAIN_SECONDS
            while True:
                time.sleep(pause)
                if self._signals != count or not self._catches:
                    return
                signal.pthread_kill(main_thread, number)
                pause = _SAME_SECONDS / 2

        _thread.start_new_thread(send, ())  # without `threading`, whose locks the frame below may hold

    def _end_now(self, code: int) -> None:
        """Ends the process by force.  The frame below may hold any lock, so another thread says goodbye."""

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
