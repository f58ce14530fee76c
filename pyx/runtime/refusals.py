"""What is logged of strangers who did not get through, and of whatever else comes in crowds.

A line each time, but after one there is a rest, and what comes meanwhile is told behind it.  So a crowd fills
no log, and no reason is kept back for good but in a crowd.  See `transport.py` and `rate_limited_log.py`
for the clock and the log.
"""

from __future__ import annotations

from typing import Final

REST_SECONDS: Final = 1.0


class Refusals:
    """Told what happened, it returns the line that is due, if there is one; then a rest begins.

    Args:
        opening: what each line begins with.
    """

    __slots__ = ("_last", "_more", "_opening", "_rests")

    def __init__(self, opening: str = "refused a connection: ") -> None:
        self._opening = opening
        self._rests = False
        self._more = 0
        self._last = ""

    def refused(self, reason: str) -> str | None:
        """It happened; *reason* is a sentence for this node's own log."""
        if self._rests:
            self._more += 1
            self._last = reason
            return None
        self._rests = True
        return f"{self._opening}{reason}"

    def rested(self) -> str | None:
        """The rest behind the last line is over."""
        more, self._more = self._more, 0
        if not more:
            self._rests = False
            return None
        others = f" (and {more - 1} more since the last line)" if more > 1 else ""
        return f"{self._opening}{self._last}{others}"
