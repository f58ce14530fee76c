"""Requests: calls, spawns, questions and pings, each with a number, each answered once or abandoned.

The third layer of the kernel.  A waiter is any object of the runtime's; it comes back in an `Answered`.  A
request to this node takes the same way, less the wire.  Not here: running anything (`StartProcess`,
`Inquire` ask the runtime to).
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final, NamedTuple

from pyx.core.effects import Answered, Inquire, StartProcess
from pyx.core.mailbox import Downed
from pyx.core.process_signals import ProcessSignals
from pyx.core.processes import Caller, Watcher
from pyx.core.routing import THE_NODE
from pyx.options import RPC_POLICIES
from pyx.signals import Answer, Ask, Call, Demonitor, ExitSignal, Payload, Ping, Spawn, Spawned

if TYPE_CHECKING:
    from pyx.core.peers import Peer
    from pyx.core.processes import ProcessRecord
    from pyx.signals import Reason, Signal
    from pyx.terms import Pid, Ref

RUNS_CODE: Final = frozenset({Call, Spawn})
"""The requests that run code of the peer's choice; the others observe, which every policy allows."""

NONSENSE: Final = "nonsense"
"""The outcome of a request that its peer answered with something else; the body says what was asked."""

UNNAMED: Final = "this process is not a node"


class _PendingRequest(NamedTuple):
    """Who waits for which node's answer, and for a spawn what to bind to the new process."""

    waiter: object
    peer: Peer | None
    kind: type[Signal]
    spawner: Pid | None = None
    link: bool = False
    monitor: Ref | None = None


class Requests(ProcessSignals):
    """Asking, answering, giving up."""

    def __init__(self, *, policy: str = "open") -> None:
        super().__init__()
        if policy not in RPC_POLICIES:
            msg = f"policy {policy!r} is none of {', '.join(RPC_POLICIES)}"
            raise ValueError(msg)
        self.policy = policy
        self._numbers: Final = itertools.count(1)
        self._pending: Final[dict[int, _PendingRequest]] = {}

    def allowed(self, kind: type[Signal], *, marked: bool | None = None) -> bool:
        """The gate: may a peer ask for this here?

        Under `"exported"` the function decides, so whoever is about to run it asks again.

        Args:
            kind: of request.
            marked: whether the function is marked for peers; None: it is not known yet.
        """
        if kind not in RUNS_CODE or self.policy == "open":
            return True
        return self.policy == "exported" and marked is not False

    # ------------------------------------------------------------ asking

    def request_call(
        self, waiter: object | None, frm: Pid, leader: Pid | None, node: str, payload: Payload
    ) -> int:
        """Runs a function in a process of its own on a node; gives the request's number.

        Without a *waiter* it is a cast: number 0, no answer.
        """
        number = next(self._numbers) if waiter is not None else 0
        if self._has_ended(frm):
            return number
        if self.is_here(node):
            if number:
                self._pending[number] = _PendingRequest(waiter, None, Call)
            self._start_call(frm, leader, payload, Caller("", 0, number) if number else None)
        else:
            self._request(
                number,
                _PendingRequest(waiter, None, Call),
                node,
                Call(frm, number, leader or THE_NODE, payload),
            )
        return number

    def request_spawn(
        self,
        waiter: object | None,
        frm: Pid,
        leader: Pid | None,
        node: str,
        payload: Payload,
        *,
        link: bool,
        monitor: bool,
    ) -> tuple[int, Ref | None]:
        """Starts a process on a node, bound to *frm* in the same step as asked; gives number and monitor.

        The pid comes in `Answered(waiter, "spawned", pid)`.  Without connection `Answered.nobody` is a pid to
        hand out, and the link's exit and the monitor's message name it, with reason `noconnection`.
        """
        number = next(self._numbers)
        ref = self.make_ref() if monitor else None
        if self._has_ended(frm):
            return number, ref
        pending = _PendingRequest(waiter, None, Spawn, frm, link, ref)
        if self.is_here(node):
            self._pending[number] = pending
            pid = self._start_spawn(frm, leader, payload, link=link, monitor=ref)
            self._spawned(None, number, pid)
            self._settle()
        else:
            self._request(number, pending, node, Spawn(frm, number, leader or THE_NODE, link, ref, payload))
        return number, ref

    def request_info(self, waiter: object, frm: Pid, node: str, subject: str, payload: Payload) -> int:
        """Asks a node about a process of its own; gives the request's number."""
        number = next(self._numbers)
        if self.is_here(node):
            self._pending[number] = _PendingRequest(waiter, None, Ask)
            self.effects.append(Inquire("", 0, number, subject, payload))
        else:
            self._request(
                number, _PendingRequest(waiter, None, Ask), node, Ask(frm, number, subject, payload)
            )
        return number

    def ping(self, waiter: object, node: str, now: float) -> int:  # noqa: ARG002 - as `connect`
        """Asks a node for a sign of life, connecting first, rest or no rest; gives the request's number."""
        number = next(self._numbers)
        if self.is_here(node) and self.name:
            self.effects.append(Answered(waiter, "pong", None))
            return number
        if self.name:
            peer = self._peers.get(node) or self._dial(node)
            peer.quiet = False
        self._request(number, _PendingRequest(waiter, None, Ping), node, Ping(number))
        return number

    def abandon(self, number: int) -> object:
        """Gives up a request: its answer vanishes when it comes.

        A spawn goes on, and what it was to be bound to will be bound.  Returns what waited, for its last
        reference to end outside of the lock.
        """
        pending = self._pending.pop(number, None)
        if pending is not None and pending.spawner is not None:
            self._pending[number] = pending._replace(waiter=None)
        return pending

    def _request(
        self, number: int, pending: _PendingRequest, node: str, signal: Call | Spawn | Ask | Ping
    ) -> None:
        # A waiter gets the reason with its answer; but a ping's is "pang", and a cast has none.
        told = number != 0 and type(signal) is not Ping
        if self._post(node, signal, connect=True, quiet=told):
            if number:
                self._pending[number] = pending._replace(peer=self._peers[node])
        else:
            self._fail(pending, self._backoff.reason(node) or UNNAMED)

    # ------------------------------------------------------------ being answered

    def _answered(
        self, peer: Peer | None, number: int, outcome: str, body: Payload | str | Pid | None
    ) -> None:
        pending = self._pending.get(number)
        if pending is None or pending.peer is not peer:
            return
        del self._pending[number]
        if _makes_sense(pending.kind, outcome, body):
            self._tell(pending.waiter, outcome, body)
        else:
            self._tell(pending.waiter, NONSENSE, f"it does not answer the {pending.kind.__name__}")

    def _spawned(self, peer: Peer | None, number: int, pid: Pid) -> None:
        """The new process has its end of the link and monitor; now its spawner gets the other."""
        pending = self._pending.get(number)
        of_another = peer is not None and pid.node != peer.name
        if pending is None or pending.peer is not peer or pending.spawner is None or of_another:
            self._answered(peer, number, "spawned", pid)
            return
        del self._pending[number]
        spawner = self.find(pending.spawner)
        if spawner is not None:
            if pending.link:  # the other end's doing: where an unlink has crossed it, it is void
                spawner.links.link_received(pid)
            if pending.monitor is not None:
                spawner.monitors[pending.monitor] = pid
            self._bind(spawner, pid.node)
        else:  # it ended meanwhile, and could not say so to a process without a pid
            if pending.link:
                self._post(pid.node, ExitSignal(pending.spawner, pid, "noproc"))
            if pending.monitor is not None:
                self._post(pid.node, Demonitor(pending.spawner, pid, pending.monitor))
        self._tell(pending.waiter, "spawned", pid)

    def _fail_requests(self, peer: Peer, reason: str) -> None:
        """That session is over: whoever waits for it hears so."""
        lost = [number for number, pending in self._pending.items() if pending.peer is peer]
        for number in lost:
            self._fail(self._pending.pop(number), reason)

    def _fail(self, pending: _PendingRequest, reason: str) -> None:
        nobody = None
        if pending.spawner is not None:
            nobody = self.dead_pid()
            spawner = self.find(pending.spawner)
            if spawner is not None and pending.monitor is not None:
                self._deliver(spawner, Downed(pending.monitor, nobody, "noconnection"))
            if spawner is not None and pending.link:
                self._obey(spawner, nobody, "noconnection")
                self._settle()
        if pending.waiter is not None:
            self.effects.append(Answered(pending.waiter, "noconnection", reason, nobody))

    def _tell(self, waiter: object | None, outcome: str, body: Payload | str | Pid | None) -> None:
        if waiter is not None:
            self.effects.append(Answered(waiter, outcome, body))

    # ------------------------------------------------------------ answering

    def call_finished(self, process: ProcessRecord, outcome: str, payload: Payload | str) -> None:
        """The function of a call returned or raised: its caller gets the answer, once."""
        caller, process.call = process.call, None
        if caller is not None:
            self._answer(caller, outcome, payload, process.pid)

    def answer(self, inquire: Inquire, payload: Payload | str, outcome: str = "value") -> None:
        """Answers an `Inquire`."""
        peer = self._peers.get(inquire.node)
        mark = peer.out.mark() if peer is not None else None
        self._answer(Caller(inquire.node, inquire.session, inquire.number), outcome, payload)
        if peer is not None and mark is not None:
            peer.out.charge(mark)

    def _answer(self, caller: Caller, outcome: str, body: Payload | str, frm: Pid | None = None) -> None:
        if not caller.node:
            self._answered(None, caller.number, outcome, body)
            return
        peer = self._peers.get(caller.node)
        if peer is not None and peer.session == caller.session:  # else who asked has been told it is lost
            self._enqueue(peer, Answer(caller.number, outcome, body, frm))

    def _end(self, process: ProcessRecord, reason: Reason) -> None:
        caller, process.call = process.call, None
        super()._end(process, reason)
        if caller is not None:  # it was ended before its function was
            self._answer(caller, "exit", reason, process.pid)

    def _requested(self, peer: Peer, signal: Call | Spawn | Ask) -> None:
        """A peer asks."""
        if not self.allowed(type(signal)):
            if signal.number:
                self._enqueue(peer, Answer(signal.number, "refused", self.policy))
            return
        match signal:
            case Ask(_, number, subject, payload):
                self.effects.append(Inquire(peer.name, peer.session, number, subject, payload))
            case Call(frm, number, leader, payload):
                caller = Caller(peer.name, peer.session, number) if number else None
                self._start_call(frm, leader, payload, caller)
            case Spawn(frm, number, leader, link, monitor, payload):
                pid = self._start_spawn(frm, leader, payload, link=link, monitor=monitor)
                self._enqueue(peer, Spawned(number, pid))

    def _start_call(self, frm: Pid, leader: Pid | None, payload: Payload, caller: Caller | None) -> None:
        process, _ = self.process_started("call", leader=leader, parent=frm, initial_call=payload)
        process.call = caller
        self.effects.append(StartProcess(process, payload))

    def _start_spawn(
        self, frm: Pid, leader: Pid | None, payload: Payload, *, link: bool, monitor: Ref | None
    ) -> Pid:
        if monitor is not None:
            self._check_new(Watcher(frm, monitor))
        process, _ = self.process_started("spawn", leader=leader, parent=frm, initial_call=payload)
        if link:
            process.links.link_received(frm)
        if monitor is not None:
            self._watch(process, Watcher(frm, monitor), process.pid)
        if link or monitor is not None:
            self._bind(process, frm.node)
        self.effects.append(StartProcess(process, payload))
        return process.pid


def _makes_sense(kind: type[Signal], outcome: str, body: Payload | str | Pid | None) -> bool:
    """Is that an answer to a request of that kind?  A peer may say anything."""
    match outcome:
        case "value":
            return kind in {Call, Ask} and type(body) is Payload
        case "raised" | "undefined":
            return kind is Call and type(body) is Payload
        case "exit":
            return kind is Call and body is not None
        case "refused":
            return kind is not Ping and body in RPC_POLICIES
        case "pong":
            return kind is Ping and body is None
        case _:
            return False
