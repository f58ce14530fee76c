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


SEEN_IN = {
    "message_of_a_lost_session_is_delivered": 10,
    "exit_overtakes_messages": 51,
    "link_to_dead_process_is_silent": 10,
    "lost_call_of_a_server_is_not_failed": 9,
    "connected_comes_before_the_holdings": 9,
    "ends_are_told_to_those_who_came_later": 7047,
    "message_overtakes_a_join": 9,
    "message_overtakes_the_holdings": 9,
    "loss_of_a_node_overtakes_its_broadcasts": 54,
    "copies_before_a_loss_are_in_order_of_senders": 494,
    "diff_has_no_place_among_the_signals_of_its_processes": 54,
}
"""The runs that are tried first: a change of the kernel may make another one the first that finds it."""


@pytest.mark.parametrize("name", FAULTS)
def test_simulator_finds_kernel_fault(name: str) -> None:
    assert any(is_found(name, seed) for seed in seeds(name))


@pytest.mark.parametrize("name", [*GROUP_FAULTS, *BROADCAST_FAULTS])
def test_simulator_finds_fault_of_groups_and_broadcasts(name: str) -> None:
    assert any(is_found(name, seed) for seed in seeds(name))


def seeds(name: str) -> list[int]:
    return [SEEN_IN.get(name, 0), *range(RUNS)]


def is_found(name: str, seed: int) -> bool:
    fault = {**FAULTS, **GROUP_FAULTS, **BROADCAST_FAULTS}[name]
    try:
        simulate(seed, fault, has_groups=name in FOUND_WITH_GROUPS)
    except (Violation, KeyError):
        return True
    return False
