"""Questions of a remote shell's editor to the other node, while a line is typed: one at a time."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

COMPLETION_SECONDS: Final = 0.15
"""After that time without an answer the editor offers nothing."""

_A = TypeVar("_A")


class RemoteQuestions(Generic[_A]):
    """Requests of one kind: one at a time, each with `COMPLETION_SECONDS` to be answered."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._asked: int | None = None
        self._answer: _A | None = None
        self._is_there = threading.Event()
        self._asking = threading.Lock()

    def ask(self, send_request: Callable[[int], object]) -> _A | None:
        """Returns the answer; None without one in time, or while an earlier one has not come yet."""
        if not self._asking.acquire(blocking=False):
            return None
        try:
            if self._asked is not None:
                return None
            self._is_there.clear()
            self._answer = None
            self._asked = next(self._numbers)
            send_request(self._asked)
            self._is_there.wait(COMPLETION_SECONDS)
            return self._answer
        finally:
            self._asking.release()

    def answered(self, number: int, answer: _A | None) -> None:
        """Notes an answer; a late one only makes room for the next request."""
        if number == self._asked:
            self._answer = answer
            self._asked = None
            self._is_there.set()
