"""Real processes on real nodes, for the threaded twin of the simulator: what each does and receives.

A member sends numbers to others, monitors them, links to them, takes all that back, asks nodes, all by
chance; it notes everything it receives that breaks a promise.  Kills, cuts and restarts: `test_threads.py`.
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
    """The node and pid of a member, and the incarnation of its node when it began."""

    node: LocalNode
    pid: Pid
    incarnation: tuple[str, int]

    def seen_by(self, viewer: LocalNode) -> Pid:
        """Its pid as another node writes it."""
        return self.pid if viewer is self.node else Pid(self.pid.number, self.pid.serial, *self.incarnation)


class Population:
    """All members, dead ones too.

    Args:
        seed: decides what they do; the threads decide when.
    """

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.is_over = False
        """True when members only receive from now on."""
        self.members: list[Member] = []
        self.violations: list[str] = []

    def join(self, node: LocalNode) -> Member:
        """Starts a member on a node."""
        member = Member(self, node, len(self.members))
        self.members.append(member)
        node.sending.send(member.address.pid, "begin")
        return member

    @property
    def acts(self) -> int:
        """The number of acts of all members."""
        return sum(member.acts for member in self.members)


class Member:
    """One process, and its records, which outlive it."""

    def __init__(self, population: Population, node: LocalNode, number: int) -> None:
        self.population = population
        self.node = node
        self.number = number
        self.address: Address
        self.acts = 0
        self.is_quiet = False
        self._random = Random(population.random.random())
        self._traps = self._random.random() < 0.6
        self._sent: dict[int, int] = {}
        """Member -> the last number sent to it."""
        self._received: dict[int, int] = {}
        """Member -> the last number received from it."""
        self._ended: set[int] = set()
        self.watches: dict[Ref, int] = {}
        """Its monitors that have not fired -> the watched member."""
        self._fired: set[Ref] = set()
        self._lost: dict[str, int] = {}
        """Node -> the number of `nodedown` it may get."""
        program = self._run_as_task if self._random.random() < 0.3 else self._run
        incarnation = (node.kernel.tables.name, node.kernel.tables.creation)
        self.address = Address(node, node.processes.spawn(program, ())[0], incarnation)

    def __repr__(self) -> str:
        return f"member {self.number} on {self.node.kernel.tables.name}"

    @property
    def is_alive(self) -> bool:
        """True while its process lives."""
        return self.node.kernel.tables.find(self.address.pid) is not None

    # ------------------------------------------------------------ its code

    def _run(self) -> None:
        receive("begin")
        Process.flag("trap_exit", self._traps)
        while not self.population.is_over:
            try:
                while True:
                    self._receive(receive(timeout=0))
            except ReceiveTimeout:
                self._act(may_wait=True)
        self.is_quiet = True
        while (message := receive()) != "leave":
            self._receive(message)

    async def _run_as_task(self) -> None:
        await aio.receive("begin")
        Process.flag("trap_exit", self._traps)
        while not self.population.is_over:
            try:
                while True:
                    self._receive(await aio.receive(timeout=0))
            except ReceiveTimeout:
                self._act(may_wait=False)
            await aio.sleep(0)
        self.is_quiet = True
        while (message := await aio.receive()) != "leave":
            self._receive(message)

    # ------------------------------------------------------------ what it receives

    def _violated(self, words: str) -> None:
        self.population.violations.append(f"{self}: {words}")

    def _receive(self, message: Any) -> None:
        match message:
            case ("number", int(sender), int(to), int(number)):
                if to != self.number:
                    self._violated(f"got what {sender} sent to {to}")
                self._receive_number(sender, number)
            case ("EXIT", pid, ("number", int(sender), self.number, int(number))) if pid == self._pid(sender):
                self._receive_number(sender, number)  # a signal to this member; others may have such a reason
            case ("EXIT", _, _):
                if not self._traps:
                    self._violated(f"got {message} without trapping exits")
            case ("DOWN", ref, "process", _, reason):
                self._receive_down(ref, reason)
            case ("nodedown", name):
                self._lost[name] = self._lost.get(name, 0) - 1
                if self._lost[name] < 0:
                    self._violated(f"got nodedown {name} once too often")
            case _:
                self._violated(f"got {message}, which no member sends")

    def _pid(self, number: int) -> Pid:
        return self.population.members[number].address.seen_by(self.node)

    def _receive_number(self, sender: int, number: int) -> None:
        latest = self._received.get(sender, 0)
        if number <= latest:
            self._violated(f"got {number} of {sender} after {latest}")
        if sender in self._ended:
            self._violated(f"got {number} of {sender} after its end")
        if self.population.members[sender].node is self.node and number != latest + 1:
            self._violated(f"got {number} of {sender}, on the same node, after {latest}")
        self._received[sender] = number

    def _receive_down(self, ref: Ref, reason: Any) -> None:
        if ref in self._fired or ref not in self.watches:
            self._violated(f"got a DOWN of {ref} again, or without a monitor ({reason})")
            return
        self._fired.add(ref)
        watched = self.watches.pop(ref)
        if reason not in {
            "noconnection",
            "noproc",
        }:  # with these two it may live, on a later incarnation of its node
            self._ended.add(watched)

    # ------------------------------------------------------------ what it does

    def _act(self, *, may_wait: bool) -> None:
        self.acts += 1
        other = self._random.choice(self.population.members[-24:])
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
        self._sent[other.number] = number = self._sent.get(other.number, 0) + 1
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
                self._violated("was refused a link, though it traps exits")

    def _ask(self, node: str) -> None:
        if self._random.random() < 0.5:
            Node.ping(node)
            return
        try:
            if rpc.call(node, "operator", "add", [self.number, 1], timeout=30) != self.number + 1:
                self._violated(f"got another's answer from {node}")
        except RpcError:
            pass

    def _watch_node(self, node: str) -> None:
        self._lost[node] = self._lost.get(node, 0) + 1
        with contextlib.suppress(NodeNotAlive):  # it has just stopped, and will start again
            Node.monitor(node, True)
