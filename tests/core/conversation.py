"""Several real kernels in one thread, with queues carried by hand and the time given by the test.

`carry` takes the place of sockets, sessions and handshakes: it obeys `Dial`, rewrites pids as the wire does
(own ones are local, others name their node), and keeps every effect in `Node.seen`.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from pyx.core.effects import Dial, Hangup
from pyx.core.kernel import Kernel
from pyx.signals import Payload
from pyx.terms import Incarnation, Pid, Ref

if TYPE_CHECKING:
    from pyx.core.effects import Effect
    from pyx.core.peers import Peer
    from pyx.core.processes import ProcessRecord


class Node(Kernel):
    """A kernel that keeps its effects."""

    def __init__(
        self, name: str = "", creation: int = 0, *, hidden: bool = False, policy: str = "open"
    ) -> None:
        super().__init__(policy=policy)
        self.seen: list[Effect] = []
        if name:
            self.node_started(name, creation, hidden=hidden)

    def process(self, **options: Any) -> ProcessRecord:
        """A new process."""
        return self.process_signals.process_started("def", **options)[0]

    def peer(self, name: str) -> Peer:
        """The session with that node."""
        return self.tables.peers[name]

    def saw(self, kind: type[Any]) -> list[Any]:
        """The effects of one kind, so far."""
        self.seen += self.router.collect()
        return [effect for effect in self.seen if type(effect) is kind]


class World:
    """Nodes that can reach each other."""

    def __init__(self, *names: str, hidden: tuple[str, ...] = (), policy: str = "open") -> None:
        self.now = 1000.0
        self.reachable = True
        self._nodes: dict[str, Node] = {}
        self._other_ends: dict[Peer, tuple[Node, Peer]] = {}
        self._creation = 0
        for name in names:
            self.start(name, hidden=name in hidden, policy=policy)

    def __getitem__(self, name: str) -> Node:
        return self._nodes[name]

    def start(self, name: str, *, hidden: bool = False, policy: str = "open") -> Node:
        """Starts a node, as a new incarnation."""
        self._creation += 1
        node = self._nodes[name] = Node(name, self._creation, hidden=hidden, policy=policy)
        return node

    def connect(self, *names: str) -> None:
        """Connects each node to the next."""
        for one, other in itertools.pairwise(names):
            self._nodes[one].sessions.connect(None, other, self.now)
        self.carry()

    @property
    def names(self) -> list[str]:
        """The names of the nodes."""
        return list(self._nodes)

    def carry_between(self, *names: str) -> None:
        """`carry` while all other nodes are frozen."""
        frozen = {name: self._nodes.pop(name) for name in self.names if name not in names}
        self.carry()
        self._nodes.update(frozen)

    def carry(self) -> None:
        """Handles effects and carries signals, until there are no more."""
        moving = True
        while moving:
            moving = False
            for node in list(self._nodes.values()):
                effects = node.router.collect()
                node.seen += effects
                for effect in effects:
                    moving = True
                    if isinstance(effect, Dial):
                        self._dial(node, effect.node)
                    elif isinstance(effect, Hangup) and effect.gracefully:
                        self._carry_queue(node, effect.peer)
                for peer in list(node.tables.peers.values()):
                    if peer.state == "up" and (peer.out or peer.out.first):
                        moving = True
                        self._carry_queue(node, peer)

    def _dial(self, node: Node, name: str) -> None:
        other = self._nodes.get(name)
        if node.tables.peers.get(name) is None or node.peer(name).state != "dialling":
            return  # cancelled meanwhile
        if other is None or not self.reachable:
            node.sessions.dial_failed(name, "no such name", self.now)
            return
        decision = other.sessions.peer_claimed(
            node.tables.name, node.tables.creation, hidden=node.tables.hidden, now=self.now
        )
        if decision.kind == "refused":
            node.sessions.dial_failed(name, decision.reason, self.now)
        elif decision.kind == "accept":
            answer = node.sessions.peer_up(
                other.tables.name, other.tables.creation, hidden=other.tables.hidden, now=self.now
            )
            assert answer.peer is not None
            assert decision.peer is not None
            self.join(node, answer.peer, other, decision.peer)

    def join(self, one: Node, one_peer: Peer, other: Node, other_peer: Peer) -> None:
        """Makes two sessions the ends of one connection."""
        self._other_ends[one_peer] = (other, other_peer)
        self._other_ends[other_peer] = (one, one_peer)

    def _carry_queue(self, node: Node, peer: Peer) -> None:
        there, other_end = self._other_ends[peer]
        origin = node.tables.here or Incarnation(
            other_end.name, other_end.creation
        )  # a goodbye after the stop
        signals = [travelled(signal, origin, there) for signal in (*peer.out.first, *peer.out)]
        peer.out.first.clear()
        peer.out.clear()
        peer.out.written = peer.out.enqueued
        there.signals_received(other_end, signals, self.now)

    def cut(self, one: str, other: str) -> None:
        """Breaks the connection between two nodes; both notice."""
        for node, name in ((self._nodes[one], other), (self._nodes[other], one)):
            node.sessions.peer_lost(node.peer(name), "cut", self.now)
        self.carry()

    def kill(self, name: str) -> None:
        """Ends a node without a goodbye; all others notice."""
        del self._nodes[name]
        for node in self._nodes.values():
            if name in node.tables.peers:
                node.sessions.peer_lost(node.peer(name), "connection closed", self.now)
        self.carry()


def travelled(value: Any, origin: Incarnation, there: Node) -> Any:
    """A signal as its receiver sees it."""
    if isinstance(value, (Pid, Ref)):
        incarnation = Incarnation(value.node, value.creation) if value.node else origin
        name, creation = ("", 0) if incarnation == there.tables.here else incarnation
        if isinstance(value, Ref):
            return Ref(value.number, name, creation)
        return Pid(value.number, value.serial, name, creation)
    if isinstance(value, Payload):
        return Payload(value.data, value.origin or origin)
    if isinstance(value, tuple):
        items = [travelled(item, origin, there) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    return value


def seen_from(viewer: Node, owner: Node, pid: Pid) -> Pid:
    """A pid of one node as another one writes it."""
    assert owner.tables.here is not None
    pid_there: Pid = travelled(pid, owner.tables.here, viewer)
    return pid_there


def messages(process: ProcessRecord) -> list[Any]:
    """The items in a mailbox, oldest first."""
    return process.mailbox.snapshot()
