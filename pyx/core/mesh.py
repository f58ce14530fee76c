"""The mesh: sessions with other nodes, from the wish for one to its loss.

The fifth layer of the kernel.  Between two nodes there is one session, decided here: if both dial, the dial
of the greater name counts; a new life replaces the old one.  A healthy session is never cut on account of a
third node.  Not here: what signals inside a session do (`kernel.py` hands them down), and who is told of the
nodes that come and go (`membership.py`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from pyx.core.effects import CancelDial, Connected, Flush, Hangup, Log, Rest, Resume
from pyx.core.mailbox import NodeDown
from pyx.core.membership import Membership
from pyx.core.peers import Peer, Verdict
from pyx.core.processes import Watcher, address_of
from pyx.core.requests import UNNAMED
from pyx.signals import Down, ExitSignal, Goodbye, Ping, Tick

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyx.core.processes import ProcessRecord

TICK_SECONDS: Final = 15.0
"""A peer silent for so long is taken for dead (Erlang: 60; ticks go out every quarter of it, as there)."""

CROSSING_SECONDS: Final = 5.0
"""A handshake takes at most so long, so a claim sent before a session came up arrives within this time."""

LOST_DIAL_SECONDS: Final = 3 * CROSSING_SECONDS
"""So long a dial that nobody carries on keeps others waiting."""

UNASKED: Final = 0
"""The number of a ping whose answer nobody waits for: that it comes is all."""


class Mesh(Membership):
    """Connect, claim, lose, tick."""

    def __init__(self, *, policy: str = "open") -> None:
        super().__init__(policy=policy)
        self.tick_seconds = TICK_SECONDS
        self._ticked: float | None = None
        """When `tick` was called last."""

    # ------------------------------------------------------------ dialling

    def connect(self, waiter: object | None, node: str, now: float) -> None:  # noqa: ARG002 - inputs take the time
        """Somebody wants a session with a node, rest or no rest; the waiter gets one `Connected`."""
        if self.is_here(node) or not self.name:
            self._tell_connected([waiter], ok=bool(self.name), reason="" if self.name else UNNAMED)
            return
        peer = self._peers.get(node) or self._dial(node)
        peer.quiet = False
        if peer.state == "up":
            self._tell_connected([waiter], ok=True)
        else:
            peer.waiters.append(waiter)

    def suggest(self, node: str) -> None:
        """Somebody thinks that a node is there (a seed): dials it, rest or no rest, and fails quietly."""
        if self.name and not self.is_here(node) and node not in self._peers:
            self._dial(node, quiet=True)

    def dial_failed(self, node: str, reason: str, now: float, jitter: float = 0.0) -> None:
        """Our dial came to nothing: what was queued is lost, and the node rests (see `Backoff.failed`).

        Not to be called for a dial that was answered `simultaneous`, unless the other's stays out for as long
        as a handshake may take.  Ignored when that dial is no longer wanted.
        """
        peer = self._peers.get(node)
        if peer is None or peer.state != "dialling":
            return
        self.effects.append(Rest(node, self._backoff.failed(node, reason, now, jitter)))
        self.effects.append(Log("info" if peer.quiet else "warning", f"cannot connect to {node}: {reason}"))
        self._over(peer, reason)

    def dialling(self, node: str) -> int | None:
        """The number of the session that a dial to a node is for; None when none is wanted.

        `Dial` and `CancelDial` say that this has changed.  Effects of two threads may change places, so who
        dials obeys this rather than them: else a dial that is wanted could be cancelled, and never end.
        """
        peer = self._peers.get(node)
        return peer.session if peer is not None and peer.state == "dialling" else None

    def mail_waiting(self) -> dict[str, int]:
        """Returns how many signals wait for each dial to end."""
        dials = [peer for peer in self._peers.values() if peer.state == "dialling" and peer.out]
        return {peer.name: len(peer.out) for peer in dials}

    def rested(self, node: str) -> None:
        """The time named by `Rest` has come: the next message for that node dials again."""
        self._backoff.rested(node)

    # ------------------------------------------------------------ sessions begin

    def peer_claimed(self, name: str, creation: int, *, hidden: bool, now: float) -> Verdict:
        """A node that dialled us has proven that it knows the cookie.

        On `"accept"` the session is up: attach the connection to `peer`, then flush it (the `Flush` among the
        effects may come too early).
        """
        if not self.name:
            return Verdict("refused", reason=UNNAMED)
        if name == self.name:
            return Verdict("refused", reason="it bears this node's own name")
        peer = self._peers.get(name)
        if peer is not None and peer.state == "dialling":
            if self.name > name:
                return Verdict("simultaneous", reason="our own dial to it goes first")
            self.effects.append(CancelDial(name))
            peer.dialled = False
        elif peer is not None:
            if peer.creation == creation and self._may_have_crossed(peer, now):
                return Verdict("refused", reason="connected already")
            self._replace(peer, creation)
            peer = None
        if peer is None:
            peer = self._peers[name] = Peer(name, next(self._sessions), dialled=False)
        self._up(peer, creation, hidden=hidden, now=now)
        return Verdict("accept", peer)

    def peer_up(self, name: str, creation: int, *, hidden: bool, now: float) -> Verdict:
        """The node we dialled has accepted; `"refused"` when the session is not wanted any more."""
        peer = self._peers.get(name)
        if peer is not None and peer.state == "up" and peer.creation != creation:
            self._replace(peer, creation)
            peer = self._peers[name] = Peer(name, next(self._sessions), dialled=True)
        if peer is None or peer.state != "dialling":
            return Verdict("refused", reason="connected already" if peer is not None else "no longer wanted")
        self._up(peer, creation, hidden=hidden, now=now)
        return Verdict("accept", peer)

    def _may_have_crossed(self, peer: Peer, now: float) -> bool:
        """Could this claim, of the life we are connected to, be older than the session?

        Only one way: both dialled, theirs has lost (the lesser name), they accepted ours and gave theirs up,
        which we cannot see yet.  Any other second claim says that they have lost the session.
        """
        return peer.dialled and self.name > peer.name and now - peer.since < CROSSING_SECONDS

    def _replace(self, peer: Peer, creation: int) -> None:
        what = "it dialled anew" if peer.creation == creation else "another life of it has come"
        self._lost(peer, what)
        self.effects.append(Hangup(peer, gracefully=False))

    def _up(self, peer: Peer, creation: int, *, hidden: bool, now: float) -> None:
        peer.state = "up"
        peer.creation = creation
        peer.hidden = hidden or self.hidden
        peer.since = peer.heard = now
        self._known.add(peer.name)
        self._backoff.forget(peer.name)
        self._dial_is_over(peer)
        self.effects.append(Log("info", f"node {peer.name} is up"))
        if not peer.hidden:
            self._came_in_sight(peer)
        elif peer.out or peer.out.first:
            peer.sent_since_tick = True
            self.effects.append(Flush(peer))
        self._tell_connected(peer.waiters, ok=True)
        peer.waiters = []

    # ------------------------------------------------------------ sessions end

    def peer_lost(self, peer: Peer, reason: str, now: float) -> None:  # noqa: ARG002 - inputs take the time
        """The connection of that session broke; ignored when the session is over already."""
        if self._is_current(peer):
            self._lost(peer, reason)

    def disconnect(self, node: str) -> bool:
        """Ends the session with a node, or gives a dial up; False when there is neither."""
        peer = self._peers.get(node)
        if peer is None:
            return False
        if peer.state == "dialling":
            self.effects.append(CancelDial(node))
            self._over(peer, "the dial was given up")
        else:
            self._settle_wholly()  # the ends of processes are told before this node leaves
            peer.out.put(Goodbye())
            self._lost(peer, "disconnected")
            self.effects.append(Hangup(peer, gracefully=True))
        return True

    def tick(self, now: float) -> None:
        """Called every quarter of `tick_seconds`: says we live, and finds peers that no longer do."""
        # A tick that comes late says that this node stood still; that is held against nobody: what the others
        # sent meanwhile may wait unread.
        late = math.inf if self._ticked is None else max(0.0, now - self._ticked - self.tick_seconds / 4)
        self._ticked = now
        self._backoff.overdue(now)
        self._views.stood_still(late)
        self._look_around(now, self.tick_seconds)
        for peer in list(self._peers.values()):
            if peer.state != "up":
                self._wait_for_dial(peer, now)
                continue
            peer.heard = min(now, peer.heard + late)
            if now - peer.heard >= self.tick_seconds:
                self.effects.append(Log("error", f"node {peer.name} not responding"))
                self._lost(peer, "not responding")
                self.effects.append(Hangup(peer, gracefully=False))
                continue
            if not peer.hidden and peer.told != self._sight:
                self._tell_sight(peer)
            if now - peer.heard >= self.tick_seconds / 2:  # it may tick more slowly than this node listens
                self._enqueue(peer, Ping(UNASKED))
            elif not peer.sent_since_tick:
                self._enqueue(peer, Tick())
            peer.sent_since_tick = False

    def _wait_for_dial(self, peer: Peer, now: float) -> None:
        """A dial ends by itself long before; one that does not was lost, and nobody shall wait for it."""
        if not peer.heard:
            peer.heard = now
        elif now - peer.heard >= LOST_DIAL_SECONDS:
            self.effects.append(CancelDial(peer.name))
            self.dial_failed(peer.name, "the dial came to no end", now)

    def _is_current(self, peer: Peer) -> bool:
        return peer.state == "up" and self._peers.get(peer.name) is peer

    def _lost(self, peer: Peer, reason: str) -> None:
        self.effects.append(Log("info", f"node {peer.name} is down: {reason}"))
        self._over(peer, reason)
        if not peer.hidden:
            self._out_of_sight(peer)

    def _over(self, peer: Peer, reason: str) -> None:
        """Nothing survives a session or a failed dial.  Exits and downs first, `nodedown` last."""
        peer.state = "gone"
        peer.out.closed = True
        self.effects.append(Resume(peer.out))
        del self._peers[peer.name]
        for process in list(peer.bonds):
            self._sever(process, peer.name)
        self._settle()
        self._fail_requests(peer, reason)
        for process in peer.bonds:
            if process.alive:  # the exits may have ended it
                for _ in range(process.node_monitors.pop(peer.name, 0)):
                    self._deliver(process, NodeDown(peer.name))
        self._tell_connected(peer.waiters, ok=False, reason=reason)
        self._dial_is_over(peer)

    def _sever(self, process: ProcessRecord, node: str) -> None:
        """Ends all bonds between a process and a node; what the process hears comes through the inbox."""
        for watcher in list(process.monitored_by):
            if watcher.pid.node == node:
                self._unwatch(watcher)
        for ref, target in process.monitors.items():
            named, target_node = address_of(target)
            is_here = Watcher(process.pid, ref) in self._watched  # from when this node had that name
            if target_node == node and not is_here:
                self._inbox.append(Down(process.pid, ref, named, "noconnection"))
        for other in process.links.node_lost(node):
            self._inbox.append(ExitSignal(other, process.pid, "noconnection"))

    def _tell_connected(self, waiters: Iterable[object | None], *, ok: bool, reason: str = "") -> None:
        for waiter in waiters:
            if waiter is not None:
                self.effects.append(Connected(waiter, ok, reason))
