"""The dialects of a connection: who runs its handshake, and what it says of the peer.

A carrier makes connections; a dialect authenticates them.  pyx's own runs over both of its carriers, Erlang's
over TCP (`beam_carrier.py`), and only in a node that is started with `--beam`.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from pyx.core.peers import PYX
from pyx.net.carrier import run_handshake
from pyx.wire.handshake.hello import NONCE_BYTES, acceptor_hello, dialler_hello
from pyx.wire.handshake.machine import Acceptor, Dialler

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyx.net.arrivals import Secrets
    from pyx.net.carrier import HandshakeOutcome, HandshakeStream
    from pyx.terms import Incarnation
    from pyx.wire.handshake.events import Status


class HandshakeMachine(Protocol):
    """One side of a handshake after its outcome: the acceptor still answers."""

    def decide(self, status: Status) -> None:
        """Answers an authenticated dialler."""

    def events(self) -> Sequence[object]:
        """Returns the events since the last call."""

    @property
    def trailing_data(self) -> bytes:
        """The bytes that followed the handshake."""


class Handshake(NamedTuple):
    """A handshake up to its outcome."""

    outcome: HandshakeOutcome
    machine: HandshakeMachine
    flags: int = 0
    """What both nodes understand, in Erlang's dialect."""


class Dialect(Protocol):
    """Authenticates connections."""

    @property
    def dialect(self) -> str:
        """`core.peers.PYX` or `BEAM`."""

    async def prove(self, name: str, handshake: HandshakeStream, owner: Secrets) -> Handshake:
        """Runs the handshake of a dial to *name*; raises as `HandshakeStream.open_channel`."""

    async def check(self, handshake: HandshakeStream, owner: Secrets) -> Handshake:
        """Runs the handshake of an accepted connection; raises as `prove`."""


class PyxDialect:
    """pyx's own dialect.

    Args:
        incarnation: this node.
        hidden: True for a hidden node.
    """

    dialect: Final = PYX

    def __init__(self, incarnation: Incarnation, *, hidden: bool) -> None:
        self._incarnation = incarnation
        self._hidden = hidden

    async def prove(self, name: str, handshake: HandshakeStream, owner: Secrets) -> Handshake:
        """See `Dialect`."""
        channel = await handshake.open_channel()
        nonce = secrets.token_bytes(NONCE_BYTES)
        machine = Dialler(dialler_hello(self._incarnation, name, nonce, hidden=self._hidden), channel)
        return Handshake(await run_handshake(handshake, machine, owner.key_for), machine)  # type: ignore[arg-type] # a dialler is asked for no decision

    async def check(self, handshake: HandshakeStream, owner: Secrets) -> Handshake:
        """See `Dialect`."""
        channel = await handshake.open_channel()
        nonce = secrets.token_bytes(NONCE_BYTES)
        machine = Acceptor(acceptor_hello(self._incarnation, nonce, hidden=self._hidden), channel)
        return Handshake(await run_handshake(handshake, machine, owner.key_for), machine)
