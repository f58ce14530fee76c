"""What a link reads from and writes to: a non-blocking connection.  Not here: when (`net/connection.py`).

    send(data) -> int            bytes taken; BlockingIOError when none can be
    receive_into(buffer) -> int  bytes read, 0 at the end; BlockingIOError when there are none
    end_writing()                the peer will read to the end of what was sent, then see the end
    close()

Today a connection is a plain unix socket; one inside TLS has the same four verbs.
"""

from __future__ import annotations

import contextlib
import socket
from typing import Final, Protocol

BUFFER_BYTES: Final = 256 * 1024
"""Both kernel buffers of a connection: enough for throughput, and little enough that control frames do not
wait behind megabytes [measured: rpc p99 beside a bulk transfer 16 ms with default buffers, 4 ms with
these]."""


class Stream(Protocol):
    """See the top of this file; every verb may raise OSError when the connection is broken."""

    def fileno(self) -> int:
        """The descriptor, for the loop to watch."""

    def send(self, data: bytes | memoryview) -> int:
        """Sends what can be sent without waiting."""

    def receive_into(self, buffer: memoryview) -> int:
        """Reads what is there."""

    def end_writing(self) -> None:
        """Lets the peer see the end behind what was sent."""

    def close(self) -> None:
        """Closes the descriptor."""


class PlainStream:
    """A stream socket as it is.

    Args:
        connection: a connected socket; it is made non-blocking and belongs to this stream from now on.
    """

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            connection.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
        self._socket = connection
        self.fileno = connection.fileno
        self.send = connection.send
        self.receive_into = connection.recv_into
        self.close = connection.close

    def end_writing(self) -> None:
        """Sends the end of the stream."""
        with contextlib.suppress(OSError):  # it is broken: the reader will find that
            self._socket.shutdown(socket.SHUT_WR)
