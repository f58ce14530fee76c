"""One run of the simulator, from a seed."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from tests.simulation import acts
from tests.simulation.faults import Faults, populate
from tests.simulation.hostile import HostileNode
from tests.simulation.invariants import check_quiet, check_whole
from tests.simulation.workload import Workload
from tests.simulation.world import World

if TYPE_CHECKING:
    from tests.simulation.host import Fault
    from tests.simulation.records import Waiter

SETTLING_SECONDS = 17.0
"""Long enough for every handshake, tick, silence and partition report."""
REUNION_SECONDS = 8.0
"""Long enough for every handshake, and for the tick that announces it."""


def simulate(seed: int, break_kernel: Fault | None = None, *, has_groups: bool = False) -> World:
    """Lets some nodes run and fail for a while, then heals everything; raises `Violation`."""
    world = World(seed, break_kernel, has_groups=has_groups)
    random = world.random
    for name in random.sample("abcdef", random.choice((2, 3, 3, 4, 5))):
        world.boot(f"{name}@h", hidden=random.random() < 0.1)
    for host in world.running():
        populate(host)
    workload = Workload(world, pace=random.choice((0.01, 0.03, 0.08)))
    faults = Faults(world, pace=random.choice((0.3, 1.0, 3.0, 10.0)))
    hostile_node = HostileNode(world, pace=random.choice((0.03, 0.1, 0.3))) if random.random() < 0.5 else None
    world.run(random.uniform(3.0, 10.0))
    workload.stopped = True
    if hostile_node is not None:
        hostile_node.leaves()
    faults.heal()
    world.run(SETTLING_SECONDS)
    workload.reply_to_all()
    settle(world, REUNION_SECONDS)  # a reply by hand may dial
    check_quiet(world, workload.waiters)
    workload.waiters += reunite(world)
    settle(world, REUNION_SECONDS)
    check_quiet(world, workload.waiters)
    check_whole(world)
    return world


def settle(world: World, seconds: float) -> None:
    """Lets time pass, and as much more as broadcasts in small portions need, up to a minute."""
    world.run(seconds)
    for _ in range(60):
        if any(host.kernel.tables.fan_outs.queue for host in world.running()):
            world.run(1.0)


def reunite(world: World) -> list[Waiter]:
    """Pings each node from each other at once."""
    actors = [acts.new_process(host) for host in world.running()]
    pairs = world.random.sample(list(itertools.permutations(actors, 2)), len(actors) * (len(actors) - 1))
    return [acts.ping(one, other.host.name) for one, other in pairs]
