"""What the simulator remembers of one message, one monitor, one request, so that its fate can be judged; and
the judging of answers.  Not here: that of messages and monitors (`actors.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pyx.core.effects import Answered, Connected
from pyx.signals import Payload
from pyx.terms import Pid

if TYPE_CHECKING:
    from pyx.core.peers import Peer
    from pyx.signals import ExitTo, Reason
    from pyx.terms import Incarnation, Ref
    from tests.simulation.actors import Actor
    from tests.simulation.network import Connection

Way: TypeAlias = Literal["pid", "name", "alias", "exit"]


def reason_key(reason: Reason | None) -> str | bytes | None:
    """What tells exit reasons apart, wherever they were encoded."""
    return reason.data if isinstance(reason, Payload) else reason


@dataclass(eq=False, slots=True)
class Told:
    """A message or an exit signal.  Whatever it carries, nothing else carries the same."""

    number: int
    """Grows with everything that is told."""
    sender: Actor
    way: Way
    address: Any
    """As the sender wrote it."""
    to: Actor | None
    """Who is meant; None for a name."""
    incarnation: Incarnation | None
    """Of the node that the address means; None for one inside the sender's node."""
    remote: bool
    void: bool
    """The sender was dead already."""
    watches: tuple[Watch, ...] = ()
    """The monitors of the receiver that the sender had set before, in the same session."""
    linked: bool | None = None
    """Whether the receiver must find itself linked to the sender; None: either."""
    changes: int = 0
    """How often the sender had linked and unlinked by then."""
    session: Peer | None = None
    """Of an exit signal: the session it was sent in."""
    connection: Connection | None = None
    """Which carried it."""
    delivered: bool = False

    def is_like(self, signal: ExitTo, session: Peer) -> bool:
        """True if this may be that signal of that session, which nothing has carried yet."""
        same = self.address == signal.to and self.sender.process.pid == signal.frm
        return same and self.session is session and self.connection is None

    def __str__(self) -> str:
        return f"{self.way} {self.number} from {self.sender} to {self.address}"


@dataclass(eq=False, slots=True)
class Watch:
    """A monitor that has not fired."""

    ref: Ref
    target: Pid | tuple[str, str] | None
    """What DOWN has to name; None while a spawn is under way."""
    node: str
    """"" inside the node."""
    peer: Peer | None
    """The session it depends on; None where there is none."""
    serves: Actor | None
    """Who is watched, if that is known."""
    request: Request | None = None
    """The spawn that set it."""

    @property
    def is_lost(self) -> bool:
        """True when it can only fire with `noconnection`."""
        return bool(self.node) and (self.peer is None or self.peer.state == "gone")


@dataclass(eq=False, slots=True)
class Request:
    """A call or a spawn, by its payload."""

    kind: Literal["call", "spawn"]
    spawner: Actor
    node: str
    peer: Peer | None = None
    ref: Ref | None = None
    link: bool = False
    void: bool = False
    """Who asked was dead already."""
    answer: bytes = b""
    """What a call gives."""
    started: Actor | None = None


@dataclass(eq=False, slots=True)
class Waiter:
    """Who waits for an answer."""

    actor: Actor
    kind: str
    request: Request | None = None
    number: int = 0
    done: bool = False
    abandoned: bool = False

    def answered(self, effect: Answered | Connected) -> None:
        """The answer is here: the first, wanted, and the right one."""
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
        elif self.kind == "spawn":
            self._must(outcome == "spawned" and isinstance(body, Pid), f"was answered {outcome}")
            assert isinstance(body, Pid)
            self._has_spawned(body)
        else:
            right = {"ping": "pong", "connect": "connected", "info": "value"}[self.kind]
            self._must(outcome == right, f"was answered {outcome}")

    def _must(self, held: object, words: str) -> None:
        self.actor.world.must(held, f"a {self.kind} of {self.actor} {words}")

    def _is_lost(self, nobody: Pid | None) -> None:
        request = self.request
        if request is None:
            return
        self._must(request.peer is None or request.peer.state == "gone", "was told of no connection")
        if nobody is not None:
            if request.link:
                self.actor.nobodies.add(nobody)
            if request.ref in self.actor.watches:
                self.actor.watches[request.ref].target = nobody

    def _has_called(self, outcome: str, body: object) -> None:
        assert self.request is not None
        started = self.request.started
        self._must(started is not None, "was answered by nobody")
        if outcome == "value":
            self._must(isinstance(body, Payload) and body.data == self.request.answer, "got another's answer")
        else:
            assert started is not None
            assert isinstance(body, (str, Payload))
            right = outcome == "exit" and reason_key(body) == started.reason
            self._must(right, f"was answered {outcome} {body!r} by {started}")

    def _has_spawned(self, pid: Pid) -> None:
        me, request = self.actor, self.request
        assert request is not None
        child = me.world.resolve(me.host, pid)
        self._must(child is not None and child is request.started, f"gave {pid} for {request.started}")
        assert child is not None
        if request.ref in me.watches:
            watch = me.watches[request.ref]
            watch.target, watch.serves = pid, child
        if request.link and me.process.alive:
            me.linked_ever.add(child)
            if child.host is me.host:
                me.binds(child)
            elif me not in child.unlinked_ever and pid not in me.unlinked:
                me.wishes[pid] = request.peer
