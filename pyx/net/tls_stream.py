"""A TCP connection inside TLS, before and after the proof.  Not here: TLS itself (`wire/handshake/tls.py`),
the proof (`wire/handshake/machine.py`), when to read and write (`net/endpoint.py`, `net/connection.py`).

`TlsOpening` awaits, while the two still prove themselves to each other; then its `stream()` has the four
verbs of `net/stream.py` for a `Connection`.

Threads: one thread at a time sends or ends writing (the link's lock sees to that), the loop's thread receives
meanwhile.  An SSLObject is no thing for two threads, so the machine has a small lock of its own here; it is
held while bytes are encrypted or decrypted (64 and 128 KiB: some 50 µs), never for a call of the socket, and
none is taken under it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Final

from pyx.errors import ProtocolError
from pyx.net.stream import BUFFER_BYTES
from pyx.wire.handshake.tls import RECORD_BYTES

if TYPE_CHECKING:
    from pyx.wire.handshake.tls import TlsMachine

_PIECE_BYTES: Final = 64 * 1024
"""So much is encrypted at once: four full records."""

_OPENING_READ_BYTES: Final = 4096
"""So much is read at once from a stranger, whose three frames are under 400 bytes each."""

MAX_COMPUTED_AT_ONCE: Final = 8
"""In one turn of the loop no more handshakes are computed, each a step of about a millisecond: the sessions'
turn comes in between, however many strangers there are.  Those beyond wait, within their 5 s."""


def turnstile() -> asyncio.Semaphore:
    """What the openings of one node share, so that `MAX_COMPUTED_AT_ONCE` holds."""
    return asyncio.Semaphore(MAX_COMPUTED_AT_ONCE)


class TlsOpening:
    """A TCP connection whose ends do not know each other yet.  Used on the loop, by one task.

    Args:
        connection: a connected, non-blocking socket; it stays the caller's to close until `stream` is called.
        machine: a new one, of the right end.
        turns: shared with the other openings of this node; None: its own.
    """

    def __init__(
        self, connection: socket.socket, machine: TlsMachine, turns: asyncio.Semaphore | None = None
    ) -> None:
        # Each step of a handshake, and each small frame after it, is awaited by the other end.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connection
        self._machine = machine
        self._turns = turns or turnstile()
        self._loop = asyncio.get_running_loop()

    async def shake_hands(self) -> bytes:
        """Carries TLS's own handshake to its end, and gives the channel for the proof.

        Raises:
            ProtocolError: there is no TLS with that peer; the sentence says why.
            OSError: the connection broke.
        """
        machine = self._machine
        await self._send_pending()
        while not machine.is_established:
            # Whoever sends nothing has no turn, so silence keeps nobody waiting.
            data = await self._loop.sock_recv(self._socket, _OPENING_READ_BYTES)
            async with self._turns:
                failure = self._compute(data)
                await asyncio.sleep(0)  # the turn of the loop, and so this one's, ends here
            if failure is not None:
                raise failure
            await self._send_pending()
        return machine.channel

    def _compute(self, data: bytes) -> ProtocolError | None:
        """A step of the handshake."""
        try:
            if data:
                self._machine.receive_data(data)
            else:
                self._machine.connection_lost()
        except ProtocolError as failure:
            with contextlib.suppress(OSError):
                self._socket.send(self._machine.data_to_send())  # the alert, if it goes without waiting
            return failure
        return None

    async def send_all(self, data: bytes) -> None:
        """Sends *data*; raises as `receive`."""
        self._machine.write(data)
        await self._send_pending()

    async def receive(self) -> bytes:
        """What has come, at least a byte; empty at the end of the stream.

        With or without a goodbye: a dial that is given up just ends, and the proof knows what is missing.

        Raises:
            ProtocolError: the bytes are not the other's.
            OSError: the connection broke.
        """
        machine = self._machine
        while not (plain := machine.read()) and not machine.peer_has_finished:
            data = await self._loop.sock_recv(self._socket, _OPENING_READ_BYTES)
            if not data:
                break
            machine.receive_data(data)
        return plain

    def stream(self) -> tuple[TlsStream, bytes]:
        """The connection for a link, and what has come for it behind the last `receive`.

        Those bytes have left the socket, so no loop would ever call for them.  Raises ProtocolError as
        `receive`.
        """
        return TlsStream(self._socket, self._machine), self._machine.read()

    async def _send_pending(self) -> None:
        if data := self._machine.data_to_send():
            await self._loop.sock_sendall(self._socket, data)


class TlsStream:
    """The four verbs on top of a TCP socket and a machine (see the top of `net/stream.py`).

    A failure of TLS is a ConnectionError, as a failure of the connection is.

    Args:
        connection: a connected, non-blocking socket, which belongs to this stream from now on.
        machine: its handshake is done, and everything it had to send has been sent.
    """

    def __init__(self, connection: socket.socket, machine: TlsMachine) -> None:
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            connection.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
        self._socket = connection
        self._machine = machine
        self._lock = threading.Lock()
        # only used by whoever sends
        self._encoded = memoryview(b"")  # encrypted, but not taken by the kernel yet
        self._encoded_size = 0  # how many of the caller's bytes that stands for
        self.fileno = connection.fileno
        # Without a goodbye: a forked child closes its copy this way, and must not speak for its parent.
        self.close = connection.close

    def send(self, data: bytes | memoryview) -> int:
        """Sends the beginning of *data*: how many bytes of it the kernel has taken, in whole pieces.

        What is encrypted has its place in the stream and must follow.  So after a BlockingIOError the next
        call has to begin with the same bytes, as with OpenSSL itself: they count as taken when the last of
        them has left.  (Were they counted at once, a link with nothing more to send would watch for no room
        in the socket, and their rest would stay here.)

        Raises:
            BlockingIOError: not yet all of the first piece has left.
            ConnectionError: the connection is broken.
        """
        if not self._encoded:
            piece = data if len(data) <= _PIECE_BYTES else memoryview(data)[:_PIECE_BYTES]
            with self._lock:
                try:
                    self._machine.write(piece)
                except ProtocolError as error:
                    raise ConnectionError(*error.args) from error
                self._encoded = memoryview(self._machine.data_to_send())
            self._encoded_size = len(piece)
        assert len(data) >= self._encoded_size, "after BlockingIOError the same bytes come again"
        self._push()
        return self._encoded_size

    def receive_into(self, buffer: memoryview) -> int:
        """Reads what is there: the number of bytes, 0 after the other's goodbye.

        Whoever reads once each time the socket is readable needs a buffer of 32 KiB at least: then nothing
        that has left the socket stays unread in here, where no loop could see it.

        Raises:
            BlockingIOError: there is nothing now.
            ConnectionError: the connection is broken, was cut without a goodbye, or tampered with.
        """
        # The ciphertext is read into the caller's own buffer: the machine copies it away before the plain
        # bytes take its place.  They are fewer, but may be joined by those of one record that had begun.
        spare = RECORD_BYTES if len(buffer) > RECORD_BYTES else 0
        machine = self._machine
        try:
            while True:
                with self._lock:
                    size = machine.read_into(buffer) if machine.has_unread else 0
                if size or machine.peer_has_finished:
                    return size
                count = self._socket.recv_into(buffer, len(buffer) - spare)
                if not count:
                    machine.connection_lost()
                with self._lock:
                    machine.receive_data(buffer[:count])
        except ProtocolError as error:
            raise ConnectionError(*error.args) from error

    def end_writing(self) -> None:
        """Says goodbye, then ends the stream.

        A peer that has taken nothing for so long that there is no room left for it sees the end without the
        goodbye.
        """
        with contextlib.suppress(OSError, ProtocolError):  # it is broken: the reader will find that
            with self._lock:
                self._machine.finish()
                self._encoded = memoryview(bytes(self._encoded) + self._machine.data_to_send())
            self._push()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def _push(self) -> None:
        while self._encoded:
            self._encoded = self._encoded[self._socket.send(self._encoded) :]
