"""Four nodes talk without a pause, while some of them are killed, ended, frozen and disconnected.

No message comes twice or too early, none is missing without a DOWN, and `nodeup` and `nodedown` alternate.
When all rest, the node that ran all the time has the memory, descriptors, threads and processes of before.

    PYX_LOAD_SECONDS=300 pytest -s tests/load/test_disturbed_nodes.py    minutes; -s shows the counts
"""

from __future__ import annotations

import functools
import os
import random
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from tests.load.child import HANG, Child

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAMES: Final = ("ada", "bob", "cyd", "dan")
SURVIVOR: Final = "ada"
SECONDS: Final = float(os.environ.get("PYX_LOAD_SECONDS", "4"))
TICK: Final = "15"
MAX_GROWTH_KIB: Final = 16 * 1024


class Cost(NamedTuple):
    """The resources of an OS process; `processes` are those of its node."""

    descriptors: int
    threads: int
    processes: int
    resident_kib: int

    def is_within(self, before: Cost) -> bool:
        """Returns whether none of these but the memory has grown."""
        return all(now <= then for now, then in zip(self[:3], before[:3], strict=True))


class Mesh:
    """The nodes, and the disturbances of them."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._chance = random.Random(os.environ.get("PYX_LOAD_SEED", "disturbed"))
        self._pause = threading.Event()
        self.nodes: dict[str, Child] = {}
        self.bad: list[str] = []
        self.counts: dict[str, int] = {}
        self.start(*NAMES)

    def start(self, *names: str) -> None:
        for name in names:
            others = [other for other in NAMES if other != name]
            self.nodes[name] = Child("talker.py", name, [TICK, *others], self._environment)
        for name in names:
            node = self.nodes[name]
            node.wait_for(functools.partial(is_ready, node), "ready")

    def go(self) -> None:
        for node in self.nodes.values():
            node.ask("go")

    def rest(self) -> None:
        """Ends what `go` started, and waits until each node is connected to all others."""
        for node in self.nodes.values():
            node.ask("rest")
        for node in self.nodes.values():
            self.until(functools.partial(knows_all, node))

    def until(self, holds: Callable[[], bool]) -> None:
        """Asks again and again; the limit only guards against a hang."""
        give_up = time.monotonic() + HANG
        while not holds():
            assert time.monotonic() < give_up, [node.seen("report")[-1:] for node in self.nodes.values()]
            self._pause.wait(0.05)

    def collect(self, node: Child) -> None:
        """Adds up the report of a node; to be called once for each incarnation."""
        report = node.ask("report")
        self.bad += [f"{node.name}: {one}" for one in report["bad"]]
        for what in ("messages", "downs", "calls", "spawned"):
            self.counts[what] = self.counts.get(what, 0) + report[what]

    def disturb_for(self, seconds: float) -> None:
        """Kills, ends, freezes and disconnects nodes, one at a time."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            victim = self.nodes[self._chance.choice([name for name in NAMES if name != SURVIVOR])]
            what = self._chance.choice(["kill", "end", "freeze", "disconnect", "disconnect"])
            self.counts[what] = self.counts.get(what, 0) + 1
            self._disturb(victim, what)
            self._pause.wait(self._chance.uniform(0.1, 0.4))

    def _disturb(self, victim: Child, what: str) -> None:
        match what:
            case "kill" | "end":
                self.collect(victim)
                victim.end(signal.SIGKILL if what == "kill" else signal.SIGTERM)
                self.start(victim.name)
                self.nodes[victim.name].ask("go")
            case "freeze":
                victim.signal(signal.SIGSTOP)
                self._pause.wait(self._chance.uniform(0.05, 1))
                victim.signal(signal.SIGCONT)
            case _:
                other = self._chance.choice([name for name in NAMES if name != victim.name])
                victim.ask("disconnect", node=other)

    def cost(self) -> Cost:
        """Returns the resources of the node that is neither killed nor ended."""
        node = self.nodes[SURVIVOR]
        processes = node.ask("report")["processes"]
        if not Path("/proc/self/fd").exists():
            return Cost(0, 0, processes, 0)
        descriptors = len(os.listdir(f"/proc/{node.pid}/fd"))
        return Cost(descriptors, status(node.pid, "Threads"), processes, status(node.pid, "VmRSS"))

    def end(self) -> None:
        for node in self.nodes.values():
            node.end()


def is_ready(node: Child) -> bool:
    """Returns whether the node has a name and waits for commands."""
    return bool(node.seen("ready"))


def knows_all(node: Child) -> bool:
    """Returns whether the node is connected to all others."""
    return len(node.ask("report")["nodes"]) == len(NAMES) - 1


def status(pid: int, what: str) -> int:
    """Returns a number from the status file of an OS process on Linux."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:"))


@pytest.fixture
def mesh(environment: dict[str, str]) -> Iterator[Mesh]:
    mesh = Mesh(environment)
    yield mesh
    mesh.end()


@pytest.mark.timeout(SECONDS + 180)
def test_messages_are_in_order_and_nothing_is_left_of_disturbances(mesh: Mesh) -> None:
    mesh.go()
    mesh.disturb_for(SECONDS / 4)
    mesh.rest()
    before = mesh.cost()
    mesh.go()
    mesh.disturb_for(SECONDS * 3 / 4)
    mesh.rest()
    for node in mesh.nodes.values():
        mesh.collect(node)
    print(f"\n{mesh.counts}; {before}, and later {mesh.cost()}")
    assert mesh.bad == []
    assert mesh.counts["messages"] > 0
    mesh.until(lambda: mesh.cost().is_within(before))
    assert mesh.cost().resident_kib <= before.resident_kib + MAX_GROWTH_KIB
