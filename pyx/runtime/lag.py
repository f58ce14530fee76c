"""How late the transport's loop is with what is due there: what a busy interpreter costs the other nodes.

The loop has something due every second, and notes how late that was.  Not here: the timer (`transport.py`).
"""

from __future__ import annotations

from collections import deque
from typing import Final

EVERY_SECONDS: Final = 1.0
"""Between two looks."""

_REMEMBERED: Final = 60
"""How many looks count."""


class Lag:
    """See the file.

    Args:
        now: monotonic seconds, as everywhere here.
    """

    __slots__ = ("_due", "_late")

    def __init__(self, now: float) -> None:
        self._due = now + EVERY_SECONDS
        self._late: deque[float] = deque(maxlen=_REMEMBERED)

    def looked(self, now: float) -> None:
        """The loop has come round to it; the next look is due after `EVERY_SECONDS`."""
        self._late.append(max(0.0, now - self._due))
        self._due = now + EVERY_SECONDS

    def worst(self, now: float) -> float:
        """The greatest delay of the last minute in seconds, that of a look which is overdue now included."""
        return max([now - self._due, 0.0, *self._late])
