"""TLS 1.3 as a machine: bytes of a connection in, bytes for it out, plain bytes on the other side.  Not here:
sockets (`net/tls_stream.py`), the making of certificates (`net/certificate.py`), and who the peer is: TLS
keeps strangers from reading and changing what passes, the proof behind it (`wire/handshake/machine.py`)
says who.

No certificate authority is asked.  The acceptor shows a self-signed certificate and proves by TLS that the
key is its own; both ends put the hash of that certificate, as the dialler saw it and as the acceptor owns
it, into their mutual proof (`TlsMachine.channel`).  Somebody in the middle has to show a certificate of his
own, and fails there.  (`SSLObject.get_channel_binding` is no help: it knows only `tls-unique`, which TLS 1.3
lacks.)

There are no tickets and so no resumed sessions, in which no certificate would be shown.

Only what needs TLS imports this file.  (`ssl` itself, 11 ms, comes along with asyncio in any case.)
"""

from __future__ import annotations

import hashlib
import ssl
from typing import TYPE_CHECKING, Final, cast

from pyx.errors import ProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable

RECORD_BYTES: Final = 5 + 2**14 + 256
"""The longest TLS record, header included (RFC 8446, 5.1 and 5.2)."""

MAX_HANDSHAKE_BYTES: Final = 16 * 1024
"""What a stranger may send before the TLS handshake is done: a hello is 0.3 to 1.5 KiB, an answer 1 KiB."""

_WORDS: Final = {
    "UNSUPPORTED_PROTOCOL": "it does not speak TLS 1.3",
    "TLSV1_ALERT_PROTOCOL_VERSION": "it does not speak TLS 1.3",
    "WRONG_VERSION_NUMBER": "it does not speak TLS",
    "HTTP_REQUEST": "it does not speak TLS but HTTP",
    "DECRYPTION_FAILED_OR_BAD_RECORD_MAC": "a TLS record was damaged on the way",
}


def dialling_context() -> ssl.SSLContext:
    """How this node speaks TLS where it dials: version 1.3, any certificate (see the top of this file)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def accepting_context() -> ssl.SSLContext:
    """How this node speaks TLS where it is dialled; its certificate has yet to be loaded into it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0
    return context


class TlsMachine:
    """One end of one TLS connection.

    Feed it (`receive_data`, `connection_lost`, `write`, `finish`), then collect `data_to_send` and what can
    be read.  The dialling end has something to send from the start.  Not for two threads at once.

    Args:
        context: `dialling_context()`, or `accepting_context()` with a certificate in it.
        certificate_sha256: the hash of that certificate (its DER form) on the accepting end; None on the
            dialling one, which gets to see the other's.
    """

    def __init__(self, context: ssl.SSLContext, *, certificate_sha256: bytes | None = None) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        # No server_hostname: a name would travel in the clear, and nobody would check it.
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_side=certificate_sha256 is not None
        )
        # With a buffer it gives a count; typeshed knows it only without.
        self._decrypt = cast("Callable[[int, memoryview], int]", self._tls.read)
        self._certificate_sha256 = certificate_sha256
        self._handshake_bytes = 0
        self._read_early = bytearray()
        self.is_established = False
        """The TLS handshake is done: `channel` is known, `write` and the reads may be used."""
        self.peer_has_finished = False
        """The other end has said goodbye: nothing more can be read."""
        self._shake_hands()

    @property
    def channel(self) -> bytes:
        """What carries the bytes, for the mutual proof: `b"tls"` and the acceptor's certificate's SHA-256."""
        assert self._certificate_sha256 is not None, "the handshake comes first"
        return b"tls" + self._certificate_sha256

    # ------------------------------------------------------------ the side of the connection

    def receive_data(self, data: bytes | memoryview) -> None:
        """Takes bytes from the connection; they may be overwritten afterwards.

        Raises:
            ProtocolError: the handshake failed; what `data_to_send` gives now (an alert) may still be sent.
        """
        self._incoming.write(data)
        if not self.is_established:
            self._handshake_bytes += len(data)
            self._shake_hands()

    def connection_lost(self) -> None:
        """The connection has come to its end.

        Raises:
            ProtocolError: the other end had not said goodbye: it crashed, or somebody cut the connection.
        """
        if not self.is_established:
            raise ProtocolError("it hung up during the TLS handshake")
        if not self.peer_has_finished:
            raise ProtocolError("it hung up without a goodbye")

    def data_to_send(self) -> bytes:
        """The bytes for the connection since the last call."""
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

    # ------------------------------------------------------------ the plain side

    def write(self, data: bytes | memoryview) -> None:
        """Encrypts *data*, whole; next, collect `data_to_send`.

        Raises:
            ProtocolError: TLS has failed before.
        """
        if not data:
            return  # OpenSSL leaves open what writing nothing means
        try:
            written = self._tls.write(data)
        except ssl.SSLError as error:
            raise _failure(error) from error
        assert written == len(data), "a memory BIO takes everything"

    @property
    def has_unread(self) -> bool:
        """Something has come that was not read; it may be less than a record, and give nothing yet."""
        return bool(self._incoming.pending or self._read_early or self._tls.pending())

    def read_into(self, buffer: memoryview) -> int:
        """Decrypts what has come, as far as *buffer* holds it: the number of bytes, 0 if there are none now.

        Unless it fills the buffer to the end, nothing that can be decrypted is left behind.

        Raises:
            ProtocolError: somebody has tampered with the bytes, or the other end broke the rules.
        """
        if self._read_early:
            size = min(len(buffer), len(self._read_early))
            buffer[:size] = self._read_early[:size]
            del self._read_early[:size]
            return size
        size = 0
        try:
            while size < len(buffer):
                count = self._decrypt(len(buffer) - size, buffer[size:])
                if not count:
                    self.peer_has_finished = True
                    break
                size += count
                if not self.has_unread:  # asking OpenSSL would cost an exception
                    break
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:  # the goodbye, where this end has said its own before
            self.peer_has_finished = True
        except ssl.SSLError as error:
            raise _failure(error) from error
        return size

    def read(self) -> bytes:
        """Decrypts all that has come; empty if there is nothing now.  Raises as `read_into`."""
        plain = bytearray()
        piece = memoryview(bytearray(RECORD_BYTES))
        while size := self.read_into(piece):
            plain += piece[:size]
        return bytes(plain)

    def finish(self) -> None:
        """Says goodbye: nothing can be written any more, while the other's bytes can still be read.

        Next, collect `data_to_send`.
        """
        # OpenSSL looks for the other's goodbye too, and throws away the data that it finds instead: so what
        # has come is decrypted first.
        try:
            self._read_early += self.read()
            self._tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            raise _failure(error) from error


def _failure(error: ssl.SSLError) -> ProtocolError:
    """OpenSSL's complaint as a sentence."""
    reason = error.reason or str(error)
    return ProtocolError(_WORDS.get(reason) or f"TLS failed: {reason.replace('_', ' ').lower()}")
