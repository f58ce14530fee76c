"""An acceptor written by hand, correct in everything but what a case of `test_impostor.py` changes.

White-box: the layout of each frame is written out.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import ssl
from typing import TYPE_CHECKING, Final

from pyx.errors import ProtocolError
from pyx.net.certificate import listening_context, make_certificate
from pyx.net.tls_stream import TlsHandshakeStream
from pyx.wire.handshake.hello import ACCEPTOR, PROTOCOL_VERSION, Hello, pack_hello
from pyx.wire.handshake.tls import TlsMachine
from tests.net.endpoint_nodes import KEY

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

BOB: Final = "bob@127.0.0.2"
HELLO: Final = Hello(ACCEPTOR, PROTOCOL_VERSION, PROTOCOL_VERSION, 0, 7, bytes(range(32)), BOB, "")
CERTIFICATE: Final = make_certificate()


def framed(body: bytes) -> bytes:
    return len(body).to_bytes(2) + body


class Impostor:
    """A correct acceptor; a case changes one of its attributes.

    `hello` makes its hello from the dialler's, `decision` its last frame from the dialler's proof.  Its
    output ends after `cut_at` bytes of the step `stops`, where it closes, or stays silent (`is_silent`).
    """

    def __init__(self, key: bytes = KEY) -> None:
        self.key = key
        self.hello: Callable[[bytes], bytes] = lambda _: framed(pack_hello(HELLO))
        self.decision: Callable[[bytes], bytes] | None = None
        self.context = listening_context(CERTIFICATE)
        self.stops, self.cut_at = "", 0
        self.is_silent = False

    async def answer(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        connection, _ = await loop.sock_accept(listening)
        connection.setblocking(False)
        with contextlib.closing(connection), contextlib.suppress(OSError, ProtocolError):
            if self.stops == "tls":
                return await self._stop(connection)
            handshake = TlsHandshakeStream(
                connection, TlsMachine(self.context, certificate_sha256=CERTIFICATE.sha256)
            )
            channel = await handshake.open_channel()
            hello = (await handshake.receive())[2:]
            frame = self.hello(hello)
            if self.stops == "hello":
                await handshake.send_all(frame[: self.cut_at])
                return await self._stop(connection)
            await handshake.send_all(frame)
            proof = (await handshake.receive())[2:]
            frame = (
                self.decision(proof)
                if self.decision
                else framed(b"\4\0" + self._mac(hello, frame[2:], channel))
            )
            if self.stops == "decision":
                await handshake.send_all(frame[: self.cut_at])
                return await self._stop(connection)
            await handshake.send_all(frame)
            await handshake.receive()  # until gus hangs up
        return None

    async def _stop(self, connection: socket.socket) -> None:
        if self.is_silent:
            await asyncio.get_running_loop().sock_recv(connection, 4096)  # received data changes nothing
            while await asyncio.get_running_loop().sock_recv(connection, 4096):
                pass

    def _mac(self, one: bytes, two: bytes, channel: bytes) -> bytes:
        transcript = hashlib.sha256(len(one).to_bytes(2) + one + len(two).to_bytes(2) + two + channel)
        return hmac.digest(self.key, b"pyx-1 acceptor\0" + transcript.digest(), "sha256")


def with_hello(hello: Callable[[bytes], bytes]) -> Impostor:
    impostor = Impostor()
    impostor.hello = hello
    return impostor


def bob_with(**changes: object) -> Impostor:
    return with_hello(lambda _: framed(pack_hello(HELLO._replace(**changes))))  # type: ignore[arg-type]


def with_decision(decision: Callable[[bytes], bytes]) -> Impostor:
    impostor = Impostor()
    impostor.decision = decision
    return impostor


def stops(step: str, cut_at: int = 0, *, silent: bool = False) -> Impostor:
    impostor = Impostor()
    impostor.stops, impostor.cut_at, impostor.is_silent = step, cut_at, silent
    return impostor


def with_older_tls() -> Impostor:
    impostor = Impostor()
    impostor.context.minimum_version = ssl.TLSVersion.TLSv1_2
    impostor.context.maximum_version = ssl.TLSVersion.TLSv1_2
    return impostor
