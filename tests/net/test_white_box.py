"""A peer written by hand walks the handshake behind TLS, and does one thing wrong at one step.

All of them are refused, and nothing of them is left behind.  White-box: it knows the layout of each frame.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from pyx.errors import ProtocolError
from pyx.net.tls_stream import TlsOpening
from pyx.wire.hello import DIALLER, Hello, pack_hello
from pyx.wire.tls import TlsMachine, dialling_context
from tests.net.test_listener import HANG
from tests.net.test_tcp_door import KEY, Net, brief, net
from tests.staging import until

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["brief", "net"]  # fixtures

HELLO: Final = Hello(DIALLER, 1, 1, 0, 7, bytes(range(32)), "spy@127.0.0.9", "bob@127.0.0.2")


class Walk:
    """What the peer says at each step; *spoilt* changes the bytes of one."""

    def __init__(self, hello: Hello = HELLO, key: bytes = KEY, *, channel: bytes | None = None) -> None:
        self.hello = pack_hello(hello)
        self.key = key
        self.channel = channel
        self.spoil_hello: Callable[[bytes], bytes] = lambda frame: frame
        self.spoil_proof: Callable[[bytes], bytes] = lambda frame: frame
        self.one_byte_at_a_time = False
        self.closes_after = ""
        self.silent_after = ""

    async def run(self, port: int) -> bytes:
        """The last frame that came, without its length; empty where none did."""
        connection = await asyncio.to_thread(socket.create_connection, ("127.0.0.2", port), HANG)
        connection.setblocking(False)
        with contextlib.closing(connection):
            opening = TlsOpening(connection, TlsMachine(dialling_context()))
            channel = await opening.shake_hands()
            if self.closes_after == "tls":
                return b""
            heard = b""
            with contextlib.suppress(OSError, ProtocolError):
                if self.silent_after == "tls":
                    return await opening.receive()
                await self._say(opening, self.spoil_hello(framed(self.hello)))
                heard = await opening.receive()
                answer = heard[2 : 2 + int.from_bytes(heard[:2])]
                if answer[:1] == b"\x05" or self.closes_after == "hello":
                    return answer
                if self.silent_after != "hello":
                    proof = b"\x03" + self._mac(answer, self.channel or channel)
                    await self._say(opening, self.spoil_proof(framed(proof)))
                if len(heard) > 2 + len(answer):  # the refusal came in one piece with the hello
                    heard = heard[2 + len(answer) :]
                else:
                    heard = b""
                    heard = await opening.receive()
            return heard[2:]

    async def _say(self, opening: TlsOpening, data: bytes) -> None:
        for piece in [data[at : at + 1] for at in range(len(data))] if self.one_byte_at_a_time else [data]:
            await opening.send_all(piece)

    def _mac(self, answer: bytes, channel: bytes) -> bytes:
        transcript = hashlib.sha256(
            len(self.hello).to_bytes(2) + self.hello + len(answer).to_bytes(2) + answer + channel
        )
        return hmac.digest(self.key, b"pyx-1 dialler" + transcript.digest(), "sha256")


def framed(body: bytes) -> bytes:
    return len(body).to_bytes(2) + body


def descriptors() -> int:
    """How many this process has open."""
    return len(list(Path("/dev/fd").iterdir()))


def spoilt(
    hello: Callable[[bytes], bytes] | None = None, proof: Callable[[bytes], bytes] | None = None
) -> Walk:
    walk = Walk()
    walk.spoil_hello = hello or walk.spoil_hello
    walk.spoil_proof = proof or walk.spoil_proof
    return walk


def ending(*, closes: str = "", silent: str = "") -> Walk:
    walk = Walk()
    walk.closes_after, walk.silent_after = closes, silent
    return walk


WRONG: Final[dict[str, Callable[[], Walk]]] = {
    "hello with a wrong tag": lambda: spoilt(lambda frame: frame[:2] + b"x" + frame[3:]),
    "hello cut short": lambda: spoilt(lambda frame: framed(frame[2:-3])),
    "hello too long": lambda: spoilt(lambda frame: framed(frame[2:] + b"more")),
    "hello of a length over the limit": lambda: spoilt(lambda _: b"\xff\xff"),
    "hello that is empty": lambda: spoilt(lambda _: b"\0\0"),
    "hello with a name that is no text": lambda: spoilt(lambda frame: frame.replace(b"spy", b"s\xffy")),
    "hello with my own name": lambda: Walk(HELLO._replace(name="bob@127.0.0.2")),
    "hello with another name dialled": lambda: Walk(HELLO._replace(dialled="cat@127.0.0.2")),
    "hello of an old version": lambda: Walk(HELLO._replace(lowest=0, highest=0)),
    "hello of a version to come": lambda: Walk(HELLO._replace(lowest=2, highest=9)),
    "hello with unknown flags": lambda: Walk(HELLO._replace(flags=4)),
    "hello without a creation": lambda: Walk(HELLO._replace(creation=0)),
    "hello of an acceptor": lambda: Walk(HELLO._replace(role=2)),
    "proof with a wrong tag": lambda: spoilt(proof=lambda frame: frame[:2] + b"\x04" + frame[3:]),
    "proof cut short": lambda: spoilt(proof=lambda frame: framed(frame[2:-1])),
    "proof too long": lambda: spoilt(proof=lambda frame: framed(frame[2:] + b"x")),
    "proof of zeros": lambda: spoilt(proof=lambda _: framed(b"\x03" + bytes(32))),
    "proof by another cookie": lambda: Walk(key=b"o" * 32),
    "proof for another certificate": lambda: Walk(channel=b"tls" + bytes(32)),
    "proof for a unix socket": lambda: Walk(channel=b"unix"),
    "proof that goes on at once": lambda: spoilt(proof=lambda frame: frame + framed(b"signals")),
    "end behind tls": lambda: ending(closes="tls"),
    "end behind the hello": lambda: ending(closes="hello"),
}


@pytest.mark.parametrize("what", WRONG)
def test_whoever_does_it_wrong_is_refused(what: str, net: Net) -> None:
    bob = net.node("bob@127.0.0.2").listen()
    before = descriptors()
    answer = net.loop_thread.run(WRONG[what]().run(net.port))
    if "end" not in what:
        assert answer == b"\x05"  # one answer to all, which says nothing
    assert bob.refusals.get(timeout=HANG)
    assert bob.claims == 0
    until(lambda: not list(bob.doors._strangers) and descriptors() == before)


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize("step", ["tls", "hello"])
def test_whoever_falls_silent_is_cut_off(step: str, net: Net) -> None:
    bob = net.node("bob@127.0.0.2").listen()
    assert net.loop_thread.run(ending(silent=step).run(net.port)) == b""
    assert bob.refusals.get(timeout=HANG) == "a stranger did not prove itself within 0.3 s"
    assert bob.claims == 0


def test_whoever_does_it_right_gets_through_even_a_byte_at_a_time(net: Net) -> None:
    bob = net.node("bob@127.0.0.2").listen()
    walk = Walk()
    walk.one_byte_at_a_time = True
    verdict = net.loop_thread.run(walk.run(net.port))
    assert verdict[:2] == b"\x04\x00"
    assert bob.claims == 1
