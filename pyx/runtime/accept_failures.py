"""What is logged while a node cannot accept connections: a line at once, then one a minute.

A machine: time is an argument.  See `transport.py` for the log, and `net/endpoint.py` for the connections.
"""

from __future__ import annotations

import errno
import os
from typing import Final

REST_SECONDS: Final = 60.0
"""Between two lines."""

_HINTS: Final = {
    errno.EMFILE: " (hint: this process has as many open files as `ulimit -n` allows)",
    errno.ENFILE: " (hint: the whole host has as many open files as it allows)",
}


class AcceptFailures:
    """See the file."""

    __slots__ = ("_next", "_times")

    def __init__(self) -> None:
        self._next = 0.0
        self._times = 0

    def failed(self, number: int, now: float) -> str | None:
        """Returns the line that is due, if one is.

        Args:
            number: the system's `errno`.
            now: monotonic seconds.
        """
        if now < self._next:
            self._times += 1
            return None
        times, self._times = self._times, 0
        self._next = now + REST_SECONDS
        more = f", {times} times since the last line" if times else ""
        return f"cannot accept a connection: {os.strerror(number)}{more}{_HINTS.get(number, '')}"
