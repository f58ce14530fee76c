"""Which cores the two sides of a measurement run on.

`same`: both on one core, the one that others use least at that moment; `split`: the asking side on core 0,
the asked side on core 1.  A system that cannot pin (macOS) lets its scheduler decide.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final, NamedTuple

WAYS: Final = ("same", "split")

LOOK_SECONDS: Final = 0.2


class Cores(NamedTuple):
    """The cores of the asking and of the asked side; empty sets: any core."""

    client: frozenset[int]
    server: frozenset[int]


ANYWHERE: Final = Cores(frozenset(), frozenset())


def can_pin() -> bool:
    """True where processes can be bound to cores."""
    return hasattr(os, "sched_setaffinity")


def why_not(way: str) -> str | None:
    """The reason why processes cannot be placed that way, or None."""
    if way == "split" and can_pin() and not {0, 1} <= os.sched_getaffinity(0):
        return "this machine has one core: the sides cannot be split"
    return None


def cores(way: str) -> Cores:
    """Chooses the cores for one measurement."""
    if not can_pin():
        return ANYWHERE
    if way == "split":
        return Cores(frozenset({0}), frozenset({1}))
    core = frozenset({quiet_core()})
    return Cores(core, core)


def quiet_core() -> int:
    """The core that was idle longest in the last fifth of a second."""
    before = idle_times()
    time.sleep(LOOK_SECONDS)
    after = idle_times()
    allowed = os.sched_getaffinity(0)
    return max(allowed, key=lambda core: after.get(core, 0) - before.get(core, 0))


def idle_times() -> dict[int, int]:
    """The ticks that each core has been idle, or waiting for a disk."""
    lines = Path("/proc/stat").read_text().splitlines()
    words = [line.split() for line in lines if line.startswith("cpu") and not line.startswith("cpu ")]
    return {int(first[3:]): int(idle) + int(waiting) for first, _, _, _, idle, waiting, *_ in words}
