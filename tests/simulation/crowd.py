"""A crowd of real processes on real nodes, for the threaded twin of the simulator: what each does and hears.

A member tells others numbers, watches them, links to them, takes all that back, asks nodes, all by chance; it
complains of whatever it hears that must not be.  Not here: kills, cuts and restarts (`test_threads.py`).
"""

from __future__ import annotations

import contextlib
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from pyx import Node, NodeNotAlive, NoProcess, Process, ReceiveTimeout, RpcError, aio, receive, rpc, send
from pyx.terms import Pid

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode
    from pyx.terms import Ref


class Address(NamedTuple):
    """Where a member is, as its own node knew when it began."""

    node: LocalNode
    pid: Pid
    incarnation: tuple[str, int]

    def seen_by(self, viewer: LocalNode) -> Pid:
        """Its pid as another node writes it."""
        return self.pid if viewer is self.node else Pid(self.pid.number, self.pid.serial, *self.incarnation)


class Crowd:
    """All members there ever were.

    Args:
        seed: decides what they do; when they do it, nobody does.
    """

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.is_over = False
        """Members only listen from now on."""
        self.members: list[Member] = []
        self.complaints: list[str] = []

    def join(self, node: LocalNode) -> Member:
        """A new member begins on a node."""
        member = Member(self, node, len(self.members))
        self.members.append(member)
        node.sending.send(member.address.pid, "begin")
        return member

    @property
    def acts(self) -> int:
        """How much has been done, by all."""
        return sum(member.acts for member in self.members)


class Member:
    """One process, and its diary, which outlives it."""

    def __init__(self, crowd: Crowd, node: LocalNode, number: int) -> None:
        self.crowd = crowd
        self.node = node
        self.number = number
        self.address: Address
        self.acts = 0
        self.is_quiet = False
        self._random = Random(crowd.random.random())
        self._traps = self._random.random() < 0.6
        self._told: dict[int, int] = {}
        """Whom it told, up to which number."""
        self._heard: dict[int, int] = {}
        """Whom it heard, up to which number."""
        self._ended: set[int] = set()
        self.watches: dict[Ref, int] = {}
        """Its monitors that have not fired -> whom they watch."""
        self._fired: set[Ref] = set()
        self._lost: dict[str, int] = {}
        """Node -> how many `nodedown` it may hear."""
        program = self._live_as_a_task if self._random.random() < 0.3 else self._live
        incarnation = (node.kernel.tables.name, node.kernel.tables.creation)
        self.address = Address(node, node.processes.spawn(program, ())[0], incarnation)

    def __repr__(self) -> str:
        return f"member {self.number} on {self.node.kernel.tables.name}"

    @property
    def is_alive(self) -> bool:
        """True while its process lives."""
        return self.node.kernel.tables.find(self.address.pid) is not None

    # ------------------------------------------------------------ its life

    def _live(self) -> None:
        receive("begin")
        Process.flag("trap_exit", self._traps)
        while not self.crowd.is_over:
            try:
                while True:
                    self._hear(receive(timeout=0))
            except ReceiveTimeout:
                self._act(may_wait=True)
        self.is_quiet = True
        while (message := receive()) != "leave":
            self._hear(message)

    async def _live_as_a_task(self) -> None:
        await aio.receive("begin")
        Process.flag("trap_exit", self._traps)
        while not self.crowd.is_over:
            try:
                while True:
                    self._hear(await aio.receive(timeout=0))
            except ReceiveTimeout:
                self._act(may_wait=False)
            await aio.sleep(0)
        self.is_quiet = True
        while (message := await aio.receive()) != "leave":
            self._hear(message)

    # ------------------------------------------------------------ what it hears

    def _complain(self, words: str) -> None:
        self.crowd.complaints.append(f"{self}: {words}")

    def _hear(self, message: Any) -> None:
        match message:
            case ("number", int(sender), int(to), int(number)):
                if to != self.number:
                    self._complain(f"heard what {sender} said to {to}")
                self._hear_number(sender, number)
            case ("EXIT", pid, ("number", int(sender), self.number, int(number))) if pid == self._pid(sender):
                self._hear_number(sender, number)  # a signal to this one; others have these as their reason
            case ("EXIT", _, _):
                if not self._traps:
                    self._complain(f"heard {message} without trapping exits")
            case ("DOWN", ref, "process", _, reason):
                self._hear_down(ref, reason)
            case ("nodedown", name):
                self._lost[name] = self._lost.get(name, 0) - 1
                if self._lost[name] < 0:
                    self._complain(f"heard nodedown {name} once too often")
            case _:
                self._complain(f"heard {message}, which nobody says")

    def _pid(self, number: int) -> Pid:
        return self.crowd.members[number].address.seen_by(self.node)

    def _hear_number(self, sender: int, number: int) -> None:
        latest = self._heard.get(sender, 0)
        if number <= latest:
            self._complain(f"heard {number} of {sender} after {latest}")
        if sender in self._ended:
            self._complain(f"heard {number} of {sender} after its end")
        if self.crowd.members[sender].node is self.node and number != latest + 1:
            self._complain(f"heard {number} of {sender}, on the same node, after {latest}")
        self._heard[sender] = number

    def _hear_down(self, ref: Ref, reason: Any) -> None:
        if ref in self._fired or ref not in self.watches:
            self._complain(f"heard of {ref} again, or for nothing ({reason})")
            return
        self._fired.add(ref)
        watched = self.watches.pop(ref)
        if reason not in {"noconnection", "noproc"}:  # of these two, its node may just have another life
            self._ended.add(watched)

    # ------------------------------------------------------------ what it does

    def _act(self, *, may_wait: bool) -> None:
        self.acts += 1
        other = self._random.choice(self.crowd.members[-24:])
        if other is self:
            return
        pid = other.address.seen_by(self.node)
        match self._random.randrange(24):
            case 0 | 1:
                self.watches[Process.monitor(pid)] = other.number
            case 2:
                self._take_back()
            case 3:
                self._link(pid)
            case 4 | 5:
                Process.unlink(pid)
            case 6:
                Process.exit(pid, self._next_number(other))
            case 7:
                Process.exit(pid, "normal") if not other._traps else None
            case 8:
                alias = Process.alias()
                send(alias, self._next_number(self))
                Process.unalias(alias)
            case 9 if may_wait:
                self._ask(other.address.incarnation[0])
            case 10:
                self._watch_node(other.address.incarnation[0])
            case _:
                send(pid, self._next_number(other))

    def _next_number(self, other: Member) -> tuple[str, int, int, int]:
        self._told[other.number] = number = self._told.get(other.number, 0) + 1
        return "number", self.number, other.number, number

    def _take_back(self) -> None:
        if self.watches:
            ref = self._random.choice(list(self.watches))
            Process.demonitor(ref, flush=True)
            del self.watches[ref]

    def _link(self, pid: Pid) -> None:
        try:
            Process.link(pid)
        except NoProcess:
            if self._traps:
                self._complain("was refused a link, though it traps exits")

    def _ask(self, node: str) -> None:
        if self._random.random() < 0.5:
            Node.ping(node)
            return
        try:
            if rpc.call(node, "operator", "add", [self.number, 1], timeout=30) != self.number + 1:
                self._complain(f"got another's answer from {node}")
        except RpcError:
            pass

    def _watch_node(self, node: str) -> None:
        self._lost[node] = self._lost.get(node, 0) + 1
        with contextlib.suppress(NodeNotAlive):  # it has just left, and will come back
            Node.monitor(node, True)
