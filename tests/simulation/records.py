"""The simulator's records of one message, one monitor, one request; and the checks of answers.

The checks of messages and monitors: `actors.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pyx.core.effects import Answered, Connected
from pyx.signals import Payload
from pyx.terms import Pid
from tests.simulation.groups import node_is_up
from tests.simulation.hostile import NAME as HOSTILE

if TYPE_CHECKING:
    from pyx.core.peers import Peer
    from pyx.signals import ExitTo, Reason
    from pyx.terms import Incarnation, Ref
    from tests.simulation.actors import Actor
    from tests.simulation.network import Connection

Way: TypeAlias = Literal["pid", "name", "alias", "exit"]


def reason_key(reason: Reason | None) -> str | bytes | None:
    """A key that is the same for equal exit reasons of different origin."""
    return bytes(reason.data) if isinstance(reason, Payload) else reason


@dataclass(eq=False, slots=True)
class Sent:
    """A message or an exit signal that was sent; its payload or reason is unlike any other."""

    number: int
    """Grows with everything that is sent."""
    sender: Actor
    way: Way
    address: Any
    """As the sender wrote it."""
    to: Actor | None
    """The receiver; None for a name."""
    incarnation: Incarnation | None
    """That of the node in the address; None inside the sender's node."""
    remote: bool
    void: bool
    """True if the sender was dead already."""
    watches: tuple[Watch, ...] = ()
    """The monitors of the receiver that the sender had set before, in the same session."""
    linked: bool | None = None
    """Whether the receiver must be linked to the sender when it arrives; None: either."""
    memberships: int = 0
    """The sender's number of joins and leaves at that time."""
    changes: int = 0
    """The sender's number of links and unlinks at that time."""
    session: Peer | None = None
    """Of an exit signal: the session it was sent over."""
    connection: Connection | None = None
    """The connection that carried it."""
    delivered: bool = False

    def is_like(self, signal: ExitTo, session: Peer) -> bool:
        """True if this may be that signal of that session, and was not written before."""
        same = self.address == signal.to and self.sender.process.pid == signal.frm
        return same and self.session is session and self.connection is None

    def __str__(self) -> str:
        return f"{self.way} {self.number} from {self.sender} to {self.address}"


@dataclass(eq=False, slots=True)
class Watch:
    """A monitor that has not fired."""

    ref: Ref
    target: Pid | tuple[str, str] | None
    """The target that DOWN has to name; None while a spawn is under way."""
    node: str
    """The node of the target; "" for this one."""
    peer: Peer | None
    """The session it depends on, if any."""
    watched: Actor | None
    """The watched process, if it is known."""
    request: Request | None = None
    """The spawn that set it."""

    @property
    def is_lost(self) -> bool:
        """True if it can only fire with `noconnection`."""
        return bool(self.node) and (self.peer is None or self.peer.state == "gone")


@dataclass(eq=False, slots=True)
class Request:
    """A call, of a function or of a server, or a spawn, by its payload."""

    kind: Literal["call", "gen_call", "spawn"]
    spawner: Actor
    node: str
    peer: Peer | None = None
    ref: Ref | None = None
    link: bool = False
    void: bool = False
    """True if the caller was dead already."""
    answer: bytes = b""
    """The result of a call."""
    started: Actor | None = None


@dataclass(eq=False, slots=True)
class Waiter:
    """A process that waits for an answer."""

    actor: Actor
    kind: str
    request: Request | None = None
    number: int = 0
    node: str = ""
    """The node that was asked for a connection, or pinged."""
    done: bool = False
    abandoned: bool = False

    def answered(self, effect: Answered | Connected) -> None:
        """Checks that an answer is the first, expected, and the right one."""
        if isinstance(effect, Connected):
            effect = Answered(self, "connected" if effect.ok else "noconnection", effect.reason)
        me, outcome, body = self.actor, effect.outcome, effect.body
        me.world.count(f"{self.kind}: {outcome}")
        self._must(not self.abandoned, f"got an answer it has given up: {outcome}")
        self._must(not self.done, f"got a second answer: {outcome}")
        self.done = True
        if outcome == "noconnection":
            self._is_lost(effect.dead_pid)
        elif self.kind == "call":
            self._has_called(outcome, body)
        elif self.kind == "gen_call":
            self._has_called_a_server(outcome, body)
        elif self.kind == "spawn":
            self._must(outcome == "spawned" and isinstance(body, Pid), f"was answered {outcome}")
            assert isinstance(body, Pid)
            self._has_spawned(body)
        else:
            right = {"ping": "pong", "connect": "connected", "info": "value"}[self.kind]
            self._must(outcome == right, f"was answered {outcome}")
            if self.node:
                node_is_up(me.host, self.node, f"a {self.kind} of {me} was answered {outcome}")

    def _must(self, held: object, words: str) -> None:
        self.actor.world.must(held, f"a {self.kind} of {self.actor} {words}")

    def _is_lost(self, dead_pid: Pid | None) -> None:
        request = self.request
        if request is None:
            return
        self._must(request.peer is None or request.peer.state == "gone", "was told of no connection")
        if dead_pid is not None:
            if request.link:
                self.actor.dead_pids.add(dead_pid)
            if request.ref in self.actor.watches:
                self.actor.watches[request.ref].target = dead_pid

    def _has_called(self, outcome: str, body: object) -> None:
        assert self.request is not None
        started = self.request.started
        self._must(started is not None, "was answered, and no process was started for it")
        if outcome == "value":
            self._must(isinstance(body, Payload) and body.data == self.request.answer, "got another's answer")
        else:
            assert started is not None
            assert isinstance(body, (str, Payload))
            right = outcome == "exit" and reason_key(body) == started.reason
            self._must(right, f"was answered {outcome} {body!r} by {started}")

    def _has_called_a_server(self, outcome: str, body: object) -> None:
        request = self.request
        assert request is not None
        server = request.started
        if isinstance(body, Payload) and body.origin is not None and body.origin.name == HOSTILE:
            return  # the reference can be guessed, as that of an alias
        if outcome in {"value", "message"}:
            right = isinstance(body, Payload) and body.data == request.answer and server is not None
            self._must(right, f"got another's reply: {body!r}")
        elif outcome == "exit":
            assert isinstance(body, (str, Payload))
            reason = reason_key(
                body
            )  # a server that ends in the kernel call that brings the call reads nothing
            ended = self.actor.world.ends.get(reason) if server is None else server.reason == reason
            self._must(ended, f"was told that {server} ended with {reason!r}")
        else:
            self._must(outcome == "noproc", f"was answered {outcome}")
            self._must(server is None, f"was told of no process by {server}")

    def _has_spawned(self, pid: Pid) -> None:
        me, request = self.actor, self.request
        assert request is not None
        child = me.world.resolve(me.host, pid)
        self._must(child is not None and child is request.started, f"gave {pid} for {request.started}")
        assert child is not None
        if request.ref in me.watches:
            watch = me.watches[request.ref]
            watch.target, watch.watched = pid, child
        if request.link and me.process.alive:
            me.linked_ever.add(child)
            if child.host is me.host:
                me.links_locally(child)
            elif me not in child.unlinked_ever and pid not in me.unlinked:
                me.remote_links[pid] = request.peer
