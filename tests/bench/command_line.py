"""The command `python -m tests.bench`: pyx, Erlang and others measured in turns on this machine.

    python -m tests.bench                                   every case, five rounds of most
    python -m tests.bench --cases latency                   a group; `--list` shows groups and cases
    python -m tests.bench --cases rpc_shell_def,oneway_dict --rounds 9 --secs 1
    python -m tests.bench --cases latency --compare HEAD~5  two revisions side by side
    python -m tests.bench --write                           every case, into docs/performance.md
    python -m tests.bench --write --rounds 0                the page again, from what is kept

Use a quiet machine.  Other work only takes away: the best of many rounds is nearest to the truth.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bench import machine, page, pinning, report, results
from tests.bench.cases import CASES, GROUPS, NoSuchCase, chosen
from tests.bench.peers.erlang import Erlang
from tests.bench.peers.python_pairs import PAIRS
from tests.bench.peers.pyx_nodes import ROOT, PyxNodes
from tests.bench.peers.revisions import NoSuchRevision, short_name, unpacked
from tests.bench.rounds import Cut, Plan, measure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.bench.peers.contender import Contender
    from tests.bench.results import Measured

KEPT: Final = ROOT / "docs/performance/results.json"
HERE: Final = report.PYX
TLS: Final = report.PYX_OVER_TLS
GENERAL: Final = "pyx-general"
NAMES: Final = (HERE, TLS, GENERAL, Erlang.name, *(pair.name for pair in PAIRS))


def parser() -> argparse.ArgumentParser:
    """The options."""
    words = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    words.add_argument(
        "--cases", nargs="+", default=[], metavar="NAME", help="cases or groups (default: all)"
    )
    words.add_argument(
        "--contenders",
        nargs="+",
        metavar="NAME",
        help=f"of {', '.join(NAMES)} (default: all but {GENERAL}, which is pyx without its fast paths)",
    )
    words.add_argument(
        "--rounds", type=count, metavar="N", help="rounds (default: 5, fewer for what takes long)"
    )
    words.add_argument(
        "--secs", type=seconds, default=0.25, metavar="SECONDS", help="for each case, about (default: 0.25)"
    )
    words.add_argument(
        "--pin",
        choices=pinning.WAYS,
        help="both sides on one core, or on cores 0 and 1 (default: what suits the group)",
    )
    words.add_argument("--compare", metavar="REV", help="measure that revision of pyx too")
    words.add_argument(
        "--keep", type=Path, metavar="FILE", help="keep the results in this JSON file, beside other groups"
    )
    words.add_argument(
        "--write",
        action="store_true",
        help="keep the results in docs/performance/, and write the page and its plots from all that are kept",
    )
    words.add_argument("--list", action="store_true", help="show the groups and cases")
    return words


def count(word: str) -> int:
    """A number that is not negative."""
    if not word.isdecimal():
        raise argparse.ArgumentTypeError(f"{word!r} is not a number of rounds, as 5")
    return int(word)


def seconds(word: str) -> float:
    """A positive number of seconds."""
    try:
        value = float(word)
    except ValueError:
        value = 0.0
    if not 0 < value <= 60:
        raise argparse.ArgumentTypeError(f"{word!r} is not a number of seconds, as 0.4 (at most 60)")
    return value


def main(argv: Sequence[str]) -> int:
    """Runs the command; returns its exit code."""
    words = parser()
    asked = words.parse_args(argv)
    try:
        by_group = chosen(asked.cases)
        revision = short_name(asked.compare) if asked.compare else None
    except (NoSuchCase, NoSuchRevision) as error:
        words.error(str(error))
    if asked.list:
        print(listed())
        return 0
    names = [name for word in asked.contenders or () for name in word.split(",") if name]
    if unknown := [name for name in names if name not in NAMES]:
        words.error(f"no contender is called {', '.join(unknown)}; there are {', '.join(NAMES)}")
    plans = [
        Plan(group.name, pin, by_group[group.name], rounds, asked.secs)
        for group in GROUPS
        if group.name in by_group
        for pin in ([asked.pin] if asked.pin else group.rounds)
        if (rounds := group.rounds.get(pin, 5) if asked.rounds is None else asked.rounds)
    ]
    if asked.write and (
        reason := why_not_on_the_page(by_group, restricted=bool(names or revision or asked.pin))
    ):
        words.error(reason)
    if reasons := {reason for plan in plans if (reason := pinning.why_not(plan.pin))}:
        words.error(" ".join(reasons))
    with contextlib.ExitStack() as stack:
        contenders = _contenders(names, stack)
        compared = None
        if revision is not None:
            compared = (HERE, f"{HERE}@{revision}")
            contenders.insert(1, PyxNodes(compared[1], stack.enter_context(unpacked(revision))))
        return _measure(plans, contenders, compared, [asked.keep, KEPT if asked.write else None], asked.write)


def why_not_on_the_page(by_group: Mapping[str, Sequence[str]], *, restricted: bool) -> str | None:
    """The reason why such a measurement cannot replace what is kept of its groups, or None."""
    parts = [
        group
        for group, cases in by_group.items()
        if {*cases} != {c.name for c in CASES.values() if c.group == group}
    ]
    if parts:
        return f"--write replaces groups: say --cases {' '.join(parts)}"
    if restricted:
        return "--write replaces groups as they are: leave out --contenders, --compare and --pin"
    return None


def _contenders(names: Sequence[str], stack: contextlib.ExitStack) -> list[Contender]:
    erlang = stack.enter_context(Erlang())
    everyone: list[Contender] = [
        PyxNodes(HERE, ROOT),
        PyxNodes(TLS, ROOT, tls=True),
        PyxNodes(GENERAL, ROOT, settings={"PYX_FAST_PATHS": "0"}),
        erlang,
        *PAIRS,
    ]
    return [one for one in everyone if (one.name in names if names else one.name != GENERAL)]


def _measure(
    plans: Sequence[Plan],
    contenders: Sequence[Contender],
    compared: tuple[str, str] | None,
    files: Sequence[Path | None],
    write: bool,
) -> int:
    """Measures one plan after the other; each is printed, and kept, when it is done."""
    description = machine.description()
    failed = cut = False
    for plan in plans:
        try:
            measured = measure(plan, contenders, description, _say)
        except Cut as error:
            measured, cut = error.measured, True
        failed |= _is_disappointing(measured)
        print(report.text(measured, compared), flush=True)
        for file in files:
            if file is not None and not cut:
                results.keep(file, [measured])
        if cut:
            break
    if write:
        for path in page.write(results.load(KEPT), ROOT / "docs"):
            _say(f"wrote {path.relative_to(ROOT)}")
    return 130 if cut else int(failed)


def _is_disappointing(measured: Measured) -> bool:
    """True if something was not measured for another reason than that it is not installed."""
    return any(failure.startswith("round ") for failure in measured.failures)


def _say(line: str) -> None:
    print(f"# {line}", file=sys.stderr, flush=True)


def listed() -> str:
    """The groups and cases, a line each."""
    lines = []
    for group in GROUPS:
        lines.append(f"{group.name}: {group.what} ({', '.join(group.rounds)})")
        lines += [
            f"    {case.name:20} {case.unit:6} {case.what}"
            for case in CASES.values()
            if case.group == group.name
        ]
    return "\n".join(lines)
