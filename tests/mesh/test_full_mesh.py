"""Many nodes, each an OS process, become a full mesh: over unix sockets, and over TLS.

    PYX_MESH=50 pytest -s tests/mesh    50 nodes (the usual run has six); -s shows the figures

The figures are the time in which the same nodes start without a connection, the time to the last connection
of the full mesh (start included), and the memory of a node of the mesh.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import pytest

from tests.ports import free_port
from tests.stories.host import PYX, Host

if TYPE_CHECKING:
    from collections.abc import Callable

USUAL_NODES: Final = 6
NODES: Final = int(os.environ.get("PYX_MESH", f"{USUAL_NODES}"))
PATIENCE_SECONDS: Final = 30 + 3 * NODES

ALONE: Final = "print('up', flush=True)"

WHOLE: Final = f"""
Node.monitor_nodes(True)
while len(Node.list()) < {NODES - 1}:
    receive(("nodeup", ...))
print("up", flush=True)
"""


def unix(number: int, _port: int) -> tuple[str, list[str]]:
    """Returns a node's name and its command-line options."""
    name = f"n{number}@mesh"
    return name, ["--sname", name]


def tls(number: int, port: int) -> tuple[str, list[str]]:
    name = f"n{number}@127.0.1.{number + 1}"
    return name, ["--name", name, "--port", f"{port}"]


def seconds_until_all_are_up(
    ends: ExitStack, host: Host, kind: Callable[[int, int], tuple[str, list[str]]], *, meet: bool
) -> tuple[float, list[int]]:
    """Starts the nodes and waits until each is up; returns the seconds and the OS process ids."""
    port = free_port()
    first, _ = kind(0, port)
    began = time.monotonic()
    pids: list[int] = []
    waiting: list[IO[bytes]] = []
    for number in range(NODES):
        _, words = kind(number, port)
        words += ["--seed", first, "-e", WHOLE] if meet else ["-e", ALONE]
        node = subprocess.Popen(
            [PYX, *words, "--no-halt"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=host.environment(), cwd=host.home,
        )  # fmt: skip
        ends.callback(node.wait)
        ends.callback(node.send_signal, signal.SIGKILL)
        assert node.stdout is not None
        ends.callback(node.stdout.close)
        pids.append(node.pid)
        waiting.append(node.stdout)
    while waiting:
        ready, _, _ = select.select(waiting, [], [], PATIENCE_SECONDS)
        assert ready, f"{len(waiting)} of {NODES} are not up"
        for stdout in ready:
            assert stdout.readline() == b"up\n"
            waiting.remove(stdout)
    return time.monotonic() - began, pids


def memory_mib(pid: int, what: str, file: str) -> float:
    lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:")) / 1024


@pytest.mark.timeout(10 * PATIENCE_SECONDS)
@pytest.mark.parametrize("kind", [unix, tls])
def test_nodes_with_one_seed_form_a_full_mesh(kind: Callable[[int, int], tuple[str, list[str]]]) -> None:
    with Host() as host, ExitStack() as ends:
        alone, _ = seconds_until_all_are_up(ends, host, kind, meet=False)
    with Host() as host, ExitStack() as ends:
        meshed, pids = seconds_until_all_are_up(ends, host, kind, meet=True)
        if Path("/proc/self/smaps_rollup").exists():
            resident = sorted(memory_mib(pid, "VmRSS", "status") for pid in pids)
            own = sorted(memory_mib(pid, "Pss", "smaps_rollup") for pid in pids)
            print(
                f"\n{kind.__name__}: {NODES} nodes, {NODES * (NODES - 1) // 2} connections; "
                f"apart {alone:.1f} s, meshed {meshed:.1f} s ({meshed / alone:.2f} times); "
                f"memory of a node (median, most): RSS {resident[NODES // 2]:.0f}, {resident[-1]:.0f} MiB, "
                f"its share {own[NODES // 2]:.0f}, {own[-1]:.0f} MiB, together {sum(own):.0f} MiB"
            )
