"""Samples of one operation: times, CPU time and context switches of both ends; for all programs in Python."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

now: Final = time.perf_counter_ns

MOST_SAMPLES: Final = 60_000
WARM_UP_CALLS: Final = 300

Sample = dict[str, float]
"""What one case measured: `value` in its unit, `p99`, and of both ends `cpu`, `queued` and `switches`."""


class Costs(NamedTuple):
    """What OS processes have used so far, all their threads together."""

    cpu_ns: int
    queued_ns: int
    """Threads could run, and waited for a core."""
    switches: int

    def each(self, before: Costs, operations: int) -> Sample:
        """What one operation has cost since *before*; nothing where the system does not tell."""
        if self.cpu_ns == 0:
            return {}
        return {
            "cpu": (self.cpu_ns - before.cpu_ns) / operations / 1e3,
            "queued": (self.queued_ns - before.queued_ns) / operations / 1e3,
            "switches": (self.switches - before.switches) / operations,
        }


def costs(pids: Iterable[int]) -> Costs:
    """Reads `schedstat` and `status` of all threads; zeros where there is no `/proc`."""
    cpu_ns = queued_ns = switches = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").glob("*"):
            try:
                ran, queued, _ = (task / "schedstat").read_text().split()
                lines = (task / "status").read_text().splitlines()
            except OSError:  # the thread has ended meanwhile
                continue
            cpu_ns += int(ran)
            queued_ns += int(queued)
            switches += sum(int(line.split()[1]) for line in lines if "ctxt_switches" in line)
    return Costs(cpu_ns, queued_ns, switches)


def quantiles(nanoseconds: Sequence[int], per: int = 1) -> Sample:
    """The median and the 99th percentile of some times, in µs of one of *per* operations."""
    times = sorted(nanoseconds)
    count = len(times)
    return {
        "value": times[count // 2] / per / 1e3,
        "p99": times[min(count - 1, count * 99 // 100)] / per / 1e3,
        "samples": count,
    }


def sample(call: Callable[[], Any], secs: float, pids: Iterable[int] = (), *, per: int = 1) -> Sample:
    """Calls *call*, which does *per* operations, again and again for *secs*, and takes each time."""
    give_up = now() + int(secs * 5e8)
    for _ in range(WARM_UP_CALLS // per + 3):
        call()
        if now() > give_up:
            break
    times: list[int] = []
    before, end = costs(pids), now() + int(secs * 1e9)
    while len(times) < MOST_SAMPLES:
        began = now()
        call()
        ended = now()
        times.append(ended - began)
        if ended > end:
            break
    return quantiles(times, per) | costs(pids).each(before, len(times) * per)


async def sample_async(
    call: Callable[[], Awaitable[Any]], secs: float, pids: Iterable[int] = (), *, per: int = 1
) -> Sample:
    """`sample` for a coroutine function."""
    give_up = now() + int(secs * 5e8)
    for _ in range(WARM_UP_CALLS // per + 3):
        await call()
        if now() > give_up:
            break
    times: list[int] = []
    before, end = costs(pids), now() + int(secs * 1e9)
    while len(times) < MOST_SAMPLES:
        began = now()
        await call()
        ended = now()
        times.append(ended - began)
        if ended > end:
            break
    return quantiles(times, per) | costs(pids).each(before, len(times) * per)


def rate(flood: Callable[[int], float], secs: float, pids: Iterable[int] = (), *, least: int = 500) -> Sample:
    """Operations a second of *flood*, which does as many as it is told and returns the seconds that took.

    A first, short flood warms up, a second one tells how many take about *secs*.
    """
    flood(least)
    count = max(least, min(400_000, int(least / flood(least) * secs)))
    before = costs(pids)
    seconds = flood(count)
    return {"value": count / seconds, "samples": count} | costs(pids).each(before, count)


async def rate_async(
    flood: Callable[[int], Awaitable[float]], secs: float, pids: Iterable[int] = (), *, least: int = 500
) -> Sample:
    """`rate` for a coroutine function."""
    await flood(least)
    count = max(least, min(400_000, int(least / await flood(least) * secs)))
    before = costs(pids)
    seconds = await flood(count)
    return {"value": count / seconds, "samples": count} | costs(pids).each(before, count)


def seconds_since(began: int) -> float:
    """The seconds since a reading of `now`."""
    return (now() - began) / 1e9


def resident_bytes(pid: int | str = "self") -> int | None:
    """The resident memory of an OS process; None where the system does not tell (there is no `/proc`)."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def end_with_the_parent() -> None:
    """Ends this OS process when its standard input, a pipe of the parent, is closed."""

    def wait() -> None:
        sys.stdin.buffer.read()
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait, daemon=True, name="bench-guard").start()


def report(case: str, measured: Mapping[str, float]) -> None:
    """Tells the parent what a case measured."""
    print("RESULT " + json.dumps({"case": case, **measured}), flush=True)


def report_failure(case: str, error: BaseException) -> None:
    """Tells the parent that a case failed, and why."""
    print("RESULT " + json.dumps({"case": case, "error": f"{type(error).__name__}: {error}"}), flush=True)


def run(cases: Mapping[str, Callable[[], Sample | Mapping[str, Sample]]], wanted: Sequence[str]) -> None:
    """Measures the *wanted* ones of *cases* one after the other, and reports each.

    A function that measures several cases at once stands under all their names, returns a `Sample` for each,
    and is called once.
    """
    done: set[str] = set()
    for name in wanted:
        if name in done or name not in cases:
            continue
        try:
            measured = cases[name]()
        except Exception as error:
            report_failure(name, error)
            continue
        for case, one in _by_case(name, measured).items():
            report(case, one)
            done.add(case)


def _by_case(name: str, measured: Sample | Mapping[str, Sample]) -> Mapping[str, Sample]:
    several = {case: one for case, one in measured.items() if isinstance(one, dict)}
    return several or {name: {key: one for key, one in measured.items() if not isinstance(one, dict)}}
