"""A name server with recorded answers, by UDP and TCP; `python -m tests.cluster.name_server` has port 53."""

from __future__ import annotations

import socket
import threading
from typing import Self

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

NUMBERS = {"two": 2, "long": 400}
"""How many records a name has, by its first part."""


def answer_to(wire: bytes, *, by_tcp: bool) -> bytes | None:
    """Returns what the name server says; None: nothing."""
    query = dns.message.from_wire(wire)
    response = dns.message.make_response(query)
    response.flags |= dns.flags.RA  # the C library does not believe an empty answer without it
    question = query.question[0]
    first = question.name.to_text().partition(".")[0]
    if first == "silent":
        return None
    if first == "failing":
        response.set_rcode(dns.rcode.SERVFAIL)
    elif first == "long" and not by_tcp:
        response.flags |= dns.flags.TC
    elif first == "nothing":
        response.set_rcode(dns.rcode.NXDOMAIN)
    elif first != "empty":
        kind = dns.rdatatype.to_text(question.rdtype)
        records = _records(first, kind, question.name.to_text())
        response.answer.append(dns.rrset.from_text(question.name, 5, "IN", kind, *records))
    return response.to_wire(max_size=65535)


def _records(first: str, kind: str, domain: str) -> list[str]:
    if first == "odd":
        return ["0 0 4370 b\\032c\\010d.example.org.", "0 0 4370 good.example.org."]
    if first == "gone":
        return ["0 0 0 ."]
    record = {"A": "10.0.{}.{}", "AAAA": "fd00::{}:{}", "SRV": "0 0 4370 n{}-{}." + domain}[kind]
    return [record.format(number // 250, number % 250) for number in range(NUMBERS[first])]


class NameServer:
    """The server, for as long as the context lasts."""

    def __init__(self, host: str, port: int) -> None:
        self._by_tcp = socket.create_server((host, port))
        self._by_udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._by_udp.bind(self._by_tcp.getsockname())
        self.port: int = self._by_tcp.getsockname()[1]
        self._threads = [threading.Thread(target=each) for each in (self._answer, self._answer_by_tcp)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._by_udp.sendto(b"end", self._by_udp.getsockname())
        socket.create_connection(self._by_tcp.getsockname()).close()
        for thread in self._threads:
            thread.join()
        self._by_udp.close()
        self._by_tcp.close()

    def _answer(self) -> None:
        while True:
            data, asker = self._by_udp.recvfrom(4096)
            if data == b"end":
                return
            if (said := answer_to(data, by_tcp=False)) is not None:
                self._by_udp.sendto(said, asker)

    def _answer_by_tcp(self) -> None:
        while True:
            asker, _ = self._by_tcp.accept()
            with asker, asker.makefile("rb") as asked:
                if not (length := asked.read(2)):
                    return
                said = answer_to(asked.read(int.from_bytes(length, "big")), by_tcp=True)
                assert said is not None
                asker.sendall(len(said).to_bytes(2, "big") + said)


def main() -> None:
    """Serves the port of DNS, until standard input ends."""
    with NameServer("127.0.0.1", 53):
        print("ready", flush=True)
        input()


if __name__ == "__main__":
    main()
