"""Ten nodes, and every 200 ms a `kill -9` for one of them, which then comes back.

Every survivor sees `noconnection` for every victim it was connected to, exactly once and before `nodedown`,
and at the end the mesh is whole.

    PYX_LOAD_SECONDS=300 pytest -s tests/load/test_kills.py    minutes; -s shows the figures
"""

from __future__ import annotations

import functools
import os
import random
import statistics
import threading
import time

import pytest

from tests.load.child import Child

NODES = [f"n{number}" for number in range(10)]
SECONDS = float(os.environ.get("PYX_LOAD_SECONDS", "4"))
TICK = "60"  # so that what is measured is not the tick


class Observer(Child):
    """One incarnation of one node."""

    def __init__(self, name: str, seeds: list[str], environment: dict[str, str]) -> None:
        super().__init__("observer.py", name, [TICK, *seeds], environment)
        self.killed_at: float | None = None
        self.wait_for(lambda: bool(self.seen("ready")), "ready")
        self.creation: int = self.seen("ready")[0]["creation"]

    def sees(self) -> set[str]:
        """Returns the nodes that it monitors and whose end it has not seen."""
        ended = {one["ref"] for one in self.seen("down")}
        return {_first(one["node"]) for one in self.seen("up") if one["ref"] not in ended}

    def kill(self) -> None:
        self.killed_at = time.monotonic()
        self.end()


@pytest.mark.timeout(SECONDS + 180)
def test_survivors_see_every_victim_and_the_mesh_heals(environment: dict[str, str]) -> None:
    chance = random.Random(os.environ.get("PYX_LOAD_SEED", "kills"))
    alive = {name: Observer(name, NODES[:number], environment) for number, name in enumerate(NODES)}
    dead: list[Observer] = []
    pause = threading.Event()
    try:
        _wait_until_whole(alive)
        ends = time.monotonic() + SECONDS
        while time.monotonic() < ends:
            victim = alive.pop(chance.choice(NODES))
            victim.kill()
            dead.append(victim)
            seeds = chance.sample(sorted(alive), 2)
            alive[victim.name] = Observer(victim.name, seeds, environment)
            pause.wait(0.2)
        _wait_until_whole(alive)
        killed_last = dead[-1].killed_at
        assert killed_last is not None
        healed = time.monotonic() - killed_last
        waits = [wait for node in (*alive.values(), *dead) for wait in _check(node, dead)]
    finally:
        for node in alive.values():
            node.kill()
    assert dead
    print(
        f"\n{len(dead)} kills; to noconnection: median {statistics.median(waits) * 1e3:.1f} ms, "
        f"worst {max(waits) * 1e3:.1f} ms ({len(waits)} seen); the mesh whole {healed:.2f} s after the last"
    )


def _wait_until_whole(alive: dict[str, Observer]) -> None:
    for node in alive.values():
        others = set(alive) - {node.name}
        node.wait_for(functools.partial(_sees, node, others), "mesh")


def _sees(node: Observer, others: set[str]) -> bool:
    return node.sees() == others


def _check(survivor: Observer, dead: list[Observer]) -> list[float]:
    """Checks that *survivor* saw one `noconnection` of each killed node it had met; returns the delays."""
    waits: list[float] = []
    downs = survivor.seen("down")
    refs = [one["ref"] for one in downs]
    assert len(set(refs)) == len(refs), "a monitor fired twice"
    assert {one["reason"] for one in downs} <= {"noconnection"}
    for up in survivor.seen("up"):
        if up["late"]:
            continue
        ended = next((one for one in downs if one["ref"] == up["ref"]), None)
        if ended is not None:
            meanwhile = survivor.events[survivor.events.index(up) : survivor.events.index(ended)]
            assert not any(one["event"] == "nodedown" and one["node"] == up["node"] for one in meanwhile)
        killed = [
            one.killed_at
            for one in dead
            if (one.name, one.creation) == (_first(up["node"]), up["creation"]) and one.killed_at is not None
        ]
        if survivor.killed_at is None and killed:
            assert ended is not None, f"{survivor.name} never saw the end of {up}"
        if ended is not None:
            assert killed, f"{survivor.name} lost {up['node']}, which was not killed"
            waits.append(ended["at"] - min(killed))
    return waits


def _first(name: str) -> str:
    return name.partition("@")[0]
