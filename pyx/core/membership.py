"""Cluster membership: visible, hidden and known nodes, node monitors, the node lists that peers exchange.

Visible nodes tell each other which visible nodes they are connected to: at the beginning of a session, so
that joining one member joins all, and at a tick when that has changed, so that a node that sees both halves
of a partition can report it (`partitions.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from pyx.core.effects import Log
from pyx.core.mailbox import VISIBLE_NODES, NodeDown, NodeUp
from pyx.core.partitions import PartitionDetector
from pyx.core.processes import NOTHING
from pyx.core.tables import NO_NODE
from pyx.signals import MOST_NODES, Nodes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyx.core.mailbox import NodedownReason, NodeInterest
    from pyx.core.peers import Peer
    from pyx.core.processes import ProcessRecord
    from pyx.core.routing import Router
    from pyx.core.tables import Tables

MAX_INVITED_DIALS: Final = 8
"""Dials at a time to nodes that one peer has named."""

KINDS: Final = ("this", "visible", "hidden", "connected", "known")


class Membership:
    """Notes which nodes are connected, and tells processes and peers of changes."""

    def __init__(self, tables: Tables, router: Router) -> None:
        self._tables = tables
        self._router = router
        self.visible: frozenset[str] = frozenset()
        """The visible nodes this one is connected to."""
        self.partition_detector: Final = PartitionDetector()

    # ------------------------------------------------------------ asked by the public modules

    def nodes(self, kinds: Iterable[str]) -> list[str]:
        """Returns the nodes of any of the kinds, sorted.

        Args:
            kinds: `"this"`; `"visible"`, `"hidden"` (connected nodes), `"connected"` (both of these);
                `"known"` (the nodes mentioned lately, 4096 of them at most).

        Raises:
            ValueError: another word.
        """
        peers = self._tables.peers.values()
        this = self._tables.name or NO_NODE
        names: set[str] = set()
        for kind in kinds:
            match kind:
                case "this":
                    names.add(this)
                case "visible":
                    names.update(peer.name for peer in peers if peer.is_ready and not peer.hidden)
                case "hidden":
                    names.update(peer.name for peer in peers if peer.state == "up" and peer.hidden)
                case "connected":
                    names.update(peer.name for peer in peers if peer.is_ready)
                case "known":
                    names.update(self._tables.known_nodes, [this])
                case _:
                    msg = f"{kind!r} is not a kind of node: {', '.join(KINDS)}"
                    raise ValueError(msg)
        return sorted(names)

    def being_dialled(self) -> list[str]:
        """Returns the nodes whose dial is under way, sorted."""
        return sorted(peer.name for peer in self._tables.peers.values() if peer.state == "dialling")

    def partitions(self) -> list[tuple[str, str]]:
        """Returns the pairs of visible peers that have not seen each other for some time, sorted."""
        return self.partition_detector.partitions()

    def monitor_node(self, process: ProcessRecord, node: str, on: bool) -> None:
        """Adds (*on*) or takes back one `nodedown` message for the process when that node is lost.

        It comes at once when the node is out of reach.
        """
        counts = process.node_monitors
        if self._tables.is_here(node) or not process.alive:
            return  # this node is never down while a process here could hear of it
        if on:
            if self._router.reach(node) is None:
                self._router.deliver(process, NodeDown(node))
                return
            if counts is NOTHING:
                counts = process.node_monitors = {}
            counts[node] = counts.get(node, 0) + 1
            self._tables.add_dependent(process, node)
        elif node in counts:
            counts[node] -= 1
            if not counts[node]:
                del counts[node]

    def monitor_nodes(self, process: ProcessRecord, on: bool, interest: NodeInterest = VISIBLE_NODES) -> None:
        """Starts or stops the messages of every node that comes and goes; one interest does not stack."""
        watchers = self._tables.node_watchers
        if on and process.alive:
            watchers.setdefault(process, {})[interest] = None
        elif process in watchers:
            watchers[process].pop(interest, None)
            if not watchers[process]:
                del watchers[process]

    # ------------------------------------------------------------ called by `sessions.py`

    def session_began(self, peer: Peer) -> None:
        """Announces this node's visible nodes to a visible peer."""
        self.visible |= {peer.name}
        self.announce(peer)

    def peer_is_ready(self, peer: Peer) -> None:
        """Sends `nodeup` of a peer, whose holdings are in place if it is visible."""
        node_type = _type_of(peer)
        for process, interest in self._interested_in(peer):
            told = NodeUp(peer.name, node_type) if interest.with_facts else NodeUp(peer.name)
            self._router.deliver(process, told)

    def session_ended(self, peer: Peer, why: NodedownReason, *, was_ready: bool) -> None:
        """Sends `nodedown` of a peer, after everything else that follows from its loss.

        Without a `nodeup` before (the peer was never ready) there is none.
        """
        if not peer.hidden:
            self.visible -= {peer.name}
            self.partition_detector.lost(peer.name)
        if not was_ready:
            return
        node_type = _type_of(peer)
        for process, interest in self._interested_in(peer):
            told = NodeDown(peer.name, node_type, why) if interest.with_facts else NodeDown(peer.name)
            self._router.deliver(process, told)

    def _interested_in(self, peer: Peer) -> Iterator[tuple[ProcessRecord, NodeInterest]]:
        types = {"all", _type_of(peer)}
        for process, interests in self._tables.node_watchers.items():
            for interest in interests:
                if interest.node_type in types:
                    yield process, interest

    def dial_ended(self, peer: Peer) -> None:
        """Lets the next invited dial begin, after one that succeeded or failed."""
        inviter, peer.invited_by = peer.invited_by, None
        if inviter is not None:
            inviter.invited_dials -= 1
            self._follow_invitations(inviter)

    def announce(self, peer: Peer) -> None:
        """Tells a peer which visible nodes this one is connected to."""
        peer.announced = self.visible
        names = sorted(self.visible - {peer.name})[:MOST_NODES]
        self._router.enqueue(peer, Nodes(tuple(names)))

    def announce_changes(self, peer: Peer) -> None:
        """`announce`, if something has changed since the last time."""
        if peer.announced != self.visible:
            self.announce(peer)

    def nodes_received(self, peer: Peer, names: tuple[str, ...]) -> None:
        """Receives the names of the nodes that a visible peer sees.

        The first list of a session invites: this node dials those it lacks.  Later ones are for the partition
        detector only: a session that was given up is not dialled again for them.  They are answered with this
        node's own list if that has changed.
        """
        for name in names:
            self._tables.known_nodes.add(name)
        if not self.partition_detector.said(peer.name, names):
            self.announce_changes(peer)
            return
        peer.invitations.extend(name for name in names if not self._tables.is_here(name))
        self._follow_invitations(peer)

    def _follow_invitations(self, peer: Peer) -> None:
        """Dials the nodes that a peer has named, a few at a time: they may not exist."""
        while peer.invitations and peer.invited_dials < MAX_INVITED_DIALS and peer.state == "up":
            name = peer.invitations.popleft()
            invited = self._router.reach(name, quiet=True) if name not in self._tables.peers else None
            if invited is not None:
                invited.invited_by = peer
                peer.invited_dials += 1

    def look_for_partitions(self, now: float, patience: float, stood_still: float) -> None:
        """Logs each pair of peers that have not seen each other for *patience* seconds, once.

        That is the tick time: by then every node that dies is lost to all, and every node that joins has
        joined.  Peers that tick more slowly are asked, because their own announcement may come too late.
        *stood_still* seconds, in which this node was frozen, do not count.
        """
        peers = self._tables.peers
        lately = now - patience * 3 / 4  # a live peer was heard since, if only because it was asked
        quiet = {peer.name for peer in peers.values() if peer.state == "up" and peer.last_received <= lately}
        self.partition_detector.stood_still(stood_still)
        doubted, apart, healed = self.partition_detector.look(now, patience, quiet)
        for name in sorted({name for pair in doubted for name in pair}):
            self.announce(peers[name])  # a list that has changed is answered with one
        for one, other in apart:
            words = f"{one} and {other} do not see each other, though this node sees both"
            self._tables.effects.append(Log("warning", words))
        for one, other in healed:
            self._tables.effects.append(Log("info", f"{one} and {other} see each other again"))


def _type_of(peer: Peer) -> Literal["visible", "hidden"]:
    return "hidden" if peer.hidden else "visible"
