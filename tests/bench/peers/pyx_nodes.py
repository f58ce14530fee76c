"""pyx: a shell that measures, and headless nodes that are asked, from one tree of its source."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bench.cases import PEERS
from tests.bench.children import Child, ChildFailed
from tests.bench.peers.contender import Outcome, outcome_of
from tests.bench.peers.pyx_starts import measure_mesh, measure_starts
from tests.bench.peers.pyx_system_calls import measure_system_calls
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.bench.peers.contender import Job

ROOT: Final = Path(__file__).parents[3]
PROGRAMS: Final = ROOT / "tests/bench/programs"

BETWEEN_TWO_NODES: Final = ("latency", "oneway", "payload", "disturbed", "sizes", "topics", "fan_out")
ALONE: Final = ("local", "processes", "senders", "peers", "population", "mailbox", "nodes")


class PyxNodes:
    """Nodes of the pyx in *tree*.

    Args:
        name: its name in tables.
        tree: the directory that has `pyx/` in it.
        tls: the nodes have long names on loopback, and TLS between them.
        settings: variables added to the environment.
    """

    def __init__(
        self, name: str, tree: Path, *, tls: bool = False, settings: Mapping[str, str] | None = None
    ) -> None:
        self.name: Final = name
        self.groups: Final = BETWEEN_TWO_NODES + (() if tls else (*ALONE, "start", "mesh", "syscalls"))
        self._tree = tree
        self._tls = tls
        self._settings = dict(settings or {})

    def why_not(self) -> str | None:
        """TLS needs two addresses of loopback."""
        if self._tls and sys.platform != "linux":
            return "127.0.0.2 is not an address of this host"
        return None

    def measure(self, job: Job) -> Outcome:
        """Measures the cases of one group."""
        with self.home() as environment:
            if job.group == "start":
                return measure_starts(job, environment)
            if job.group == "mesh":
                return measure_mesh(job, environment)
            if job.group == "syscalls":
                return measure_system_calls(job, environment)
            return self._measured_by_a_client(job, environment)

    @contextlib.contextmanager
    def home(self) -> Iterator[dict[str, str]]:
        """Yields the environment of nodes that have directories of their own, and use this tree."""
        # Not below a long $TMPDIR: the path of a unix socket has room for about a hundred bytes.
        with tempfile.TemporaryDirectory(prefix="pyx-bench-", dir="/tmp") as home:
            Path(home, "run").mkdir(mode=0o700)
            kept = {name: value for name, value in os.environ.items() if not name.startswith("PYX_")}
            yield {
                **kept,
                "HOME": home,
                "PYX_RUNTIME_DIR": f"{home}/run",
                "PYTHONPATH": f"{self._tree}{os.pathsep}{ROOT}",
                "PYTHONDONTWRITEBYTECODE": "",
                "TERM": "xterm-256color",
                **self._settings,
            }

    def _measured_by_a_client(self, job: Job, environment: Mapping[str, str]) -> Outcome:
        port = free_port()
        with contextlib.ExitStack() as nodes:
            node, words = self._named("server", port, 1)
            server = nodes.enter_context(Child(server_command(words), environment, job.cores.server))
            self._is_of_this_tree(server.says("READY").partition(" ")[2])
            if job.group in {"peers", "nodes"}:
                self._start_peers(nodes, job, environment)
            _, words = self._named("client", port, 2)
            wanted = [job.group, f"{job.secs}", node, ",".join(job.cases)]
            client = nodes.enter_context(Child(client_command(words, wanted), environment, job.cores.client))
            self._is_of_this_tree(client.says("USES"))
            outcome = outcome_of(client.results())
            if not outcome.measured and not outcome.failed:
                raise ChildFailed(client.failure("measured nothing"))
            return outcome

    def _named(self, name: str, port: int, number: int) -> tuple[str, list[str]]:
        """A node's name, and the options that give it."""
        if not self._tls:
            return name, ["--sname", name]
        full = f"{name}@127.0.0.{number}"
        return full, ["--name", full, "--port", f"{port}"]

    def _start_peers(self, nodes: contextlib.ExitStack, job: Job, environment: Mapping[str, str]) -> None:
        peers = [
            nodes.enter_context(Child(server_command(["--sname", f"peer{n}"]), environment, job.cores.server))
            for n in range(1, max(PEERS))
        ]
        for peer in peers:
            peer.says("READY")

    def _is_of_this_tree(self, used: str) -> None:
        """A measurement of another tree than this one would be worse than none."""
        if not Path(used).is_relative_to(self._tree):
            raise ChildFailed(f"the node uses {used}, not {self._tree}")


def server_command(words: list[str]) -> list[str]:
    """The command of a node that is asked."""
    return [
        *(sys.executable, "-m", "pyx", *words, "--no-halt"),
        *("-S", f"{PROGRAMS}", f"{PROGRAMS / 'pyx_server.py'}"),
    ]


def client_command(words: list[str], wanted: list[str]) -> list[str]:
    """The command of the node that measures the *wanted* group, seconds, server and cases."""
    return [
        *(sys.executable, "-m", "pyx", *words),
        *("-S", f"{PROGRAMS}", f"{PROGRAMS / 'pyx_client.py'}", *wanted),
    ]
