"""Decides when a peer that accepts no data is given up.  A machine: time is an argument.

Asked every few seconds while a socket is full.  A late call means that this node itself was suspended; that
time does not count.
"""

from __future__ import annotations

from typing import Final

STALLED_SECONDS: Final = 30.0
"""Seconds without progress after which the connection is closed."""

LOOK_SECONDS: Final = 3.0
"""Seconds between two calls of `look`, which notice progress."""

_LATE_SECONDS: Final = 1.0
"""A later call than this means that the loop was suspended."""


class Stall:
    """One period in which a socket stays full.

    Args:
        taken: number of times that the socket accepted data so far.
        now: monotonic seconds.
    """

    __slots__ = ("_due", "_since", "_taken")

    def __init__(self, taken: int, now: float) -> None:
        self._taken = taken
        self._since = now
        self._due = now + LOOK_SECONDS

    def look(self, taken: int, now: float) -> float:
        """Returns the seconds until the next look; 0: the peer is given up."""
        late = now - self._due
        if taken != self._taken:
            self._taken = taken
            self._since = now
        elif late > _LATE_SECONDS:
            self._since += late
        again = min(LOOK_SECONDS, max(0.0, self._since + STALLED_SECONDS - now))
        self._due = now + again
        return again
