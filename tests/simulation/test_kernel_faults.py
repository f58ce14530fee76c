"""kernel_faults.py, group_faults.py, broadcast_faults.py of the simulator: an early run finds each fault."""

from __future__ import annotations

import pytest

from tests.simulation.broadcast_faults import BROADCAST_FAULTS
from tests.simulation.group_faults import GROUP_FAULTS
from tests.simulation.kernel_faults import FAULTS
from tests.simulation.simulation import simulate
from tests.simulation.world import Violation

RUNS = 600
"""Every fault is found in one of this many runs, most in the first."""

FOUND_WITH_GROUPS = {*GROUP_FAULTS, *BROADCAST_FAULTS, "exit_overtakes_messages"}
"""Found sooner in runs with groups, or in these alone."""


@pytest.mark.parametrize("name", FAULTS)
def test_simulator_finds_kernel_fault(name: str) -> None:
    assert any(is_found(name, seed) for seed in range(RUNS))


@pytest.mark.parametrize("name", [*GROUP_FAULTS, *BROADCAST_FAULTS])
def test_simulator_finds_fault_of_groups_and_broadcasts(name: str) -> None:
    assert any(is_found(name, seed) for seed in range(RUNS))


def is_found(name: str, seed: int) -> bool:
    fault = {**FAULTS, **GROUP_FAULTS, **BROADCAST_FAULTS}[name]
    try:
        simulate(seed, fault, has_groups=name in FOUND_WITH_GROUPS)
    except (Violation, KeyError):
        return True
    return False
