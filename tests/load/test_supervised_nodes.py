"""Three nodes with supervisors: their children are killed without a pause, and the nodes by kill -9.

When all rest, every child is up exactly once: those of each node's tree, and those that run on another node
than their supervisor.

    PYX_LOAD_SECONDS=300 pytest -s tests/load/test_supervised_nodes.py    minutes; -s shows the counts
"""

from __future__ import annotations

import os
import random
import threading
import time
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.load.child import HANG, Child

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES: Final = ("ada", "bob", "cyd")
SECONDS: Final = float(os.environ.get("PYX_LOAD_SECONDS", "4"))
TICK: Final = "15"
STRATEGIES: Final = ("one_for_one", "rest_for_one", "one_for_all")
OWN: Final = [f"{strategy} {number}" for strategy in STRATEGIES for number in range(3)]
ROOMS: Final = [f"room {number}" for number in range(4)]


class Nodes:
    """The nodes, of which one after the other is killed."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._chance = random.Random(os.environ.get("PYX_LOAD_SEED", "supervised"))
        self.pause = threading.Event()
        self.kills = 0
        self.nodes: dict[str, Child] = {}
        for name in NAMES:
            self._start(name)
        for name in NAMES:
            self._go(name)

    def _start(self, name: str) -> None:
        others = [other for other in NAMES if other != name]
        node = self.nodes[name] = Child("supervised_node.py", name, [TICK, *others], self._environment)
        node.wait_for(lambda: bool(node.seen("named")), "named")

    def _go(self, name: str) -> None:
        node = self.nodes[name]
        node.wait_for(lambda: bool(node.seen("ready")), "ready")
        node.ask("go")

    def storm(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            victim = self._chance.choice(NAMES)
            self.nodes[victim].end()
            self.kills += 1
            self.pause.wait(self._chance.uniform(0, 0.3))
            self._start(victim)
            self._go(victim)
            self.pause.wait(self._chance.uniform(0, 0.3))

    def reports(self) -> dict[str, dict[str, Any]]:
        return {name: node.ask("report") for name, node in self.nodes.items()}

    def rest(self) -> None:
        for node in self.nodes.values():
            node.ask("rest")

    def end(self) -> None:
        for node in self.nodes.values():
            node.end()


def expected(name: str) -> dict[str, Any]:
    others = [other for other in NAMES if other != name]
    far = [f"far of {other} on {name}" for other in others]
    total = len(OWN) + len(ROOMS) + len(others)
    return {
        "children": sorted([*OWN, *ROOMS, *far]),
        "supervised": total,
        "running": total,
        "names": sorted([*OWN, *ROOMS]),
    }


@pytest.fixture
def nodes(environment: dict[str, str]) -> Iterator[Nodes]:
    nodes = Nodes(environment)
    yield nodes
    nodes.end()


@pytest.mark.timeout(SECONDS + 180)
def test_every_child_is_up_exactly_once_after_a_storm_of_kills(nodes: Nodes) -> None:
    nodes.storm(SECONDS)
    nodes.rest()
    wanted = {name: expected(name) for name in NAMES}
    give_up = time.monotonic() + HANG
    while True:
        reports = nodes.reports()
        found = {name: {key: reports[name][key] for key in wanted[name]} for name in NAMES}
        if found == wanted or time.monotonic() > give_up:
            break
        nodes.pause.wait(0.1)
    print(
        f"\n{nodes.kills} nodes killed; {sum(map(len, (one['children'] for one in found.values())))} children"
    )
    assert found == wanted
    assert nodes.kills > 0
