"""Other libraries of Python, and what can be done by hand: pairs of programs in `programs/`."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.bench.children import Child, ChildFailed
from tests.bench.peers.contender import Outcome, outcome_of

if TYPE_CHECKING:
    from tests.bench.peers.contender import Job

ROOT: Final = Path(__file__).parents[3]


class PythonPair(NamedTuple):
    """A program of two ends (`programs/pair.py`)."""

    name: str
    groups: tuple[str, ...]
    program: str
    """Its module in `programs/`."""
    library: str | None = None
    """What it needs besides pyx's own dependencies."""
    has_server: bool = True
    """False: the asking end starts the other one."""

    def why_not(self) -> str | None:
        """The reason why it cannot run here, or None."""
        if self.library is not None and importlib.util.find_spec(self.library) is None:
            return f"{self.library} is not installed (pip install -e '.[bench]')"
        return None

    def measure(self, job: Job) -> Outcome:
        """Measures the cases of one group."""
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}"}
        command = [sys.executable, "-m", f"tests.bench.programs.{self.program}"]
        with contextlib.ExitStack() as ends:
            folder = ends.enter_context(tempfile.TemporaryDirectory(prefix="pyx-bench-", dir="/tmp"))
            pid, address = "", folder
            if self.has_server:
                server = Child([*command, "serve", folder], environment, job.cores.server)
                ends.enter_context(server)
                pid, _, address = server.says("READY").partition(" ")
            cores = "+".join(map(str, sorted(job.cores.server)))
            words = ["measure", f"{job.secs}", ",".join(job.cases), address, pid, cores]
            client = ends.enter_context(Child([*command, *words], environment, job.cores.client))
            outcome = outcome_of(client.results())
            if not outcome.measured and not outcome.failed:
                raise ChildFailed(client.failure("measured nothing"))
            return outcome


PAIRS: Final = (
    PythonPair("rpyc", ("latency",), "rpyc_pair", "rpyc"),
    PythonPair("execnet", ("latency",), "execnet_pair", "execnet", has_server=False),
    PythonPair("zeromq", ("latency", "oneway"), "zeromq_pair", "zmq"),
    PythonPair("raw", ("latency", "oneway"), "raw_pair"),
    PythonPair("sketch", ("latency", "oneway"), "sketch_pair"),
)
