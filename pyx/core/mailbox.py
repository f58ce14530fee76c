"""The mailbox of one process: what was delivered, what its owner looked at and left.  Not here: matching.

Anyone who holds the kernel's lock may deliver.  The owner reads without it: `incoming` is appended on one
side and popped on the other, each one step under the GIL, and `kept` is the owner's alone.  Every message has
a number, in order of arrival, so that a receive by reference starts where the mailbox stood when the
reference was made (`mark`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.signals import Reason
    from pyx.terms import Pid, Ref


class Exited(NamedTuple):
    """For a process that traps exits: `("EXIT", pid, reason)`."""

    pid: Pid
    reason: Reason


class Downed(NamedTuple):
    """A monitor fired: `("DOWN", ref, "process", target, reason)`; a target by name is `(name, node)`."""

    ref: Ref
    target: Pid | tuple[str, str]
    reason: Reason


class NodeUp(NamedTuple):
    """For `Node.monitor_nodes`: `("nodeup", name)`."""

    name: str


class NodeDown(NamedTuple):
    """For `Node.monitor` and `Node.monitor_nodes`: `("nodedown", name)`."""

    name: str


class Entry:
    """A message its owner has looked at: its number, what was delivered, and once opened, what that is."""

    __slots__ = ("item", "number", "opened", "value")
    item: Any
    number: int
    opened: bool
    value: Any

    def __init__(self, number: int, item: Any) -> None:
        self.number = number
        self.item = item
        self.opened = False
        self.value = None


_number = attrgetter("number")


class Mailbox:
    """See the file.  Items are letters, flat values, or the four system messages above."""

    __slots__ = ("_moved", "delivered", "incoming", "kept")
    incoming: deque[Any]
    kept: deque[Entry]
    delivered: int
    """How many came in, ever: also the number of the next one."""
    _moved: int
    """How many its owner moved to `kept`: also the number of the first in `incoming`."""

    def __init__(self) -> None:
        self.incoming = deque()
        self.kept = deque()
        self.delivered = 0
        self._moved = 0

    def deliver(self, item: Any) -> None:
        """Takes a message in; the caller holds the kernel's lock."""
        self.incoming.append(item)
        self.delivered += 1

    def __len__(self) -> int:
        return len(self.kept) + len(self.incoming)

    def snapshot(self) -> list[Any]:
        """All items in order, from any thread; exact while the kernel's lock is held.

        The owner may move messages meanwhile, first into `kept`, then out of `incoming`: one that was seen in
        both is known by its number.
        """
        late = list(self.incoming)
        first_late = self.delivered - len(late)
        return [entry.item for entry in list(self.kept) if entry.number < first_late] + late

    # ------------------------------------------------------------ the owner's side

    def refill(self) -> None:
        """Moves what has come in to the end of `kept`."""
        incoming, kept = self.incoming, self.kept
        while incoming:
            kept.append(Entry(self._moved, incoming[0]))
            incoming.popleft()
            self._moved += 1

    def mark(self) -> int:
        """The number of the next message to arrive (or, while one is being delivered, of that one)."""
        return self.delivered

    def first_index_from(self, mark: int) -> int:
        """The index into `kept` of the first message that arrived at or after *mark*."""
        kept = self.kept
        if not kept or kept[-1].number < mark:
            return len(kept)  # the common case: everything kept is older than the reference
        return bisect_left(kept, mark, key=_number)

    def take(self, index: int) -> Entry:
        """Removes the entry at *index* of `kept` and gives it."""
        kept = self.kept
        if not index:  # the common case: the oldest message matched
            return kept.popleft()
        entry = kept[index]
        del kept[index]
        return entry

    def discard(self, unwanted: Callable[[Any], bool]) -> None:
        """Drops every item of which *unwanted* is true; for the owner, with the kernel's lock held."""
        self.refill()
        self.kept = deque(entry for entry in self.kept if not unwanted(entry.item))
