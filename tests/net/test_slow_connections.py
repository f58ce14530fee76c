"""Hundreds of sockets that say next to nothing, from many addresses and from a legal peer's own.

PYX_SLOW_CONNECTIONS=2000 pytest -s tests/net/test_slow_connections.py    as many; -s shows what they cost
"""

from __future__ import annotations

import os
import resource
import select
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from pyx.net.pending_connections import MAX_PENDING
from pyx.wire.handshake.tls import TlsMachine, dialling_context
from tests.net.test_tcp_carrier import free_port
from tests.stories.host import PATIENCE_SECONDS, PYX, Host

if TYPE_CHECKING:
    from collections.abc import Iterator

IN_THE_GATE: Final = 200
CONNECTIONS: Final = int(os.environ.get("PYX_SLOW_CONNECTIONS", f"{IN_THE_GATE}"))

SECONDS: Final = 2.0 if CONNECTIONS == IN_THE_GATE else 5.0
"""What a handshake may take at that node: the gate does not wait for the real time."""

DIAL: Final = """
import itertools
print(next(tries for tries in itertools.count(1) if Node.ping("bob@127.0.0.2") == "pong"))
"""
"""A peer with the cookie dials until it is connected: the oldest pending connection is dropped."""

MAX_GROWTH_KIB: Final = 30 * 1024
LEGAL_PEERS: Final = 3

NODE: Final = """
import sys
from pyx.cli import main
from pyx.net import endpoint
endpoint.HANDSHAKE_SECONDS = float(sys.argv.pop(1))
raise SystemExit(main())
"""


class Crowd:
    """Connections from 127.0.0.1 to 9, each of which sends a right TLS hello, a byte now and then."""

    def __init__(self, port: int, count: int) -> None:
        self._poll = select.poll()
        self.standing: dict[int, socket.socket] = {}
        self._hello = TlsMachine(dialling_context()).data_to_send()
        for number in range(count):
            source = f"127.0.0.{1 + number % 9}"
            connection = socket.create_connection(
                ("127.0.0.2", port), PATIENCE_SECONDS, source_address=(source, 0)
            )
            connection.setblocking(False)
            self.standing[connection.fileno()] = connection
            self._poll.register(connection, select.POLLIN | select.POLLHUP)

    def drips(self) -> None:
        """Those who were cut are gone; the others say their next byte."""
        for number, _ in self._poll.poll(200):
            self._gone(number)
        byte, self._hello = self._hello[:1], self._hello[1:]
        for number, connection in list(self.standing.items()):
            try:
                connection.send(byte)
            except OSError:
                self._gone(number)

    def _gone(self, number: int) -> None:
        self._poll.unregister(number)
        self.standing.pop(number).close()

    def close(self) -> None:
        for connection in self.standing.values():
            connection.close()


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + 500
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"{CONNECTIONS} sockets need more than {hard} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def kib(pid: int, what: str) -> int:
    """Memory of a process: `VmRSS` now, `VmHWM` at the most."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:"))


@pytest.mark.skipif(
    sys.platform != "linux", reason="memory is read from /proc, and all of 127/8 is this host"
)
@pytest.mark.usefixtures("many_descriptors")
def test_many_slow_connections_keep_no_peer_out_and_cost_little() -> None:
    port = str(free_port())
    with Host() as host, ExitStack() as ends:
        words = ("--name", "bob@127.0.0.2", "--port", port, "--no-halt", "-e", "print('up', flush=True)")
        node = subprocess.Popen(
            [sys.executable, "-P", "-c", NODE, str(SECONDS), *words],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=host.environment(),
        )  # fmt: skip
        ends.callback(node.wait)
        ends.callback(node.kill)
        assert node.stdout is not None
        ends.callback(node.stdout.close)
        assert node.stdout.readline() == "up\n"
        # All of them are at 127.0.0.1 where bob sees them, and listen somewhere else each.
        legal = [
            ["--name", f"gus{at}@127.0.0.1", "--listen", f"127.0.1.{at}", "--port", port, "-e", DIAL]
            for at in range(LEGAL_PEERS)
        ]
        assert host.run(*legal[0]).stdout == "1\n"  # the cost of one peer is not counted
        before = kib(node.pid, "VmRSS")
        began = time.monotonic()
        peers = [
            subprocess.Popen(
                [PYX, *words], stdout=subprocess.PIPE, text=True, env=host.environment(), cwd=host.home
            )
            for words in legal
        ]
        crowd = Crowd(int(port), CONNECTIONS)
        ends.callback(crowd.close)
        while crowd.standing:
            assert len(os.listdir(f"/proc/{node.pid}/fd")) < MAX_PENDING + 50
            crowd.drips()
            assert time.monotonic() - began < 3 * PATIENCE_SECONDS, f"{len(crowd.standing)} were not cut off"
        all_cut = time.monotonic() - began
        tries = [peer.communicate(timeout=PATIENCE_SECONDS)[0] for peer in peers]
        assert all(map(int, tries))
        growth = kib(node.pid, "VmHWM") - before
        print(
            f"\n{CONNECTIONS} slow: closed after {all_cut:.1f} s, {growth} KiB over {before} at most; "
            f"legal peers were through at try {', '.join(map(str.strip, tries))}"
        )
        assert growth < MAX_GROWTH_KIB
        assert node.poll() is None
