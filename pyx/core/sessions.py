"""The sessions with other nodes, from the first dial to their loss; their ticks.

Between two nodes there is one session, decided here: if both dial, the dial of the node with the greater name
counts; a new incarnation replaces the old one.  A healthy session is never cut on account of a third node.
See `node_loss.py` for what follows from the end of a session, and `membership.py` for what nodes tell each
other about third nodes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Literal

from pyx.core.effects import CancelDial, Flush, Hangup, Log, RetryAt, connect_outcomes
from pyx.core.peers import BEAM, LONGEST_HANDSHAKE_SECONDS, PYX, Decision
from pyx.core.requests import NOT_STARTED
from pyx.options import DEFAULT_TICK_SECONDS
from pyx.signals import Goodbye, Ping, Tick

if TYPE_CHECKING:
    from pyx.core.mailbox import NodedownReason
    from pyx.core.membership import Membership
    from pyx.core.node_loss import NodeLoss
    from pyx.core.peers import Peer
    from pyx.core.pending_requests import PendingRequests
    from pyx.core.process_signals import ProcessSignals
    from pyx.core.routing import Router
    from pyx.core.space_parts import SpaceParts
    from pyx.core.tables import Tables

LOST_DIAL_SECONDS: Final = 3 * LONGEST_HANDSHAKE_SECONDS
"""After this time a dial that has not ended is given up, so that nothing waits for it."""

UNASKED: Final = 0
"""The number of a ping at a tick: its answer has no waiter, it only shows that the peer lives."""


class Sessions:
    """Connects, accepts claims, loses sessions, ticks."""

    def __init__(
        self,
        tables: Tables,
        router: Router,
        spaces: SpaceParts,
        pending: PendingRequests,
        process_signals: ProcessSignals,
        membership: Membership,
        node_loss: NodeLoss,
    ) -> None:
        self._tables = tables
        self._router = router
        self._spaces = spaces
        self._pending = pending
        self._process_signals = process_signals
        self._membership = membership
        self._node_loss = node_loss
        self.tick_seconds = DEFAULT_TICK_SECONDS
        """A peer silent for this long is lost; ticks are sent every quarter of it, as in Erlang."""
        self._ticked: float | None = None
        """When `tick` was called last."""

    # ------------------------------------------------------------ dialling

    def connect(
        self,
        waiter: object | None,
        node: str,
        now: float,  # noqa: ARG002 - inputs take the time
        *,
        quiet: bool = False,
    ) -> None:
        """Asks for a session with a node, dialling it even in a back-off; the waiter gets one `Connected`.

        With *quiet* a failure is not logged: who asks reports it.
        """
        tables = self._tables
        if tables.is_here(node) or not tables.name:
            tables.effects.extend(
                connect_outcomes([waiter], ok=bool(tables.name), reason="" if tables.name else NOT_STARTED)
            )
            return
        peer = tables.peers.get(node) or self._router.dial(node, quiet=quiet)
        if not quiet:
            peer.quiet = False
        if peer.is_ready:
            tables.effects.extend(connect_outcomes([waiter], ok=True))
        else:
            peer.waiters.append(waiter)

    def dial_failed(self, node: str, reason: str, now: float, jitter: float = 0.0) -> None:
        """Ends a dial of this node: what was queued is lost, and a back-off begins (see `Backoff.failed`).

        Not to be called for a dial that was answered `simultaneous`, unless the other node's dial does not
        arrive within the time of a handshake.  Ignored when that dial is not wanted any more.
        """
        peer = self._tables.peers.get(node)
        if peer is None or peer.state != "dialling":
            return
        effects = self._tables.effects
        effects.append(RetryAt(node, self._tables.backoff.failed(node, reason, now, jitter)))
        effects.append(Log("info" if peer.quiet else "warning", f"cannot connect to {node}: {reason}"))
        self._node_loss.end_session(peer, reason)

    def dialling(self, node: str) -> int | None:
        """Returns the number of the session that a dial to a node is for; None when none is wanted.

        `Dial` and `CancelDial` say that this has changed.  Effects of two threads may change places, so the
        dialler obeys this rather than them: else a dial that is wanted could be cancelled, and never end.
        """
        peer = self._tables.peers.get(node)
        return peer.session if peer is not None and peer.state == "dialling" else None

    def signals_waiting(self) -> dict[str, int]:
        """Returns the number of signals queued for each node that is being dialled, where some are."""
        dials = [peer for peer in self._tables.peers.values() if peer.state == "dialling" and peer.out]
        return {peer.name: len(peer.out) for peer in dials}

    def backoff_ended(self, node: str) -> None:
        """Ends the back-off of a node at the time named by `RetryAt`: the next message for it dials again."""
        self._tables.backoff.ended(node)

    # ------------------------------------------------------------ sessions begin

    def preview(self, name: str) -> Literal["ok", "ok_simultaneous", "nok", "alive"]:
        """Returns what a node of that name would be answered now, in the words of Erlang's handshake.

        Erlang's acceptor says so before the proof, so nothing changes here: `peer_claimed` decides.
        """
        peer = self._tables.peers.get(name)
        if peer is None:
            return "ok"
        if peer.state == "up":
            return "alive"
        return "nok" if self._tables.name > name else "ok_simultaneous"

    def peer_claimed(
        self, name: str, creation: int, *, hidden: bool, now: float, dialect: str = PYX
    ) -> Decision:
        """Decides on a node that dialled this one and was authenticated.

        On `"accept"` the session is up: attach the connection to `peer`, then flush it (the `Flush` among the
        effects may come too early).
        """
        tables = self._tables
        if not tables.name:
            return Decision("refused", reason=NOT_STARTED)
        if name == tables.name:
            return Decision("refused", reason="it bears this node's own name")
        peer = tables.peers.get(name)
        if peer is not None and peer.state == "dialling":
            if tables.name > name:
                return Decision("simultaneous", reason="our own dial to it goes first")
            tables.effects.append(CancelDial(name))
            peer.dialled = False
        elif peer is not None:
            if peer.creation == creation and self._may_have_crossed(peer, now):
                return Decision("refused", reason="connected already")
            self._replace(peer, creation)
            peer = None
        if peer is None:
            peer = self._router.new_session(name, dialled=False)
        self._session_up(peer, creation, hidden=hidden, now=now, dialect=dialect)
        return Decision("accept", peer)

    def peer_up(self, name: str, creation: int, *, hidden: bool, now: float, dialect: str = PYX) -> Decision:
        """Begins the session with a node that this one dialled; `"refused"` when it is no longer wanted."""
        peer = self._tables.peers.get(name)
        if peer is not None and peer.state == "up" and peer.creation != creation:
            self._replace(peer, creation)
            peer = self._router.new_session(name, dialled=True)
        if peer is None or peer.state != "dialling":
            return Decision("refused", reason="connected already" if peer is not None else "no longer wanted")
        self._session_up(peer, creation, hidden=hidden, now=now, dialect=dialect)
        return Decision("accept", peer)

    def _may_have_crossed(self, peer: Peer, now: float) -> bool:
        """Returns whether this claim, of the connected incarnation, may be older than the session.

        Only one way: both dialled, theirs has lost (the lesser name), they accepted ours and gave theirs up,
        which this node cannot see yet.  Any other second claim says that they have lost the session.
        """
        return peer.dialled and self._tables.name > peer.name and now - peer.since < LONGEST_HANDSHAKE_SECONDS

    def _replace(self, peer: Peer, creation: int) -> None:
        reason = "it dialled anew" if peer.creation == creation else "another incarnation of it has come"
        self.lose(peer, reason)
        self._tables.effects.append(Hangup(peer, gracefully=False))

    def _session_up(self, peer: Peer, creation: int, *, hidden: bool, now: float, dialect: str = PYX) -> None:
        effects = self._tables.effects
        peer.state = "up"
        peer.dialect = dialect
        peer.creation = creation
        peer.hidden = hidden or self._tables.hidden
        peer.since = peer.last_received = peer.last_piece = now
        self._tables.known_nodes.add(peer.name)
        self._tables.backoff.forget(peer.name)
        self._membership.dial_ended(peer)
        effects.append(Log("info", f"node {peer.name} is up"))
        if peer.shares_holdings:
            self._spaces.groups.session_began(peer)
        if not peer.hidden:
            self._spaces.groups.send_holdings(peer)
            self._membership.session_began(peer)
            return
        if dialect == BEAM:
            self._spaces.groups.introduce(peer)
        if peer.out or peer.out.first:
            peer.sent_since_tick = True
            effects.append(Flush(peer))
        self._membership.peer_is_ready(peer)
        self._ready(peer)

    def holdings_are_here(self, peer: Peer) -> None:
        """Makes it known that a visible peer is up, now that all that its processes hold is in place."""
        peer.is_ready = True
        self._spaces.groups.announce(peer)
        self._router.precede_node(peer.name, self._tables.node_watchers)
        self._membership.peer_is_ready(peer)
        self._ready(peer)

    def _ready(self, peer: Peer) -> None:
        peer.is_ready = True
        self._tables.effects.extend(connect_outcomes(peer.waiters, ok=True))
        peer.waiters = []
        for number in peer.early_pongs:
            self._pending.answered(peer, number, "pong", None)
        peer.early_pongs.clear()

    # ------------------------------------------------------------ sessions end

    def peer_lost(self, peer: Peer, reason: str, now: float) -> None:  # noqa: ARG002 - inputs take the time
        """Ends a session whose connection broke; ignored when the session is over already."""
        if peer.state == "up":
            self.lose(peer, reason)

    def disconnect(self, node: str, why: NodedownReason = "disconnect") -> bool:
        """Ends the session with a node, or gives a dial up; False when there is neither."""
        peer = self._tables.peers.get(node)
        if peer is None:
            return False
        if peer.state == "dialling":
            self._tables.effects.append(CancelDial(node))
            self._node_loss.end_session(peer, "the dial was given up")
        else:
            self._process_signals.settle_all()  # the ends of processes are told before this node leaves
            peer.out.put(Goodbye())
            self.lose(peer, "disconnected", why)
            self._tables.effects.append(Hangup(peer, gracefully=True))
        return True

    def tick(self, now: float) -> None:
        """Sends ticks, and ends sessions with silent peers; to be called every quarter of `tick_seconds`."""
        # A late tick shows that this node stood still: the peers' silence meanwhile does not count, as what
        # they sent may wait unread.
        late = math.inf if self._ticked is None else max(0.0, now - self._ticked - self.tick_seconds / 4)
        self._ticked = now
        self._tables.backoff.expire(now)
        self._membership.look_for_partitions(now, self.tick_seconds, late)
        for peer in list(self._tables.peers.values()):
            if peer.state != "up":
                self._wait_for_dial(peer, now)
                continue
            peer.last_received = min(now, peer.last_received + late)
            if now - peer.last_received >= self.tick_seconds:
                self._tables.effects.append(Log("error", f"node {peer.name} not responding"))
                self.lose(peer, "not responding", "net_tick_timeout")
                self._tables.effects.append(Hangup(peer, gracefully=False))
                continue
            if not peer.is_ready and now - peer.last_piece >= self.tick_seconds + late:
                self.lose(peer, "it does not say what its processes hold")
                self._tables.effects.append(Hangup(peer, gracefully=False))
                continue
            if not peer.hidden:
                self._membership.announce_changes(peer)
            if peer.dialect == BEAM:
                self._spaces.groups.discover(peer)
            if now - peer.last_received >= self.tick_seconds / 2:  # it may tick more slowly than this node
                self._router.enqueue(peer, Ping(UNASKED))
            elif not peer.sent_since_tick or peer.dialect == BEAM:  # an Erlang node may tick more quickly
                self._router.enqueue(peer, Tick())
            peer.sent_since_tick = False

    def _wait_for_dial(self, peer: Peer, now: float) -> None:
        """Fails a dial that takes too long: one that works ends by itself long before."""
        if not peer.last_received:
            peer.last_received = now
        elif now - peer.last_received >= LOST_DIAL_SECONDS:
            self._tables.effects.append(CancelDial(peer.name))
            self.dial_failed(peer.name, "the dial came to no end", now)

    def lose(self, peer: Peer, reason: str, why: NodedownReason = "connection_closed") -> None:
        """Ends a session that was up, and announces that to the processes that watch.

        Args:
            peer: the session.
            reason: for the log and for requests that wait.
            why: for `Node.monitor_nodes`.
        """
        was_ready = peer.is_ready
        self._tables.effects.append(Log("info", f"node {peer.name} is down: {reason}"))
        self._node_loss.end_session(peer, reason)
        self._membership.session_ended(peer, why, was_ready=was_ready)
