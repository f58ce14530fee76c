"""The session with another node, from the first dial to its loss.

A session begins when this node dials or when it accepts a claim, and ends once; the next connection to the
same node is another session.  Everything that depends on a session (links, monitors, requests) refers to its
`Peer`, so nothing outlives it and no later session revives it.  Decisions about sessions: `sessions.py`.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from pyx.core.outbox import Outbox

if TYPE_CHECKING:
    from pyx.core.processes import ProcessRecord
    from pyx.core.spaces import PeerHoldings

State: TypeAlias = Literal["dialling", "up", "gone"]

PYX: Final = "pyx"
BEAM: Final = "beam"
"""The dialects of connections: pyx's own, and Erlang's distribution protocol."""

LONGEST_HANDSHAKE_SECONDS: Final = 5.0
"""A claim sent before a session came up arrives within this time; `net/pending_connections.py` keeps it."""


class Peer:
    """One session with another node, or the attempt at one."""

    __slots__ = (
        "announced",
        "connection",
        "creation",
        "dependents",
        "dialect",
        "dialled",
        "early_pongs",
        "hidden",
        "holdings",
        "invitations",
        "invited_by",
        "invited_dials",
        "is_ready",
        "last_piece",
        "last_received",
        "name",
        "out",
        "quiet",
        "sent_since_tick",
        "session",
        "since",
        "state",
        "waiters",
    )

    def __init__(self, name: str, session: int, *, dialled: bool, quiet: bool = False) -> None:
        self.name: Final = name
        self.session: Final = session
        """Its number among all sessions of this kernel."""
        self.dialled = dialled
        """True when this node dialled and the other accepted."""
        self.quiet = quiet
        """True for a dial that a peer or a cluster has brought about: its failure is not a warning."""
        self.state: State = "dialling"
        self.dialect = PYX
        """What the connection speaks: `PYX`, or `BEAM` with an Erlang node."""
        self.creation = 0
        """That of the other node; 0 until the session is up."""
        self.hidden = False
        """True when the two are not announced to third nodes (one of them is a `--hidden` node)."""
        self.holdings: PeerHoldings | None = None
        """The keys that its processes hold in replicated spaces; readers look at them once it `is_ready`.
        None before it is up, and of a hidden node of pyx."""
        self.is_ready = False
        """True once it is up and (if it is visible) its holdings are in place: `nodeup` says so."""
        self.last_piece = 0.0
        """When it came up, or a piece of its holdings last came (monotonic seconds)."""
        self.early_pongs: Final[list[int]] = []
        """The numbers of pings that it has answered before it was ready: their waiters are told then."""
        self.out: Final = Outbox(name)
        """Signals that wait to be sent."""
        self.waiters: list[object] = []
        """Those of `Sessions.connect`: each gets one `Connected` at the end of the dial."""
        self.dependents: Final[dict[ProcessRecord, None]] = {}
        """Processes here that have, or lately had, a link or monitor to that node, either way."""
        self.since = 0.0
        """When it came up (monotonic seconds)."""
        self.last_received = 0.0
        """When anything last came from it (monotonic seconds); of a dial, when a tick first saw it."""
        self.sent_since_tick = False
        self.announced: frozenset[str] = frozenset()
        """The visible nodes of this node as last announced to the peer."""
        self.invitations: Final[deque[str]] = deque()
        """Nodes that the peer has named and that are still to be dialled."""
        self.invited_dials = 0
        """Dials under way to nodes that the peer has named."""
        self.invited_by: Peer | None = None
        """Of a dial: the peer that has named this node, if that is why it is dialled."""
        self.connection: Any = None
        """The connection that carries it; set by the owner of the connection."""

    @property
    def shares_holdings(self) -> bool:
        """True for a visible node, and for an Erlang node, though it is hidden."""
        return not self.hidden or self.dialect == BEAM

    def __repr__(self) -> str:
        return f"<Peer {self.name} session {self.session} {self.state}>"


class Decision(NamedTuple):
    """The outcome of a handshake in which the other node was authenticated.

    `"accept"`: `peer` is up, attach the connection to it and flush it.  `"simultaneous"`: the dialler is told
    that this node's own dial to it goes on, and waits for that.  `"refused"`: no session; `reason` is a
    sentence.
    """

    kind: Literal["accept", "simultaneous", "refused"]
    peer: Peer | None = None
    reason: str = ""
