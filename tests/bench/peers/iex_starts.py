"""`iex --sname` and a headless Erlang node: the time to the first prompt, and memory."""

from __future__ import annotations

import itertools
import re
import shutil
from typing import TYPE_CHECKING, Final

from tests.bench.peers.contender import Outcome
from tests.bench.prompts import first_prompt, memory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.bench.peers.contender import Job

PROMPT: Final = re.compile(rb"iex\([^)]*\)1> ")
_numbers: Final = itertools.count(1)


def measure_iex(job: Job, environment: Mapping[str, str]) -> Outcome:
    """Measures the cases of the group `start`."""
    outcome = Outcome({}, {})
    if shutil.which("iex") is None:
        outcome.failed["prompt_sname"] = "iex is not installed"
        return outcome
    flags = "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}"
    named = ["iex", "--sname", f"iex{next(_numbers)}", "--erl", flags]
    with first_prompt(named, PROMPT, {**environment, "TERM": "xterm-256color"}, job.cores.client) as shell:
        outcome.measured["prompt_sname"] = {"value": shell.milliseconds}
        outcome.measured.update(memory("shell_memory", shell.pid))
    headless = [
        "erl",
        "-sname",
        f"iex{next(_numbers)}",
        *flags.split(),
        "-noshell",
        "-eval",
        'io:format("up~n")',
    ]
    with first_prompt(headless, re.compile(rb"up"), environment, job.cores.client) as node:
        outcome.measured.update(memory("headless_memory", node.pid))
    return outcome
