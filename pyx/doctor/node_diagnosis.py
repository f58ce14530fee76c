"""From what one node answers to findings: where the way to it ends, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyx.doctor.finding import Finding

if TYPE_CHECKING:
    from pyx.doctor.finding import Level
    from pyx.doctor.node_facts import Answers, NodeFacts, WayStep

_CLOCKS_APART_SECONDS: Final = 2.0
_SLOW_MILLISECONDS: Final = 200.0


def of_node(facts: NodeFacts, pyx: str) -> list[Finding]:
    """Returns a finding for each step up to the one that failed; *pyx* is the version of pyx here."""
    found: list[Finding] = []
    steps: list[tuple[str, WayStep | None]] = [
        ("found", facts.found),
        ("reached", facts.reached),
        ("cookie", facts.proven),
    ]
    for check, step in steps:
        if step is None:
            return found
        level: Level = "ok" if step.is_made else "failed"
        found.append(Finding(check, level, f"{facts.name}: {step.text}", step.hint))
    if facts.answers is not None:
        found += _of_answers(facts.name, facts.answers, pyx)
    elif facts.lost:
        mend = "it is connected: is its transport blocked? look at its own log"
        found.append(Finding("round trip", "failed", f"{facts.name}: {facts.lost}", mend))
    return found


def _of_answers(name: str, answers: Answers, pyx: str) -> list[Finding]:
    trip = f"{name}: {answers.milliseconds:.2f} ms there and back"
    found = [Finding("round trip", "ok", trip)]
    if answers.milliseconds > _SLOW_MILLISECONDS:
        found = [
            Finding("round trip", "warning", trip, "the network or the node is slow: `nodes()` at a prompt")
        ]
    if answers.refused:
        text = f"{name}: its version is not known, as it runs no code for peers ({answers.refused})"
        return [*found, Finding("version", "ok", text)]
    text = f"{name}: pyx {answers.pyx} on Python {answers.python}"
    if answers.pyx == pyx:
        found.append(Finding("version", "ok", text))
    else:
        found.append(Finding("version", "warning", f"{text}, and here it is pyx {pyx}", "run one release"))
    offset = answers.clock_offset
    if abs(offset) > _CLOCKS_APART_SECONDS:
        way = "ahead of" if offset > 0 else "behind"
        text = f"{name}: its clock is {abs(offset):.1f} s {way} this host's: times in logs do not compare"
        found.append(Finding("clock", "warning", text, "let both hosts follow one time server"))
    else:
        found.append(Finding("clock", "ok", f"{name}: its clock agrees with this host's"))
    return found
