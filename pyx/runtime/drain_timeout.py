"""How long a node that leaves waits until its peers have taken what it queued for them.

As long as any of them takes something, and 5 s without that; 1 s where all has been handed to the system and
only their goodbye is awaited.  A node that was told to end (SIGTERM, SIGHUP) has 5 s in all.
A machine: time is an argument.  See `transport.py` for the queues.
"""

from __future__ import annotations

from typing import Final

PATIENCE_SECONDS: Final = 5.0
"""So long nothing may be taken."""

GOODBYE_SECONDS: Final = 1.0
"""So long a peer that was sent everything may take to close its end."""

HURRY_SECONDS: Final = 5.0
"""So long a node that was told to end waits in all."""


class DrainTimeout:
    """See the file.

    Args:
        now: monotonic seconds, as everywhere here.
    """

    __slots__ = ("_begun", "_given_up", "_progress", "_since", "_was_unsent")

    def __init__(self, now: float) -> None:
        self._begun = self._since = now
        self._progress: object = None
        self._was_unsent = True
        self._given_up = False

    def give_up(self) -> None:
        """Ctrl-C: nothing more is waited for."""
        self._given_up = True

    def is_over(self, now: float, *, progress: object, unsent: bool, told: float | None) -> bool:
        """Whether what is left is to be dropped.

        Args:
            now: the time.
            progress: a value that changes whenever a peer takes something.
            unsent: something has not been handed to the system yet.
            told: when the node was told to end, if it was.
        """
        if (progress, unsent) != (self._progress, self._was_unsent):
            self._progress, self._was_unsent = progress, unsent
            self._since = now
        if self._given_up:
            return True
        if told is not None and now - max(told, self._begun) >= HURRY_SECONDS:
            return True
        return now - self._since >= (PATIENCE_SECONDS if unsent else GOODBYE_SECONDS)
