"""round_trips.py: several nodes are pinged at once."""

from __future__ import annotations

from pyx import Node
from pyx.runtime.round_trips import round_trips
from tests.local_nodes import HANG, LocalNodes, as_process


def test_each_node_has_its_time_and_one_that_is_not_there_has_none(nodes: LocalNodes) -> None:
    a = nodes.start("a")
    nodes.start("b")
    nodes.start("c")
    found = as_process(a, lambda: round_trips(a, ["b@test", "c@test", "nope@test"], HANG))
    assert found["nope@test"] is None
    assert all(0 < (found[node] or 0) < HANG for node in ("b@test", "c@test"))


def test_without_nodes_nothing_is_waited_for(nodes: LocalNodes) -> None:
    a = nodes.start("a")
    assert as_process(a, lambda: round_trips(a, [], HANG)) == {}
    assert Node.self() == "a@test"
