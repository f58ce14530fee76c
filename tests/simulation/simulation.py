"""One run of the simulator, from a seed.  Not here: the tests (`test_simulation.py`)."""

from __future__ import annotations

from tests.simulation.faults import Faults, populate
from tests.simulation.host import WatchedKernel
from tests.simulation.invariants import check_quiet
from tests.simulation.workload import Workload
from tests.simulation.world import World

SETTLING_SECONDS = 30.0
"""By then every handshake, tick, silence and partition report has had its time."""


def simulate(seed: int, kernel: type[WatchedKernel] = WatchedKernel) -> World:
    """Lets some nodes live and fail for a while, then heals everything; raises `Violation`."""
    world = World(seed, kernel)
    random = world.random
    for name in random.sample("abcdef", random.choice((2, 3, 3, 4, 5))):
        world.boot(f"{name}@h", hidden=random.random() < 0.1)
    for host in world.running():
        populate(host)
    workload = Workload(world, pace=random.choice((0.01, 0.03, 0.08)))
    faults = Faults(world, pace=random.choice((0.3, 1.0, 3.0, 10.0)))
    world.run(random.uniform(3.0, 15.0))
    workload.stopped = True
    faults.heal()
    world.run(SETTLING_SECONDS)
    check_quiet(world, workload.waiters)
    return world
