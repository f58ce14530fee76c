"""System calls of one rpc: the difference of two runs under `strace -c -f`, one with more calls."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bench.children import ChildFailed, prepared
from tests.bench.peers.contender import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.bench.peers.contender import Job

FEW: Final = 300
MANY: Final = 1_300
FUNCTIONS: Final = {"system_calls": "add", "system_calls_async": "add_async"}
_TOTAL: Final = re.compile(r"^\s*100\.00\s.*total$", re.MULTILINE)


def measure_system_calls(job: Job, environment: Mapping[str, str]) -> Outcome:
    """Counts those of both nodes; what starts and ends them is in both runs, and cancels out."""
    outcome = Outcome({}, {})
    for case in job.cases:
        if shutil.which("strace") is None:
            outcome.failed[case] = "strace is not installed"
            continue
        few, many = (_counted(FUNCTIONS[case], count, job, environment) for count in (FEW, MANY))
        outcome.measured[case] = {"value": (many - few) / (MANY - FEW), "samples": MANY - FEW}
    return outcome


def _counted(function: str, calls: int, job: Job, environment: Mapping[str, str]) -> int:
    """All system calls of two nodes, one of which calls *function* so often."""
    with tempfile.TemporaryDirectory(prefix="pyx-bench-") as folder:
        table = Path(folder, "table")
        ended = subprocess.run(
            [
                *("strace", "-c", "-f", "-o", f"{table}"),
                *(sys.executable, "-m", "tests.bench.programs.pyx_pair", function, f"{calls}"),
            ],
            env=environment,
            cwd=environment["HOME"],
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=prepared(job.cores.client, 100),
        )
        if ended.returncode != 0 or not table.exists():
            raise ChildFailed(f"strace ended with {ended.returncode}: {ended.stderr[-300:]}")
        return total_of(table.read_text())


def total_of(table: str) -> int:
    """The number of calls in the last line of strace's table."""
    found = _TOTAL.search(table)
    if found is None:
        raise ChildFailed(f"strace wrote no total: {table[-300:]!r}")
    numbers = found[0].split()
    return int(numbers[3])
