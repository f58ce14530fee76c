"""What is logged of strangers who did not get through: a line each time, but after one there is a rest, and
who comes meanwhile is told of behind it.  So a crowd fills no log, and nobody's reason is kept back for good
but in a crowd.  Not here: the clock and the log (`transport.py`).
"""

from __future__ import annotations

from typing import Final

REST_SECONDS: Final = 1.0


class Refusals:
    """Told what happened, it gives the line that is due, if there is one; then a rest begins."""

    __slots__ = ("_last", "_more", "_rests")

    def __init__(self) -> None:
        self._rests = False
        self._more = 0
        self._last = ""

    def refused(self, reason: str) -> str | None:
        """A stranger was refused; *reason* is a sentence for this node's own log."""
        if self._rests:
            self._more += 1
            self._last = reason
            return None
        self._rests = True
        return f"refused a connection: {reason}"

    def rested(self) -> str | None:
        """The rest behind the last line is over."""
        more, self._more = self._more, 0
        if not more:
            self._rests = False
            return None
        others = f" (and {more - 1} more since the last line)" if more > 1 else ""
        return f"refused a connection: {self._last}{others}"
