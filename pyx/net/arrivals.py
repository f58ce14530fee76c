"""What an endpoint tells its owner, and asks it: authenticated connections, and dials that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from pyx.core.peers import PYX

if TYPE_CHECKING:
    from typing import Literal

    from pyx.net.stream import Stream
    from pyx.wire.handshake.events import Status


class Arrival(NamedTuple):
    """An authenticated connection; `stream` belongs to the receiver of this value."""

    name: str
    creation: int
    hidden: bool
    dialled: bool
    """True if this node dialled; False if it accepted, and has answered "ok"."""
    stream: Stream
    first: bytes
    """Bytes to write before any signal (the status, on the accepting side)."""
    trailing: bytes
    """Bytes that the peer has sent after its handshake."""
    handle: object
    """The handle that `claimed` returned with "ok"; None if this node dialled."""
    dialect: str = PYX
    """`core.peers.PYX` or `BEAM`."""
    flags: int = 0
    """What both nodes understand, in Erlang's dialect."""


class DialFailed(NamedTuple):
    """A dial that failed: the reason is a sentence about the node."""

    reason: str
    hint: str | None = None


class Secrets(Protocol):
    """What the owner of an endpoint knows about a name that is not authenticated.  No call may block."""

    def key_for(self, name: str) -> bytes:
        """Returns the key of the cookie for the node that calls itself *name*."""

    def erlang_cookie_for(self, name: str) -> bytes:
        """Returns the cookie of Erlang's dialect for that node."""

    def preview(self, name: str) -> Literal["ok", "ok_simultaneous", "nok", "alive"]:
        """Returns what a node of that name would be answered; see `Sessions.preview`."""


class Owner(Secrets, Protocol):
    """The owner of an endpoint.  Called on the transport's loop, one call at a time; no call may block."""

    def claimed(self, name: str, creation: int, *, hidden: bool, dialect: str = PYX) -> tuple[Status, object]:
        """Decides on an authenticated node that dials.  After "ok", `established` follows with the handle."""

    def established(self, arrival: Arrival) -> None:
        """Takes over an authenticated connection (see `Arrival.first`)."""

    def dial_failed(self, name: str, reason: str, hint: str | None) -> None:
        """Reports that the dial to *name* failed; not called for a cancelled dial."""

    def connection_refused(self, reason: str) -> None:
        """Reports a refused connection, for a rate-limited log."""

    def cannot_accept(self, number: int) -> None:
        """Reports that the system refuses to accept (its `errno`); called repeatedly meanwhile."""
