"""beam_carrier.py, dialects.py, addresses.py: Erlang's dialect over sockets, found by EPMD and proven."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from pyx.core.peers import BEAM, PYX
from pyx.errors import NameTaken, PyxError
from pyx.net import beam_carrier, epmd_client
from pyx.net.addresses import address_of
from pyx.net.arrivals import Arrival
from pyx.net.beam_carrier import BeamCarrier
from pyx.net.endpoint import Endpoint
from pyx.terms import Incarnation
from pyx.wire.beam import flags
from tests.local_nodes import until
from tests.net.endpoint_nodes import HANG, DialFailed, Node
from tests.net.test_epmd_client import end_epmd
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.net.carrier import PlainHandshakeStream
    from tests.net.conftest import LoopThread

HOST = "127.0.0.1"


class _NoNodes:
    """The carrier of pyx's own dialect, which finds no node."""

    async def open(self) -> socket.socket:
        return socket.create_server((HOST, 0))

    async def close(self) -> None:
        """Does nothing."""

    async def accepted(self, connection: socket.socket) -> PlainHandshakeStream:
        raise NotImplementedError

    async def connect(self, name: str) -> socket.socket:
        raise PyxError("no node of that name runs on this host")

    def dialled(self, connection: socket.socket) -> PlainHandshakeStream:
        raise NotImplementedError


class ErlangNode(Node):
    """A node whose carrier of Erlang's dialect is under test; EPMD says that it is not a pyx node."""

    def __init__(self, loop_thread: LoopThread, name: str, creation: int, *, beyond: bool = False) -> None:
        super().__init__(loop_thread, Incarnation(name, creation), _NoNodes(), key=b"ck")
        self.beam = BeamCarrier(self.incarnation, beyond=beyond, own=None, trouble=print)
        self.endpoint = loop_thread.call(
            lambda: Endpoint(self.incarnation, hidden=True, owner=self, carrier=_NoNodes(), beam=self.beam)
        )


@pytest.fixture
def epmd(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """An EPMD of pyx's own, on a port of its own."""
    port = free_port()
    monkeypatch.setenv("ERL_EPMD_PORT", str(port))
    monkeypatch.delenv("ERL_EPMD_ADDRESS", raising=False)
    monkeypatch.setenv("PATH", os.devnull)
    yield port
    end_epmd(port)


@pytest.fixture
def pair(
    loop_thread: LoopThread, epmd: int, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[ErlangNode, ErlangNode]]:
    assert epmd
    monkeypatch.setattr(beam_carrier, "extra_of_pyx", lambda port: b"")  # as a node of Erlang's
    gus, a = ErlangNode(loop_thread, f"gus@{HOST}", 11), ErlangNode(loop_thread, f"a@{HOST}", 22)
    gus.listen()
    a.listen()
    yield gus, a
    gus.close()
    a.close()


def test_two_nodes_prove_the_cookie_and_know_what_both_understand(
    pair: tuple[ErlangNode, ErlangNode],
) -> None:
    gus, a = pair
    dialled = gus.reaches(a.incarnation.name)
    accepted = a.outcomes.get(timeout=HANG)
    assert isinstance(dialled, Arrival)
    assert isinstance(accepted, Arrival)
    assert dialled[:4] == (*a.incarnation, True, True)
    assert accepted[:4] == (*gus.incarnation, True, False)
    for arrival in (dialled, accepted):
        assert (arrival.dialect, arrival.flags) == (BEAM, flags.OURS)
    dialled.stream.send(b"the first bytes")
    buffer = memoryview(bytearray(99))

    def arrived() -> bool:
        try:
            return accepted.stream.receive_into(buffer) > 0
        except BlockingIOError:
            return False

    until(arrived)
    assert bytes(buffer[:15]) == b"the first bytes"


def test_another_cookie_is_refused_and_both_ends_say_so(pair: tuple[ErlangNode, ErlangNode]) -> None:
    gus, a = pair
    a.key = b"another"
    failed = gus.reaches(a.incarnation.name)
    assert isinstance(failed, DialFailed)
    assert failed.reason == f"the cookie of a@{HOST} differs from ours"
    assert failed.hint == "both read ~/.erlang.cookie, or pass --beam-cookie-file"
    assert a.refusals.get(timeout=HANG) == f"the cookie of gus@{HOST} differs from ours"


def test_node_that_is_nowhere_is_not_found_by_the_first_carrier(pair: tuple[ErlangNode, ErlangNode]) -> None:
    gus, _ = pair
    failed = gus.reaches(f"nosuch@{HOST}")
    assert failed == DialFailed(f"nosuch@{HOST}", "no node of that name runs on this host", None)
    failed = gus.reaches("a@elsewhere")  # of another host: never in clear
    assert isinstance(failed, DialFailed)
    assert failed.reason == "no node of that name runs on this host"


def test_connection_that_does_not_speak_erlang_is_refused(pair: tuple[ErlangNode, ErlangNode]) -> None:
    gus, _ = pair
    with socket.create_connection((HOST, gus.beam.port), HANG) as connection:
        connection.sendall(b"\0\x10GET / HTTP/1.1\r\n")
        assert "does not speak Erlang's distribution protocol" in gus.refusals.get(timeout=HANG)


def test_pyx_node_is_not_dialled_as_an_erlang_node(loop_thread: LoopThread, epmd: int) -> None:
    assert epmd
    gus, a = (
        ErlangNode(loop_thread, f"gus@{HOST}", 11).listen(),
        ErlangNode(loop_thread, f"a@{HOST}", 22).listen(),
    )
    entry = loop_thread.run(epmd_client.look_up("a", HOST))
    assert entry is not None
    assert entry.is_pyx
    assert entry.hidden
    assert entry.port_of_pyx == 0
    assert not loop_thread.run(gus.beam.knows(a.incarnation.name))
    gus.close()
    a.close()


def test_name_that_epmd_has_is_taken(
    loop_thread: LoopThread, epmd: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert epmd
    monkeypatch.setattr(epmd_client, "RELEASE_SECONDS", 0.0)
    gus = ErlangNode(loop_thread, f"gus@{HOST}", 11).listen()
    other = ErlangNode(loop_thread, f"gus@{HOST}", 12)
    with pytest.raises(NameTaken, match=f"the name gus@{HOST} is in use"):
        other.listen()
    other.close()
    gus.close()


def test_address_is_its_own_and_a_host_without_one_is_named(loop_thread: LoopThread) -> None:
    assert loop_thread.run(address_of("127.0.0.2")) == "127.0.0.2"
    assert loop_thread.run(address_of("localhost")) in {"127.0.0.1", "::1"}
    with pytest.raises(PyxError, match="has no address"):
        loop_thread.run(address_of("no such host"))


def test_arrival_of_pyxs_own_dialect_says_so() -> None:
    assert Arrival._field_defaults["dialect"] == PYX
