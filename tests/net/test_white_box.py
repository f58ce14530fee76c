"""A dialler written by hand makes one error in the handshake inside TLS.

Each is refused, and no resources of it are left.  White-box: the layout of each frame is written out.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import select
import socket
import ssl
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from pyx.errors import ProtocolError
from pyx.net.arrivals import Arrival
from pyx.net.tls_stream import TlsHandshakeStream
from pyx.wire.handshake.hello import DIALLER, PROTOCOL_VERSION, Hello, pack_hello
from pyx.wire.handshake.tls import TlsMachine, dialling_context
from tests.local_nodes import until
from tests.net.endpoint_nodes import HANG, KEY, DialFailed
from tests.net.fault_proxy import FaultProxy
from tests.net.impostor import HELLO as IMPOSTORS_HELLO
from tests.net.impostor import framed, with_decision
from tests.net.test_tcp_carrier import Net, net, short_timeout

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["net", "short_timeout"]  # fixtures

HELLO: Final = Hello(
    DIALLER, PROTOCOL_VERSION, PROTOCOL_VERSION, 0, 7, bytes(range(32)), "spy@127.0.0.9", "bob@127.0.0.2"
)


class HandDialler:
    """The frames of a dialler; `altered` and `stops` make one with an error."""

    def __init__(self, hello: Hello = HELLO, key: bytes = KEY, *, channel: bytes | None = None) -> None:
        self.hello = pack_hello(hello)
        self.key = key
        self.channel = channel
        self.alter_hello: Callable[[bytes], bytes] = lambda frame: frame
        self.alter_proof: Callable[[bytes], bytes] = lambda frame: frame
        self.one_byte_at_a_time = False
        self.stops = ""
        self.cut_at = 0
        self.is_silent = False
        self._unread = b""
        self.received: list[bytes] = []
        """The frames received from bob, without their lengths."""
        self.proof = b""

    async def run(self, port: int) -> bytes:
        """Runs the handshake; returns the last received frame without its length, empty if there was none.

        Its output ends after `cut_at` bytes of the step `stops`; then it closes or is silent (`is_silent`).
        """
        connection = await asyncio.to_thread(socket.create_connection, ("127.0.0.2", port), HANG)
        connection.setblocking(False)
        with contextlib.closing(connection), contextlib.suppress(OSError, ProtocolError):
            if self.stops == "tls":
                hello = TlsMachine(dialling_context()).data_to_send()
                await asyncio.get_running_loop().sock_sendall(connection, hello[: self.cut_at])
                await self._stop(connection)
                return b""
            handshake = TlsHandshakeStream(connection, TlsMachine(dialling_context()))
            channel = await handshake.open_channel()
            frame = self.alter_hello(framed(self.hello))
            if self.stops == "hello":
                await self._send(handshake, frame[: self.cut_at])
                await self._stop(connection)
                return b""
            await self._send(handshake, frame)
            answer = await self._receive(handshake)
            if answer[:1] == b"\x05":
                return answer
            self.proof = framed(b"\x03" + self._mac(answer, self.channel or channel))
            frame = self.alter_proof(self.proof)
            if self.stops == "proof":
                await self._send(handshake, frame[: self.cut_at])
                await self._stop(connection)
                return b""
            await self._send(handshake, frame)
            await self._receive(handshake)
        return self.received[-1] if self.received else b""

    async def _receive(self, handshake: TlsHandshakeStream) -> bytes:
        """Returns the next frame, which may have arrived together with the one before."""
        if not self._unread:
            self._unread = await handshake.receive()
        end = 2 + int.from_bytes(self._unread[:2])
        frame, self._unread = self._unread[2:end], self._unread[end:]
        self.received.append(frame)
        return frame

    async def _stop(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):  # bob may close before it has read all
            while self.is_silent and await asyncio.get_running_loop().sock_recv(connection, 4096):
                pass  # received data changes nothing

    async def _send(self, handshake: TlsHandshakeStream, data: bytes) -> None:
        step = 1 if self.one_byte_at_a_time else max(1, len(data))
        with contextlib.suppress(OSError):  # bob has refused already, and the refusal is still unread
            for at in range(0, len(data), step):
                await handshake.send_all(data[at : at + step])

    def _mac(self, answer: bytes, channel: bytes) -> bytes:
        transcript = hashlib.sha256(
            len(self.hello).to_bytes(2) + self.hello + len(answer).to_bytes(2) + answer + channel
        )
        return hmac.digest(self.key, b"pyx-1 dialler" + transcript.digest(), "sha256")


def descriptors() -> int:
    """Returns the number of open descriptors of this OS process."""
    return len(list(Path("/dev/fd").iterdir()))


def altered(
    hello: Callable[[bytes], bytes] | None = None, proof: Callable[[bytes], bytes] | None = None
) -> HandDialler:
    dialler = HandDialler()
    dialler.alter_hello = hello or dialler.alter_hello
    dialler.alter_proof = proof or dialler.alter_proof
    return dialler


def stops(step: str, cut_at: int = 0, *, silent: bool = False) -> HandDialler:
    dialler = HandDialler()
    dialler.stops, dialler.cut_at, dialler.is_silent = step, cut_at, silent
    return dialler


WRONG: Final[dict[str, Callable[[], HandDialler]]] = {
    "hello with a wrong tag": lambda: altered(lambda frame: frame[:2] + b"x" + frame[3:]),
    "hello cut short": lambda: altered(lambda frame: framed(frame[2:-3])),
    "hello too long": lambda: altered(lambda frame: framed(frame[2:] + b"more")),
    "hello of a length over the limit": lambda: altered(lambda _: b"\xff\xff"),
    "hello that is empty": lambda: altered(lambda _: b"\0\0"),
    "hello with a name that is not text": lambda: altered(lambda frame: frame.replace(b"spy", b"s\xffy")),
    "hello with my own name": lambda: HandDialler(HELLO._replace(name="bob@127.0.0.2")),
    "hello with another name dialled": lambda: HandDialler(HELLO._replace(dialled="cat@127.0.0.2")),
    "hello of an old version": lambda: HandDialler(HELLO._replace(lowest=0, highest=0)),
    "hello of a version to come": lambda: HandDialler(HELLO._replace(lowest=PROTOCOL_VERSION + 1, highest=9)),
    "hello with unknown flags": lambda: HandDialler(HELLO._replace(flags=4)),
    "hello without a creation": lambda: HandDialler(HELLO._replace(creation=0)),
    "hello of an acceptor": lambda: HandDialler(HELLO._replace(role=2)),
    "proof with a wrong tag": lambda: altered(proof=lambda frame: frame[:2] + b"\x04" + frame[3:]),
    "proof cut short": lambda: altered(proof=lambda frame: framed(frame[2:-1])),
    "proof too long": lambda: altered(proof=lambda frame: framed(frame[2:] + b"x")),
    "proof of zeros": lambda: altered(proof=lambda _: framed(b"\x03" + bytes(32))),
    "proof by another cookie": lambda: HandDialler(key=b"o" * 32),
    "proof for another certificate": lambda: HandDialler(channel=b"tls" + bytes(32)),
    "proof for a unix socket": lambda: HandDialler(channel=b"unix"),
    "proof that goes on at once": lambda: altered(proof=lambda frame: frame + framed(b"signals")),
    "end at once": lambda: stops("tls"),
    "end in tls": lambda: stops("tls", 50),
    "end after tls": lambda: stops("hello"),
    "end in the hello": lambda: stops("hello", 20),
    "end after the hello": lambda: stops("proof"),
    "end in the proof": lambda: stops("proof", 20),
}

SILENT: Final[dict[str, Callable[[], HandDialler]]] = {
    "at once": lambda: stops("tls", silent=True),
    "in tls": lambda: stops("tls", 50, silent=True),
    "after tls": lambda: stops("hello", silent=True),
    "in the hello": lambda: stops("hello", 20, silent=True),
    "after the hello": lambda: stops("proof", silent=True),
    "in the proof": lambda: stops("proof", 20, silent=True),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_handshake_is_refused(what: str, net: Net) -> None:
    bob = net.node("bob@127.0.0.2").listen()
    before = descriptors()
    answer = net.loop_thread.run(WRONG[what]().run(net.port))
    if "end" not in what:
        assert answer == b"\x05"  # the same answer to all errors
    assert bob.refusals.get(timeout=HANG)
    assert bob.claims == 0
    until(lambda: not list(bob.endpoint._pending) and descriptors() == before)


@pytest.mark.usefixtures("short_timeout")
@pytest.mark.parametrize("where", SILENT)
def test_silent_handshake_is_closed(where: str, net: Net) -> None:
    bob = net.node("bob@127.0.0.2").listen()
    before = descriptors()
    assert net.loop_thread.run(SILENT[where]().run(net.port)) == b""
    assert bob.refusals.get(timeout=HANG) == "a connection did not authenticate within 0.3 s"
    assert bob.claims == 0
    until(lambda: not list(bob.endpoint._pending) and descriptors() == before)


def test_older_tls_is_refused(net: Net) -> None:
    bob = net.node("bob@127.0.0.2").listen()
    context = dialling_context()
    with warnings.catch_warnings():  # Python warns of these old versions
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError), contextlib.closing(net.connection("127.0.0.2")) as connection:
        context.wrap_socket(connection)
    assert bob.refusals.get(timeout=HANG) == "it does not speak TLS 1.3"


def test_own_proof_sent_back_is_refused(net: Net) -> None:
    """Reflection: bob is made to dial, and its own frames are sent back to it."""
    bob = net.node("bob@127.0.0.2").listen()
    given: list[bytes] = []
    impostor = with_decision(lambda proof: given.append(proof) or framed(proof))
    impostor.hello = lambda _: framed(pack_hello(IMPOSTORS_HELLO._replace(name="cat@127.0.0.3")))
    with socket.create_server(("127.0.0.3", net.port)) as listening:
        listening.setblocking(False)
        bob.dials("cat@127.0.0.3")
        net.loop_thread.run(impostor.answer(listening))
    assert isinstance(bob.outcomes.get(timeout=HANG), DialFailed)
    (proof,) = given
    assert proof[:1] == b"\x03"
    assert net.loop_thread.run(altered(proof=lambda _: framed(proof)).run(net.port)) == b"\x05"
    assert bob.refusals.get(timeout=HANG) == "the cookie of spy@127.0.0.9 differs from ours"
    assert bob.claims == 0


def test_proof_of_an_earlier_handshake_is_refused(net: Net) -> None:
    bob = net.node("bob@127.0.0.2").listen()
    right = HandDialler()
    assert net.loop_thread.run(right.run(net.port))[:2] == b"\x04\x00"
    assert net.loop_thread.run(altered(proof=lambda _: right.proof).run(net.port)) == b"\x05"
    assert bob.refusals.get(timeout=HANG) == "the cookie of spy@127.0.0.9 differs from ours"
    assert bob.claims == 1


def test_wrong_name_and_wrong_cookie_get_the_same_answer(net: Net) -> None:
    net.node("bob@127.0.0.2").listen()
    received = []
    for dialler in (
        HandDialler(key=b"o" * 32),
        HandDialler(HELLO._replace(dialled="cat@127.0.0.2")),
        HandDialler(channel=b"unix"),
    ):
        net.loop_thread.run(dialler.run(net.port))
        received.append([frame[:16] + frame[48:] for frame in dialler.received])  # all but the nonce
    assert received[0] == received[1] == received[2]
    assert [len(received[0]), received[0][-1]] == [2, b"\x05"]


@pytest.mark.parametrize("what", ["hello cut short", "proof by another cookie", "proof too long"])
def test_wrong_handshake_byte_by_byte_is_refused(what: str, net: Net) -> None:
    bob = net.node("bob@127.0.0.2").listen()
    dialler = WRONG[what]()
    dialler.one_byte_at_a_time = True
    assert net.loop_thread.run(dialler.run(net.port)) == b"\x05"
    assert bob.refusals.get(timeout=HANG)
    assert bob.claims == 0


def test_handshake_split_at_every_byte_succeeds(net: Net) -> None:
    gus, bob = net.node("gus@127.0.0.1"), net.node("bob@127.0.0.2").listen()
    gus.resolves_all_names_to("127.0.0.3")
    with FaultProxy(("127.0.0.3", net.port), ("127.0.0.2", net.port)) as proxy:
        proxy.there.in_single_bytes = proxy.back.in_single_bytes = True
        assert isinstance(gus.reaches("bob@127.0.0.2"), Arrival)
        assert isinstance(bob.outcomes.get(timeout=HANG), Arrival)


@pytest.mark.parametrize("fault", ["cuts", "flips"])
@pytest.mark.parametrize("way", ["there", "back"])
def test_network_failure_at_any_byte_leaves_no_half_open_connection(way: str, fault: str, net: Net) -> None:
    """An end that is connected is connected to the other end, or finds at once that it has closed."""
    gus, bob = net.node("gus@127.0.0.1"), net.node("bob@127.0.0.2").listen()
    gus.resolves_all_names_to("127.0.0.3")
    outcomes = set()
    for place in range(0, 1400, 67):
        with FaultProxy(("127.0.0.3", net.port), ("127.0.0.2", net.port)) as proxy:
            before = descriptors()
            getattr(getattr(proxy, way), fault)(place)
            outcome = gus.reaches("bob@127.0.0.2")
            outcomes.add(type(outcome))
            arrivals, gus.arrivals[:] = [*gus.arrivals], []
            for arrival in arrivals:
                arrival.stream.close()
            until(lambda: not list(bob.endpoint._pending) and not gus.endpoint._dials)
            for arrival in bob.arrivals:
                assert ends(arrival)
                arrival.stream.close()
            bob.arrivals.clear()
            until(lambda before=before: descriptors() <= before + 2)  # type: ignore[misc] # the proxy's own two
    assert DialFailed in outcomes


def ends(arrival: Arrival) -> bool:
    """Returns True when the other end has closed."""
    with contextlib.suppress(OSError, ProtocolError):
        while select.select([arrival.stream.fileno()], [], [], HANG)[0]:
            with contextlib.suppress(BlockingIOError):
                if not arrival.stream.receive_into(memoryview(bytearray(1 << 16))):
                    return True
        return False
    return True


def test_right_handshake_byte_by_byte_is_accepted(net: Net) -> None:
    bob = net.node("bob@127.0.0.2").listen()
    dialler = HandDialler()
    dialler.one_byte_at_a_time = True
    decision = net.loop_thread.run(dialler.run(net.port))
    assert decision[:2] == b"\x04\x00"
    assert bob.claims == 1
