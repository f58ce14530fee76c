"""kernel_faults.py of the simulator: each of these faults of a kernel is found by an early run."""

from __future__ import annotations

import pytest

from tests.simulation.kernel_faults import FAULTS
from tests.simulation.simulation import simulate
from tests.simulation.world import Violation

RUNS = 600
"""Every fault is found in one of this many runs, most in the first."""


@pytest.mark.parametrize("name", FAULTS)
def test_simulator_finds_kernel_fault(name: str) -> None:
    assert any(is_found(name, seed) for seed in range(RUNS))


def is_found(name: str, seed: int) -> bool:
    try:
        simulate(seed, FAULTS[name])
    except (Violation, KeyError):
        return True
    return False
