"""The threaded twin of the simulator: real nodes in one OS process, many real processes on them, and kills,
cuts and restarts at any moment.  What the simulator checks in a thousand orders of events is checked here
under real threads: one lock for each kernel, effects after it, queues that other threads empty.

    PYX_ROUNDS=20000 pytest tests/simulation/test_threads.py      some minutes instead of some seconds
    PYX_POPULATION_SEED=7 ...                                     other acts (the threads decide the rest)
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
from tests.local_nodes import LocalNodes, as_process, in_kernel, start_node, until
from tests.simulation.invariants import asymmetries, disagreements
from tests.simulation.population import Population

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.core.peers import Peer
    from pyx.core.processes import ProcessRecord
    from pyx.runtime.local_node import LocalNode
    from tests.simulation.population import Member

ROUNDS = int(os.environ.get("PYX_ROUNDS", "400"))
SEED = int(os.environ.get("PYX_POPULATION_SEED", "0"))
ACTS_A_ROUND = 40
MEMBERS = 12


@pytest.fixture(autouse=True)
def quick_switches() -> Iterator[None]:
    """Threads switch often, so that a missing lock shows sooner."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0002)
    yield
    sys.setswitchinterval(before)


def test_real_nodes_keep_every_promise_under_threads(nodes: LocalNodes) -> None:
    three = [nodes.start(name) for name in ("ada", "bob", "cyd")]
    population = Population(SEED)
    for number in range(MEMBERS):
        population.join(three[number % len(three)])
    for number in range(1, ROUNDS + 1):
        until(partial(has_acted, population, population.acts + ACTS_A_ROUND))
        disturb(population, three, number)
        for _ in range(MEMBERS - len(living(population))):
            population.join(population.random.choice(three))
    population.is_over = True
    until(lambda: all(member.is_quiet for member in living(population)))
    for node, other in itertools.permutations(three, 2):
        until(partial(is_reached, node, other))  # nodes that have lost each other connect again
    until(lambda: not violations_in(three))
    assert violations_in(three) == []
    until(lambda: all(not process.mailbox for process in processes(three)))
    for member in living(population):
        process = member.node.kernel.tables.find(member.address.pid)
        assert process is not None
        assert set(process.monitors) == set(member.watches)
    for process in processes(three):
        process.runner.node.sending.send(process.pid, "leave")
    until(lambda: not processes(three) and not any(len(node.processes.kills) for node in three))
    assert population.violations == []


def living(population: Population) -> list[Member]:
    return [member for member in population.members if member.is_alive]


def has_acted(population: Population, acts: int) -> bool:
    return population.acts >= acts


def disturb(population: Population, nodes: list[LocalNode], number: int) -> None:
    """Kills a process every time, cuts connections now and then, and seldom restarts a node."""
    victim = population.random.choice(population.members[-MEMBERS:])
    in_kernel(victim.node, victim.node.kernel.process_signals.exit, Pid(0), victim.address.pid, "kill")
    node = population.random.choice(nodes)
    if not number % 10:
        for peer in peers(node):
            if peer.connection is not None:
                peer.connection.close(gracefully=population.random.random() < 0.5)
    if not number % 80:
        name = node.kernel.tables.name
        start_stop.stop(node)
        start_node(node, name)


def is_reached(node: LocalNode, other: LocalNode) -> bool:
    return as_process(node, lambda: Node.ping(other.kernel.tables.name)) == "pong"


def violations_in(nodes: list[LocalNode]) -> list[str]:
    """Violations at rest; while signals are under way some are there for a moment."""
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
    except RuntimeError:  # a table changed meanwhile
        return [*found, "a table changed"]


def peers(node: LocalNode) -> list[Peer]:
    return in_kernel(node, lambda: list(node.kernel.tables.peers.values()))


def processes(nodes: list[LocalNode]) -> list[ProcessRecord]:
    return [process for node in nodes for process in in_kernel(node, node.kernel.tables.processes.all)]
