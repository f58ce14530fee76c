"""supervisor_server.py, child_processes.py: thousands of restarts leave nothing behind.

PYX_RESTARTS=10000 pytest tests/otp/test_restart_leaks.py
"""

from __future__ import annotations

import gc
import os
import threading
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pyx import DynamicSupervisor, Pid, Process, Supervisor, aio, child, receive, self, send
from pyx.otp.server_calls import call
from pyx.runtime.local_node import this_node
from pyx.runtime.request import wait
from tests.local_nodes import HANG, as_process, until

if TYPE_CHECKING:
    from pyx.core.processes import ProcessRecord
    from pyx.runtime.local_node import LocalNode

RESTARTS: Final = int(os.environ.get("PYX_RESTARTS", "1000"))
OFTEN: Final = {"max_restarts": 1_000_000, "max_seconds": 1000.0}


class Left(NamedTuple):
    """What a node has, apart from memory."""

    processes: int
    threads: int
    names: list[str]
    links: int
    monitors: int
    aliases: int
    descriptors: int
    waiting: int


def left(supervisors: list[Pid]) -> Left:
    """What the node has now; links and so on are those of the supervisors."""
    gc.collect()
    tables = this_node().kernel.tables
    records: list[ProcessRecord] = [record for pid in supervisors if (record := tables.find(pid)) is not None]
    return Left(
        len(Process.list()),
        threading.active_count(),
        Process.registered(),
        sum(len(record.links.states) for record in records),
        sum(len(record.monitors) + len(record.monitored_by) for record in records),
        sum(len(record.aliases) for record in records),
        len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0,  # noqa: PTH112 - as that
        sum(len(record.mailbox.snapshot()) for record in records),
    )


def keeper(boss: Pid, name: str) -> None:
    Process.register(self(), name)
    send(boss, ("up", name, self()))
    receive("end")


async def akeeper(boss: Pid, name: str) -> None:
    Process.register(self(), name)
    send(boss, ("up", name, self()))
    await aio.receive("end")


def next_up(name: str | None = None) -> Pid:
    pid: Pid = receive(("up", name or str, Pid), timeout=HANG)[2]
    return pid


def test_restarts_leave_no_process_thread_name_link_monitor_or_descriptor(node: LocalNode) -> None:
    as_process(node, restarts_leave_nothing, hang=RESTARTS / 10)


def restarts_leave_nothing() -> None:
    boss = self()
    kids = [child(keeper, boss, "a", id="a"), child(akeeper, boss, "b", id="b")]
    sup = Supervisor.start_link(kids, strategy="one_for_one", name="sup", **OFTEN)  # type: ignore[arg-type] # numbers
    dyn = DynamicSupervisor.start_link(**OFTEN)  # type: ignore[arg-type] # numbers
    pids: dict[str, Pid] = {name: next_up(name) for name in "ab"}
    DynamicSupervisor.start_child(dyn, child(akeeper, boss, "c"))
    pids["c"] = next_up("c")

    def crash(times: int) -> None:
        for number in range(times):
            name = "abc"[number % 3]
            how = ("kill", "crash", "end")[number % 4 % 3]
            send(pids[name], "end") if how == "end" else Process.exit(pids[name], how)
            pids[name] = next_up(name)

    crash(60)
    before = left([sup, dyn])
    crash(RESTARTS)
    until(lambda: left([sup, dyn])[:1] == before[:1])
    after = left([sup, dyn])
    assert after._replace(threads=0) == before._replace(threads=0)
    assert after.threads <= before.threads + 2  # warm threads come and go
    assert sum(row[3] for pid in (sup, dyn) for row in rows_of(pid)) == RESTARTS + 60


def rows_of(sup: Pid) -> list[Any]:
    """The children as `Supervisor.tree` gets them, with the number of their restarts."""
    rows: list[Any] = wait("tree", call(sup, "tree"))[1]
    return rows
