"""The waits of a node that leaves: for dials that messages wait for, then for peers that take what is queued.

They last as long as a peer takes something, and 5 s without that; 1 s where all has been handed to the system
and only the peers' goodbye is awaited.  A node that was told to end (SIGTERM, SIGHUP) has 5 s in all.
See `transport.py` for what is closed afterwards.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from pyx.execution.interrupts import take_pending
from pyx.execution.node_log import log

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyx.execution.slots import LockSlot
    from pyx.net.connection import Connection

PATIENCE_SECONDS: Final = 5.0
"""How long a wait lasts in which no peer takes anything."""

GOODBYE_SECONDS: Final = 1.0
"""How long a peer that was sent everything may take to close its end."""

HURRY_SECONDS: Final = 5.0
"""How long a node that was told to end waits in all."""

_LOOK_SECONDS: Final = 0.1
"""Between two looks at what has been taken."""

_LOG_SECONDS: Final = 1.0
"""A leaving node that waits longer logs what it waits for."""


class Shutdown:
    """The waits of one node, on the thread that leaves.

    Args:
        name: the full name of the node.
        hurried_at: returns when the node was told to end (monotonic seconds), if it was.
    """

    def __init__(self, name: str, hurried_at: Callable[[], float | None]) -> None:
        self._name = name
        self._hurried_at = hurried_at
        self._timeout = DrainTimeout(time.monotonic())

    def wait_for_dials(self, waiting: Callable[[], dict[str, int]], ended: LockSlot) -> None:
        """Returns when no message waits for a dial any more, or when the wait is over.

        Args:
            waiting: returns, by node, how many messages wait for the dial to it.
            ended: woken when a dial ends.
        """
        while (messages := waiting()) and not self._is_over(messages, unsent=True):
            ended.wait_through(_LOOK_SECONDS)

    def wait_for_connections(self, node_of: Mapping[Connection, str], all_ended: LockSlot) -> None:
        """Returns when all connections have ended, or when the wait is over.

        Args:
            node_of: the connections that are left, with the names of their nodes; the loop removes them.
            all_ended: woken when the last has ended.
        """
        begun = time.monotonic()
        is_logged = False
        while not all_ended.wait_through(_LOOK_SECONDS):
            left = dict(node_of).items()
            unsent = {name: one.unsent_bytes for one, name in left if one.unsent_bytes}
            if self._is_over({name: one.taken for one, name in left}, unsent=bool(unsent)):
                return
            if unsent and not is_logged and time.monotonic() - begun >= _LOG_SECONDS:
                is_logged = True
                waits = ", ".join(f"{name} to take {count:,} bytes" for name, count in unsent.items())
                log.warning("%s leaves, and waits for %s", self._name, waits)

    def _is_over(self, progress: object, *, unsent: bool) -> bool:
        if take_pending():
            self._timeout.give_up()
        return self._timeout.is_over(
            time.monotonic(), progress=progress, unsent=unsent, hurried_at=self._hurried_at()
        )


class DrainTimeout:
    """When the waits are over; time is an argument.

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
        """Ends the waits, after Ctrl-C."""
        self._given_up = True

    def is_over(self, now: float, *, progress: object, unsent: bool, hurried_at: float | None) -> bool:
        """Returns whether what is left is to be dropped.

        Args:
            now: the time.
            progress: a value that changes whenever a peer takes something.
            unsent: something has not been handed to the system yet.
            hurried_at: when the node was told to end, if it was.
        """
        if (progress, unsent) != (self._progress, self._was_unsent):
            self._progress, self._was_unsent = progress, unsent
            self._since = now
        if self._given_up:
            return True
        if hurried_at is not None and now - max(hurried_at, self._begun) >= HURRY_SECONDS:
            return True
        return now - self._since >= (PATIENCE_SECONDS if unsent else GOODBYE_SECONDS)
