"""Lines of the log that others can bring about as fast as they like: after one of a kind there is a rest, and
behind that a line says how many more there were.

See `refusals.py` for when a line is due.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pyx.execution.node_log import log
from pyx.runtime.refusals import REST_SECONDS, Refusals

if TYPE_CHECKING:
    from collections.abc import Callable


class RateLimitedLog:
    """See the file.

    Args:
        later: calls a function in so many seconds, on another thread.
    """

    def __init__(self, later: Callable[[float, Callable[[], object]], object]) -> None:
        self._later = later
        self._lock = threading.Lock()
        self._topics: dict[str, Refusals] = {}
        """Those that rest."""

    def say(self, topic: str, level: int, line: str) -> None:
        """Logs a line, at once or when those of its topic have rested."""
        with self._lock:
            due = self._topics.setdefault(topic, Refusals("")).refused(line)
        self._tell(topic, level, due)

    def _rested(self, topic: str, level: int) -> None:
        with self._lock:
            due = self._topics[topic].rested()
            if due is None:
                del self._topics[topic]
        self._tell(topic, level, due)

    def _tell(self, topic: str, level: int, due: str | None) -> None:
        if due is not None:
            log.log(level, "%s", due)
            self._later(REST_SECONDS, lambda: self._rested(topic, level))
