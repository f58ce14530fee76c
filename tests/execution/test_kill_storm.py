"""stacks.py, thread_kill.py: Kills look at deep stacks that change while collections let other threads run.

The OS process of the storm ends by SIGSEGV where a frame is made of memory that its thread has left.
"""

from __future__ import annotations

import copy
import functools
import gc
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, NoReturn

from pyx.runtime.local_node import this_node
from pyx.terms import Pid
from tests.local_nodes import in_kernel, until

KILLS = int(os.environ.get("PYX_STORM", "200"))
"""The number in the usual run; the long form is PYX_STORM=2000."""

DEPTH = 40
DYING_AT_ONCE = 16


class Yielding:
    """Garbage whose finalizer lets other threads run."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        time.sleep(0)


def victim(nested: list[Any], begun: threading.Semaphore) -> NoReturn:
    """Goes up and down a deep stack of a library, written in Python, for ever."""
    begun.release()
    while True:
        copy.deepcopy(nested)


def storm(kills: int) -> None:
    """Kills that many processes; the program of a new Python."""
    nested: list[Any] = []
    for _ in range(DEPTH):
        nested = [nested]
    node = this_node()
    sys.unraisablehook = lambda _: None  # a kill that comes in the finalizer, which is user code
    gc.set_threshold(20)
    sys.setswitchinterval(0.0001)
    begun = threading.Semaphore(0)
    for _ in range(kills):
        pid, _ref = node.processes.spawn(functools.partial(victim, nested, begun), ())
        begun.acquire()
        Yielding()
        in_kernel(node, node.kernel.process_signals.exit, Pid(0), pid, "kill")
        until(lambda: len(node.processes.kills) < DYING_AT_ONCE)
    until(lambda: len(node.processes.kills) == 0)


def test_storm_of_kills_ends_every_process_but_that_of_the_system(home: str) -> None:
    root = str(Path(__file__).parents[2])
    program = f"from tests.execution.test_kill_storm import storm; storm({KILLS})"
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", program],
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        timeout=60 + KILLS,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
