"""tcp_carrier.py: Nodes at two addresses: dials, pending connections, impostors, a man in the middle.

White-box: the tests write the bytes of TCP and TLS themselves.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pyx.errors import ProtocolError, PyxError
from pyx.net import certificate, endpoint
from pyx.net.arrivals import Arrival
from pyx.net.certificate import Certificate, listening_context, make_certificate
from pyx.net.tcp_carrier import TcpCarrier
from pyx.net.tls_stream import TlsHandshakeStream
from pyx.terms import Incarnation
from pyx.wire.handshake.events import Established, Failed, NeedKey, Transmit
from pyx.wire.handshake.hello import dialler_hello
from pyx.wire.handshake.machine import Dialler
from pyx.wire.handshake.tls import TlsMachine, dialling_context
from tests.local_nodes import until
from tests.net.endpoint_nodes import HANG, KEY, DialFailed, Node
from tests.net.fault_proxy import FaultProxy
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.net.conftest import LoopThread


class TcpNode(Node):
    """A node at an address of its own."""

    def __init__(self, net: Net, name: str, key: bytes) -> None:
        self.carrier = TcpCarrier(name, hidden=False, listen=None, port=net.port, trouble=print)
        super().__init__(net.loop_thread, Incarnation(name, 100 + len(net.nodes)), self.carrier, key=key)

    @property
    def claims(self) -> int:
        """Number of authenticated nodes that dialled."""
        return self.asked.qsize()

    def resolves_all_names_to(self, address: str) -> None:
        """Resolves every name to *address*, as a hostile name server would."""
        connect = self.carrier.connect

        async def elsewhere(name: str) -> socket.socket:
            return await connect(f"{name.partition('@')[0]}@{address}")

        self.carrier.connect = elsewhere  # type: ignore[method-assign]

    def close(self) -> None:
        super().close()
        assert self.shortages.empty()


class Net:
    """Nodes of several addresses, all at one port."""

    def __init__(self, loop_thread: LoopThread) -> None:
        self.loop_thread = loop_thread
        self.port = free_port()
        self.nodes: list[TcpNode] = []
        self._pending: list[socket.socket] = []

    def node(self, name: str, key: bytes = KEY) -> TcpNode:
        self.nodes.append(TcpNode(self, name, key))
        return self.nodes[-1]

    def connection(self, address: str, source: str = "") -> socket.socket:
        """Returns a connection to that address."""
        connection = socket.create_connection(
            (address, self.port), HANG, source_address=(source, 0) if source else None
        )
        self._pending.append(connection)
        return connection

    def close(self) -> None:
        for node in self.nodes:
            node.close()
        for connection in self._pending:
            connection.close()


@pytest.fixture
def net(loop_thread: LoopThread) -> Iterator[Net]:
    net = Net(loop_thread)
    yield net
    net.close()


@pytest.fixture
def short_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "HANDSHAKE_SECONDS", 0.3)


class TestDial:
    def test_dial_makes_one_tls_connection_known_to_both_ends(self, net: Net) -> None:
        gus, bob = net.node("gus@127.0.0.1").listen(), net.node("bob@127.0.0.2").listen()
        dialled = gus.reaches("bob@127.0.0.2")
        accepted = bob.outcomes.get(timeout=HANG)
        assert isinstance(dialled, Arrival)
        assert isinstance(accepted, Arrival)
        assert dialled[:4] == (*bob.incarnation, False, True)
        assert accepted[:4] == (*gus.incarnation, False, False)
        assert type(dialled.stream).__name__ == type(accepted.stream).__name__ == "TlsStream"
        dialled.stream.send(b"the first bytes")
        assert read(accepted) == b"the first bytes"

    def test_dial_with_another_cookie_fails_and_both_nodes_report_it(self, net: Net) -> None:
        gus, bob = net.node("gus@127.0.0.1"), net.node("bob@127.0.0.2", b"o" * 32).listen()
        failed = gus.reaches("bob@127.0.0.2")
        assert isinstance(failed, DialFailed)
        assert failed.reason == "the cookie of bob@127.0.0.2 differs from ours"
        assert bob.refusals.get(timeout=HANG) == "the cookie of gus@127.0.0.1 differs from ours"
        assert bob.claims == 0

    def test_dial_answered_by_a_node_of_another_name_names_both(self, net: Net) -> None:
        bob = net.node("bob@127.0.0.2").listen()
        failed = net.node("gus@127.0.0.1").reaches("cat@127.0.0.2")
        assert isinstance(failed, DialFailed)
        assert failed.reason == "it is called bob@127.0.0.2, not cat@127.0.0.2"
        refused = bob.refusals.get(timeout=HANG)
        assert refused == "gus@127.0.0.1 dialled 'cat@127.0.0.2', this is bob@127.0.0.2"

    def test_dial_of_a_short_name_by_a_long_one_says_that_they_do_not_mix(self, net: Net) -> None:
        failed = net.node("gus@127.0.0.1").reaches("bob@vm")
        assert isinstance(failed, DialFailed)
        assert failed.reason == "it has a short name, and this node a long one (--name): the two do not mix"

    def test_dial_of_a_port_without_a_listener_says_so(self, net: Net) -> None:
        failed = net.node("gus@127.0.0.1").reaches("bob@127.0.0.2")
        assert isinstance(failed, DialFailed)
        assert failed.reason == f"cannot connect to 127.0.0.2 port {net.port}: Connection refused"

    def test_dial_of_a_listener_that_is_not_a_node_says_so(self, net: Net) -> None:
        with socket.create_server(("127.0.0.2", net.port)) as other:
            gus = net.node("gus@127.0.0.1")
            gus.dials("bob@127.0.0.2")
            web, _ = other.accept()
            web.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            failed = gus.outcomes.get(timeout=HANG)
            web.close()
        assert isinstance(failed, DialFailed)
        assert failed.reason == "it does not speak TLS"


class TestCertificate:
    def test_certificate_is_made_once_for_the_first_connections(
        self, net: Net, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made: list[Certificate] = []

        def counted() -> Certificate:
            made.append(make_certificate())
            return made[-1]

        monkeypatch.setattr(certificate, "make_certificate", counted)
        nodes = [net.node(f"gus{number}@127.0.0.1") for number in range(3)]
        bob = net.node("bob@127.0.0.2").listen()
        assert made == [], "a node that has accepted no connection needs none"
        for node in nodes:
            node.dials("bob@127.0.0.2")
        assert all(isinstance(node.outcomes.get(timeout=HANG), Arrival) for node in nodes)
        assert len(made) == 1
        assert isinstance(nodes[0].reaches("bob@127.0.0.2"), Arrival)
        assert len(made) == 1
        assert bob.claims == 4

    def test_connection_without_certificate_is_refused_and_the_next_one_makes_another(
        self, net: Net, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def failing() -> Certificate:
            raise ModuleNotFoundError("No module named 'cryptography'")

        gus, bob = net.node("gus@127.0.0.1"), net.node("bob@127.0.0.2").listen()
        with monkeypatch.context() as patched:
            patched.setattr(certificate, "make_certificate", failing)
            failed = gus.reaches("bob@127.0.0.2")
        assert isinstance(failed, DialFailed)
        assert bob.refusals.get(timeout=HANG) == (
            "no certificate could be made for it (ModuleNotFoundError: No module named 'cryptography')"
        )
        assert isinstance(gus.reaches("bob@127.0.0.2"), Arrival)

    def test_connection_that_ends_while_the_certificate_is_made_leaves_the_others(
        self, net: Net, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        is_asked, may_go_on = threading.Event(), threading.Event()

        def slowly() -> Certificate:
            is_asked.set()
            may_go_on.wait(HANG)
            return make_certificate()

        monkeypatch.setattr(certificate, "make_certificate", slowly)
        gus, bob = net.node("gus@127.0.0.1"), net.node("bob@127.0.0.2").listen()
        gus.dials("bob@127.0.0.2")
        assert is_asked.wait(HANG)
        until(lambda: len(list(bob.endpoint._pending)) == 1)
        first = next(iter(bob.endpoint._pending))
        cat = net.node("cat@127.0.0.3")
        cat.dials("bob@127.0.0.2")
        until(lambda: len(list(bob.endpoint._pending)) == 2)
        net.loop_thread.call(first.cancel)
        until(lambda: len(list(bob.endpoint._pending)) == 1)
        may_go_on.set()
        assert isinstance(cat.outcomes.get(timeout=HANG), Arrival)


class TestManInTheMiddle:
    """Attackers who control the network and do not have the cookie."""

    def test_man_in_the_middle_with_another_certificate_is_refused_by_both_ends(self, net: Net) -> None:
        gus, bob = net.node("gus@127.0.0.1"), net.node("bob@127.0.0.2").listen()
        middle = Middle(net, "127.0.0.3", "127.0.0.2")
        gus.resolves_all_names_to("127.0.0.3")
        failed = gus.reaches("bob@127.0.0.2")
        assert isinstance(failed, DialFailed)
        assert failed.reason == "the cookie of bob@127.0.0.2 differs from ours"
        assert bob.refusals.get(timeout=HANG) == "the cookie of gus@127.0.0.1 differs from ours"
        assert bob.claims == 0
        middle.close()
        assert middle.relayed  # the proof failed, not the forwarding

    def test_acceptor_without_the_cookie_is_refused(self, net: Net) -> None:
        impostor = net.node("bob@127.0.0.2", b"a guess".ljust(32)).listen()
        failed = net.node("gus@127.0.0.1").reaches("bob@127.0.0.2")
        assert isinstance(failed, DialFailed)
        assert failed.reason == "the cookie of bob@127.0.0.2 differs from ours"
        assert impostor.claims == 0

    def test_proxy_that_forwards_ciphertext_unchanged_is_transparent(self, net: Net) -> None:
        gus, bob = net.node("gus@127.0.0.1"), net.node("bob@127.0.0.2").listen()
        gus.resolves_all_names_to("127.0.0.3")
        with FaultProxy(("127.0.0.3", net.port), ("127.0.0.2", net.port)):
            assert isinstance(gus.reaches("bob@127.0.0.2"), Arrival)
            assert isinstance(bob.outcomes.get(timeout=HANG), Arrival)

    def test_connection_of_a_node_to_itself_is_refused_at_both_ends(self, net: Net) -> None:
        gus = net.node("gus@127.0.0.1").listen()
        gus.resolves_all_names_to("127.0.0.1")
        failed = gus.reaches("bob@127.0.0.2")
        assert isinstance(failed, DialFailed)
        assert failed.reason == "it has this node's own name"
        assert gus.refusals.get(timeout=HANG) == "it has this node's own name"
        assert gus.claims == 0

    def test_replay_of_an_old_proof_is_refused(self, net: Net) -> None:
        bob = net.node("bob@127.0.0.2").listen()
        dialled = net.loop_thread.run(dial_by_hand(net, KEY))
        assert isinstance(dialled.outcome, Established)
        again = net.loop_thread.run(dial_by_hand(net, KEY, replayed=dialled.sent))
        assert isinstance(again.outcome, Failed)
        assert bob.refusals.get(timeout=HANG) == "the cookie of spy@127.0.0.9 differs from ours"


class HandDial:
    """The frames that were sent by hand, and the last event of the handshake."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.outcome: object = None


async def dial_by_hand(net: Net, key: bytes, replayed: list[bytes] | None = None) -> HandDial:
    """Dials bob by hand; *replayed* frames are sent in place of fresh ones."""
    connection = await asyncio.to_thread(socket.create_connection, ("127.0.0.2", net.port))
    connection.setblocking(False)
    dialled = HandDial()
    with contextlib.closing(connection):
        handshake = TlsHandshakeStream(connection, TlsMachine(dialling_context()))
        spy = Incarnation("spy@127.0.0.9", 7)
        hello = dialler_hello(spy, "bob@127.0.0.2", bytes(range(32)), hidden=False)
        machine = Dialler(hello, await handshake.open_channel())
        while dialled.outcome is None:
            events = machine.events()
            for event in events:
                if isinstance(event, Transmit):
                    data = event.data if replayed is None else replayed[len(dialled.sent)]
                    dialled.sent.append(data)
                    await handshake.send_all(data)
                elif isinstance(event, NeedKey):
                    machine.key_chosen(key)
                else:
                    dialled.outcome = event
            if not events:
                data = b""
                with contextlib.suppress(OSError, ProtocolError):
                    data = await handshake.receive()
                machine.receive_data(data) if data else machine.connection_lost()
    return dialled


class Middle:
    """Accepts with a certificate of its own, connects to the real node, and forwards everything."""

    def __init__(self, net: Net, address: str, real: str) -> None:
        self.relayed: list[bytes] = []
        self._net = net
        self._real = real
        self._listening = socket.create_server((address, net.port))
        self._listening.setblocking(False)
        self._task = net.loop_thread.call(lambda: asyncio.get_running_loop().create_task(self._run()))

    def close(self) -> None:
        async def end() -> None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

        self._net.loop_thread.run(end())
        self._listening.close()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        victim, _ = await loop.sock_accept(self._listening)
        victim.setblocking(False)
        real = socket.socket()
        real.setblocking(False)
        with contextlib.closing(victim), contextlib.closing(real):
            await loop.sock_connect(real, (self._real, self._net.port))
            own = make_certificate()
            to_victim = TlsHandshakeStream(
                victim, TlsMachine(listening_context(own), certificate_sha256=own.sha256)
            )
            to_real = TlsHandshakeStream(real, TlsMachine(dialling_context()))
            await to_victim.open_channel()
            await to_real.open_channel()
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass(to_victim, to_real))
                both.create_task(self._pass(to_real, to_victim))

    async def _pass(self, one: TlsHandshakeStream, other: TlsHandshakeStream) -> None:
        with contextlib.suppress(OSError, ProtocolError):
            while data := await one.receive():
                self.relayed.append(data)
                await other.send_all(data)


def read(arrival: Arrival) -> bytes:
    """Returns the next bytes of a connection, once some have arrived."""
    buffer = memoryview(bytearray(64 * 1024))
    while True:
        with contextlib.suppress(BlockingIOError):
            return bytes(buffer[: arrival.stream.receive_into(buffer)])


class TestPendingConnection:
    @pytest.mark.usefixtures("short_timeout")
    @pytest.mark.parametrize("sent", [b"", b"\x16", b"\x16\x03\x01"])
    def test_pending_connection_that_is_silent_during_tls_is_closed(self, sent: bytes, net: Net) -> None:
        bob = net.node("bob@127.0.0.2").listen()
        connection = net.connection("127.0.0.2")
        with contextlib.suppress(ConnectionError):  # its time may be over before all is sent, and read
            connection.sendall(sent)
            assert connection.recv(100) == b""
        assert bob.refusals.get(timeout=HANG) == "a connection did not authenticate within 0.3 s"

    @pytest.mark.parametrize(
        ("sent", "reason"),
        [
            (b"GET / HTTP/1.1\r\n\r\n", "it does not speak TLS but HTTP"),
            (b"\x00" * 100, "it does not speak TLS"),
            (os.urandom(8).join([b"\x80"] * 40), None),
        ],
    )
    def test_pending_connection_without_tls_is_closed(
        self, sent: bytes, reason: str | None, net: Net
    ) -> None:
        bob = net.node("bob@127.0.0.2").listen()
        connection = net.connection("127.0.0.2")
        connection.sendall(sent)
        with contextlib.suppress(ConnectionResetError):
            while connection.recv(1000):
                pass
        refusal = bob.refusals.get(timeout=HANG)
        assert reason is None or refusal == reason

    def test_pending_connection_closed_during_tls_is_forgotten(self, net: Net) -> None:
        bob = net.node("bob@127.0.0.2").listen()
        net.connection("127.0.0.2").close()
        assert bob.refusals.get(timeout=HANG) == "it hung up during the TLS handshake"

    def test_authentic_peer_gets_through_among_300_pending_connections(self, net: Net) -> None:
        gus, bob = net.node("gus@127.0.0.1"), net.node("bob@127.0.0.2").listen()
        before = len(list(Path("/dev/fd").iterdir()))
        others = [net.connection("127.0.0.2", f"127.0.0.{2 + at % 8}") for at in range(300)]
        for connection in others[::2]:
            with contextlib.suppress(OSError):  # some are closed already
                connection.sendall(b"\x16\x03\x01\x02\x00\x01")
        assert isinstance(gus.reaches("bob@127.0.0.2"), Arrival)
        assert isinstance(bob.outcomes.get(timeout=HANG), Arrival)
        for connection in others:
            connection.close()
        # The two ends of the connection stay; those still in the backlog are accepted, and found closed.
        until(lambda: not list(bob.endpoint._pending) and len(list(Path("/dev/fd").iterdir())) == before + 2)


def test_address_of_another_host_cannot_be_listened_on(net: Net) -> None:
    with pytest.raises(PyxError, match=r"cannot listen on 192\.0\.2\.1 port \d+: Cannot assign requested"):
        net.node("gus@192.0.2.1").listen()


def test_error_for_a_host_without_an_address_says_what_to_do(net: Net) -> None:
    with pytest.raises(PyxError, match=r"the host 'no\.such\.invalid' has no address") as raised:
        net.node("gus@no.such.invalid").listen()
    assert raised.value.hint == "say where to listen: --listen ADDRESS"


def test_error_for_a_port_in_use_says_so(net: Net) -> None:
    net.node("gus@127.0.0.1").listen()
    with pytest.raises(PyxError, match=r"cannot listen on 127\.0\.0\.1 port \d+: Address already in use"):
        net.node("bob@127.0.0.1").listen()
