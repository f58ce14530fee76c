"""Plays the plans of a supervisor's decisions: what is started and stopped, without a process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from pyx.otp.children import ChildSpec
from pyx.otp.supervision_steps import (
    EndedForGood,
    GaveUp,
    NotRestarted,
    NotStarted,
    Restarted,
    Start,
    Started,
    StopChild,
    StopTogether,
)
from pyx.terms import Pid

if TYPE_CHECKING:
    from pyx.otp.supervision_steps import Plan, Step

T = TypeVar("T")


class Played(NamedTuple):
    """The steps of a plan, in words, and what it returned."""

    steps: list[str]
    outcome: Any


class Stage:
    """Stands for the processes: gives pids, and makes starts fail that a test has listed.

    `fails` has for an id the reasons of its next starts; `ignores` the ids of children that do not want to.
    """

    def __init__(self) -> None:
        self.fails: dict[Any, list[Any]] = {}
        self.ignores: set[Any] = set()
        self.pids: dict[Any, Pid] = {}
        """The last pid of each child, by id."""
        self._last = 0

    def play(self, plan: Plan[Any]) -> Played:
        """Plays a plan to its end; what it raises passes through."""
        steps: list[str] = []
        answer = None
        while True:
            try:
                step = plan.send(answer)
            except StopIteration as end:
                return Played(steps, end.value)
            steps.append(words(step))
            answer = self._answer(step)

    def _answer(self, step: Step) -> Any:
        if not isinstance(step, Start):
            return None
        child = step.spec.id
        if self.fails.get(child):
            return NotStarted(self.fails[child].pop(0))
        if child in self.ignores:
            return Started(None)
        self._last += 1
        self.pids[child] = Pid(self._last)
        return Started(self.pids[child])


def words(step: Step) -> str:
    """A step as a test writes it."""
    match step:
        case Start(spec):
            return f"start {spec.name}"
        case StopChild(spec, _):
            return f"stop {spec.name}"
        case StopTogether(children):
            return "stop together " + " ".join(stop.spec.name for stop in children)
        case Restarted(spec, reason, _, others, used, _):
            with_others = "".join(f" and {other.name}" for other in others)
            return f"restarted {spec.name}{with_others} after {reason}: {used}"
        case NotRestarted(spec, _, failed, used, _):
            return f"not restarted {spec.name}, for {failed.spec.name} is {failed.reason}: {used}"
        case EndedForGood(spec, reason):
            return f"crashed {spec.name} by {reason}"
        case GaveUp(spec, reason, used, _):
            return f"gave up after {reason} of {spec.name}: {used}"


def worker(name: str, **options: Any) -> ChildSpec:
    """The specification of a child that is never run."""
    return ChildSpec(name, worker, **options)
