"""Hundreds of connections that send little, from many addresses and from that of an authentic peer.

PYX_SLOW_CONNECTIONS=2000 pytest -s tests/net/test_slow_connections.py    2,000; -s shows their cost
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
from tests.ports import free_port
from tests.stories.host import PATIENCE_SECONDS, PYX, Host

if TYPE_CHECKING:
    from collections.abc import Iterator

USUAL_CONNECTIONS: Final = 200
CONNECTIONS: Final = int(os.environ.get("PYX_SLOW_CONNECTIONS", f"{USUAL_CONNECTIONS}"))

SECONDS: Final = 2.0 if CONNECTIONS == USUAL_CONNECTIONS else 5.0
"""The time limit of a handshake at that node: shorter than the real one in the usual run."""

DIAL: Final = """
import itertools
print(next(tries for tries in itertools.count(1) if Node.ping("bob@127.0.0.2") == "pong"))
"""
"""A peer with the cookie dials until it is connected: the oldest pending connection is dropped."""

MAX_GROWTH_KIB: Final = 30 * 1024
AUTHENTIC_PEERS: Final = 3

NODE: Final = """
import sys
from pyx.cli import main
from pyx.net import endpoint
endpoint.HANDSHAKE_SECONDS = float(sys.argv.pop(1))
raise SystemExit(main())
"""


class SlowConnections:
    """Connections from 127.0.0.1 to 9, each of which sends a correct TLS hello, byte by byte."""

    def __init__(self, port: int, count: int) -> None:
        self._poll = select.poll()
        self.open: dict[int, socket.socket] = {}
        self._hello = TlsMachine(dialling_context()).data_to_send()
        for number in range(count):
            source = f"127.0.0.{1 + number % 9}"
            connection = socket.create_connection(
                ("127.0.0.2", port), PATIENCE_SECONDS, source_address=(source, 0)
            )
            connection.setblocking(False)
            self.open[connection.fileno()] = connection
            self._poll.register(connection, select.POLLIN | select.POLLHUP)

    def send_next_byte(self) -> None:
        """Removes closed connections; the others send their next byte."""
        for number, _ in self._poll.poll(200):
            self._remove(number)
        byte, self._hello = self._hello[:1], self._hello[1:]
        for number, connection in list(self.open.items()):
            try:
                connection.send(byte)
            except OSError:
                self._remove(number)

    def _remove(self, number: int) -> None:
        self._poll.unregister(number)
        self.open.pop(number).close()

    def close(self) -> None:
        for connection in self.open.values():
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
    """The memory of an OS process in KiB: `VmRSS` now, `VmHWM` at most."""
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
        # bob sees all of them at 127.0.0.1; each listens at another address.
        authentic = [
            ["--name", f"gus{at}@127.0.0.1", "--listen", f"127.0.1.{at}", "--port", port, "-e", DIAL]
            for at in range(AUTHENTIC_PEERS)
        ]
        # The cost of one peer is not counted.  On a slow host the first certificate takes longer than a
        # handshake may.
        assert int(host.run(*authentic[0]).stdout)
        before = kib(node.pid, "VmRSS")
        began = time.monotonic()
        peers = [
            subprocess.Popen(
                [PYX, *words], stdout=subprocess.PIPE, text=True, env=host.environment(), cwd=host.home
            )
            for words in authentic
        ]
        slow = SlowConnections(int(port), CONNECTIONS)
        ends.callback(slow.close)
        while slow.open:
            assert len(os.listdir(f"/proc/{node.pid}/fd")) < MAX_PENDING + 50
            slow.send_next_byte()
            assert time.monotonic() - began < 3 * PATIENCE_SECONDS, f"{len(slow.open)} were not closed"
        all_cut = time.monotonic() - began
        tries = [peer.communicate(timeout=PATIENCE_SECONDS)[0] for peer in peers]
        assert all(map(int, tries))
        growth = kib(node.pid, "VmHWM") - before
        print(
            f"\n{CONNECTIONS} slow: closed after {all_cut:.1f} s, {growth} KiB over {before} at most; "
            f"authentic peers were through at try {', '.join(map(str.strip, tries))}"
        )
        assert growth < MAX_GROWTH_KIB
        assert node.poll() is None
