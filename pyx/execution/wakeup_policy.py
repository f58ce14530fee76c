"""Threads of `def` processes are woken without taking the core from the thread that wakes them: a fast path.

A thread that sends a message wakes the receiver, and goes on: it still holds Python's lock (the GIL).
Where both share a core, Linux gives it to the woken thread at once, which runs into that lock and has to wait
again: four changes of thread more for a message and its answer.  Under `SCHED_BATCH` (sched(7)) a woken
thread starts when the core is free, and all else is as under `SCHED_OTHER`; no privilege is needed.
"""

from __future__ import annotations

import contextlib
import os

from pyx import fast_paths


def wake_without_preempting() -> None:
    """Gives the calling thread `SCHED_BATCH`, unless the program was started with a policy of its own.

    A message between two `def` processes and its answer take 2.0 changes of thread instead of 6.2, and 14 µs
    instead of 39 [measured: one core, CPU time, CPython 3.11, Linux 6].  Threads and OS processes that a
    `def` process starts inherit the policy.  Without effect outside Linux.
    """
    if fast_paths.enabled and hasattr(os, "SCHED_BATCH"):
        with contextlib.suppress(OSError):  # a sandbox may forbid it
            if os.sched_getscheduler(0) == os.SCHED_OTHER:
                os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
