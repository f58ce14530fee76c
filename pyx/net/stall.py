"""When a peer is given up that takes nothing of what waits for it.  Not here: the clock, the socket.

Looked at every few seconds while a socket is full.  A look that comes late says that this node stood still
itself; that is held against nobody.
"""

from __future__ import annotations

from typing import Final

STALLED_SECONDS: Final = 30.0
"""So long without any progress, and the link is given up."""

LOOK_SECONDS: Final = 3.0
"""Between two looks; progress is noticed at the next one."""

_LATE_SECONDS: Final = 1.0
"""A loop that works is no later than that."""


class Stall:
    """One time of waiting for a peer.

    Args:
        taken: how often it has taken something so far.
        now: monotonic seconds.
    """

    __slots__ = ("_due", "_since", "_taken")

    def __init__(self, taken: int, now: float) -> None:
        self._taken = taken
        self._since = now
        self._due = now + LOOK_SECONDS

    def look(self, taken: int, now: float) -> float:
        """In how many seconds to look again; 0: it is given up."""
        late = now - self._due
        if taken != self._taken:
            self._taken = taken
            self._since = now
        elif late > _LATE_SECONDS:
            self._since += late
        again = min(LOOK_SECONDS, max(0.0, self._since + STALLED_SECONDS - now))
        self._due = now + again
        return again
