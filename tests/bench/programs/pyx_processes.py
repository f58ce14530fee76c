"""Many processes of pyx: their start, their memory, monitors from another node, and a message to all."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any, Final

import work

from pyx import Pid, Process, receive, rpc, self, send, spawn
from tests.bench.programs.pyx_session import LONG, in_def
from tests.bench.programs.sampling import Sample, now, resident_bytes, seconds_since

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.programs.pyx_session import Session

TENTHS: Final = 10
MANY: Final = 10_000


def cases(session: Session) -> dict[str, Callable[[], dict[str, Sample]]]:
    def spawned_async() -> dict[str, Sample]:
        return spawned(work.idle_async, 100_000, "async")

    def spawned_def() -> dict[str, Sample]:
        return spawned(work.idle, 2_000, "def")

    def watched() -> dict[str, Sample]:
        return in_def(lambda: watched_from_here(session))

    def told_here() -> dict[str, Sample]:
        return {
            "broadcast_local": in_def(lambda: told([spawn(work.answer_once, self()) for _ in range(1000)]))
        }

    def told_there() -> dict[str, Sample]:
        return {"broadcast_remote": in_def(lambda: told(_started_there(session.server)))}

    return {
        **dict.fromkeys(("spawn_async", "spawn_async_last", "memory_async"), spawned_async),
        **dict.fromkeys(("spawn_def", "memory_def"), spawned_def),
        **dict.fromkeys(("monitor_remote", "down_remote"), watched),
        "broadcast_local": told_here,
        "broadcast_remote": told_there,
    }


def spawned(function: Any, count: int, kind: str) -> dict[str, Sample]:
    """Spawns a tenth after the other; the memory is counted when all of them wait."""
    gc.collect()
    empty = resident_bytes()
    pids: list[Pid] = []
    tenths: list[float] = []
    for _ in range(TENTHS):
        began = now()
        pids += [spawn(function) for _ in range(count // TENTHS)]
        tenths.append(seconds_since(began))
    while any(Process.info(pid, "status") != ("status", "waiting") for pid in (pids[0], pids[-1])):
        Process.sleep(0.001)
    gc.collect()
    full = resident_bytes()
    _stop(pids)
    measured: dict[str, Sample] = {f"spawn_{kind}": {"value": count / sum(tenths), "samples": count}}
    if empty is not None and full is not None:
        measured[f"memory_{kind}"] = {"value": (full - empty) / count, "samples": count}
    if kind == "async":
        measured["spawn_async_last"] = {"value": count / TENTHS / tenths[-1], "samples": count // TENTHS}
    return measured


def _stop(pids: list[Pid]) -> None:
    """Ends them, and returns when they are gone."""
    for pid in pids:
        send(pid, "stop")
    last = Process.monitor(pids[-1])
    receive(("DOWN", last, ..., ..., ...), timeout=LONG)
    while any(Process.is_alive(pid) for pid in pids):
        Process.sleep(0.005)


def watched_from_here(session: Session) -> dict[str, Sample]:
    """10,000 monitors on one process of the server; and, when it is killed, their DOWN messages.

    The time of the monitors ends when the server has them all: it answers `Process.info` after them.
    """
    pid = session.started("idle_async")
    began = now()
    for _ in range(MANY):
        Process.monitor(pid)
    Process.info(pid, "status")
    watching = seconds_since(began)
    began = now()
    Process.exit(pid, "kill")
    for _ in range(MANY):
        receive(("DOWN", ..., ..., ..., ...), timeout=LONG)
    return {
        "monitor_remote": {"value": MANY / watching, "samples": MANY},
        "down_remote": {"value": MANY / seconds_since(began), "samples": MANY},
    }


def _started_there(server: str) -> list[Pid]:
    pids: list[Pid] = rpc.call(server, "work", "start_many", ["answer_once", 1000, self()])
    return pids


def told(pids: list[Pid]) -> Sample:
    """One message to each, and an answer of each."""
    began = now()
    for pid in pids:
        send(pid, "hello")
    for _ in pids:
        receive("got", timeout=LONG)
    return {"value": len(pids) / seconds_since(began), "samples": len(pids)}
