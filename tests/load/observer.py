"""One node of `test_kills.py`: it monitors its counterpart on every node it meets, and reports what it sees.

Run as `python observer.py NAME TICK SEED...`.  Every line on stdout is one event as JSON, with the clock of
the host (monotonic, so it is the same for all processes): `ready`, `up`, `down`, `nodedown`.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from pyx import Node, Process, Ref, receive, self, spawn
from pyx.runtime.local_node import this_node


def write_event(event: str, **facts: Any) -> None:
    sys.stdout.write(json.dumps({"event": event, "at": time.monotonic(), **facts}) + "\n")
    sys.stdout.flush()


def agent(seeds: list[str]) -> None:
    """Registers itself before it connects, so every node that meets this one finds the agent."""
    Process.register(self(), "agent")
    Node.monitor_nodes(True)
    write_event("ready", creation=this_node().kernel.tables.creation)
    for seed in seeds:
        Node.connect(seed)
    while True:
        match receive():
            case ("nodeup", node):
                # The reference distinguishes this incarnation of the node from the next.
                creation = creation_of(node)
                ref = Process.monitor(("agent", node))
                late = is_over(node, ref) or creation is None or creation != creation_of(node)
                write_event("up", node=node, creation=creation, ref=repr(ref), late=late)
            case ("DOWN", ref, "process", (_, node), reason):
                write_event("down", node=node, ref=repr(ref), reason=reason)
            case ("nodedown", node):
                write_event("nodedown", node=node)


def creation_of(node: str) -> int | None:
    """The creation of the incarnation that is connected now."""
    with this_node().kernel_call as kernel:
        peer = kernel.tables.peers.get(node)
        return None if peer is None or peer.state != "up" else peer.creation


def is_over(node: str, ref: Ref) -> bool:
    """Whether that connection had ended before it was monitored: then the monitor is on the next one."""
    _, waiting = Process.info(self(), "messages")
    ends = (one for one in waiting if one == ("nodedown", node) or one[:2] == ("DOWN", ref))
    return next(ends, None) == ("nodedown", node)


if __name__ == "__main__":
    Node.start(sys.argv[1], tick=float(sys.argv[2]))
    spawn(agent, sys.argv[3:])
    sys.stdin.read()  # until the test has ended
