"""srv_records.py: A node at each target of SRV records, of a name server on loopback."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from pyx.cluster.srv_records import SrvRecords
from pyx.errors import PyxError
from tests.cluster.finders import HERE, seen

pytest.importorskip("dns", reason="dnspython is not installed: pip install 'pyxnode[dns]'")

import dns.message
import dns.rcode
import dns.rrset

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def name_server() -> Iterator[int]:
    """A name server on loopback that knows two SRV records; yields its port."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))

    def answer() -> None:
        while True:
            data, asker = server.recvfrom(4096)
            if data == b"end":
                return
            query = dns.message.from_wire(data)
            response = dns.message.make_response(query)
            if query.question[0].name.to_text() == "_pyx._tcp.example.org.":
                response.answer.append(
                    dns.rrset.from_text(
                        query.question[0].name,
                        5,
                        "IN",
                        "SRV",
                        "0 0 4370 pyx-0.pyx.example.org.",
                        "0 0 4370 pyx-1.pyx.example.org.",
                    )
                )
            else:
                response.set_rcode(dns.rcode.NXDOMAIN)
            server.sendto(response.to_wire(), asker)

    thread = threading.Thread(target=answer)
    thread.start()
    yield server.getsockname()[1]
    server.sendto(b"end", server.getsockname())
    thread.join()
    server.close()


class TestSrv:
    def test_each_target_is_a_node(self, name_server: int) -> None:
        config = {"query": "_pyx._tcp.example.org", "server": "127.0.0.1", "port": name_server}
        assert seen(SrvRecords(HERE, config)) == [["gus@pyx-0.pyx.example.org", "gus@pyx-1.pyx.example.org"]]

    def test_domain_without_records_is_one_clear_error(self, name_server: int) -> None:
        config = {"query": "nothing.example.org", "server": "127.0.0.1", "port": name_server}
        with pytest.raises(PyxError, match=r"^nothing\.example\.org has no SRV records: "):
            seen(SrvRecords(HERE, config))
