"""Whom this node sees, and who is told of it: lists of nodes, node monitors, and what visible peers tell each
other.

The fourth layer of the kernel.  Visible nodes tell each other whom they see: at the beginning of a session,
so joining one joins all, and at a tick when that has changed, so that whoever sees both halves of a partition
can say so (`partitions.py`).  Not here: how sessions begin and end (`mesh.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyx.core.effects import Log
from pyx.core.mailbox import NodeDown, NodeUp
from pyx.core.partitions import PartitionDetector
from pyx.core.requests import Requests
from pyx.core.routing import NO_NODE
from pyx.signals import MOST_NODES, Nodes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyx.core.peers import Peer
    from pyx.core.processes import ProcessRecord
    from pyx.signals import Reason

MOST_FOLLOWED: Final = 8
"""So many nodes that one peer has named are dialled at a time."""

KINDS: Final = ("this", "visible", "hidden", "connected", "known")


class Membership(Requests):
    """Who is connected, and who wants to know."""

    def __init__(self, *, policy: str = "open") -> None:
        super().__init__(policy=policy)
        self._node_watchers: Final[dict[ProcessRecord, None]] = {}
        """Processes that asked for `nodeup` and `nodedown` of all nodes."""
        self._sight: frozenset[str] = frozenset()
        """The visible nodes this one is connected to."""
        self._views: Final = PartitionDetector()

    # ------------------------------------------------------------ asked by the faces

    def nodes(self, kinds: Iterable[str]) -> list[str]:
        """The nodes of any of the kinds, sorted.

        Args:
            kinds: `"this"`; `"visible"`, `"hidden"` (connected nodes), `"connected"` (both of these);
                `"known"` (the nodes mentioned lately, 4096 of them at most).

        Raises:
            ValueError: another word.
        """
        names: set[str] = set()
        for kind in kinds:
            match kind:
                case "this":
                    names.add(self.name or NO_NODE)
                case "visible":
                    names.update(self._sight)
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

    def being_dialled(self) -> list[str]:
        """The nodes whose dial is under way, sorted."""
        return sorted(peer.name for peer in self._peers.values() if peer.state == "dialling")

    def partitions(self) -> list[tuple[str, str]]:
        """The pairs of visible peers that do not see each other (for some time), sorted."""
        return self._views.partitions()

    def monitor_node(self, process: ProcessRecord, node: str, on: bool) -> None:
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

    def monitor_nodes(self, process: ProcessRecord, on: bool) -> None:
        """Tells the process of every visible node that comes and goes, or no longer; does not stack."""
        process.wants_nodes = on
        if on and process.alive:
            self._node_watchers[process] = None
        else:
            self._node_watchers.pop(process, None)

    def _end(self, process: ProcessRecord, reason: Reason) -> None:
        super()._end(process, reason)
        self._node_watchers.pop(process, None)

    # ------------------------------------------------------------ what the mesh sees

    def _came_in_sight(self, peer: Peer) -> None:
        """A session with a visible node stands."""
        self._sight |= {peer.name}
        self._tell_sight(peer)
        for process in self._node_watchers:
            self._deliver(process, NodeUp(peer.name))

    def _out_of_sight(self, peer: Peer) -> None:
        """A session with a visible node is over, and all else that follows from that has been said."""
        self._sight -= {peer.name}
        self._views.lost(peer.name)
        for process in self._node_watchers:
            self._deliver(process, NodeDown(peer.name))

    def _told_of(self, peer: Peer, names: tuple[str, ...]) -> None:
        """A visible peer names the nodes it sees.

        The first time in a session this node dials those it lacks.  Later words are for the views only: they
        are no reason to dial anew what was given up, and this node answers with its own news, if it has any.
        """
        for name in names:
            self._known.add(name)
        if not self._views.said(peer.name, names):
            if peer.told != self._sight:
                self._tell_sight(peer)
            return
        peer.invitations.extend(name for name in names if not self.is_here(name))
        self._follow_invitations(peer)

    def _follow_invitations(self, peer: Peer) -> None:
        """Dials the nodes that a peer has named, a few at a time: they need not be there."""
        while peer.invitations and peer.followed < MOST_FOLLOWED and peer.state == "up":
            name = peer.invitations.popleft()
            invited = self._reach(name, quiet=True) if name not in self._peers else None
            if invited is not None:
                invited.invited_by = peer
                peer.followed += 1

    def _dial_is_over(self, peer: Peer) -> None:
        """A dial has led to a session, or to nothing."""
        inviter, peer.invited_by = peer.invited_by, None
        if inviter is not None:
            inviter.followed -= 1
            self._follow_invitations(inviter)

    def _tell_sight(self, peer: Peer) -> None:
        peer.told = self._sight
        self._enqueue(peer, Nodes(tuple(sorted(self._sight - {peer.name})[:MOST_NODES])))

    def _look_around(self, now: float, patience: float) -> None:
        """Says which peers do not see each other, once, when that has been so for *patience* seconds.

        That is the tick time: by then whoever dies is lost to all, and whoever joins has joined.  Peers that
        tick more slowly are asked, because their own word may come too late.
        """
        lately = now - patience * 3 / 4  # who lives was heard since, if only because it was asked
        quiet = {peer.name for peer in self._peers.values() if peer.state == "up" and peer.heard <= lately}
        doubted, apart, healed = self._views.look(now, patience, quiet)
        for name in sorted({name for pair in doubted for name in pair}):
            self._tell_sight(self._peers[name])  # who hears news answers with news
        for one, other in apart:
            words = f"{one} and {other} do not see each other, though this node sees both"
            self.effects.append(Log("warning", words))
        for one, other in healed:
            self.effects.append(Log("info", f"{one} and {other} see each other again"))
