"""The measured rounds as a table of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.bench.cases import CASES, group_named
from tests.bench.ratios import ratio, summary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.cases import Case
    from tests.bench.results import Measured

ERLANG: Final = "erlang"
PYX: Final = "pyx"
PYX_OVER_TLS: Final = "pyx-tls"
HEAD: Final = (
    "case",
    "",
    "median",
    "best",
    "least..most",
    "x Erlang (median)",
    "CPU us",
    "queued us",
    "switches",
)


def number(value: float) -> str:
    """Three digits, without an exponent."""
    if value >= 1e6:
        return f"{value / 1e6:.3g} M"
    if value >= 10_000:
        return f"{value / 1e3:.3g} k"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def text(measured: Measured, compared: tuple[str, str] | None = None) -> str:
    """The table of one group, pinned one way.

    Args:
        measured: the rounds.
        compared: two contenders, the second of which the first is divided by in a table of its own.
    """
    group = group_named(measured.group)
    least, most = measured.load
    lines = [
        f"{group.name}: {group.what}; pinned: {measured.pin}",
        f"{len(measured.rounds)} rounds of {measured.secs:g} s a case; load {least:.1f}..{most:.1f}",
        *_aligned([HEAD, *rows(measured)]),
    ]
    if compared is not None:
        lines += _aligned(list(comparison(measured, *compared)))
    lines += [f"+ {line}" for line in cost_of_tls(measured)]
    lines += [f"! {failure}" for failure in measured.failures]
    return "\n".join(lines) + "\n"


def rows(measured: Measured) -> Iterator[Sequence[str]]:
    """A row for each case and contender."""
    for case in cases_of(measured):
        for contender in measured.contenders:
            found = summary(measured.rounds, contender, case)
            if found is None:
                continue
            yield (
                case.name,
                contender,
                f"{number(found.median)} {case.unit}",
                number(found.best),
                f"{number(found.least)}..{number(found.most)}",
                against_erlang(measured, contender, case),
                "" if found.cpu is None else number(found.cpu),
                "" if found.queued is None else number(found.queued),
                "" if found.switches is None else f"{found.switches:.2f}",
            )


def cases_of(measured: Measured) -> list[Case]:
    """The cases that anyone measured, in the order of the table of cases."""
    names = {name for played in measured.rounds for samples in played.values() for name in samples}
    return [case for name, case in CASES.items() if name in names]


def against_erlang(measured: Measured, contender: str, case: Case) -> str:
    """The ratio to Erlang's case: best by best, and the median of the rounds."""
    if contender == ERLANG:
        return ""
    found = ratio(measured.rounds, case, contender, ERLANG, case.baseline)
    return "" if found is None else f"{found.of_bests:.3g} ({found.median:.3g})"


def cost_of_tls(measured: Measured) -> Iterator[str]:
    """What TLS adds to each case: times in calls of Erlang, rates as a part of the rate without it."""
    for case in cases_of(measured):
        bare, over_tls = (summary(measured.rounds, one, case) for one in (PYX, PYX_OVER_TLS))
        call = summary(measured.rounds, ERLANG, CASES["rpc"])
        if bare is None or over_tls is None:
            continue
        if not case.less_is_better:
            yield f"{case.name}: over TLS {over_tls.best / bare.best:.2f} of the rate without"
        elif call is not None:
            added = over_tls.best - bare.best
            yield f"{case.name}: TLS adds {number(added)} {case.unit}, {added / call.best:.2f} Erlang rpcs"


def comparison(measured: Measured, contender: str, other: str) -> Iterator[Sequence[str]]:
    """One contender divided by another, case by case."""
    yield ("case", f"{contender} / {other}", "best by best", "median of rounds", "CPU", "switches")
    for case in cases_of(measured):
        found = ratio(measured.rounds, case, contender, other, case.name)
        ours, theirs = (summary(measured.rounds, one, case) for one in (contender, other))
        if found is None or ours is None or theirs is None:
            continue
        costs = [
            f"{mine:.3g} / {its:.3g}" if mine is not None and its is not None else ""
            for mine, its in ((ours.cpu, theirs.cpu), (ours.switches, theirs.switches))
        ]
        bests = f"{number(ours.best)} / {number(theirs.best)} {case.unit}"
        yield (case.name, bests, f"{found.of_bests:.3f}", f"{found.median:.3f}", *costs)


def _aligned(table: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]
