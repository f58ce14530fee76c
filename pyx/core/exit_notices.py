"""The queue of exit notices: what ended processes still have to tell other processes, given out in portions.

A process may have a hundred thousand links.  One kernel call decides its end, with its name, its table
entries and the list of its links and monitors; the notices of that end to other processes follow in as many
calls as it takes, so that other threads get the kernel's lock in between.  An ended process sends nothing
else any more, and an answer in its place is queued behind its notices: so their order to each other process
is kept.  `process_exits.py` adds notices, `process_signals.py` gives them out.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from pyx.signals import Let

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pyx.core.peers import Peer
    from pyx.core.spaces import Entry
    from pyx.signals import Signal


class Forgotten(NamedTuple):
    """Entries of an ended process or space that are still to be removed.

    Watches and subscriptions with a number above *since* were made after that end, by processes that were
    shown none of these entries.
    """

    entries: Sequence[Entry]
    since: int


Notice: TypeAlias = "tuple[Peer | None, Signal | Forgotten]"
"""A signal for a process of this node (None), or for the session that stood when its sender ended; or keys
that are still to be forgotten here."""

PORTION: Final = 500
"""Notices given out, and keys forgotten, in one kernel call: some milliseconds with the lock held."""


class ExitNotices:
    """First in, first out."""

    __slots__ = ("_will_continue", "given", "portion", "waiting")

    def __init__(self) -> None:
        self.portion = PORTION
        self.given = 0
        """Notices that the present kernel call has given out; `Router.collect` sets it back."""
        self.waiting: deque[Iterator[Notice]] = deque()
        """Those of one process each; none are left if it is empty."""
        self._will_continue = False
        """True from `must_continue` to `continues`."""

    def __bool__(self) -> bool:
        """True while a notice may be left."""
        return bool(self.waiting)

    def add(self, notices: Iterable[Notice]) -> None:
        """Queues the notices of one process behind all others."""
        self.waiting.append(iter(notices))

    def take(self, *, beyond: bool = False) -> Notice | None:
        """Returns the next notice; None if there is none, or (unless *beyond*) if the portion is used up."""
        iterators = self.waiting
        while iterators and (beyond or self.given < self.portion):
            notice = next(iterators[0], None)
            if notice is not None:
                told = notice[1]
                if type(told) is Let:
                    self.given += len(told.numbers)
                else:
                    self.given += len(told.entries) if type(told) is Forgotten else 1
                return notice
            iterators.popleft()
        return None

    def must_continue(self) -> bool:
        """True if another kernel call has to follow; once, until `continues` says that it has come."""
        if not self.waiting or self._will_continue:
            return False
        self._will_continue = True
        return True

    def continues(self) -> None:
        """Begins a new portion in the kernel call that `must_continue` asked for."""
        self._will_continue = False
        self.given = 0
