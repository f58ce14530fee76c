"""What the simulator remembers of one message, one monitor, one request, so that its fate can be judged.

Not here: the judging (`actors.py`, `invariants.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pyx.core.effects import Answered, Connected
from pyx.signals import Letter

if TYPE_CHECKING:
    from pyx.core.peers import Peer
    from pyx.signals import Reason
    from pyx.terms import Life, Pid, Ref
    from tests.simulation.actors import Actor
    from tests.simulation.network import Connection

Way: TypeAlias = Literal["pid", "name", "alias", "exit"]


def reason_key(reason: Reason | None) -> str | bytes | None:
    """What tells exit reasons apart, wherever they were sealed."""
    return reason.data if isinstance(reason, Letter) else reason


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
    life: Life | None
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
    connection: Connection | None = None
    """Which carried it."""
    delivered: bool = False

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
    """A call or a spawn, by its letter."""

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
        """The answer is here; see `Actor.is_answered`."""
        if isinstance(effect, Connected):
            effect = Answered(self, "connected" if effect.ok else "noconnection", effect.reason)
        must = self.actor.world.must
        self.actor.world.count(f"{self.kind}: {effect.outcome}")
        must(not self.abandoned, f"{self.actor} got an answer it has given up: {self.kind} {effect.outcome}")
        must(not self.done, f"{self.actor} got a second answer: {self.kind} {effect.outcome}")
        self.done = True
        self.actor.is_answered(self, effect.outcome, effect.body, effect.nobody)
