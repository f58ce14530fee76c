"""The mesh: sessions with other nodes, from the wish for one to its loss; and who is told of it.

The fourth storey of the kernel.  Between two nodes there is one session, decided here: if both dial, the dial
of the greater name counts; a new life replaces the old one.  Visible nodes tell each other whom they see: at
the beginning of a session, so joining one joins all, and at a tick when that has changed, so that whoever
sees two halves of a partition can say so.  A healthy session is never cut on account of a third node.  Not
here: what signals inside a session do (`kernel.py` hands them down).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyx.core.effects import CancelDial, Connected, Flush, Hangup, Log, Rest
from pyx.core.mailbox import NodeDown, NodeUp
from pyx.core.peers import Peer, Verdict
from pyx.core.post import NO_NODE
from pyx.core.requests import UNNAMED, Requests
from pyx.core.views import Views
from pyx.signals import Down, Exit, Goodbye, Nodes, Ping, Tick

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyx.core.processes import Process
    from pyx.signals import Reason

TICK_SECONDS: Final = 15.0
"""A peer silent for so long is taken for dead (Erlang: 60; ticks go out every quarter of it, as there)."""

CROSSING_SECONDS: Final = 5.0
"""A handshake takes at most so long, so a claim sent before a session came up arrives within this time."""

UNASKED: Final = 0
"""The number of a ping whose answer nobody waits for: that it comes is all."""

KINDS: Final = ("this", "visible", "hidden", "connected", "known")


class Mesh(Requests):
    """Connect, claim, lose, tick, list."""

    def __init__(self, *, policy: str = "open") -> None:
        super().__init__(policy=policy)
        self.tick_seconds = TICK_SECONDS
        self._ticked: float | None = None
        """When `tick` was called last."""
        self._node_watchers: Final[dict[Process, None]] = {}
        """Processes that asked for `nodeup` and `nodedown` of all nodes."""
        self._sight: frozenset[str] = frozenset()
        """The visible nodes this one is connected to."""
        self._views: Final = Views()

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
        self.effects.append(Log("info", f"node {peer.name} is up"))
        if not peer.hidden:
            self._sight |= {peer.name}
            self._tell_sight(peer)  # behind what was queued
            for process in self._node_watchers:
                self._deliver(process, NodeUp(peer.name))
        elif peer.out:
            peer.sent_since_tick = True
            self.effects.append(Flush(peer))
        self._tell_connected(peer.waiters, ok=True)
        peer.waiters = []

    def _told_of(self, peer: Peer, names: tuple[str, ...]) -> None:
        """A visible peer names the nodes it sees.

        The first time in a session this node dials those it lacks.  Later words are for the views only: they
        are no reason to dial anew what was given up, and this node answers with its own news, if it has any.
        """
        self._known.update(names)
        if not self._views.said(peer.name, names):
            if peer.told != self._sight:
                self._tell_sight(peer)
            return
        for name in names:
            if not self.is_here(name):
                self._reach(name, quiet=True)

    def _tell_sight(self, peer: Peer) -> None:
        peer.told = self._sight
        self._enqueue(peer, Nodes(tuple(sorted(self._sight - {peer.name}))))

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
            peer.out.append(Goodbye())
            self._lost(peer, "disconnected")
            self.effects.append(Hangup(peer, gracefully=True))
        return True

    def tick(self, now: float) -> None:
        """Called every quarter of `tick_seconds`: says we live, and finds peers that no longer do."""
        late = self._ticked is not None and now - self._ticked > self.tick_seconds / 2
        self._ticked = now
        self._backoff.overdue(now)
        if late:
            self._views.stood_still(now)
        self._look_around(now)
        for peer in list(self._peers.values()):
            if peer.state != "up":
                continue
            if late:  # it was this node that stood still: what they sent meanwhile may wait unread
                peer.heard = now
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

    def _look_around(self, now: float) -> None:
        """Says which peers do not see each other, once, when that has been so for `tick_seconds`.

        By then whoever dies is lost to all, and whoever joins has joined.  Peers that tick more slowly are
        asked, because their own word may come too late.
        """
        doubted, apart, healed = self._views.look(now, self.tick_seconds)
        for name in sorted({name for pair in doubted for name in pair}):
            self._tell_sight(self._peers[name])  # who hears news answers with news
        for one, other in apart:
            words = f"{one} and {other} do not see each other, though this node sees both"
            self.effects.append(Log("warning", words))
        for one, other in healed:
            self.effects.append(Log("info", f"{one} and {other} see each other again"))

    def partitions(self) -> list[tuple[str, str]]:
        """The pairs of visible peers that do not see each other (for some time), sorted."""
        return self._views.partitions()

    def _end(self, process: Process, reason: Reason) -> None:
        super()._end(process, reason)
        self._node_watchers.pop(process, None)

    def _is_current(self, peer: Peer) -> bool:
        return peer.state == "up" and self._peers.get(peer.name) is peer

    def _lost(self, peer: Peer, reason: str) -> None:
        self.effects.append(Log("info", f"node {peer.name} is down: {reason}"))
        self._over(peer, reason)
        if not peer.hidden:
            self._sight -= {peer.name}
            self._views.lost(peer.name)
            for process in self._node_watchers:
                self._deliver(process, NodeDown(peer.name))

    def _over(self, peer: Peer, reason: str) -> None:
        """Nothing survives a session or a failed dial.  Exits and downs first, `nodedown` last."""
        peer.state = "gone"
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

    def _sever(self, process: Process, node: str) -> None:
        """Ends all bonds between a process and a node; what the process hears comes through the inbox."""
        for ref, watcher in list(process.monitored_by.items()):
            if watcher.pid.node == node:
                self._unwatch(ref)
        for ref, target in process.monitors.items():
            named, target_node = (
                (target[0], target[1]) if isinstance(target, tuple) else (target, target.node)
            )
            if target_node == node:
                self._inbox.append(Down(process.pid, ref, named, "noconnection"))
        for other in process.links.node_lost(node):
            self._inbox.append(Exit(other, process.pid, "noconnection"))

    def _tell_connected(self, waiters: Iterable[object | None], *, ok: bool, reason: str = "") -> None:
        for waiter in waiters:
            if waiter is not None:
                self.effects.append(Connected(waiter, ok, reason))

    # ------------------------------------------------------------ who is connected, and who wants to know

    def nodes(self, kinds: Iterable[str]) -> list[str]:
        """The nodes of any of the kinds, sorted.

        Args:
            kinds: `"this"`; `"visible"`, `"hidden"` (connected nodes), `"connected"` (both of these);
                `"known"` (every node ever mentioned).

        Raises:
            ValueError: another word.
        """
        names: set[str] = set()
        for kind in kinds:
            match kind:
                case "this":
                    names.add(self.name or NO_NODE)
                case "visible":
                    names.update(peer.name for peer in self._visible())
                case "hidden":
                    names.update(
                        peer.name for peer in self._peers.values() if peer.state == "up" and peer.hidden
                    )
                case "connected":
                    names.update(peer.name for peer in self._peers.values() if peer.state == "up")
                case "known":
                    names.update(self._known, [self.name or NO_NODE])
                case _:
                    msg = f"{kind!r} is no kind of node: {', '.join(KINDS)}"
                    raise ValueError(msg)
        return sorted(names)

    def _visible(self) -> list[Peer]:
        return [peer for peer in self._peers.values() if peer.state == "up" and not peer.hidden]

    def monitor_node(self, process: Process, node: str, on: bool) -> None:
        """One more `nodedown` for the process when that node is lost, or one less.

        It comes at once when the node is out of reach.
        """
        counts = process.node_monitors
        if self.is_here(node) or not process.alive:
            return  # this node is never down while somebody here could hear it
        if on:
            if self._reach(node) is None:
                self._deliver(process, NodeDown(node))
                return
            counts[node] = counts.get(node, 0) + 1
            self._bind(process, node)
        elif node in counts:
            counts[node] -= 1
            if not counts[node]:
                del counts[node]

    def monitor_nodes(self, process: Process, on: bool) -> None:
        """Tells the process of every visible node that comes and goes, or no longer; does not stack."""
        process.wants_nodes = on
        if on and process.alive:
            self._node_watchers[process] = None
        else:
            self._node_watchers.pop(process, None)
