"""lan_services.py, lan_records.py: Nodes of one cookie find each other on the local network."""

from __future__ import annotations

import contextlib
import secrets
import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pyx.cluster.lan_records import MOST_NAME_BYTES, SERVICE, instance_of, name_in, records_of
from pyx.runtime import start_stop
from tests.local_nodes import LocalNodes, connected, start_node, until
from tests.ports import free_port

pytest.importorskip("zeroconf", reason="zeroconf is not installed: pip install 'pyxnode[lan]'")

from pyx.cluster.lan_services import LanServices

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.runtime.local_node import LocalNode

KEY = b"k" * 32
NAME = "gus@10.0.0.5"
OWN = instance_of(NAME, 7)


def heard(records: dict[str, str], instance: str = OWN, key: bytes = KEY) -> str | None:
    """What a node makes of a TXT record, as zeroconf hands it over."""
    return name_in(instance, {name.encode(): text.encode() for name, text in records.items()}, key)


class TestRecords:
    def test_name_is_read_by_those_who_hold_the_cookie(self) -> None:
        assert heard(records_of(NAME, 7, KEY)) == NAME
        assert heard(records_of(NAME, 7, KEY), key=b"x" * 32) is None

    @pytest.mark.parametrize(
        "change",
        [
            {"node": "eve@10.0.0.5"},
            {"creation": "00000008"},
            {"creation": "x"},
            {"creation": ""},
            {"v": "0" * 64},
            {"v": ""},
            {"v": "\xe9" * 64},
            {"node": "\xe9@10.0.0.5"},
        ],
    )
    def test_changed_record_is_noticed(self, change: dict[str, str]) -> None:
        assert heard({**records_of(NAME, 7, KEY), **change}) is None

    @pytest.mark.parametrize("field", ["node", "creation", "v"])
    def test_record_without_a_field_is_nothing(self, field: str) -> None:
        records = records_of(NAME, 7, KEY)
        del records[field]
        assert heard(records) is None
        assert name_in(OWN, {**_as_bytes(records), field.encode(): None}, KEY) is None

    def test_record_that_is_repeated_under_other_names_is_one_node(self) -> None:
        assert heard(records_of(NAME, 7, KEY), instance=f"eve.{SERVICE}") is None

    def test_cookie_itself_is_not_the_key_of_the_proof(self) -> None:
        import hmac

        records = records_of(NAME, 7, KEY)
        assert hmac.digest(KEY, f"{7:08x} {NAME}".encode(), "sha256").hex() != records["v"]

    @pytest.mark.parametrize("name", [NAME, "gus@fd00::5", f"gus@{'h' * (MOST_NAME_BYTES - 4)}"])
    def test_service_is_named_as_dns_allows(self, name: str) -> None:
        from zeroconf import ServiceInfo

        instance = instance_of(name, 2**32 - 1)
        assert len(instance.partition(".")[0]) <= 63
        service = ServiceInfo(SERVICE, instance, properties=records_of(name, 2**32 - 1, KEY))
        assert name_in(instance, service.properties, KEY) == name


def _as_bytes(records: dict[str, str]) -> dict[bytes, bytes | None]:
    return {name.encode(): text.encode() for name, text in records.items()}


class TestSettings:
    def test_name_that_no_record_holds_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"^the name of this node has 255 bytes, and 250 at most can be"):
            LanServices(f"gus@{'h.' * 125}h", {})

    def test_interface_is_an_address(self) -> None:
        with pytest.raises(
            ValueError, match=r"^interface is an address of this host like '10\.0\.0\.5', not 'eth0'"
        ):
            LanServices(NAME, {"interface": "eth0"})


def multicast_sockets() -> set[str]:
    """The sockets of this OS process on the port of multicast DNS, as Linux tells them."""
    try:
        lines = Path("/proc/net/udp").read_text().splitlines()[1:]
    except FileNotFoundError:
        return set()
    numbers = {f"socket:[{line.split()[9]}]" for line in lines if line.split()[1].endswith(":14E9")}
    return numbers & set(_descriptors())


def _descriptors() -> Iterator[str]:
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # that of this listing
            yield str(descriptor.readlink())


@pytest.fixture
def multicast() -> None:
    """Skips where there is no multicast on loopback."""
    try:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth,
        ):
            group, loopback = "224.0.0.251", socket.inet_aton("127.0.0.1")
            ear.settimeout(1)
            ear.bind((group, 0))
            ear.setsockopt(
                socket.IPPROTO_IP,
                socket.IP_ADD_MEMBERSHIP,
                struct.pack("4s4s", socket.inet_aton(group), loopback),
            )
            mouth.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, loopback)
            mouth.sendto(b"x", ear.getsockname())
            ear.recv(1)
    except OSError as error:
        pytest.skip(f"no multicast on loopback: {error}")


@pytest.mark.usefixtures("multicast")
class TestNetwork:
    def start(self, nodes: LocalNodes, host: str, cookie: str, tcp: int) -> LocalNode:
        node = nodes.make()
        seed = {"name": "lan", "strategy": "lan"}
        options: dict[str, Any] = {"long": True, "port": tcp, "seeds": [seed], "cookie": cookie}
        start_node(node, f"shop@{host}", **options)
        return node

    def test_53_two_clusters_of_one_network_do_not_knock_at_each_other(
        self, nodes: LocalNodes, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("INFO", logger="pyx.node")
        tcp = free_port()
        ours, theirs = (f"pyx1-{secrets.token_urlsafe(32)}" for _ in range(2))
        a, b, c, d = (self.start(nodes, f"127.0.0.{n}", ours if n < 4 else theirs, tcp) for n in (2, 3, 4, 5))
        until(lambda: connected(a) == ["shop@127.0.0.3"] and connected(b) == ["shop@127.0.0.2"])
        assert multicast_sockets() or not Path("/proc/net/udp").exists()
        until(lambda: connected(c) == ["shop@127.0.0.5"] and connected(d) == ["shop@127.0.0.4"])
        for node in (a, b, c, d):
            counts = start_stop.info(node)["cluster"]
            assert counts["failed_dials"] == 0, counts
        assert "refused a connection" not in caplog.text

        start_stop.stop(b)
        until(lambda: connected(a) == [])
        b = self.start(nodes, "127.0.0.3", ours, tcp)
        until(lambda: connected(a) == ["shop@127.0.0.3"])

        for node in (a, b, c, d):
            start_stop.stop(node)
        until(lambda: not multicast_sockets())  # before the loop of processes is closed

    def test_address_that_this_host_lacks_is_an_error_of_the_search(
        self, nodes: LocalNodes, caplog: pytest.LogCaptureFixture
    ) -> None:
        node = nodes.make()
        seed = {"name": "lan", "strategy": "lan", "interface": "203.0.113.9"}
        start_node(node, "shop@127.0.0.6", long=True, port=free_port(), seeds=[seed])
        until(
            lambda: (
                "cluster lan: the search has failed: 203.0.113.9 is not an address of this host"
                in caplog.text
            )
        )
