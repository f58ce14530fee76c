"""The time of an rpc while something grows: peers, processes; and while another process sends much."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Final

import work

from pyx import Node, Pid, Process, receive, rpc, self, send, spawn
from tests.bench.cases import PEERS, PROCESSES
from tests.bench.programs.pyx_session import LONG
from tests.bench.programs.sampling import Sample, now, quantiles, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.programs.pyx_session import Session

LARGE: Final = 300


def peers(session: Session) -> dict[str, Callable[[], Sample]]:
    """With so many peers connected (`peer1`, `peer2`, ... beside the server)."""

    def connected(count: int) -> Sample:
        for number in range(1, count):
            assert Node.connect(f"peer{number}") is True
        assert len(Node.list()) == count, f"{len(Node.list())} peers instead of {count}"
        return _sampled(session)

    return {f"peers_{count}": partial(connected, count) for count in PEERS}


def processes(session: Session) -> dict[str, Callable[[], Sample]]:
    """With so many idle processes on this node."""
    idle: list[Pid] = []

    def with_idle(count: int) -> Sample:
        idle.extend(spawn(work.idle_async) for _ in range(count - len(idle)))
        while idle and Process.info(idle[-1], "status") != ("status", "waiting"):
            Process.sleep(0.001)
        return _sampled(session)

    return {f"processes_{count}": partial(with_idle, count) for count in PROCESSES}


def _sampled(session: Session) -> Sample:
    return sample(lambda: rpc.call(session.server, "work", "add", [1, 2]), session.secs, session.pids)


def disturbed(session: Session) -> dict[str, Callable[[], dict[str, Sample]]]:
    """Calls while another process of the same node sends 300 messages of 1 MiB to the same peer."""

    def measured() -> dict[str, Sample]:
        over = threading.Event()

        def send_large() -> None:
            data = b"\7" * (1 << 20)
            sink = session.started("sink", self(), LARGE)
            for _ in range(LARGE):
                send(sink, data)
            receive("done", timeout=LONG)
            over.set()

        for _ in range(200):
            rpc.call(session.server, "work", "add", [1, 2])
        spawn(send_large)
        times: list[int] = []
        while not over.is_set():
            began = now()
            rpc.call(session.server, "work", "add", [1, 2], timeout=LONG)
            times.append(now() - began)
        both = quantiles(times)
        return {
            "disturbed_p50": {"value": both["value"], "samples": len(times)},
            "disturbed_p99": {"value": both["p99"], "samples": len(times)},
        }

    return dict.fromkeys(("disturbed_p50", "disturbed_p99"), measured)
