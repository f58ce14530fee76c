"""The tables of one node's kernel, in one object that all parts of the kernel share.

A part keeps to itself what no other part needs; everything else stands here.
"""

from __future__ import annotations

import itertools
from collections import deque
from typing import TYPE_CHECKING, Final

from pyx.core.backoff import Backoff
from pyx.core.console_queue import ConsoleQueue
from pyx.core.exit_notices import ExitNotices
from pyx.core.fan_outs import FanOuts
from pyx.core.known_nodes import KnownNodes
from pyx.core.monitors import MonitorTable
from pyx.core.processes import ProcessTable
from pyx.terms import Pid, Ref

if TYPE_CHECKING:
    from pyx.core.effects import Effect
    from pyx.core.mailbox import NodeInterest
    from pyx.core.peers import Peer
    from pyx.core.processes import ProcessRecord
    from pyx.core.spaces import Space
    from pyx.signals import Signal
    from pyx.terms import Incarnation

NO_NODE: Final = "nonode@nohost"
"""The name of a node that is not started, as in Erlang."""

THE_NODE: Final = Pid(0)
"""`#PID<0.0.0>`: the sender where no process is one, and the leader of what prints on the node's output."""


class Tables:
    """The identity of this node, its processes, peers and queues.

    The containers are never replaced, so that a part may keep a reference to one.

    Args:
        policy: one of `options.RPC_POLICIES`: which code peers may run here.
    """

    def __init__(self, *, policy: str) -> None:
        self.name = ""
        """The node's full name; "" until it is started, when it cannot have peers."""
        self.creation = 0
        self.hidden = False
        self.here: Incarnation | None = None
        """Name and creation; None until the node is started."""
        self.set_policy(policy)
        self.effects: Final[list[Effect]] = []
        """The effects of the kernel calls since the last `Router.collect`."""
        self.console: Final = ConsoleQueue()
        """Lines for the node's own output: (pid that printed them, whole lines)."""
        self.processes: Final = ProcessTable()
        self.names: Final[dict[str, ProcessRecord]] = {}
        """Registered names; `ProcessRecord.name` is the other half."""
        self.aliases: Final[dict[int, ProcessRecord]] = {}
        """By the number of the reference; `ProcessRecord.aliases` is the other half."""
        self.spaces: Final[dict[str, Space]] = {}
        """By name; `ProcessRecord.holdings` is the other half."""
        self.monitors: Final = MonitorTable()
        self.node_watchers: Final[dict[ProcessRecord, dict[NodeInterest, None]]] = {}
        """Processes that asked for `nodeup` and `nodedown` of all nodes, and for which."""
        self.peers: Final[dict[str, Peer]] = {}
        """By name: one session each, dialling or up."""
        self.backoff: Final = Backoff()
        self.known_nodes: Final = KnownNodes()
        self.inbox: Final[deque[Signal]] = deque()
        """Signals between processes of this node; each kernel call applies all of them before it returns."""
        self.exit_notices: Final = ExitNotices()
        self.fan_outs: Final = FanOuts()
        """Broadcasts that are not delivered to all subscribers yet."""
        self.unanswered_calls: Final[dict[tuple[str, int], ProcessRecord]] = {}
        """By the caller's node and the number of the reference: the server of this node that a process of
        another one has called; `ProcessRecord.callers` is the other half."""
        self.numbers: Final = itertools.count(1)
        """Numbers of references and requests to come: `next` returns one that neither has had."""

    # ------------------------------------------------------------ identity

    def set_policy(self, policy: str) -> None:
        """Sets the policy on code of a peer's choice: one of `options.RPC_POLICIES`."""
        self.policy = policy
        self.trusts_peers = policy == "open"
        """True if functions and classes in messages of peers arrive as themselves."""

    def is_here(self, node: str) -> bool:
        """True for the names of this node: "" and its own (`nonode@nohost` while it is not started)."""
        return not node or node == (self.name or NO_NODE)

    # ------------------------------------------------------------ processes

    def find(self, pid: Pid) -> ProcessRecord | None:
        """Returns the live process of a pid; None for one of another node, or another start of this one."""
        if pid.node and (pid.node != self.name or pid.creation != self.creation):
            return None
        process = self.processes.get(pid.number)
        return process if process is not None and process.pid.serial == pid.serial else None

    def has_ended(self, pid: Pid) -> bool:
        """True for a process of this node that has ended, though its thread may not have noticed yet."""
        return pid.number not in self.processes and pid != THE_NODE

    def dead_pid(self) -> Pid:
        """Returns a pid that no process has, had or will have."""
        return self.processes.new_pid()

    def make_ref(self) -> Ref:
        """Returns a reference that was never made before."""
        return Ref(next(self.numbers))

    # ------------------------------------------------------------ peers

    def add_dependent(self, process: ProcessRecord, node: str) -> None:
        """Notes that the loss of *node* concerns *process*; nothing for this node or one without session."""
        peer = self.peers.get(node)
        if peer is not None:
            peer.dependents[process] = None
