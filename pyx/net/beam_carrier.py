"""The carrier and the dialect of Erlang nodes (`--beam`): TCP in clear, and Erlang's own handshake.

A second listener, with a port of its own, beside that of pyx's own dialect; EPMD tells the two kinds of
nodes apart (`wire/epmd.py`).  Nothing in this dialect is encrypted, and its proof is weak, so it stays on
this host: the listener has the address that this host's name stands for, and a connection from another host
is dropped.  `--beam-insecure` opens it.

See `wire/beam/handshake.py` for the proof.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
from typing import TYPE_CHECKING, Final

from pyx.core.peers import BEAM
from pyx.errors import NameTaken, ProtocolError, PyxError
from pyx.net import epmd_client, tcp
from pyx.net.addresses import address_of
from pyx.net.carrier import PlainHandshakeStream
from pyx.net.dialects import Handshake
from pyx.net.pending_connections import is_here
from pyx.terms import host_of
from pyx.wire.beam.handshake import BeamAcceptor, BeamDialler, NeedStatus
from pyx.wire.epmd import extra_of_pyx
from pyx.wire.handshake.events import NeedKey, Transmit

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.net.arrivals import Secrets
    from pyx.net.carrier import HandshakeOutcome, HandshakeStream
    from pyx.net.tcp_carrier import TcpCarrier
    from pyx.terms import Incarnation


class BeamCarrier:
    """The way to Erlang nodes, and theirs to this one.  Made on any thread.

    Args:
        incarnation: this node.
        beyond: True if other hosts may connect, in clear.
        own: the carrier of pyx's own dialect, if that is known to EPMD too.
        trouble: takes a sentence about a problem of the registration.
    """

    dialect: Final = BEAM

    def __init__(
        self,
        incarnation: Incarnation,
        *,
        beyond: bool,
        own: TcpCarrier | None,
        trouble: Callable[[str], None],
    ) -> None:
        self._incarnation = incarnation
        self._beyond = beyond
        self._own = own
        self._trouble = trouble
        self._registration: epmd_client.Registration | None = None
        self.address = ""
        """The address it listens on, once open."""
        self.port = 0

    # ------------------------------------------------------------ the carrier

    async def open(self) -> socket.socket:
        """Listens, and registers the port with EPMD.

        Raises:
            NameTaken: EPMD knows a running node of that name.
            PyxError: the host of the name is not this one, or no EPMD answers.
        """
        first, _, host = self._incarnation.name.partition("@")
        self.address = await address_of(host)
        listening = tcp.listen(self.address, 0)
        self.port = listening.getsockname()[1]
        try:
            self._registration = await epmd_client.register(
                first,
                self.port,
                hidden=True,
                beyond=host if self._beyond or not is_here(self.address) else None,
                address=self.address
                if is_here(self.address) and ":" not in self.address
                else epmd_client.HOME,
                extra=extra_of_pyx(self._own.port if self._own is not None else 0),
                trouble=self._trouble,
            )
        except NameTaken:
            listening.close()
            raise NameTaken(self._incarnation.name, None) from None
        except BaseException:
            listening.close()
            raise
        return listening

    async def close(self) -> None:
        """Withdraws the registration."""
        if self._registration is not None:
            await self._registration.close()

    async def accepted(self, connection: socket.socket) -> PlainHandshakeStream:
        """See `Carrier`; refuses connections of other hosts."""
        there, here = connection.getpeername()[0], connection.getsockname()[0]
        if not (self._beyond or is_here(there) or there == here):
            msg = (
                f"a connection from {there} was refused: what Erlang nodes say is not encrypted, and stays "
                "on this host (--beam-insecure lets other hosts in)"
            )
            raise PyxError(msg)
        return _opened(connection)

    async def knows(self, name: str) -> bool:
        """Returns True if *name* is an Erlang node, and may be reached in clear."""
        if host_of(name) != host_of(self._incarnation.name) and not self._beyond:
            return False
        with contextlib.suppress(PyxError):
            entry = await epmd_client.look_up(name.partition("@")[0], _asked(name))
            return entry is not None and not entry.is_pyx
        return False

    async def connect(self, name: str) -> socket.socket:
        """Returns a connection to the Erlang node *name*; raises PyxError with the reason."""
        port = await epmd_client.port_of(name.partition("@")[0], _asked(name))
        if port is None:
            msg = f"EPMD on {_asked(name)} knows no node of that name"
            raise PyxError(msg)
        return await tcp.connect(host_of(name), port)

    @staticmethod
    def dialled(connection: socket.socket) -> PlainHandshakeStream:
        """See `Carrier`."""
        return _opened(connection)

    # ------------------------------------------------------------ the dialect

    async def prove(self, name: str, handshake: HandshakeStream, owner: Secrets) -> Handshake:
        """See `Dialect`."""
        machine = BeamDialler(self._incarnation, name, secrets.randbits(32))
        return Handshake(await _shake_hands(handshake, machine, owner), machine, machine.flags)  # type: ignore[arg-type] # a dialler is asked for no decision

    async def check(self, handshake: HandshakeStream, owner: Secrets) -> Handshake:
        """See `Dialect`."""
        machine = BeamAcceptor(self._incarnation, secrets.randbits(32), secrets.randbits(64))
        return Handshake(await _shake_hands(handshake, machine, owner), machine, machine.flags)


async def _shake_hands(
    handshake: HandshakeStream, machine: BeamDialler | BeamAcceptor, owner: Secrets
) -> HandshakeOutcome:
    """Carries bytes between *machine* and the connection, as `carrier.run_handshake` in pyx's dialect."""
    while True:
        events = machine.events()
        for event in events:
            if isinstance(event, Transmit):
                # If the peer has closed, its last bytes may still be unread: reading finds them.
                with contextlib.suppress(OSError, ProtocolError):
                    await handshake.send_all(event.data)
            elif isinstance(event, NeedKey):
                machine.key_chosen(owner.erlang_cookie_for(event.name))
            elif isinstance(event, NeedStatus):
                assert isinstance(machine, BeamAcceptor)
                machine.status_chosen(owner.preview(event.name))
            else:
                return event
        if not events:
            try:
                data = await handshake.receive()
            except OSError:
                data = b""
            if data:
                machine.receive_data(data)
            else:
                machine.connection_lost()


def _asked(name: str) -> str:
    """The host whose EPMD is asked for a node."""
    host = host_of(name)
    return epmd_client.HOME if is_here(host) else host


def _opened(connection: socket.socket) -> PlainHandshakeStream:
    # Small signals must not wait for an acknowledgement of the one before.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return PlainHandshakeStream(connection)
