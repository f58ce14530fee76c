"""A contender: something that measures a group of cases once, in child processes of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.bench.pinning import Cores
    from tests.bench.programs.sampling import Sample


class Job(NamedTuple):
    """What is to be measured."""

    group: str
    cases: tuple[str, ...]
    secs: float
    """Seconds for each case, about."""
    cores: Cores


class Outcome(NamedTuple):
    """What one contender measured in one round: samples by case, and reasons of the cases that failed."""

    measured: dict[str, Sample]
    failed: dict[str, str]


class Contender(Protocol):
    """Measures in child processes; all of these have ended when `measure` returns."""

    @property
    def name(self) -> str:
        """Its name in tables."""

    @property
    def groups(self) -> Iterable[str]:
        """The groups of which it measures anything."""

    def why_not(self) -> str | None:
        """The reason why it cannot run here, or None."""

    def measure(self, job: Job) -> Outcome:
        """Measures the cases of *job* that it knows; may raise anything, which fails all of them."""


def outcome_of(results: Iterable[Mapping[str, Any]]) -> Outcome:
    """Sorts what a child reported."""
    outcome = Outcome({}, {})
    for line in results:
        case = line["case"]
        if "error" in line:
            outcome.failed[case] = line["error"]
        else:
            outcome.measured[case] = {key: float(value) for key, value in line.items() if key != "case"}
    return outcome
