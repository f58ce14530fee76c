"""Signals while a prompt is read: they end it, and a signal that arrives just after Enter is not lost.

An editor runs on for a moment after Enter: it draws the line once more and gives the terminal back.  A signal
that arrives then is meant for the statement, which has not begun.  Signals while a statement runs are handled
by `execution/interrupts.py` and `termination.py`.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


class PromptSignals:
    """The signals of the prompt that is being read.

    Args:
        on_continue: called on SIGCONT, by the signal's handler.
    """

    def __init__(self, on_continue: Callable[[], object] = lambda: None) -> None:
        self._on_continue = on_continue
        self._is_read = False
        self._error: BaseException | None = None
        self._end: Callable[[BaseException], object] | None = None

    @contextlib.contextmanager
    def caught(self) -> Iterator[None]:
        """Catches signals while one prompt is read inside; SIGINT ends it with KeyboardInterrupt.

        Raises:
            BaseException: the error given to `end_prompt`, if the prompt has ended by itself.
        """
        self._error = None
        self._is_read = True
        is_main = threading.current_thread() is threading.main_thread()
        # Not caught by the editor's loop, which is closed before its handlers are removed.
        handlers = {signal.SIGINT: self._on_sigint, signal.SIGCONT: self._on_sigcont} if is_main else {}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            self._is_read = False
            self._end = None
        if self._error is not None:
            raise self._error

    def prompt_shown(self, end: Callable[[BaseException], object]) -> None:
        """Notes that the prompt is shown: *end* ends it with an exception, and is called by any thread."""
        self._end = end
        if self._error is not None:
            end(self._error)

    def end_prompt(self, error: BaseException) -> bool:
        """Ends the prompt that is being read with *error*; False if none is.  For signal handlers."""
        if not self._is_read:
            return False
        if self._error is None or isinstance(self._error, KeyboardInterrupt):
            self._error = error
        if self._end is not None:
            self._end(self._error)
        return True

    def _on_sigcont(self, _number: int, _frame: FrameType | None) -> None:
        self._on_continue()

    def _on_sigint(self, _number: int, _frame: FrameType | None) -> None:
        self.end_prompt(KeyboardInterrupt())
