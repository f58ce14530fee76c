"""Medians, bests and ratios of the rounds of one case.

Other work on the machine only takes away, so the best of the rounds is the quiet one; the median of the
ratios within each round is what a machine that is never quiet tells best.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.bench.cases import Case
    from tests.bench.results import Round


class Summary(NamedTuple):
    """One case of one contender, over its rounds."""

    median: float
    best: float
    least: float
    most: float
    rounds: int
    cpu: float | None
    """µs of both ends for each operation, in the best of the rounds."""
    queued: float | None
    """µs that threads of both ends waited for a core, the least of the rounds."""
    switches: float | None
    """Context switches of both ends for each operation, the least of the rounds."""


class Ratio(NamedTuple):
    """One contender divided by another one."""

    of_bests: float
    median: float
    """Of the ratios within each round."""


def values(rounds: Iterable[Round], contender: str, case: str, key: str = "value") -> list[float]:
    """What that contender measured, in the order of the rounds; a round without it is left out."""
    measured = (played.get(contender, {}).get(case, {}) for played in rounds)
    return [sample[key] for sample in measured if key in sample]


def best(case: Case, measured: Sequence[float]) -> float:
    """The least time, or the highest rate."""
    return min(measured) if case.less_is_better else max(measured)


def summary(rounds: Sequence[Round], contender: str, case: Case) -> Summary | None:
    """Sums up the rounds; None if the contender never measured that case."""
    found = values(rounds, contender, case.name)
    if not found:
        return None
    cpu, queued, switches = (
        values(rounds, contender, case.name, key) for key in ("cpu", "queued", "switches")
    )
    return Summary(
        median(found),
        best(case, found),
        min(found),
        max(found),
        len(found),
        min(cpu) if cpu else None,
        min(queued) if queued else None,
        min(switches) if switches else None,
    )


def ratio(rounds: Sequence[Round], case: Case, contender: str, other: str, other_case: str) -> Ratio | None:
    """Divides *case* of *contender* by *other_case* of *other*; None if either was never measured.

    Both cases have the same unit.
    """
    ours, theirs = values(rounds, contender, case.name), values(rounds, other, other_case)
    if not ours or not theirs or best(case, theirs) == 0:
        return None
    within = [
        own["value"] / its["value"]
        for played in rounds
        if (own := played.get(contender, {}).get(case.name))
        and (its := played.get(other, {}).get(other_case))
        and its["value"]
    ]
    of_bests = best(case, ours) / best(case, theirs)
    return Ratio(of_bests, median(within) if within else of_bests)
