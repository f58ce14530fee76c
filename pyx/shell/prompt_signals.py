"""Signals while a prompt is read: they end it, and none is lost that comes as Enter has just ended it.

An editor goes on for a moment after Enter: it draws the line once more and gives the terminal back. What
comes then is meant for the statement, which has not begun. See `terminal` for the editor,
and `runtime.interrupts` and `leaving` for signals while a statement runs.
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
    """What signals ask of the prompt that is being read.

    Args:
        has_returned: called on SIGCONT, by the signal's handler.
    """

    def __init__(self, has_returned: Callable[[], object] = lambda: None) -> None:
        self._has_returned = has_returned
        self._is_read = False
        self._error: BaseException | None = None
        self._end: Callable[[BaseException], object] | None = None

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        """Reads one prompt inside; SIGINT asks for KeyboardInterrupt meanwhile, as `ask` does.

        Raises:
            BaseException: what was asked for, if the prompt has ended by itself.
        """
        self._error = None
        self._is_read = True
        is_main = threading.current_thread() is threading.main_thread()
        # Not by the editor's loop: that is closed before its handlers are gone.
        caught = {signal.SIGINT: self._on_interrupt, signal.SIGCONT: self._on_return} if is_main else {}
        before = {number: signal.signal(number, handler) for number, handler in caught.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            self._is_read = False
            self._end = None
        if self._error is not None:
            raise self._error

    def shown(self, end: Callable[[BaseException], object]) -> None:
        """Tells that the prompt is shown: *end* ends it with an exception, and is called by any thread."""
        self._end = end
        if self._error is not None:
            end(self._error)

    def ask(self, error: BaseException) -> bool:
        """Ends the prompt that is being read with *error*; False if none is.  For signal handlers."""
        if not self._is_read:
            return False
        if self._error is None or isinstance(self._error, KeyboardInterrupt):
            self._error = error
        if self._end is not None:
            self._end(self._error)
        return True

    def _on_return(self, _number: int, _frame: FrameType | None) -> None:
        self._has_returned()

    def _on_interrupt(self, _number: int, _frame: FrameType | None) -> None:
        self.ask(KeyboardInterrupt())
