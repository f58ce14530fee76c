"""TLS 1.3 as a machine: bytes from and to a connection on one side, plain bytes on the other.

TLS protects the bytes from being read or changed; the handshake inside it (`machine`) authenticates the
peer.  `net/tls_stream.py` has the sockets, `net/certificate.py` makes the certificates.

No certificate authority is asked.  The acceptor shows a self-signed certificate and proves by TLS that it has
the key; both ends put the hash of that certificate, as the dialler saw it and as the acceptor has it, into
their mutual proof (`TlsMachine.channel`).  A relay has to show a certificate of its own, and fails there.
(`SSLObject.get_channel_binding` cannot be used: it knows only `tls-unique`, which TLS 1.3 lacks.)

There are no tickets and so no resumed sessions, in which no certificate would be shown.

Imported only where TLS is needed.  (`ssl` itself, 11 ms, is imported by asyncio in any case.)
"""

from __future__ import annotations

import hashlib
import ssl
from typing import TYPE_CHECKING, Final, cast

from pyx.errors import ProtocolError
from pyx.wire.handshake.failure_texts import HUNG_UP_IN_TLS

if TYPE_CHECKING:
    from collections.abc import Callable

RECORD_BYTES: Final = 5 + 2**14 + 256
"""The longest TLS record, header included (RFC 8446, 5.1 and 5.2)."""

MAX_HANDSHAKE_BYTES: Final = 16 * 1024
"""How much a peer may send before the TLS handshake is done: a hello is 0.3 to 1.5 KiB, an answer 1 KiB."""

_HANDSHAKE_RECORD: Final = b"\x16"
"""The first byte of a dialler that speaks TLS (RFC 8446, 5.1)."""

_WORDS: Final = {
    "UNSUPPORTED_PROTOCOL": "it does not speak TLS 1.3",
    "TLSV1_ALERT_PROTOCOL_VERSION": "it does not speak TLS 1.3",
    "WRONG_VERSION_NUMBER": "it does not speak TLS",
    "HTTP_REQUEST": "it does not speak TLS but HTTP",
    "DECRYPTION_FAILED_OR_BAD_RECORD_MAC": "a TLS record was damaged on the way",
}


def dialling_context() -> ssl.SSLContext:
    """The TLS settings of a dialling node: version 1.3, any certificate (the module docstring says why)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def accepting_context() -> ssl.SSLContext:
    """Returns the TLS settings of an accepting node; the caller loads its certificate into the context."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0
    return context


class TlsMachine:
    """One end of one TLS connection.

    Feed it (`receive_data`, `connection_lost`, `write`, `finish`), then collect `data_to_send` and read the
    decrypted bytes.  The dialling end has bytes to send from the start.  Not safe for two threads at once.

    Args:
        context: `dialling_context()`, or `accepting_context()` with a certificate in it.
        certificate_sha256: the hash of that certificate (its DER form) on the accepting end; None on the
            dialling end, which reads the other's.
    """

    def __init__(self, context: ssl.SSLContext, *, certificate_sha256: bytes | None = None) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        # No server_hostname: a name would travel in the clear, and would not be checked.
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_side=certificate_sha256 is not None
        )
        # With a buffer it returns a count; typeshed knows it only without.
        self._decrypt = cast("Callable[[int, memoryview], int]", self._tls.read)
        self._certificate_sha256 = certificate_sha256
        self._handshake_bytes = 0
        self._read_early = bytearray()
        self.is_established = False
        """True once the TLS handshake is done: `channel` is known, `write` and the reads may be used."""
        self.peer_has_finished = False
        """True once the other end has sent `close_notify`: nothing more can be read."""
        self.may_have_unread = True
        """False if all bytes that can be decrypted now have been read."""
        self._shake_hands()

    @property
    def channel(self) -> bytes:
        """The channel for the mutual proof: `b"tls"` and the SHA-256 of the acceptor's certificate."""
        assert self._certificate_sha256 is not None, "the handshake comes first"
        return b"tls" + self._certificate_sha256

    # ------------------------------------------------------------ encrypted side

    def receive_data(self, data: bytes | memoryview) -> None:
        """Takes bytes from the connection; the caller may overwrite them afterwards.

        Raises:
            ProtocolError: the handshake failed; `data_to_send` then returns an alert, which may be sent.
        """
        if not self._handshake_bytes and self._tls.server_side and data[:1] != _HANDSHAKE_RECORD:
            from pyx.wire.handshake.erlang_hello import refusal_of_erlang_node, unframed  # few peers need it

            if (refusal := refusal_of_erlang_node(unframed(data))) is not None:
                raise ProtocolError(refusal)
        self._incoming.write(data)
        self.may_have_unread = True
        if not self.is_established:
            self._handshake_bytes += len(data)
            self._shake_hands()

    def connection_lost(self) -> None:
        """Tells the machine that the connection ended.

        Raises:
            ProtocolError: the other end had not sent `close_notify`: it crashed, or the connection was cut.
        """
        if not self.is_established:
            raise ProtocolError(HUNG_UP_IN_TLS)
        if not self.peer_has_finished:
            raise ProtocolError("it hung up without closing TLS")

    def data_to_send(self) -> bytes:
        """Returns the bytes for the connection since the last call."""
        return self._outgoing.read()

    def _shake_hands(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            if self._handshake_bytes > MAX_HANDSHAKE_BYTES:
                msg = f"its TLS handshake is longer than {MAX_HANDSHAKE_BYTES} bytes"
                raise ProtocolError(msg) from None
            return
        except ssl.SSLError as error:
            raise _failure(error) from error
        if self._certificate_sha256 is None:
            seen = self._tls.getpeercert(binary_form=True)
            if seen is None:
                raise ProtocolError("it showed no certificate")
            self._certificate_sha256 = hashlib.sha256(seen).digest()
        self.is_established = True

    # ------------------------------------------------------------ plain side

    def encrypt(self, data: bytes | memoryview) -> bytes:
        """Encrypts all of *data*, at least a byte; returns `data_to_send`.  Raises as `write`."""
        try:
            self._tls.write(data)
        except ssl.SSLError as error:
            raise _failure(error) from error
        return self._outgoing.read()

    def write(self, data: bytes | memoryview) -> None:
        """Encrypts all of *data*; next, collect `data_to_send`.

        Raises:
            ProtocolError: TLS has failed before.
        """
        if not data:
            return  # OpenSSL does not define a write of no bytes
        try:
            written = self._tls.write(data)
        except ssl.SSLError as error:
            raise _failure(error) from error
        assert written == len(data), "a memory BIO takes everything"

    def read_into(self, buffer: memoryview, arrived: int = 0) -> int:
        """Decrypts into *buffer*; returns the number of bytes, 0 if none can be decrypted now.

        Unless it fills the buffer, no bytes that can be decrypted are left.

        Args:
            buffer: for the plain bytes.
            arrived: number of bytes from the connection at its beginning, which are taken first, as by
                `receive_data`.

        Raises:
            ProtocolError: the bytes were tampered with, or the other end broke the protocol.
        """
        if arrived:
            self._incoming.write(buffer[:arrived])
            self.may_have_unread = True
        if self._read_early:
            size = min(len(buffer), len(self._read_early))
            buffer[:size] = self._read_early[:size]
            del self._read_early[:size]
            return size
        size, space = 0, len(buffer)
        try:
            while size < space:
                count = self._decrypt(space - size, buffer[size:] if size else buffer)
                if not count:
                    self.peer_has_finished = True
                    break
                size += count
                # OpenSSL keeps the rest of a record only where the buffer has no room for it, and asking for
                # the next record would cost an exception.
                if not self._incoming.pending:
                    break
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:  # `close_notify` after this end has sent its own
            self.peer_has_finished = True
        except ssl.SSLError as error:
            raise _failure(error) from error
        self.may_have_unread = size == space
        return size

    def read(self) -> bytes:
        """Decrypts all bytes that can be decrypted now; maybe none.  Raises as `read_into`."""
        plain = bytearray()
        piece = memoryview(bytearray(RECORD_BYTES))
        while size := self.read_into(piece):
            plain += piece[:size]
        return bytes(plain)

    def finish(self) -> None:
        """Sends `close_notify`: nothing can be written any more; the other end's bytes can still be read.

        Next, collect `data_to_send`.
        """
        # OpenSSL looks for the other end's `close_notify` too, and drops any data that it finds instead: so
        # the data that came is decrypted first.
        try:
            self._read_early += self.read()
            self.may_have_unread = True
            self._tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            raise _failure(error) from error


def _failure(error: ssl.SSLError) -> ProtocolError:
    """OpenSSL's error as a sentence."""
    reason = error.reason or str(error)
    return ProtocolError(_WORDS.get(reason) or f"TLS failed: {reason.replace('_', ' ').lower()}")
