"""One node of `test_disturbed_nodes.py`: it sends numbered messages to every other node, calls and spawns.

Run as `python talker.py NAME TICK OTHER...`.  A line of JSON on stdin is a command (`go`, `rest`,
`disconnect`, `report`), and is answered by an event of that name on stdout.

A pump sends messages to the `sink` of one other node, numbered from 0 in each of its epochs; a new epoch
begins when its monitor of that sink has fired.  So in an epoch no message comes twice or too early, and one
is missing only if a DOWN follows: before a pump ends it asks the sink how many messages of this epoch came.
"""

from __future__ import annotations

import contextlib
import json
import random
import sys
import threading
from typing import Any

from pyx import (
    Exit,
    Node,
    Pid,
    Process,
    ReceiveTimeout,
    RpcNoConnection,
    RpcTimeout,
    receive,
    rpc,
    self,
    send,
    spawn,
    spawn_link,
    spawn_monitor,
)
from pyx.execution import thread_pool

bad: list[str] = []
counts = {"messages": 0, "downs": 0, "calls": 0, "spawned": 0}
resting = threading.Event()


def write_event(event: str, **facts: Any) -> None:
    sys.stdout.write(json.dumps({"event": event, **facts}) + "\n")
    sys.stdout.flush()


# ---------------------------------------------------------------- receiving


def sink() -> None:
    """Checks the numbers of each pump."""
    received: dict[Pid, tuple[int, int, int]] = {}  # the epoch, the next number, the messages that came
    while True:
        kind, pump, epoch, number = receive()
        known, expected, came = received.get(pump, (epoch, 0, 0))
        if epoch > known:
            known, expected, came = epoch, 0, 0
        if epoch < known or number < expected:
            bad.append(f"{pump}: message {number} of epoch {epoch} after {expected - 1} of {known}")
        elif kind == "numbered":
            received[pump] = (epoch, number + 1, came + 1)
            counts["messages"] += 1
        else:
            send(pump, ("came", came))


def watch_nodes() -> None:
    """Checks that each `nodeup` is followed by one `nodedown`, and that by one `nodeup`."""
    up: set[str] = set()
    Node.monitor_nodes(True)
    while True:
        event, node = receive()
        if (event == "nodeup") == (node in up):
            bad.append(f"{event} of {node} twice")
        up ^= {node}


# ---------------------------------------------------------------- sending


def pump(node: str) -> None:
    epoch = number = 0
    ref = Process.monitor(("sink", node))
    while not resting.is_set():
        try:
            receive(("DOWN", ref, "process", ..., ...), timeout=0.003)
            counts["downs"] += 1
            pause(0.02)
            epoch, number, ref = epoch + 1, 0, Process.monitor(("sink", node))
        except ReceiveTimeout:
            pass
        for _ in range(3):
            send(("sink", node), ("numbered", self(), epoch, number))
            number += 1
    send(("sink", node), ("last", self(), epoch, number))
    match receive(("came", int), ("DOWN", ref, ..., ..., ...)):
        case ("came", came) if came != number:
            bad.append(f"{came} of {number} messages to {node} came, and no DOWN")


def pause(seconds: float) -> None:
    """Waits for a message that does not come."""
    with contextlib.suppress(ReceiveTimeout):
        receive("never", timeout=seconds)


def child(how: str) -> None:
    if how == "crash":
        raise Exit("on purpose")
    if how == "wait":
        pause(0.05)


def work(nodes: list[str], seed: int) -> None:
    """Calls, and processes that come and go."""
    chance = random.Random(seed)
    Process.flag("trap_exit", True)
    while not resting.is_set():
        node = chance.choice(nodes)
        how = chance.choice(["crash", "wait", "return"])
        try:
            match chance.randrange(4):
                case 0:
                    assert rpc.call(node, "math", "sqrt", [16.0], timeout=10) == 4.0
                    counts["calls"] += 1
                case 1:
                    spawn_monitor(child, how)
                    spawn_link(child, how)
                    counts["spawned"] += 2
                case 2:
                    Node.spawn_monitor(node, "math", "sqrt", [4.0])
                    Process.demonitor(Process.monitor(("sink", node)), flush=True)
                    counts["spawned"] += 1
                case _:
                    flush_all()
        except (RpcNoConnection, RpcTimeout):  # the node is gone
            pass
        except Exception as error:
            bad.append(repr(error))
    flush_all()


def flush_all() -> None:
    while True:
        try:
            receive(timeout=0.004)
        except ReceiveTimeout:
            return


# ---------------------------------------------------------------- commands


def control(others: list[str]) -> None:
    refs: list[Any] = []
    for line in sys.stdin:
        match json.loads(line):
            case {"do": "go"}:
                resting.clear()
                refs = [spawn_monitor(pump, node)[1] for node in others]
                refs += [spawn_monitor(work, others, seed)[1] for seed in range(2)]
                write_event("go")
            case {"do": "rest"}:
                resting.set()
                for ref in refs:
                    reason = receive(("DOWN", ref, "process", ..., ...))[4]
                    if reason != "normal":
                        bad.append(f"a process ended by {reason}")
                write_event("rest")
            case {"do": "disconnect", "node": node}:
                Node.disconnect(node)
                write_event("disconnect")
            case {"do": "report"}:
                write_event("report", bad=bad, nodes=Node.list(), processes=len(Process.list()), **counts)


if __name__ == "__main__":
    thread_pool._IDLE_SECONDS = 1.0  # type: ignore[misc] # warm threads end sooner, and what stays is seen
    Node.start(sys.argv[1], tick=float(sys.argv[2]))
    Process.register(spawn(sink), "sink")
    spawn(watch_nodes)
    controller = spawn(control, sys.argv[3:])
    write_event("ready", name=Node.self())
    threading.Event().wait()
