"""Broadcasts: to the subscribers of a topic on this node, and as one signal to each visible peer.

Subscriptions are entries of a space of this node: no peer knows of them, so a broadcast goes to all, and one
right after `nodeup` reaches the subscribers there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.core.effects import ContinueFanOuts, Released, Wake
from pyx.core.fan_outs import FanOut
from pyx.core.mailbox import Published
from pyx.signals import queued_bytes

if TYPE_CHECKING:
    from collections.abc import Collection

    from pyx.core.outbox import Outbox
    from pyx.core.peers import Peer
    from pyx.core.routing import Router
    from pyx.core.spaces import Space
    from pyx.core.tables import Tables
    from pyx.signals import Publish
    from pyx.terms import Pid

PUBSUB: Final = "pubsub "
"""Begins the name of the space of an instance's subscriptions; its own name follows."""


class Broadcasts:
    """The part of the kernel that delivers broadcasts."""

    def __init__(self, tables: Tables, router: Router) -> None:
        self._tables = tables
        self._router = router
        self._fan_outs = tables.fan_outs

    def space(self, pubsub: str) -> Space | None:
        """Returns the subscriptions of an instance; None if it is not started here."""
        return self._tables.spaces.get(PUBSUB + pubsub)

    # ------------------------------------------------------------ sending

    def publish(
        self,
        frm: Pid | None,
        space: Space,
        topic: bytes,
        body: Any,
        *,
        skip: Pid | None = None,
        at_once: bool = True,
        about: Collection[Pid] = (),
        since: int | None = None,
    ) -> FanOut | None:
        """Gives a message to the subscribers here, to all of them or to a first portion.

        Args:
            frm: the sender, None if it is not a process.
            space: of the subscriptions.
            topic: an encoded key.
            body: for the mailboxes.
            skip: gets nothing.
            at_once: False leaves all of it to later kernel calls.
            about: in the place of one sender: the processes among whose signals it has its place.
            since: subscriptions with a number above this one get nothing; None: all get it.

        Returns:
            What is left to be done by `go_on`; None if nothing is.
        """
        if space.use.dispatches:
            owner = self._tables.find(space.owner) if space.owner is not None else None
            if owner is not None:
                self._router.precede(frm, owner.pid)
                self._router.deliver(owner, Published(skip, topic, body))
            return None
        holders = space.holders.get(topic)
        if not holders:
            return None
        fan_outs = self._fan_outs
        skipped = self._tables.find(skip) if skip is not None else None
        senders = about or (frm,)
        late = fan_outs.latest
        is_free = not late or not any(one in late for one in senders)
        if at_once and len(holders) <= fan_outs.portion and is_free:
            deliver = self._router.deliver
            told = holders.values() if since is None else space.entries_after(topic, 0, since, len(holders))
            for entry in told:
                process = entry.process
                if process.alive and process is not skipped:
                    deliver(process, body)
            return None
        fan_out = FanOut(senders, skipped, space, topic, body, since)
        fan_outs.add(fan_out)
        if at_once:
            self.go_on()
        elif fan_outs.must_continue():
            self._tables.effects.append(ContinueFanOuts())
        return fan_out

    def publish_to_peers(self, signal: Publish, *, nosuspend: bool = False) -> tuple[list[Outbox], list[str]]:
        """Puts a broadcast into the queue of each visible peer.

        With *nosuspend* peers whose queue is over its high-water mark are left out.

        Returns:
            The queues that are over their mark now, and the names of the peers that were left out.
        """
        busy: list[Outbox] = []
        left_out: list[str] = []
        for peer in self._tables.peers.values():
            if peer.state != "up" or peer.hidden:
                continue
            if nosuspend and peer.out.is_busy:
                left_out.append(peer.name)
                continue
            self._router.enqueue(peer, signal)
            if peer.out.is_busy:
                busy.append(peer.out)
        return busy, left_out

    def publish_to(
        self, node: str, signal: Publish, *, nosuspend: bool = False
    ) -> tuple[list[Outbox], list[str]]:
        """Puts a broadcast into the queue of one other node, which is dialled like the node of a message.

        A hidden one gets nothing.  Returns what `publish_to_peers` does.
        """
        peer = self._tables.peers.get(node)
        if peer is not None and nosuspend and peer.out.is_busy:
            return [], [node]
        if peer is None or peer.state != "up" or not peer.hidden:
            self._router.send_signal(node, signal, connect=True)
            peer = self._tables.peers.get(node)
        return ([peer.out] if peer is not None and peer.out.is_busy else []), []

    # ------------------------------------------------------------ delivering

    def published(self, peer: Peer, signal: Publish) -> None:
        """Receives a broadcast of a peer; for an instance that is not started here it is dropped."""
        frm, skip, pubsub, topic, body = signal
        space = self.space(pubsub)
        if space is None or peer.hidden or (frm is not None and frm.node != peer.name):
            return
        # One read may hold thousands of small broadcasts: those beyond a portion wait like the rest of one.
        is_portion = self._fan_outs.given < self._fan_outs.portion
        self._fan_outs.given += len(space.holders.get(topic, ()))
        fan_out = self.publish(frm, space, topic, body, skip=skip, at_once=is_portion)
        if fan_out is not None:
            fan_out.charge(peer.out, queued_bytes(signal))

    def continue_fan_outs(self) -> None:
        """Delivers the next portion; see `ContinueFanOuts`."""
        self._fan_outs.continues()
        self.go_on()

    def go_on(self) -> None:
        """Delivers a portion of the oldest fan-outs."""
        fan_outs, effects = self._fan_outs, self._tables.effects
        left = fan_outs.portion
        while fan_outs.queue and left > 0:
            fan_out = fan_outs.queue[0]
            if not fan_out.is_appended:
                left -= self._append(fan_out, left)
            elif fan_out.woken < len(fan_out.waiting):
                left -= self._wake(fan_out, left)
            else:
                fan_out.is_done = True
                effects.append(Released(fan_outs.queue.popleft()))
        if fan_outs.must_continue():
            effects.append(ContinueFanOuts())

    def _append(self, fan_out: FanOut, count: int) -> int:
        before, body, waiting = fan_out.taken, fan_out.body, fan_out.waiting
        for process in fan_out.take(count):
            if process.mailbox.deliver(body):
                self._router.mailbox_grew(process)
            if process.waiting:
                waiting.append(process)
        if fan_out.is_appended:
            self._fan_outs.appended(fan_out)
        return fan_out.taken - before

    def _wake(self, fan_out: FanOut, count: int) -> int:
        woken = fan_out.waiting[fan_out.woken : fan_out.woken + count]
        fan_out.woken += len(woken)
        for process in woken:
            if process.waiting:  # another message may have woken it
                process.waiting = False
                self._tables.effects.append(Wake(process))
        return len(woken)
