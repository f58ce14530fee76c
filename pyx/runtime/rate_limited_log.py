"""Log lines that peers can cause as fast as they like, rate-limited by topic.

After a line of a topic further ones are counted for one second and reported together by one line, and so on
until a second passes without any.  So many connections or messages do not fill a log, and of a few none is
left out.
"""

from __future__ import annotations

import errno
import os
import threading
from typing import TYPE_CHECKING, Final

from pyx.execution.node_log import log

if TYPE_CHECKING:
    from collections.abc import Callable

PAUSE_SECONDS: Final = 1.0
"""Between two lines of one topic."""

ACCEPT_PAUSE_SECONDS: Final = 60.0
"""Between two lines about connections that cannot be accepted."""

_HINTS: Final = {
    errno.EMFILE: " (hint: this process has as many open files as `ulimit -n` allows)",
    errno.ENFILE: " (hint: the whole host has as many open files as it allows)",
}


class RateLimitedLog:
    """The log of one node for lines with a topic; from any thread.

    Args:
        later: `later(seconds, function)` calls the function on another thread.
    """

    def __init__(self, later: Callable[[float, Callable[[], object]], object]) -> None:
        self._later = later
        self._lock = threading.Lock()
        self._topics: dict[str, TopicLimit] = {}
        """The topics that had a line less than `PAUSE_SECONDS` ago."""

    def write(self, topic: str, level: int, line: str) -> None:
        """Logs a line, at once or together with others after the pause of its topic."""
        with self._lock:
            due = self._topics.setdefault(topic, TopicLimit()).happened(line)
        self._write(topic, level, due)

    def _paused(self, topic: str, level: int) -> None:
        with self._lock:
            due = self._topics[topic].paused()
            if due is None:
                del self._topics[topic]
        self._write(topic, level, due)

    def _write(self, topic: str, level: int, due: str | None) -> None:
        if due is not None:
            log.log(level, "%s", due)
            self._later(PAUSE_SECONDS, lambda: self._paused(topic, level))


class TopicLimit:
    """The lines of one topic: each method returns the line that is due, if any, and begins a pause."""

    __slots__ = ("_is_paused", "_last", "_more")

    def __init__(self) -> None:
        self._is_paused = False
        self._more = 0
        self._last = ""

    def happened(self, line: str) -> str | None:
        """There is something to log."""
        if self._is_paused:
            self._more += 1
            self._last = line
            return None
        self._is_paused = True
        return line

    def paused(self) -> str | None:
        """The pause after the last line is over."""
        more, self._more = self._more, 0
        if not more:
            self._is_paused = False
            return None
        others = f" (and {more - 1} more since the last line)" if more > 1 else ""
        return f"{self._last}{others}"


class AcceptFailures:
    """The lines about connections that cannot be accepted: one at once, then at most one a minute."""

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
        self._next = now + ACCEPT_PAUSE_SECONDS
        more = f", {times} times since the last line" if times else ""
        return f"cannot accept a connection: {os.strerror(number)}{more}{_HINTS.get(number, '')}"
