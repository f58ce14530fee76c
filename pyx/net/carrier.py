"""The protocols of a distribution carrier (Erlang's word: unix socket or TLS), and the handshake over one.

See `unix_carrier.py` and `tcp_carrier.py` for the two carriers, `wire/handshake/machine.py` for the proof.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Protocol, TypeAlias

from pyx.errors import ProtocolError
from pyx.net.stream import PlainStream
from pyx.wire.handshake.events import Authenticated, Established, Failed, NeedKey, Postponed, Transmit
from pyx.wire.handshake.short_frames import MAX_FRAME_BYTES

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from pyx.net.stream import Stream
    from pyx.wire.handshake.machine import Acceptor, Dialler

HandshakeOutcome: TypeAlias = Authenticated | Established | Postponed | Failed


class HandshakeStream(Protocol):
    """A connection during its handshake.  Used on the loop, by one task, which closes the socket
    unless `stream` was called.
    """

    async def open_channel(self) -> bytes:
        """Prepares the connection, and returns the channel binding for the proof.

        Raises:
            ProtocolError, OSError: the connection is broken.
        """

    async def send_all(self, data: bytes) -> None:
        """Sends *data*; raises OSError if the connection is broken."""

    async def receive(self) -> bytes:
        """Returns received bytes, at least one; empty at the end.  Raises ProtocolError, OSError."""

    def stream(self) -> tuple[Stream, bytes]:
        """Returns the stream of an authenticated connection, and bytes that were received for it."""


class PlainHandshakeStream:
    """A unix socket during its handshake: the system has checked the peer, so nothing is prepared.

    Args:
        connection: a connected, non-blocking socket.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._loop = asyncio.get_running_loop()

    async def open_channel(self) -> bytes:
        """See `HandshakeStream`."""
        return b"unix"

    async def send_all(self, data: bytes) -> None:
        """See `HandshakeStream`."""
        await self._loop.sock_sendall(self._socket, data)

    async def receive(self) -> bytes:
        """See `HandshakeStream`."""
        return await self._loop.sock_recv(self._socket, MAX_FRAME_BYTES)

    def stream(self) -> tuple[Stream, bytes]:
        """See `HandshakeStream`."""
        return PlainStream(self._socket), b""


class Carrier(Protocol):
    """How other nodes reach this node, and how it reaches them.  Used on the loop."""

    async def open(self) -> socket.socket:
        """Returns a socket that listens; raises PyxError."""

    async def close(self) -> None:
        """Withdraws the name: other nodes cannot find this node any more."""

    async def accepted(self, connection: socket.socket) -> HandshakeStream:
        """Returns the handshake of an accepted connection.

        Raises:
            PyxError: the peer is refused without a handshake; the sentence is for the log.
            OSError: the connection is broken.
        """

    async def connect(self, name: str) -> socket.socket:
        """Returns a connection to the node of that full name; raises PyxError with the reason."""

    def dialled(self, connection: socket.socket) -> HandshakeStream:
        """Returns the handshake of a connection that `connect` returned."""


async def run_handshake(
    handshake: HandshakeStream, machine: Dialler | Acceptor, key_for: Callable[[str], bytes]
) -> HandshakeOutcome:
    """Carries bytes between *machine* and the connection; returns the outcome of the handshake."""
    while True:
        events = machine.events()
        for event in events:
            if isinstance(event, Transmit):
                # If the peer has closed, its last bytes may still be unread: reading finds them.
                with contextlib.suppress(OSError, ProtocolError):
                    await handshake.send_all(event.data)
            elif isinstance(event, NeedKey):
                machine.key_chosen(key_for(event.name))
            else:
                return event
        if not events:
            try:
                data = await handshake.receive()
            except OSError:
                data = b""
            except ProtocolError as error:
                return Failed(str(error))
            if data:
                machine.receive_data(data)
            else:
                machine.connection_lost()
