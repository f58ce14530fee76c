"""Erlang: two nodes on loopback, with a port mapper of their own, and `bench.erl`."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from tests.bench.children import Child, ChildFailed
from tests.bench.peers.contender import Outcome, outcome_of
from tests.bench.peers.iex_starts import measure_iex
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.bench.peers.contender import Job

SOURCE: Final = Path(__file__).with_name("bench.erl")

QUIET_SCHEDULERS: Final = ("+P", "1000000", "+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none")
"""Schedulers that do not spin while they wait: on one core these would take the peer's time."""


class Erlang:
    """Erlang's own nodes; its compiled module is in a temporary directory of this object.

    A context manager, whose port mapper runs meanwhile.
    """

    name: Final = "erlang"
    groups: Final = (
        *("latency", "oneway", "payload", "local", "processes", "start"),
        *("disturbed", "sizes", "senders", "mailbox"),
    )

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._stack = contextlib.ExitStack()
        self._environment: dict[str, str] = {}

    def why_not(self) -> str | None:
        """The reason why it cannot run here, or None."""
        missing = [tool for tool in ("erl", "erlc", "epmd") if shutil.which(tool) is None]
        return f"{', '.join(missing)} not installed" if missing else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def measure(self, job: Job) -> Outcome:
        """Measures the cases of one group."""
        environment = self._ready()
        if job.group == "start":
            return measure_iex(job, environment)
        number = next(self._numbers)  # a name of its own: the port mapper forgets an ended node late
        server_name = f"server{number}@127.0.0.1"
        environment = {**environment, "BENCH_SERVER": server_name}
        with Child(self._command(server_name, "server"), environment, job.cores.server) as server:
            server.says("READY")
            wanted = ["client", job.group, f"{float(job.secs)}", ",".join(job.cases)]
            command = self._command(f"client{number}@127.0.0.1", *wanted)
            with Child(command, environment, job.cores.client) as client:
                client.says("USES")
                outcome = outcome_of(client.results())
                if not outcome.measured and not outcome.failed:
                    raise ChildFailed(client.failure("measured nothing"))
                return outcome

    def _ready(self) -> dict[str, str]:
        """Compiles the module and starts the port mapper, the first time; returns the environment."""
        if not self._environment:
            folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="pyx-bench-"))
            subprocess.run(["erlc", "-o", folder, SOURCE], check=True, capture_output=True)
            port = free_port()
            self._environment = {**os.environ, "HOME": folder, "ERL_EPMD_PORT": f"{port}", "EBIN": folder}
            epmd = ["epmd", "-address", "127.0.0.1", "-port", f"{port}"]
            self._stack.enter_context(Child(epmd, self._environment, set(), life=3600))
            await_epmd(self._environment)
        return self._environment

    def _command(self, name: str, *run: str) -> list[str]:
        return [
            *("erl", "-noshell", *QUIET_SCHEDULERS, "-pa", self._environment["EBIN"]),
            *("-name", name, "-setcookie", "bench", *own_epmd()),
            *("-run", "bench", *run),
        ]


def own_epmd() -> tuple[str, ...]:
    """The flags of a node that starts no port mapper and listens on loopback alone."""
    return ("-start_epmd", "false", "-kernel", "inet_dist_use_interface", "{127,0,0,1}")


def await_epmd(environment: Mapping[str, str]) -> None:
    """Returns when the port mapper answers."""
    for _ in _tries():
        asked = subprocess.run(["epmd", "-names"], env=environment, capture_output=True, check=False)
        if asked.returncode == 0:
            return
    raise ChildFailed("epmd does not answer")


def _tries() -> Iterator[None]:
    import time

    for _ in range(100):
        yield
        time.sleep(0.05)
