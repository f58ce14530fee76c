"""kernel_faults.py, group_faults.py of the simulator: each fault of a kernel is found by an early run."""

from __future__ import annotations

import pytest

from tests.simulation.group_faults import GROUP_FAULTS
from tests.simulation.kernel_faults import FAULTS
from tests.simulation.simulation import simulate
from tests.simulation.world import Violation

RUNS = 600
"""Every fault is found in one of this many runs, most in the first."""


@pytest.mark.parametrize("name", FAULTS)
def test_simulator_finds_kernel_fault(name: str) -> None:
    assert any(is_found(name, seed) for seed in range(RUNS))


@pytest.mark.parametrize("name", GROUP_FAULTS)
def test_simulator_finds_fault_of_groups(name: str) -> None:
    assert any(is_found(name, seed) for seed in range(RUNS))


def is_found(name: str, seed: int) -> bool:
    is_of_groups = name in GROUP_FAULTS
    try:
        simulate(seed, (GROUP_FAULTS if is_of_groups else FAULTS)[name], has_groups=is_of_groups)
    except (Violation, KeyError):
        return True
    return False
