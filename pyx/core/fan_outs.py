"""Broadcasts on their way to many mailboxes of this node, a portion of these in each kernel call.

A *fan-out* is one broadcast for the subscribers of a topic as they were at its beginning.  All its appends
come first, and then its receivers are woken, in portions too.  Whatever its sender sends to a process
meanwhile comes behind it: `due` gives that process its copy out of turn.  So there is one order between a
sender and each receiver, and no kernel call is long.  `broadcasts.py` delivers.

Thousands of broadcasts of a peer may wait, each to thousands of subscribers, whose list they share.

[measured, processor time, 100,000 receivers that wait: 782 calls of 0.12 ms, and a first one of 3.4 ms, which
lists them; 1,000 receivers: 0.5 ms in all, where a thousand sends take 0.7 in the kernel]
"""

from __future__ import annotations

import itertools
from collections import deque
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pyx.core.outbox import Outbox
    from pyx.core.processes import ProcessRecord
    from pyx.core.spaces import Entry, ProcessHoldings, Space
    from pyx.terms import Pid

PORTION: Final = 256
"""Mailboxes of one kernel call, or wakes: about a quarter of a millisecond."""

ENTRY_BYTES: Final = 8
"""What each receiver of a peer's broadcast counts in the peer's load until it has its copy."""


class FanOut:
    """One broadcast; `at` is the index of the first entry that is not done.

    Args:
        senders: the process that sends it, None if no process does; those that a diff of presences is about.
        skip: the process that gets nothing.
        space: of the subscriptions.
        key: the topic.
        body: what is put into the mailboxes.
        before: the last one that is queued; to the same subscribers both share the list of these.
    """

    __slots__ = (
        "at",
        "body",
        "early",
        "entries",
        "is_done",
        "key",
        "load",
        "number",
        "out",
        "senders",
        "skip",
        "space",
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
        before: FanOut | None = None,
    ) -> None:
        self.senders: Final = senders
        self.skip: Final = skip
        self.space: Final = space
        self.key: Final = key
        self.body: Final = body
        self.entries: Final = _entries(space.holders.get(key, {}), before)
        self.number = 0
        """Grows with each that is queued."""
        self.at = 0
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
        if self.at < len(self.entries):
            self.out, self.load = out, body_bytes + ENTRY_BYTES * len(self.entries)
            out.promised += self.load
            out.may_have_load = True

    def take(self, count: int) -> Iterator[ProcessRecord]:
        """Yields the processes of the next *count* entries that still are to get it."""
        ahead = self.entries[self.at : self.at + count]
        self.at += len(ahead)
        held, early, skip = self.space.holders.get(self.key, {}), self.early, self.skip
        for entry in ahead:
            process, number = entry.process, entry.held.number
            if process.alive and number in held and number not in early and process is not skip:
                yield process

    def take_for(self, process: ProcessRecord) -> int:
        """Returns how often *process* is still to get this, and notes that it now does, out of turn."""
        if process.holdings is None or process is self.skip or self.at == len(self.entries):
            return 0
        first, last = self.entries[self.at].held.number, self.entries[-1].held.number
        ahead = [
            entry.held.number
            for entry in process.holdings.entries.get((self.space, self.key), ())
            if first <= entry.held.number <= last and entry.held.number not in self.early
        ]
        self.early.update(ahead)
        return len(ahead)


def _entries(holders: dict[int, Entry], before: FanOut | None) -> list[Entry]:
    """Returns the entries of a topic, oldest first.

    Their numbers grow: if there are as many as before, and the last one is the same, none has come or gone.
    """
    if before is not None and len(before.entries) == len(holders):
        last: Entry | None = next(reversed(holders.values()), None)
        if last is before.entries[-1]:
            return before.entries
    return list(holders.values())


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
