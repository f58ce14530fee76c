"""Starts of pyx: the time to the first prompt, memory, and a mesh of twenty nodes."""

from __future__ import annotations

import contextlib
import re
import sys
import time
from typing import TYPE_CHECKING, Final

from tests.bench.children import Child
from tests.bench.peers.contender import Outcome
from tests.bench.prompts import first_prompt, memory
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.bench.peers.contender import Job

PROMPT: Final = re.compile(rb"pyx\((?:[^()]+\)\d+|\d+\))> ")
PYX: Final = (sys.executable, "-c", "import sys; from pyx.cli import main; sys.exit(main())")
"""What the installed command `pyx` does."""
NODES: Final = 20

_UP: Final = "print('READY', flush=True)"
_WHOLE: Final = f"""
Node.monitor_nodes(True)
while len(Node.list()) < {NODES - 1}:
    receive(("nodeup", ...))
print("READY", flush=True)
"""


def measure_starts(job: Job, environment: Mapping[str, str]) -> Outcome:
    """Measures the cases of the group `start`, one after the other."""
    outcome = Outcome({}, {})
    options: dict[str, list[str]] = {
        "prompt": [],
        "prompt_sname": ["--sname", "shell"],
        "prompt_name": ["--name", "shell@127.0.0.1", "--port", f"{free_port()}"],
    }
    for case, words in options.items():
        if case not in job.cases and not (case == "prompt_sname" and "shell_memory" in job.cases):
            continue
        with first_prompt([*PYX, *words], PROMPT, environment, job.cores.client) as shell:
            outcome.measured[case] = {"value": shell.milliseconds}
            if case == "prompt_sname":
                outcome.measured.update(memory("shell_memory", shell.pid))
    if "headless_memory" in job.cases:
        command = [*PYX, "--sname", "headless", "--no-halt", "-e", _UP]
        with Child(command, environment, job.cores.client) as node:
            node.says("READY")
            outcome.measured.update(memory("headless_memory", node.pid))
    return outcome


def measure_mesh(job: Job, environment: Mapping[str, str]) -> Outcome:
    """Starts the nodes twice: as a mesh, and each for itself."""
    outcome = Outcome({}, {})
    for case, code in (("mesh_20", _WHOLE), ("mesh_20_apart", _UP)):
        if case in job.cases:
            outcome.measured[case] = {"value": _seconds_until_all_are_up(case, code, environment)}
    return outcome


def _seconds_until_all_are_up(case: str, code: str, environment: Mapping[str, str]) -> float:
    seed = ["--seed", f"{case}-0"] if code is _WHOLE else []
    began = time.perf_counter()
    with contextlib.ExitStack() as nodes:
        started = [
            nodes.enter_context(
                Child([*PYX, "--sname", f"{case}-{n}", *seed, "--no-halt", "-e", code], environment, set())
            )
            for n in range(NODES)
        ]
        for node in started:
            node.says("READY")
        return time.perf_counter() - began
