"""Ten nodes, and every 200 ms a `kill -9` for one of them, which then comes back.

Every survivor sees `noconnection` for every victim it was connected to, exactly once and before `nodedown`,
and at the end the mesh is whole.  `PYX_STORM_SECONDS` makes it longer; `PYX_STORM_REPORT=1` writes how long
each of these took to stderr (run that with `-s`; the numbers are never asserted).
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

AGENT = Path(__file__).with_name("agent.py")
NODES = [f"n{number}" for number in range(10)]
SECONDS = float(os.environ.get("PYX_STORM_SECONDS", "20"))
TICK = "60"  # so that what is measured is not the tick
HANG = 60.0


class Life:
    """One life of one node: an OS process, and the events it wrote."""

    def __init__(self, name: str, seeds: list[str], environment: dict[str, str]) -> None:
        self.name = name
        self.events: list[dict[str, Any]] = []
        self.killed_at: float | None = None
        self._heard = threading.Condition()  # noqa: TID251 - a test's own, not the kernel's
        self._process = subprocess.Popen(
            [sys.executable, str(AGENT), name, TICK, *seeds],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wait_for(lambda: self.seen("ready"), "ready")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.endswith("\n"):  # the last one may be cut by the kill
                with self._heard:
                    self.events.append(json.loads(line))
                    self._heard.notify_all()

    def wait_for(self, holds: Any, what: str) -> None:
        """Waits until *holds* after one of this node's events; the limit only guards against a hang."""
        with self._heard:
            assert self._heard.wait_for(holds, HANG), f"{self.name}: no {what}: {self.events}"

    def seen(self, event: str) -> list[dict[str, Any]]:
        return [one for one in self.events if one["event"] == event]

    def sees(self) -> set[str]:
        """The nodes it monitors and has seen no end of."""
        ended = {one["ref"] for one in self.seen("down")}
        return {_first(one["node"]) for one in self.seen("up") if one["ref"] not in ended}

    def kill(self) -> None:
        self.killed_at = time.monotonic()
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._close()

    def _close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()


@pytest.fixture
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    home = tmp_path_factory.mktemp("storm")
    runtime = Path(f"/tmp/pyx-storm-{os.getpid()}")
    runtime.mkdir(mode=0o700)
    yield {**os.environ, "HOME": str(home), "PYX_RUNTIME_DIR": str(runtime)}
    for left in runtime.iterdir():
        left.unlink()
    runtime.rmdir()


@pytest.mark.timeout(SECONDS + 180)
def test_survivors_see_every_victim_and_the_mesh_heals(environment: dict[str, str]) -> None:
    chance = random.Random(os.environ.get("PYX_STORM_SEED", "storm"))
    alive = {name: Life(name, NODES[:number], environment) for number, name in enumerate(NODES)}
    dead: list[Life] = []
    pause = threading.Event()
    try:
        _wait_until_whole(alive)
        ends = time.monotonic() + SECONDS
        while time.monotonic() < ends:
            victim = alive.pop(chance.choice(NODES))
            victim.kill()
            dead.append(victim)
            seeds = chance.sample(sorted(alive), 2)
            alive[victim.name] = Life(victim.name, seeds, environment)
            pause.wait(0.2)
        _wait_until_whole(alive)
        killed_last = dead[-1].killed_at
        assert killed_last is not None
        healed = time.monotonic() - killed_last
        waits = [wait for incarnation in (*alive.values(), *dead) for wait in _check(incarnation, dead)]
    finally:
        for incarnation in alive.values():
            incarnation.kill()
    assert len(dead) > SECONDS
    if os.environ.get("PYX_STORM_REPORT"):
        sys.stderr.write(
            f"\n{len(dead)} kills; to noconnection: median {statistics.median(waits) * 1e3:.1f} ms,"
            f" worst {max(waits) * 1e3:.1f} ms ({len(waits)} seen);"
            f" the mesh whole {healed:.2f} s after the last\n"
        )


def _wait_until_whole(alive: dict[str, Life]) -> None:
    for incarnation in alive.values():
        others = set(alive) - {incarnation.name}
        incarnation.wait_for(
            lambda incarnation=incarnation, others=others: incarnation.sees() == others, "mesh"
        )


def _check(survivor: Life, dead: list[Life]) -> list[float]:
    """Each life it met that was killed in its time ended for it once, by noconnection; when."""
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
            if one.name == _first(up["node"]) and one.killed_at is not None and one.killed_at > up["at"]
        ]
        if survivor.killed_at is None and killed:
            assert ended is not None, f"{survivor.name} never saw the end of {up}"
        if ended is not None:
            assert killed, f"{survivor.name} lost {up['node']}, which nobody killed"
            waits.append(ended["at"] - min(killed))
    return waits


def _first(name: str) -> str:
    return name.partition("@")[0]
