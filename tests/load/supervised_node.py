"""One node of `test_supervised_nodes.py`: supervisors, whose children are killed here and whose nodes are.

Run as `python supervised_node.py NAME TICK OTHER...`.  A line of JSON on stdin is a command (`go`, `rest`,
`report`), and is answered by an event of that name on stdout.

The tree has children of this node, below three strategies, and for each other node a child that runs there,
linked to its supervisor here.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from typing import Any

from pyx import (
    DynamicSupervisor,
    Node,
    Pid,
    Process,
    Supervisor,
    aio,
    child,
    receive,
    self,
    spawn,
)

resting = threading.Event()
bad: list[str] = []
OFTEN: Any = {"max_restarts": 1_000_000, "max_seconds": 1000.0}


def write_event(event: str, **facts: Any) -> None:
    sys.stdout.write(json.dumps({"event": event, **facts}) + "\n")
    sys.stdout.flush()


# ---------------------------------------------------------------- children


def worker(name: str) -> None:
    Process.put("child", name)
    Process.register(self(), name)
    receive("never")


async def async_worker(name: str) -> None:
    Process.put("child", name)
    Process.register(self(), name)
    await aio.receive("never")


def far_worker(name: str) -> None:
    """Runs on another node than its supervisor; it ends with its link to that."""
    Process.put("child", name)
    receive("never")


class Far:
    """A child that runs on another node."""

    @staticmethod
    def start_link(node: str, name: str) -> Pid:
        while Node.connect(node) is not True:
            time.sleep(0.05)
        return Node.spawn_link(node, far_worker, name)


def tree(others: list[str]) -> Pid:
    me = Node.self().partition("@")[0]
    local = [
        child(
            Supervisor,
            [child(function, f"{strategy} {number}", id=number) for number, function in enumerate(functions)],
            strategy=strategy,
            id=strategy,
            **OFTEN,
        )
        for strategy in ("one_for_one", "rest_for_one", "one_for_all")
        for functions in [(worker, async_worker, worker)]
    ]
    far = [
        child(
            Supervisor,
            [child(Far, node, f"far of {me} on {node}")],
            strategy="one_for_one",
            id=node,
            **OFTEN,
        )
        for node in others
    ]
    rooms = child(DynamicSupervisor, name="rooms", **OFTEN)
    pid = Supervisor.start([rooms, *local, *far], strategy="one_for_one", name="top", **OFTEN)
    for number in range(4):
        DynamicSupervisor.start_child("rooms", child(async_worker, f"room {number}"))
    return pid


# ---------------------------------------------------------------- disturbances and the look at the end


def children() -> list[tuple[str, Pid]]:
    """The processes of this node that are children, of any supervisor on any node."""
    found: list[tuple[str, Pid]] = []
    for pid in Process.list():
        facts = Process.info(pid, "dictionary")
        if facts is not None and "child" in facts[1]:
            found.append((facts[1]["child"], pid))
    return found


def killer(seed: int) -> None:
    chance = random.Random(seed)
    while not resting.is_set():
        if found := children():
            Process.exit(chance.choice(found)[1], chance.choice(["kill", "crash", "shutdown"]))
        Process.sleep(0.01)


def supervised(sup: Any) -> list[Any]:
    """The pids of all workers below a supervisor, and what stands in place of those that do not run."""
    pids: list[Any] = []
    for _, state, kind in Supervisor.which_children(sup):
        pids += supervised(state) if kind == "supervisor" else [state]
    return pids


def report() -> dict[str, Any]:
    below = supervised("top")
    here = children()
    return {
        "children": sorted(name for name, _ in here),
        "supervised": len(below),
        "running": sum(isinstance(pid, Pid) and Process.is_alive(pid) for pid in below),
        "names": sorted(name for name in Process.registered() if name not in {"top", "rooms"}),
        "nodes": Node.list(),
        "bad": bad,
    }


def control(others: list[str]) -> None:
    for line in sys.stdin:
        match json.loads(line)["do"]:
            case "go":
                resting.clear()
                spawn(killer, random.randrange(10**9))
                write_event("go")
            case "rest":
                resting.set()
                write_event("rest")
            case "report":
                write_event("report", **report())


if __name__ == "__main__":
    Node.start(sys.argv[1], tick=float(sys.argv[2]))
    write_event("named")
    tree(sys.argv[3:])
    spawn(control, sys.argv[3:])
    write_event("ready")
    threading.Event().wait()
