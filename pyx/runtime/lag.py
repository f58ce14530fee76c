"""How late the transport's loop runs its timers, for example because other threads keep the interpreter.

As late it reads and sends signals.  The other nodes' loops are not measured.  `node_timers.py` has the timer.
"""

from __future__ import annotations

from collections import deque
from typing import Final

EVERY_SECONDS: Final = 1.0
"""Between two measurements."""

_REMEMBERED: Final = 60
"""Measurements that count."""


class Lag:
    """The delays of the last minute.

    Args:
        now: monotonic seconds, as everywhere here.
    """

    __slots__ = ("_due", "_late")

    def __init__(self, now: float) -> None:
        self._due = now + EVERY_SECONDS
        self._late: deque[float] = deque(maxlen=_REMEMBERED)

    def measure(self, now: float) -> None:
        """Measures the delay of a timer that is due `EVERY_SECONDS` after the one before."""
        self._late.append(max(0.0, now - self._due))
        self._due = now + EVERY_SECONDS

    def worst(self, now: float) -> float:
        """Returns the longest delay of the last minute in seconds, with that of a timer that is due now."""
        return max([now - self._due, 0.0, *self._late])
