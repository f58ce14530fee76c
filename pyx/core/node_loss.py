"""What follows from the loss of a node: its keys go, then DOWN and EXIT of its processes, `nodedown` last.

See `sessions.py` for when a session ends, and `membership.py` for `Node.monitor_nodes`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyx.core.effects import Resume, connect_outcomes
from pyx.core.mailbox import NodeDown
from pyx.core.processes import Watcher, address_of
from pyx.signals import Down, ExitSignal

if TYPE_CHECKING:
    from pyx.core.awaited_replies import AwaitedReplies
    from pyx.core.membership import Membership
    from pyx.core.peers import Peer
    from pyx.core.process_signals import ProcessSignals
    from pyx.core.processes import ProcessRecord
    from pyx.core.requests import Requests
    from pyx.core.routing import Router
    from pyx.core.space_parts import SpaceParts
    from pyx.core.tables import Tables


class NodeLoss:
    """Ends sessions and failed dials, with all that depends on them."""

    def __init__(
        self,
        tables: Tables,
        replies: AwaitedReplies,
        router: Router,
        spaces: SpaceParts,
        process_signals: ProcessSignals,
        requests: Requests,
        membership: Membership,
    ) -> None:
        self._tables = tables
        self._replies = replies
        self._router = router
        self._spaces = spaces
        self._process_signals = process_signals
        self._requests = requests
        self._membership = membership

    def end_session(self, peer: Peer, reason: str) -> None:
        """Ends all that depends on a session or a failed dial: keys, exits, downs; `nodedown` last."""
        tables = self._tables
        peer.state = "gone"
        peer.out.closed = True
        tables.effects.append(Resume(peer.out))
        del tables.peers[peer.name]
        if peer.holdings is None:
            peer.is_ready = False
        else:
            self._spaces.groups.peer_lost(peer)
        self._router.precede_node(peer.name, {**peer.dependents, **tables.node_watchers})
        for process in list(peer.dependents):
            self.sever(process, peer.name)
        self._process_signals.settle()
        self._requests.fail_all(peer, reason)
        self._replies.peer_lost(peer, reason)
        self.send_nodedown(peer)
        tables.effects.extend(connect_outcomes(peer.waiters, ok=False, reason=reason))
        self._membership.dial_ended(peer)

    def send_nodedown(self, peer: Peer) -> None:
        """Delivers `nodedown` as often as each process has monitored the node."""
        for process in peer.dependents:
            if process.alive:  # the exits may have ended it
                for _ in range(process.node_monitors.pop(peer.name, 0)):
                    self._router.deliver(process, NodeDown(peer.name))

    def sever(self, process: ProcessRecord, node: str) -> None:
        """Ends all links and monitors between a process and a node; their signals go through the inbox."""
        tables = self._tables
        if process.callers:
            self._replies.caller_lost(process, node)
        for watcher in list(process.monitored_by):
            if watcher.pid.node == node:
                tables.monitors.remove(watcher)
        for ref, target in process.monitors.items():
            named, target_node = address_of(target)
            is_here = Watcher(process.pid, ref) in tables.monitors  # from when this node had that name
            if target_node == node and not is_here:
                tables.inbox.append(Down(process.pid, ref, named, "noconnection"))
        for other in process.links.node_lost(node):
            tables.inbox.append(ExitSignal(other, process.pid, "noconnection"))
