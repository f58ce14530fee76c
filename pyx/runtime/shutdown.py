"""The waits of a node that leaves: for dials that messages wait for, then for peers that take what is queued.

See `drain_timeout.py` for how long they last, and `transport.py` for what is queued and what is closed.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from pyx.execution.interrupts import take_pending
from pyx.execution.node_log import log
from pyx.runtime.drain_timeout import DrainTimeout

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.execution.slots import LockSlot
    from pyx.net.connection import Connection

_LOOK_SECONDS: Final = 0.1
"""Between two looks at what has been taken."""

_SAY_SECONDS: Final = 1.0
"""After so long a leaving node says what it waits for."""


class Shutdown:
    """One leave; on the thread that leaves.

    Args:
        name: the full name of the node.
        told: returns when the node was told to end (monotonic seconds), if it was.
    """

    def __init__(self, name: str, told: Callable[[], float | None]) -> None:
        self._name = name
        self._told = told
        self._draining = DrainTimeout(time.monotonic())

    def wait_for_dials(self, waiting: Callable[[], dict[str, int]], ended: LockSlot) -> None:
        """Returns when no message waits for a dial any more, or when that is given up.

        Args:
            waiting: returns how many messages wait for which dial.
            ended: woken when a dial ends.
        """
        while (waits := waiting()) and not self._is_over(waits, unsent=True):
            ended.wait_through(_LOOK_SECONDS)

    def wait_for_links(self, links: dict[Connection, str], all_gone: LockSlot) -> None:
        """Returns when all links have ended, or when what they hold is given up.

        Args:
            links: those that are left, with the names of their nodes; the loop takes them out.
            all_gone: woken when the last has ended.
        """
        begun = time.monotonic()
        has_said = False
        while not all_gone.wait_through(_LOOK_SECONDS):
            left = list(links.items())
            unsent = {name: link.unsent_bytes for link, name in left if link.unsent_bytes}
            if self._is_over({name: link.taken for link, name in left}, unsent=bool(unsent)):
                return
            if unsent and not has_said and time.monotonic() - begun >= _SAY_SECONDS:
                has_said = True
                waits = ", ".join(f"{name} to take {count:,} bytes" for name, count in unsent.items())
                log.warning("%s leaves, and waits for %s", self._name, waits)

    def _is_over(self, progress: object, *, unsent: bool) -> bool:
        if take_pending():
            self._draining.give_up()
        return self._draining.is_over(time.monotonic(), progress=progress, unsent=unsent, told=self._told())
