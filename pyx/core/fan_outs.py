"""Broadcasts on their way to many mailboxes of this node, a portion of these in each kernel call.

A *fan-out* is one broadcast for the subscribers of a topic as they were at its beginning.  All its appends
come first, and then its receivers are woken, in portions too.  Whatever its sender sends to a process
meanwhile comes behind it: `due` gives that process its copy out of turn.  So there is one order between a
sender and each receiver, and no kernel call is long.  `broadcasts.py` delivers.

Thousands of broadcasts of a peer may wait, each to thousands of subscribers.  They list none of these: the
numbers of entries only grow, so a fan-out has come to a number, and goes on behind it.

[measured, processor time, 100,000 receivers that wait: 782 calls of 0.1 ms, the first one too, 0.3 at most;
1,000 receivers: 0.5 ms in all, where a thousand sends take 0.7 in the kernel]
"""

from __future__ import annotations

import itertools
from collections import deque
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pyx.core.outbox import Outbox
    from pyx.core.processes import ProcessRecord
    from pyx.core.spaces import ProcessHoldings, Space
    from pyx.terms import Pid

PORTION: Final = 256
"""Mailboxes of one kernel call, or wakes: about a quarter of a millisecond."""

ENTRY_BYTES: Final = 8
"""What each receiver of a peer's broadcast counts in the peer's load until it has its copy."""


class FanOut:
    """One broadcast; the entries up to the number `at` have got it.

    Args:
        senders: the process that sends it, None if no process does; those that a diff of presences is about.
        skip: the process that gets nothing.
        space: of the subscriptions.
        key: the topic.
        body: what is put into the mailboxes.
        since: entries with a number above this one do not get it; None: all there are now get it.
    """

    __slots__ = (
        "at",
        "body",
        "early",
        "is_done",
        "key",
        "last",
        "load",
        "number",
        "out",
        "senders",
        "skip",
        "space",
        "taken",
        "waiting",
        "woken",
    )

    def __init__(
        self,
        senders: Collection[Pid | None],
        skip: ProcessRecord | None,
        space: Space,
        key: bytes,
        body: Any,
        since: int | None = None,
    ) -> None:
        self.senders: Final = senders
        self.skip: Final = skip
        self.space: Final = space
        self.key: Final = key
        self.body: Final = body
        self.last: Final = space.newest(key) if since is None else min(space.newest(key), since)
        """No entry with a higher number gets it: who subscribes later does not."""
        self.number = 0
        """Grows with each that is queued."""
        self.at = 0
        self.taken = 0
        """How many entries were looked at."""
        self.early: Final[set[int]] = set()
        """Numbers of entries ahead whose process has its copy already."""
        self.waiting: Final[list[ProcessRecord]] = []
        """Receivers that waited for a message as they got it."""
        self.woken = 0
        self.is_done = False
        self.out: Outbox | None = None
        """The queue for the peer whose load this is."""
        self.load = 0

    def charge(self, out: Outbox, body_bytes: int) -> None:
        """Counts this broadcast in the load of the peer that sent it, until all have their copies."""
        if not self.is_appended:
            receivers = len(self.space.holders.get(self.key, ()))
            self.out, self.load = out, body_bytes + ENTRY_BYTES * receivers
            out.promised += self.load
            out.may_have_load = True

    @property
    def is_appended(self) -> bool:
        """True if all mailboxes have it."""
        return self.at == self.last

    def take(self, count: int) -> Iterator[ProcessRecord]:
        """Yields the processes of the next *count* entries that still are to get it."""
        ahead = self.space.entries_after(self.key, self.at, self.last, count)
        self.taken += len(ahead)
        self.at = ahead[-1].held.number if len(ahead) == count else self.last
        early, skip = self.early, self.skip
        for entry in ahead:
            process = entry.process
            if process.alive and entry.held.number not in early and process is not skip:
                yield process

    def take_for(self, process: ProcessRecord) -> int:
        """Returns how often *process* is still to get this, and notes that it now does, out of turn."""
        if process.holdings is None or process is self.skip or self.is_appended:
            return 0
        ahead = [
            entry.held.number
            for entry in process.holdings.entries.get((self.space, self.key), ())
            if self.at < entry.held.number <= self.last and entry.held.number not in self.early
        ]
        self.early.update(ahead)
        return len(ahead)


class FanOuts:
    """The fan-outs of a node, first in, first out."""

    __slots__ = ("_numbers", "_will_continue", "given", "latest", "portion", "queue")

    def __init__(self) -> None:
        self.portion = PORTION
        self.given = 0
        """Mailboxes filled by broadcasts of a peer in this kernel call; set back as its signals come in."""
        self.queue: Final[deque[FanOut]] = deque()
        self.latest: Final[dict[Pid | None, FanOut]] = {}
        """By sender: the last one that is not appended to all mailboxes; empty most of the time."""
        self._numbers: Final = itertools.count(1)
        self._will_continue = False
        """True from `must_continue` to `continues`."""

    def add(self, fan_out: FanOut) -> None:
        """Queues a fan-out of at least one entry."""
        fan_out.number = next(self._numbers)
        self.queue.append(fan_out)
        for frm in fan_out.senders:
            self.latest[frm] = fan_out

    def appended(self, fan_out: FanOut) -> None:
        """Notes that a fan-out is in all mailboxes, and so are those before it."""
        for frm in fan_out.senders:
            if self.latest.get(frm) is fan_out:
                del self.latest[frm]
        if fan_out.out is not None:
            fan_out.out.promised -= fan_out.load

    def due(self, frm: Pid | None, process: ProcessRecord) -> list[Any]:
        """Returns what *process* is to get before anything else of *frm*, in order; that counts as delivered.

        That is all up to the last of *frm*, of other senders too: each of theirs has its place before what
        they send next.
        """
        last = self.latest.get(frm)
        return [] if last is None else self.due_until(last, process)

    def due_until(self, last: FanOut, process: ProcessRecord) -> list[Any]:
        """Returns what *process* is still to get of all up to *last*, in order; that counts as delivered."""
        holdings: ProcessHoldings | None = process.holdings
        if holdings is None or last.number <= holdings.copied:
            return []
        due: list[FanOut] = []
        for fan_out in reversed(self.queue):
            if fan_out.number <= holdings.copied:
                break
            if fan_out.number <= last.number:
                due.append(fan_out)
        holdings.copied = last.number
        return [fan_out.body for fan_out in reversed(due) for _ in range(fan_out.take_for(process))]

    def last_from_node(self, node: str) -> FanOut | None:
        """Returns the last fan-out that is of, or about, processes of a peer; None if there is none."""
        for fan_out in reversed(self.queue):
            if any(frm is not None and frm.node == node for frm in fan_out.senders):
                return fan_out
        return None

    def must_continue(self) -> bool:
        """True if another kernel call has to follow; once, until `continues` says that it has come."""
        if not self.queue or self._will_continue:
            return False
        self._will_continue = True
        return True

    def continues(self) -> None:
        """Notes the kernel call that `must_continue` asked for."""
        self._will_continue = False
