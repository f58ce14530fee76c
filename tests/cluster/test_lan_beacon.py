"""lan_beacon.py, lan_datagram.py: Nodes of one cookie find each other on the local network."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

import pytest

from pyx.cluster.lan_beacon import GROUP, interface_of
from pyx.cluster.lan_datagram import MOST_BYTES, datagram_of, name_in
from pyx.runtime import start_stop
from tests.local_nodes import LocalNodes, connected, start_node, until

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode

KEY = b"k" * 32
NAME = "gus@10.0.0.5"


class TestDatagram:
    def test_name_is_read_by_those_who_hold_the_cookie(self) -> None:
        assert name_in(datagram_of(NAME, 7, KEY), KEY) == NAME
        assert name_in(datagram_of(NAME, 7, KEY), b"x" * 32) is None

    @pytest.mark.parametrize("at", range(40 + len(NAME)))
    def test_changed_byte_is_noticed(self, at: int) -> None:
        datagram = bytearray(datagram_of(NAME, 7, KEY))
        datagram[at] ^= 1
        assert name_in(bytes(datagram), KEY) is None

    def test_cut_or_foreign_datagram_is_nothing(self) -> None:
        whole = datagram_of(NAME, 7, KEY)
        for length in range(len(whole)):
            assert name_in(whole[:length], KEY) is None
        assert name_in(b"\xff" * MOST_BYTES, KEY) is None
        assert name_in(whole + b"\xff", KEY) is None
        assert name_in(datagram_of("g" * 300, 7, KEY), KEY) is None

    def test_cookie_itself_is_not_the_key_of_the_proof(self) -> None:
        import hmac

        datagram = datagram_of(NAME, 7, KEY)
        assert hmac.digest(KEY, datagram[:8] + datagram[40:], "sha256") != datagram[8:40]


def test_beacon_speaks_by_the_address_of_the_node() -> None:
    assert interface_of("10.0.0.5") == "10.0.0.5"
    assert interface_of("shop.example") == "0.0.0.0"


@pytest.fixture
def port() -> int:
    """A port of multicast that works on loopback; skips where it does not."""
    try:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth,
        ):
            ear.settimeout(1)
            ear.bind((GROUP, 0))
            number: int = ear.getsockname()[1]
            loopback = socket.inet_aton("127.0.0.1")
            member = struct.pack("4s4s", socket.inet_aton(GROUP), loopback)
            ear.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
            mouth.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, loopback)
            mouth.sendto(b"x", (GROUP, number))
            ear.recv(1)
    except OSError as error:
        pytest.skip(f"no multicast on loopback: {error}")
    return number


def test_53_two_clusters_of_one_network_do_not_knock_at_each_other(
    nodes: LocalNodes, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="pyx.node")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        tcp = free.getsockname()[1]
    seed = {"name": "lan", "strategy": "lan", "port": port, "interval": 0.05}

    def start(host: str, cookie: str) -> LocalNode:
        node = nodes.make()
        options = {"long": True, "port": tcp, "seeds": [seed], "cookie": f"pyx1-{cookie * 43}"}
        start_node(node, f"shop@{host}", **options)
        return node

    a, b, c, d = (start(f"127.0.0.{n}", "0" if n < 4 else "1") for n in (2, 3, 4, 5))
    until(lambda: connected(a) == ["shop@127.0.0.3"] and connected(b) == ["shop@127.0.0.2"])
    until(lambda: connected(c) == ["shop@127.0.0.5"] and connected(d) == ["shop@127.0.0.4"])
    for node in (a, b, c, d):
        counts = start_stop.info(node)["cluster"]
        assert counts["failed_dials"] == 0, counts
    assert "refused a connection" not in caplog.text
