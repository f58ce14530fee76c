"""What ended processes have yet to say to those who are bound to them, told in portions.

A process may have a hundred thousand links.  Its end is decided in one step, with its name, its tables and
the list of its bonds; what each other process hears of it follows in as many steps as it takes, so that
others are let in between.  An ended process says nothing else any more, and an answer in its place goes
behind: so to each other process it keeps its order.  See `process_signals.py` for what a notice does when
it is told.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyx.core.peers import Peer
    from pyx.signals import Signal

Notice: TypeAlias = "tuple[Peer | None, Signal]"
"""A signal to a process here (None), or over the session that stood when its sender ended."""

A_STEP: Final = 500
"""So many are told in one step: some milliseconds with the kernel's lock held."""


class ExitNotices:
    """See the file."""

    __slots__ = ("_goes_on", "_told", "_waiting", "a_step")

    def __init__(self) -> None:
        self.a_step = A_STEP
        """The length of a portion."""
        self._waiting: deque[Iterator[Notice]] = deque()
        self._told = 0
        """How many this step has told."""
        self._goes_on = False
        """It was said that there is more."""

    def __bool__(self) -> bool:
        """True while one may be left."""
        return bool(self._waiting)

    def add(self, notices: Iterable[Notice]) -> None:
        """Takes in what one process says, behind all that others have to say."""
        self._waiting.append(iter(notices))

    def take(self, *, beyond: bool = False) -> Notice | None:
        """The next one; None where there is none, or, but for *beyond*, where this step's portion is told."""
        waiting = self._waiting
        while waiting and (beyond or self._told < self.a_step):
            notice = next(waiting[0], None)
            if notice is not None:
                self._told += 1
                return notice
            waiting.popleft()
        return None

    def step_is_over(self) -> None:
        """The next one has a portion of its own."""
        self._told = 0

    def must_go_on(self) -> bool:
        """True, once until `goes_on`, if another step has to follow."""
        if not self._waiting or self._goes_on:
            return False
        self._goes_on = True
        return True

    def goes_on(self) -> None:
        """That step has come."""
        self._goes_on = False
        self._told = 0
