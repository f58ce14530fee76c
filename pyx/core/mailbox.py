"""The mailbox of one process: what was delivered, what its owner looked at and left.  Not here: matching.

Anyone who holds the kernel's lock may deliver.  The owner reads without it: `incoming` is appended on one
side and popped on the other, each one step under the GIL, and `kept` is the owner's alone.  Every message has
a number, in order of arrival, so that a receive by reference starts where the mailbox stood when the
reference was made (`mark`).

A mailbox that grows beyond its cap is noticed while it is delivered to: how long it is is looked at only when
so much was delivered since the last look that it may be too long.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from pyx.core.waiters import Waiters

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


class Cap(NamedTuple):
    """How many messages a mailbox may hold, and what happens beyond.

    `"warn"`: a line in the log, and again each time it has doubled.  `"kill"`: the end of its process.
    `"block"`: who sends there from this node waits; what comes from others is told as by `"warn"`.
    """

    limit: int
    policy: Literal["warn", "kill", "block"]


DEFAULT_CAP: Final = Cap(100_000, "warn")

_NOBODY: Final = Waiters()
_NEVER: Final = 2**63


class MailboxEntry:
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
    """See the file.  Items are payloads, flat values, or the four system messages above."""

    __slots__ = (
        "_alarm",
        "_moved",
        "_told",
        "cap",
        "closed",
        "delivered",
        "incoming",
        "kept",
        "waiters",
    )
    incoming: deque[Any] | tuple[()]
    """Made by the first message: an empty deque takes 600 bytes, and most of many processes are idle."""
    kept: deque[MailboxEntry] | tuple[()]
    delivered: int
    """How many came in, ever: also the number of the next one."""
    _moved: int
    """How many its owner moved to `kept`: also the number of the first in `incoming`."""
    cap: Cap | None
    closed: bool
    """Its process is dead, and nobody needs to wait for it."""
    waiters: Waiters
    """Those who wait until it is lighter, where its cap makes them."""
    _alarm: int
    """When so many have come in, it is looked at again."""
    _told: int
    """Beyond so many its growth is told."""

    def __init__(self) -> None:
        self.incoming = ()
        self.kept = ()
        self.delivered = 0
        self._moved = 0
        self.cap = DEFAULT_CAP
        self.closed = False
        self.waiters = _NOBODY
        self._told = DEFAULT_CAP.limit
        self._alarm = DEFAULT_CAP.limit + 1

    def deliver(self, item: Any) -> bool:
        """Takes a message in; the caller holds the kernel's lock.  True: ask whether it `has_grown`."""
        incoming = self.incoming
        if isinstance(incoming, tuple):
            incoming = self.incoming = deque()
        incoming.append(item)
        self.delivered += 1
        return self.delivered >= self._alarm

    def __len__(self) -> int:
        return len(self.kept) + len(self.incoming)

    # ------------------------------------------------------------ its cap; with the kernel's lock held

    def set_cap(self, cap: Cap | None) -> None:
        """How much it may hold from now on; None: as much as comes."""
        self.cap = cap
        self._alarm = _NEVER if cap is None else 0
        self._told = cap.limit if cap is not None else _NEVER
        if cap is not None and cap.policy == "block" and self.waiters is _NOBODY:
            self.waiters = Waiters()

    def has_grown(self) -> bool:
        """Looks how long it is: is that to be told?  Beyond the cap it is, then at twice that, and so on."""
        cap = self.cap
        if cap is None:
            return False
        length = len(self)
        if length <= cap.limit:
            self._told = cap.limit
        grown = length > self._told
        while length > self._told:
            self._told *= 2
        until = cap.limit - 1 if cap.policy == "block" else self._told
        self._alarm = self.delivered + max(until - length, 0) + 1
        return grown

    @property
    def is_busy(self) -> bool:
        """True where whoever adds to it has to wait."""
        cap = self.cap
        return not self.closed and cap is not None and cap.policy == "block" and len(self) >= cap.limit

    @property
    def is_below_low_water(self) -> bool:
        """True when those who wait may go on."""
        cap = self.cap
        return self.closed or cap is None or cap.policy != "block" or len(self) <= cap.limit // 2

    @property
    def busy_reason(self) -> str:
        """Why one has to wait."""
        return f"the process does not take its messages, {len(self):,} are in its mailbox"

    # ------------------------------------------------------------ for anyone

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
        if isinstance(incoming, tuple):
            return
        if isinstance(kept, tuple):
            kept = self.kept = deque()
        while incoming:
            kept.append(MailboxEntry(self._moved, incoming[0]))
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

    def take(self, index: int) -> MailboxEntry:
        """Removes the entry at *index* of `kept` and gives it."""
        kept = self.kept
        assert isinstance(kept, deque)
        if not index:  # the common case: the oldest message matched
            return kept.popleft()
        entry = kept[index]
        del kept[index]
        return entry

    def discard(self, unwanted: Callable[[Any], bool]) -> list[MailboxEntry]:
        """Takes out and returns what *unwanted* is true of; for the owner, with the kernel's lock held."""
        self.refill()
        dropped = [entry for entry in self.kept if unwanted(entry.item)]
        self.kept = deque(entry for entry in self.kept if not unwanted(entry.item))
        return dropped
