"""Nodes run and fail in a simulated world, many times over; every promise is checked in every run.

    PYX_SEEDS=5000 pytest tests/simulation              the first five thousand runs instead of two hundred
    PYX_SEEDS=5000..9999 pytest -n 2 tests/simulation   these (with pytest-xdist, on two cores)
    PYX_SEEDS=1234..1234 pytest tests/simulation        one, as a failure prints it: the same run again

A run is decided by its seed alone: no clock, no thread, no socket.  A failure shows the promise that was
broken and the last events.  What is simulated: `host.py`; what is promised: `actors.py`, `invariants.py`.
"""

from __future__ import annotations

import os

import pytest

from tests.simulation.simulation import simulate
from tests.simulation.world import Violation

SEEDS_BY_DEFAULT = 200


def seeds() -> range:
    first, dots, last = os.environ.get("PYX_SEEDS", f"{SEEDS_BY_DEFAULT}").partition("..")
    return range(int(first), int(last) + 1) if dots else range(int(first))


@pytest.mark.parametrize("seed", seeds())
def test_simulated_run_keeps_every_promise(seed: int) -> None:
    try:
        simulate(seed)
    except Violation as violation:
        pytest.fail(f"{violation}\nagain: PYX_SEEDS={seed}..{seed} pytest tests/simulation", pytrace=False)


@pytest.mark.parametrize("seed", seeds())
def test_simulated_run_with_groups_keeps_every_promise(seed: int) -> None:
    try:
        simulate(seed, has_groups=True)
    except Violation as violation:
        pytest.fail(f"{violation}\nagain: PYX_SEEDS={seed}..{seed} pytest tests/simulation", pytrace=False)


def test_same_seed_is_the_same_run() -> None:
    one, same, other = (simulate(seed, has_groups=True) for seed in (7, 7, 8))
    assert list(one.trace) == list(same.trace)
    assert one.random.getstate() == same.random.getstate()
    assert list(one.trace) != list(other.trace)


def test_runs_contain_everything_that_can_happen() -> None:
    """In a few dozen runs at most."""
    expected = {
        *("_cut", "_freeze", "_kill", "_part", "_restart", "_silence"),
        *(
            "claim accept",
            "claim refused",
            "claim simultaneous",
            "dial accept",
            "sessions lost",
            "dials lost",
        ),
        *("down real", "down noproc", "down noconnection", "exit real", "exit noproc", "exit noconnection"),
        *("exit normal", "exit signal", "message by pid", "message by name", "message by alias", "nodedown"),
        *("gen_call", "gen_call: value", "gen_call: message", "gen_call: exit", "gen_call: noproc"),
        *(
            "gen_call: noconnection",
            "call: value",
            "call: exit",
            "call: noconnection",
            "spawn: spawned",
            "spawn: noconnection",
        ),
        *("ping: pong", "info: value", "connect: connected", "connect: noconnection"),
        *(
            "hostile node: accept",
            "hostile node broke the protocol",
            "message of the hostile node",
            "call of the hostile node",
            "exit of the hostile node",
        ),
        *("group join", "group leave", "groups with members"),
        *("broadcast", "broadcast to another node", "broadcasts in portions"),
        *("registration refused", "partitions", "exit notices in portions"),
    }
    seen: set[str] = set()
    for seed in range(60):
        seen.update(simulate(seed, has_groups=seed % 2 == 0).counts)
        if expected <= seen:
            break
    assert expected <= seen
