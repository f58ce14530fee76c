"""A connection whose two ends do not know each other yet, and their conversation up to the proof.  Not here:
how it came about (`unix_carrier.py`, `tcp_carrier.py`), the proof itself (`wire/handshake/machine.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Protocol, TypeAlias

from pyx.errors import ProtocolError
from pyx.net.stream import PlainStream
from pyx.wire.handshake.machine import (
    MAX_FRAME_BYTES,
    Acceptor,
    Dialler,
    Established,
    Failed,
    NeedKey,
    Postponed,
    Proven,
    Transmit,
)

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from pyx.net.stream import Stream

Outcome: TypeAlias = Proven | Established | Postponed | Failed


class Opening(Protocol):
    """Used on the loop, by one task; the socket under it stays that task's to close until `stream`."""

    async def shake_hands(self) -> bytes:
        """Makes ready to talk, and gives the channel for the proof; raises ProtocolError, OSError."""

    async def send_all(self, data: bytes) -> None:
        """Sends *data*; raises OSError when the connection is broken."""

    async def receive(self) -> bytes:
        """What has come, at least a byte; empty at the end.  Raises ProtocolError, OSError."""

    def stream(self) -> tuple[Stream, bytes]:
        """The connection for a link, and what has come for it already."""


class PlainOpening:
    """A unix socket: the kernel says who may reach it, so nothing has to be made ready.

    Args:
        connection: connected and non-blocking.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._loop = asyncio.get_running_loop()

    async def shake_hands(self) -> bytes:
        """See `Opening`."""
        return b"unix"

    async def send_all(self, data: bytes) -> None:
        """See `Opening`."""
        await self._loop.sock_sendall(self._socket, data)

    async def receive(self) -> bytes:
        """See `Opening`."""
        return await self._loop.sock_recv(self._socket, MAX_FRAME_BYTES)

    def stream(self) -> tuple[Stream, bytes]:
        """See `Opening`."""
        return PlainStream(self._socket), b""


async def converse(opening: Opening, machine: Dialler | Acceptor, key_for: Callable[[str], bytes]) -> Outcome:
    """Carries bytes between *machine* and the connection until there is an outcome."""
    while True:
        events = machine.events()
        for event in events:
            if isinstance(event, Transmit):
                # If the other is gone, its last words may still be unread: reading will tell.
                with contextlib.suppress(OSError, ProtocolError):
                    await opening.send_all(event.data)
            elif isinstance(event, NeedKey):
                machine.key_chosen(key_for(event.name))
            else:
                return event
        if not events:
            try:
                data = await opening.receive()
            except OSError:
                data = b""
            except ProtocolError as error:
                return Failed(str(error))
            if data:
                machine.receive_data(data)
            else:
                machine.connection_lost()
