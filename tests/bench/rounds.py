"""Interleaved rounds: in each round every contender measures the group once, and another one begins."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from tests.bench import machine, pinning
from tests.bench.peers.contender import Job
from tests.bench.results import Measured

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.bench.peers.contender import Contender
    from tests.bench.results import Round


class Plan(NamedTuple):
    """A group to be measured."""

    group: str
    pin: str
    cases: tuple[str, ...]
    rounds: int
    secs: float


def measure(
    plan: Plan, contenders: Sequence[Contender], description: str, say: Callable[[str], None]
) -> Measured:
    """Measures; what fails is told, noted, and left out.

    Args:
        plan: the group, and how often.
        contenders: those that measure anything of it take part.
        description: the machine.
        say: takes lines about what goes on.
    """
    taking_part, failures = _taking_part(plan, contenders)
    measured = Measured(
        plan.group, plan.pin, machine.today(), description, (0.0, 0.0), plan.secs, [], failures
    )
    loads: list[float] = [machine.load()]
    try:
        for number in range(plan.rounds):
            played: Round = {}
            measured.rounds.append(played)  # at once: what a cut round has measured counts
            seconds: list[str] = []
            first = number % max(1, len(taking_part))
            for contender in taking_part[first:] + taking_part[:first]:
                loads.append(machine.load())
                began = time.monotonic()
                _play(plan, contender, number, played, failures)
                seconds.append(f"{contender.name} {time.monotonic() - began:.1f}")
            say(f"{measured.key}, round {number + 1} of {plan.rounds}, seconds: {', '.join(seconds)}")
    except KeyboardInterrupt:
        failures.append("cut short by Ctrl-C")
        raise Cut(measured._replace(load=(min(loads), max(loads)))) from None
    return measured._replace(load=(min(loads), max(loads)))


class Cut(Exception):
    """Ctrl-C ended a measurement; what there is so far is its argument."""

    def __init__(self, measured: Measured) -> None:
        super().__init__()
        self.measured = measured


def _taking_part(plan: Plan, contenders: Sequence[Contender]) -> tuple[list[Contender], list[str]]:
    """Those that can measure, and sentences about those that cannot."""
    taking_part, failures = [], []
    for contender in contenders:
        if plan.group in contender.groups:
            reason = contender.why_not()
            if reason is None:
                taking_part.append(contender)
            else:
                failures.append(f"{contender.name} is left out: {reason}")
    return taking_part, failures


def _play(plan: Plan, contender: Contender, number: int, played: Round, failures: list[str]) -> None:
    """Has one contender measure once."""
    try:
        cores = pinning.cores(plan.pin)
        outcome = contender.measure(Job(plan.group, plan.cases, plan.secs, cores))
    except Exception as error:
        failures.append(f"round {number + 1}, {contender.name}: {type(error).__name__}: {error}")
        return
    if outcome.measured:
        played[contender.name] = outcome.measured
    failures += [
        f"round {number + 1}, {contender.name}, {case}: {reason}" for case, reason in outcome.failed.items()
    ]
