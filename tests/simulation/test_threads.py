"""The threaded twin of the simulator: real nodes in one OS process, a crowd of real processes on them, and
kills, cuts and restarts at any moment.  What the simulator checks in a thousand orders of events is checked
here under real threads: one lock a kernel, effects after it, queues that others empty.

    PYX_ROUNDS=20000 pytest tests/simulation/test_threads.py      some minutes instead of some seconds
    PYX_CROWD_SEED=7 ...                                          another crowd (the threads decide the rest)
"""

from __future__ import annotations

import itertools
import os
import sys
from functools import partial
from typing import TYPE_CHECKING

import pytest

from pyx import Node
from pyx.runtime import start_stop
from pyx.terms import Pid
from tests.simulation.crowd import Crowd
from tests.simulation.invariants import asymmetries, disagreements
from tests.staging import Stage, as_process, in_kernel, start_node, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.core.peers import Peer
    from pyx.core.processes import ProcessRecord
    from pyx.runtime.local_node import LocalNode
    from tests.simulation.crowd import Member

ROUNDS = int(os.environ.get("PYX_ROUNDS", "400"))
SEED = int(os.environ.get("PYX_CROWD_SEED", "0"))
ACTS_A_ROUND = 40
MEMBERS = 12


@pytest.fixture(autouse=True)
def quick_switches() -> Iterator[None]:
    """Threads take turns often: a lock that is missing somewhere is missed sooner."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0002)
    yield
    sys.setswitchinterval(before)


def test_every_promise_holds_under_threads(stage: Stage) -> None:
    nodes = [stage.start(name) for name in ("ada", "bob", "cyd")]
    crowd = Crowd(SEED)
    for number in range(MEMBERS):
        crowd.join(nodes[number % len(nodes)])
    for number in range(1, ROUNDS + 1):
        until(partial(has_acted, crowd, crowd.acts + ACTS_A_ROUND))
        disturb(crowd, nodes, number)
        for _ in range(MEMBERS - len(living(crowd))):
            crowd.join(crowd.random.choice(nodes))
    crowd.is_over = True
    until(lambda: all(member.is_quiet for member in living(crowd)))
    for node, other in itertools.permutations(nodes, 2):
        until(partial(is_reached, node, other))  # whoever lost another finds it again
    until(lambda: not complaints_of(nodes))
    assert complaints_of(nodes) == []
    until(lambda: all(not process.mailbox for process in processes(nodes)))
    for member in living(crowd):
        process = member.node.kernel.tables.find(member.address.pid)
        assert process is not None
        assert set(process.monitors) == set(member.watches)
    for process in processes(nodes):
        process.runner.node.sending.send(process.pid, "leave")
    until(lambda: not processes(nodes) and not any(len(node.processes.kills) for node in nodes))
    assert crowd.complaints == []


def living(crowd: Crowd) -> list[Member]:
    return [member for member in crowd.members if member.is_alive]


def has_acted(crowd: Crowd, acts: int) -> bool:
    return crowd.acts >= acts


def disturb(crowd: Crowd, nodes: list[LocalNode], number: int) -> None:
    """A kill every time, a cut now and then, and seldom a node that leaves and comes back."""
    victim = crowd.random.choice(crowd.members[-MEMBERS:])
    in_kernel(victim.node, victim.node.kernel.process_signals.exit, Pid(0), victim.address.pid, "kill")
    node = crowd.random.choice(nodes)
    if not number % 10:
        for peer in peers(node):
            if peer.connection is not None:
                peer.connection.close(gracefully=crowd.random.random() < 0.5)
    if not number % 80:
        name = node.kernel.tables.name
        start_stop.stop(node)
        start_node(node, name)


def is_reached(node: LocalNode, other: LocalNode) -> bool:
    return as_process(node, lambda: Node.ping(other.kernel.tables.name)) == "pong"


def complaints_of(nodes: list[LocalNode]) -> list[str]:
    """What is wrong when nothing is under way; while something is, it is wrong for a moment."""
    found: list[str] = []
    for node in nodes:
        found += in_kernel(node, disagreements, node.kernel)
        found += [
            f"{node.kernel.tables.name} keeps {peer.out} for {peer.name}" for peer in peers(node) if peer.out
        ]
        found += [
            f"{node.kernel.tables.name} waits for {pending}" for pending in node.kernel.pending.values()
        ]
    try:
        return found + asymmetries(node.kernel for node in nodes)
    except RuntimeError:  # a table changed while it was looked at: something was under way
        return [*found, "a table changed"]


def peers(node: LocalNode) -> list[Peer]:
    return in_kernel(node, lambda: list(node.kernel.tables.peers.values()))


def processes(nodes: list[LocalNode]) -> list[ProcessRecord]:
    return [process for node in nodes for process in in_kernel(node, node.kernel.tables.processes.all)]
