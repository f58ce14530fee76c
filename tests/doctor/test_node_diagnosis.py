"""node_diagnosis.py, node_facts.py: What a node answers becomes findings, up to the step that failed."""

from __future__ import annotations

from pyx.doctor.node_diagnosis import of_node
from pyx.doctor.node_facts import Answers, NodeFacts, WayStep

FOUND = WayStep(True, "it runs on this host")
WAY = NodeFacts("gus@vm", FOUND, WayStep(True, "it accepts"), WayStep(True, "the same cookie"))
ANSWERS = Answers(0.21, "0.1.0", "3.13.0", 0.01)


def lines(facts: NodeFacts) -> list[tuple[str, str]]:
    """Check and level of each finding."""
    return [(finding.check, finding.level) for finding in of_node(facts, "0.1.0")]


def test_way_that_is_open_to_the_end() -> None:
    found = of_node(WAY._replace(answers=ANSWERS), "0.1.0")
    assert {finding.level for finding in found} == {"ok"}
    assert [finding.text for finding in found[3:]] == [
        "gus@vm: 0.21 ms there and back",
        "gus@vm: pyx 0.1.0 on Python 3.13.0",
        "gus@vm: its clock agrees with this host's",
    ]


def test_findings_end_with_the_step_that_failed() -> None:
    assert lines(NodeFacts("gus@vm", WayStep(False, "no such node", "pyx names"))) == [("found", "failed")]
    assert lines(NodeFacts("gus@vm", FOUND, WayStep(False, "refused"))) == [
        ("found", "ok"),
        ("reached", "failed"),
    ]
    cookie = of_node(WAY._replace(proven=WayStep(False, "the cookie differs", "copy it")), "0.1.0")[-1]
    assert (cookie.check, cookie.level, cookie.mend) == ("cookie", "failed", "copy it")


def test_node_that_is_connected_and_silent() -> None:
    assert lines(WAY._replace(lost="it does not answer within 5 s"))[-1] == ("round trip", "failed")


def test_slow_other_and_early_nodes_are_warnings() -> None:
    answers = Answers(800.0, "0.2.0", "3.13.0", -90.0)
    assert lines(WAY._replace(answers=answers))[3:] == [
        ("round trip", "warning"),
        ("version", "warning"),
        ("clock", "warning"),
    ]
    behind = of_node(WAY._replace(answers=answers), "0.1.0")[-1]
    assert "90.0 s behind this host's" in behind.text
    ahead = of_node(WAY._replace(answers=ANSWERS._replace(clock_offset=5.0)), "0.1.0")[-1]
    assert "5.0 s ahead of" in ahead.text


def test_node_that_runs_no_code_for_peers_keeps_its_version() -> None:
    found = of_node(WAY._replace(answers=Answers(0.2, refused="--rpc exported")), "0.1.0")
    assert (found[-1].level, found[-1].text) == (
        "ok",
        "gus@vm: its version is not known, as it runs no code for peers (--rpc exported)",
    )
