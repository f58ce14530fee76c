"""A TCP connection inside TLS: the stream of a handshake, and then the stream of a `Connection`.

Threads: one thread at a time sends or ends writing (under the connection's lock), and one receives meanwhile
(under its reading lock).  An SSLObject is not safe for two threads, so the machine has a lock of its own; it
is held while bytes are encrypted or decrypted (64 and 128 KiB: some 50 µs), never during a call of the
socket, and no other lock is taken under it.  See `wire/handshake/tls.py` for TLS itself.

A frame of 50 bytes is encrypted and decrypted in 1 µs each if nothing comes in between, in 25 and 11 µs after
4 MB of other memory were read [measured].  Caches that hold OpenSSL's code and tables no longer are probably
most of what TLS adds to a call.
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
"""Bytes that are encrypted at once: four full records."""

_OPENING_READ_BYTES: Final = 4096
"""Bytes read at once during a handshake, whose three frames have under 400 bytes each."""

MAX_COMPUTED_AT_ONCE: Final = 8
"""Handshakes computed in one iteration of the loop, each step about a millisecond: the sessions run in
between, however many connections arrive.  Further handshakes wait, within their 5 s."""


def handshake_limit() -> asyncio.Semaphore:
    """Returns the semaphore that the handshakes of one node share, for `MAX_COMPUTED_AT_ONCE`."""
    return asyncio.Semaphore(MAX_COMPUTED_AT_ONCE)


class TlsHandshakeStream:
    """A TCP connection during its handshakes, TLS's and pyx's.  Used on the loop, by one task.

    Args:
        connection: a connected, non-blocking socket; the caller closes it unless `stream` is called.
        machine: a new TLS machine of this end.
        turns: the semaphore of `handshake_limit`; None: one of its own.
    """

    def __init__(
        self, connection: socket.socket, machine: TlsMachine, turns: asyncio.Semaphore | None = None
    ) -> None:
        # The peer awaits each step of a handshake, and each small frame after it.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connection
        self._machine = machine
        self._turns = turns or handshake_limit()
        self._loop = asyncio.get_running_loop()

    async def open_channel(self) -> bytes:
        """Runs TLS's own handshake, and returns the channel binding for the proof.

        Raises:
            ProtocolError: TLS failed; the sentence has the reason.
            OSError: the connection is broken.
        """
        machine = self._machine
        await self._send_pending()
        while not machine.is_established:
            # A silent peer holds no place in the semaphore, so it delays no other.
            data = await self._loop.sock_recv(self._socket, _OPENING_READ_BYTES)
            async with self._turns:
                failure = self._compute(data)
                await asyncio.sleep(0)  # ends this iteration of the loop
            if failure is not None:
                raise failure
            await self._send_pending()
        return machine.channel

    def _compute(self, data: bytes) -> ProtocolError | None:
        """Computes a step of the TLS handshake; returns its failure."""
        try:
            if data:
                self._machine.receive_data(data)
            else:
                self._machine.connection_lost()
        except ProtocolError as failure:
            with contextlib.suppress(OSError):
                self._socket.send(
                    self._machine.data_to_send()
                )  # the alert, if it can be sent without blocking
            return failure
        return None

    async def send_all(self, data: bytes) -> None:
        """See `HandshakeStream`; raises as `receive`."""
        self._machine.write(data)
        await self._send_pending()

    async def receive(self) -> bytes:
        """See `HandshakeStream`.

        The end may come without TLS's close_notify: a cancelled dial just ends, and the proof notices that it
        is incomplete.

        Raises:
            ProtocolError: the bytes do not authenticate.
            OSError: the connection is broken.
        """
        machine = self._machine
        while not (plain := machine.read()) and not machine.peer_has_finished:
            data = await self._loop.sock_recv(self._socket, _OPENING_READ_BYTES)
            if not data:
                break
            machine.receive_data(data)
        return plain

    def stream(self) -> tuple[TlsStream, bytes]:
        """See `HandshakeStream`.

        The received bytes have left the socket, so no loop would report them.  Raises ProtocolError as
        `receive`.
        """
        return TlsStream(self._socket, self._machine), self._machine.read()

    async def _send_pending(self) -> None:
        if data := self._machine.data_to_send():
            await self._loop.sock_sendall(self._socket, data)


class TlsStream:
    """The stream of a TCP socket inside TLS (see `stream.py`).

    A failure of TLS is a ConnectionError, as a failure of the connection.

    Args:
        connection: a connected, non-blocking socket, which belongs to this stream from now on.
        machine: a TLS machine after its handshake, with nothing left to send.
    """

    def __init__(self, connection: socket.socket, machine: TlsMachine) -> None:
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            connection.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
        self._socket = connection
        self._machine = machine
        self._lock = threading.Lock()
        # used by the sending thread alone
        self._encoded: bytes | memoryview = b""  # encrypted, but not accepted by the system yet
        self._encoded_size = 0  # number of the caller's bytes in it
        self.fileno = connection.fileno
        # Without close_notify: a forked child closes its copy, and must not end its parent's session.
        self.close = connection.close

    def send(self, data: bytes | memoryview) -> int:
        """Sends the beginning of *data*; returns the number of its bytes that were sent, in whole pieces.

        Encrypted bytes have their place in the stream and must follow.  So after a BlockingIOError the next
        call has to begin with the same bytes, as with OpenSSL itself: they count as sent when the last of
        them was accepted by the system.  (Were they counted at once, a connection with nothing more to send
        would not watch for the socket to become writable, and the rest would stay here.)

        Raises:
            BlockingIOError: part of the first piece is not sent yet.
            ConnectionError: the connection is broken.
        """
        if not self._encoded:
            piece = data if len(data) <= _PIECE_BYTES else memoryview(data)[:_PIECE_BYTES]
            try:
                with self._lock:
                    self._encoded = self._machine.encrypt(piece)
            except ProtocolError as error:
                raise ConnectionError(*error.args) from error
            self._encoded_size = len(piece)
        assert len(data) >= self._encoded_size, "after BlockingIOError the same bytes come again"
        while encoded := self._encoded:
            sent = self._socket.send(encoded)
            self._encoded = b"" if sent == len(encoded) else memoryview(encoded)[sent:]
        return self._encoded_size

    def receive_into(self, buffer: memoryview) -> int:
        """Reads what has arrived; returns the number of bytes, 0 after the peer's close_notify.

        A caller that reads once each time the socket is readable needs a buffer of at least 32 KiB: then no
        byte that has left the socket stays unread in here, where no loop could see it.

        Raises:
            BlockingIOError: nothing has arrived.
            ConnectionError: the connection is broken, ended without close_notify, or was tampered with.
        """
        # The ciphertext is read into the caller's own buffer: the machine copies it away before the plain
        # bytes take its place.  They are fewer, but may be joined by those of one record that had begun.
        spare = RECORD_BYTES if len(buffer) > RECORD_BYTES else 0
        machine = self._machine
        try:
            if machine.may_have_unread or machine.peer_has_finished:
                with self._lock:
                    size = machine.read_into(buffer)
                if size or machine.peer_has_finished:
                    return size
            while True:
                count = self._socket.recv_into(buffer, len(buffer) - spare)
                if not count:
                    machine.connection_lost()
                with self._lock:
                    size = machine.read_into(buffer, count)
                if size or machine.peer_has_finished:
                    return size
        except ProtocolError as error:
            raise ConnectionError(*error.args) from error

    def end_writing(self) -> None:
        """Sends close_notify, then shuts down the sending direction.

        A peer whose socket is full sees the end without close_notify.
        """
        with contextlib.suppress(OSError, ProtocolError):  # the connection is broken: the reader finds that
            with self._lock:
                self._machine.finish()
                self._encoded = bytes(self._encoded) + self._machine.data_to_send()
            self._encoded_size = 0
            if self._encoded:
                self.send(b"")
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
