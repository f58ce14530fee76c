"""What this node keeps about another one: the connection, from the first dial to its loss, and how long to
leave an unreachable one alone.  Not here: decisions about connections (`mesh.py`).

A `Peer` is one session.  It begins when this node dials or when a claim is accepted, and ends once; the next
connection to the same node is another `Peer`.  What depends on a session (links, monitors, requests) hangs on
the object, so nothing can survive it and no new session revives it.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from pyx.core.outbox import Outbox

if TYPE_CHECKING:
    from pyx.core.processes import ProcessRecord

State: TypeAlias = Literal["dialling", "up", "gone"]

FIRST_REST: Final = 0.1
"""Seconds: a service that restarts is back in less than a second, so the first rest is short."""
LONGEST_REST: Final = 5.0
"""Seconds: a node that comes back after an hour is found by the next message after so long at most."""
FORGOTTEN_AFTER: Final = 60.0
"""Seconds after a rest: by then it is as if that node had never been dialled."""
MOST_RESTING: Final = 4096
"""Of more nodes that could not be reached those are forgotten that failed longest ago."""


class Peer:
    """One session with another node, or the attempt at one."""

    __slots__ = (
        "bonds",
        "creation",
        "dialled",
        "followed",
        "heard",
        "hidden",
        "invitations",
        "invited_by",
        "link",
        "name",
        "out",
        "quiet",
        "sent_since_tick",
        "session",
        "since",
        "state",
        "told",
        "waiters",
    )

    def __init__(self, name: str, session: int, *, dialled: bool, quiet: bool = False) -> None:
        self.name: Final = name
        self.session: Final = session
        """Its number among all sessions of this kernel."""
        self.dialled = dialled
        """This node called, the other answered."""
        self.quiet = quiet
        """Nobody here asked for it (the mesh did), so a failed dial is no warning."""
        self.state: State = "dialling"
        self.creation = 0
        """Of that node's life; known once it is up."""
        self.hidden = False
        """The two do not show each other to third nodes (one of them is a `--hidden` one)."""
        self.out: Final = Outbox(name)
        """What waits for it."""
        self.waiters: list[object] = []
        """Who wants to know how the dial ended."""
        self.bonds: Final[dict[ProcessRecord, None]] = {}
        """Processes here with a link or monitor to that node, either way (or lately with one)."""
        self.since = 0.0
        """When it came up (monotonic seconds)."""
        self.heard = 0.0
        """When anything last came from it (monotonic seconds); of a dial, when a tick first saw it."""
        self.sent_since_tick = False
        self.told: frozenset[str] = frozenset()
        """The nodes this one saw when it last told the peer which."""
        self.invitations: Final[deque[str]] = deque()
        """Nodes that the peer has named, and that are still to be dialled."""
        self.followed = 0
        """How many of those it has named are being dialled."""
        self.invited_by: Peer | None = None
        """Of a dial: who has named that node, if it is dialled for that."""
        self.link: Any = None
        """The handle of the connection that carries it; the owner of that sets it."""

    def __repr__(self) -> str:
        return f"<Peer {self.name} session {self.session} {self.state}>"


class Verdict(NamedTuple):
    """What becomes of a proven handshake.

    `"accept"`: `peer` is up, attach the connection to it and flush it.  `"simultaneous"`: tell the dialler
    that our own dial to it goes on, so it waits for that one.  `"refused"`: no session; `reason` says why.
    """

    kind: Literal["accept", "simultaneous", "refused"]
    peer: Peer | None = None
    reason: str = ""


class _Failures:
    """How often in a row a node could not be reached, and until when it is left alone."""

    __slots__ = ("count", "reason", "resting", "until")

    def __init__(self) -> None:
        self.count = 0
        self.reason = ""
        self.until = 0.0
        self.resting = False


class Backoff:
    """Which nodes are left alone after failed dials: 0.1 s, doubling up to 5 s, each cut by up to a half."""

    __slots__ = ("_nodes",)

    def __init__(self) -> None:
        self._nodes: dict[str, _Failures] = {}

    def failed(self, node: str, reason: str, now: float, jitter: float) -> float:
        """A dial failed; gives the time until which the node rests.

        Args:
            node: its name.
            reason: a sentence.
            now: monotonic seconds.
            jitter: 0 to 1, by chance, so that the survivors of one loss do not call in step.
        """
        failures = self._nodes.pop(node, None) or _Failures()
        self._nodes[node] = failures
        if len(self._nodes) > MOST_RESTING:
            del self._nodes[next(iter(self._nodes))]
        rest = min(LONGEST_REST, FIRST_REST * 2.0 ** min(failures.count, 10))
        failures.count += 1
        failures.reason = reason
        failures.until = now + rest * (1 - jitter / 2)
        failures.resting = True
        return failures.until

    def reason(self, node: str) -> str | None:
        """Why the node rests; None when it does not."""
        failures = self._nodes.get(node)
        return failures.reason if failures is not None and failures.resting else None

    def rested(self, node: str) -> None:
        """Its rest is over; the failures still count for the next one."""
        failures = self._nodes.get(node)
        if failures is not None:
            failures.resting = False

    def overdue(self, now: float) -> None:
        """Ends every rest whose time has come, and forgets those that ended long ago."""
        for node, failures in list(self._nodes.items()):
            if failures.until + FORGOTTEN_AFTER <= now:
                del self._nodes[node]
            elif failures.until <= now:
                failures.resting = False

    def clear(self) -> None:
        """Forgets all failures."""
        self._nodes.clear()

    def forget(self, node: str) -> None:
        """It was reached."""
        self._nodes.pop(node, None)
