"""restarts.py: random histories end as with the supervisor of Erlang itself, step by step.

PYX_WORLDS=5000 pytest tests/otp/test_restarts_in_erlang.py
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

from pyx.otp.child_errors import ChildError, ChildSpecInvalid
from pyx.otp.restart_intensity import RestartIntensity
from pyx.otp.restarts import Restarts
from pyx.otp.supervision_steps import GIVE_UP, NotStarted, Start, Started, StopChild, TryAgain
from tests.otp.plans import Stage, worker

if TYPE_CHECKING:
    from pyx.otp.children import ChildSpec

WORLDS: Final = int(os.environ.get("PYX_WORLDS", "300"))
IDS: Final = "abcd"
STRATEGIES: Final = ("one_for_one", "rest_for_one", "one_for_all")
REASONS: Final = ("normal", "shutdown", "{shutdown,x}", "crash", "killed")


class World(NamedTuple):
    """One history: a supervisor, its first children, and what happens to them; in Erlang's words."""

    strategy: str
    most: int
    auto_shutdown: str
    children: list[tuple[str, str, bool]]
    events: list[tuple[Any, ...]]

    @property
    def term(self) -> str:
        """The world as `file:consult` reads it."""
        head = f"{self.strategy},{self.most},{self.auto_shutdown}"
        events = ",".join(map(event_term, self.events))
        return f"{{{head},[{','.join(map(child_term, self.children))}],[{events}]}}.\n"


def child_term(child: tuple[str, str, bool]) -> str:
    name, restart, significant = child
    return f"{{{name},{restart},{str(significant).lower()}}}"


def event_term(event: tuple[Any, ...]) -> str:
    kind, *rest = event
    if kind == "add":
        return f"{{add,{child_term(rest[0])}}}"
    return f"{{{','.join(map(str, (kind, *rest)))}}}"


def made(seed: int) -> World:
    chance = random.Random(seed)
    auto = chance.choice(["never", "never", "any_significant", "all_significant"])

    def child(name: str) -> tuple[str, str, bool]:
        restart = chance.choice(["permanent", "permanent", "transient", "temporary"])
        return name, restart, auto != "never" and restart != "permanent" and chance.random() < 0.4

    def event() -> tuple[Any, ...]:
        name = chance.choice(IDS)
        match chance.randrange(10):
            case 0:
                return "fails", name, chance.randrange(1, 4), chance.choice(["cannot", "cannot", "ignore"])
            case 1 | 2:
                return chance.choice(["terminate", "restart", "delete"]), name
            case 3:
                return "add", child(name)
            case _:
                return "crash", name, chance.choice(REASONS)

    first = [child(name) for name in IDS[: chance.randrange(1, 5)]]
    events = [event() for _ in range(chance.randrange(1, 15))]
    return World(chance.choice(STRATEGIES), chance.randrange(6), auto, first, events)


class Here(Stage):
    """Plays a world with pyx's decisions; `said` are the lines that the program in Erlang prints."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.said: list[str] = []
        self._restarts = Restarts(world.strategy, RestartIntensity(world.most, 1000.0), world.auto_shutdown)
        self._ended = False
        self._run(self._restarts.start_all([spec(child) for child in world.children]))
        for event in world.events:
            if not self._ended:
                self._happens(event)
        if self._ended:
            self.said.append("dead")
            return
        listed = [
            f" {child.spec.id} {'undefined' if child.state is None else 'runs'}"
            for child in self._restarts.children
        ]
        self.said.append(f"listed{''.join(listed)}")

    def _happens(self, event: tuple[Any, ...]) -> None:
        requests = self._restarts
        match event:
            case ("fails", name, times, what):
                self.fails[name] = [what] * times
            case ("crash", name, reason):
                pid = next((one.pid for one in requests.children if one.spec.id == name), None)
                if pid is not None:
                    self._follow(self._run(requests.exited(pid, term_of(reason), 1.0)))
            case ("add", child):
                self._request(lambda: self._run(requests.start_child(spec(child))))
            case ("terminate", name):
                self._request(lambda: self._run(requests.terminate_child(name)))
            case ("restart", name):
                self._request(lambda: self._run(requests.restart_child(name)))
            case (_, name):
                self._request(lambda: requests.delete_child(name))

    def _request(self, request: Any) -> None:
        try:
            outcome = request()
        except ChildError as refused:
            word = refused.reason
        except ChildSpecInvalid:
            word = "bad_combination"
        else:
            word = "ok"
            if isinstance(outcome, NotStarted):
                word = outcome.reason if isinstance(outcome.reason, str) else outcome.reason[0]
            elif outcome is not None and outcome.pid is None:
                word = "ignored"
        self.said.append(f"result {word}")

    def _follow(self, outcome: Any) -> None:
        while isinstance(outcome, TryAgain):
            outcome = self._run(self._restarts.try_again(outcome.child, 1.0))
        if outcome == GIVE_UP:
            self._ended = True
            self._run(self._restarts.stop_all())

    def _run(self, plan: Any) -> Any:
        return self.play(plan).outcome

    def _answer(self, step: Any) -> Any:
        """What `Stage` answers, and the line about it."""
        name = getattr(getattr(step, "spec", None), "id", "")
        fails = self.fails.get(name)
        match step:
            case StopChild():
                self.said.append(f"stop {name}")
            case Start() if fails:
                self.said.append(f"failed {name}")
                if fails[0] == "ignore":
                    fails.pop(0)
                    return Started(None)
            case Start():
                self.said.append(f"start {name}")
        return super()._answer(step)


def spec(child: tuple[str, str, bool]) -> ChildSpec:
    name, restart, significant = child
    return worker(name, restart=restart, significant=significant)


def term_of(reason: str) -> Any:
    return ("shutdown", "x") if reason == "{shutdown,x}" else reason


@pytest.mark.skipif(shutil.which("erlc") is None, reason="Erlang is not installed")
def test_random_histories_end_as_in_erlang(tmp_path: Path) -> None:
    worlds = [made(seed) for seed in range(WORLDS)]
    (tmp_path / "worlds").write_text("".join(world.term for world in worlds))
    source = Path(__file__).with_name("erlang_supervisor.erl")
    subprocess.run(["erlc", "-o", str(tmp_path), str(source)], check=True, capture_output=True)
    done = subprocess.run(
        ["erl", "-noshell", "-run", "erlang_supervisor", "main", "worlds"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    there = [part.split("\n")[:-1] for part in done.stdout.split("world\n")[1:]]
    assert len(there) == WORLDS, done.stdout[-2000:] + done.stderr
    for seed, (world, lines) in enumerate(zip(worlds, there, strict=True)):
        assert Here(world).said == lines, f"seed {seed}: {world.term}"
