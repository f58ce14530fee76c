"""srv_records.py: A node at each target of SRV records, of a name server on loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pyx.cluster import srv_records
from pyx.cluster.srv_records import SrvRecords
from pyx.errors import PyxError
from tests.cluster.finders import HERE, seen

pytest.importorskip("dns", reason="dnspython is not installed: pip install 'pyxnode[dns]'")

from tests.cluster.name_server import NameServer
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator


DOMAIN = "_pyx._tcp.example.org"


@pytest.fixture(scope="module")
def name_server() -> Iterator[int]:
    """A name server on loopback, by UDP and TCP; yields its port."""
    with NameServer("127.0.0.1", free_port()) as server:
        yield server.port


def targets(port: int, domain: str) -> list[str]:
    """What the strategy finds first."""
    found: list[str] = seen(SrvRecords(HERE, {"query": domain, "server": "127.0.0.1", "port": port}))[0]
    return found


class TestSrv:
    def test_each_target_is_a_node(self, name_server: int) -> None:
        assert targets(name_server, "two.example.org") == [
            f"gus@n0-{each}.two.example.org" for each in (0, 1)
        ]

    def test_answer_that_was_cut_is_asked_for_by_tcp(self, name_server: int) -> None:
        assert len(targets(name_server, "long.example.org")) == 400

    @pytest.mark.parametrize(
        ("domain", "sentence"),
        [
            ("nothing.example.org", "has no SRV records: The DNS query name does not exist"),
            ("failing.example.org", "has no SRV records: All nameservers failed .* SERVFAIL"),
            ("empty.example.org", "has no SRV records: The DNS response does not contain an answer"),
        ],
    )
    def test_domain_without_records_is_one_clear_error(
        self, name_server: int, domain: str, sentence: str
    ) -> None:
        with pytest.raises(PyxError, match=f"^{domain} {sentence}"):
            targets(name_server, domain)

    def test_target_that_is_the_root_is_no_service(self, name_server: int) -> None:
        with pytest.raises(PyxError, match=r"^gone\.example\.org has no such service: the target of its SRV"):
            targets(name_server, "gone.example.org")

    def test_silent_name_server_is_one_clear_error(
        self, name_server: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(srv_records, "RESOLVE_SECONDS", 0.05)
        with pytest.raises(
            PyxError, match=r"^silent\.example\.org has no SRV records: The resolution lifetime"
        ):
            targets(name_server, "silent.example.org")

    def test_odd_target_is_passed_on_as_it_is(self, name_server: int) -> None:
        assert targets(name_server, "odd.example.org")[1] == "gus@good.example.org"

    @pytest.mark.parametrize(
        ("config", "sentence"),
        [
            ({"port": 53}, "port is that of a name server: server, its address, is missing"),
            ({"server": "127.0.0.1", "port": "dns"}, "port is a number from 1 to 65535, not 'dns'"),
            ({"server": "ns.example.org"}, "server is the address of a name server like '10.0.0.2', not 'ns"),
        ],
    )
    def test_bad_name_server_is_one_line(self, config: dict[str, Any], sentence: str) -> None:
        with pytest.raises(ValueError, match=f"^{sentence}"):
            SrvRecords(HERE, {"query": DOMAIN, **config})
