"""partitions.py: What peers say they see, compared."""

from __future__ import annotations

from pyx.core.partitions import Looked, PartitionDetector

NOTHING = Looked([], [], [])


def views(**said: str) -> PartitionDetector:
    """Each node by one payload, and the payloads of those it sees."""
    found = PartitionDetector()
    for node, names in said.items():
        assert found.said(node, tuple(names))
    return found


def test_peers_that_see_each_other_are_nothing_to_speak_of() -> None:
    assert views(a="bc", b="ac", c="ab").look(0.0, 2.0) == NOTHING


def test_what_is_said_later_in_a_session_is_no_first_word() -> None:
    said = views(a="b")
    assert not said.said("a", ())
    said.lost("a")
    assert said.said("a", ())


def test_a_pair_is_doubted_first_then_apart_then_healed_each_once() -> None:
    said = views(a="bc", b="ac", c="b")
    assert said.look(0.0, 2.0) == Looked([("a", "c")], [], [])
    assert said.look(1.0, 2.0) == NOTHING
    assert said.partitions() == []
    assert said.look(2.0, 2.0) == Looked([], [("a", "c")], [])
    assert said.partitions() == [("a", "c")]
    assert said.look(3.0, 2.0) == NOTHING
    said.said("c", "ab")
    assert said.look(4.0, 2.0) == Looked([], [], [("a", "c")])
    assert said.partitions() == []


def test_a_doubt_that_is_cleared_leaves_no_trace() -> None:
    said = views(a="", b="a")
    said.look(0.0, 2.0)
    said.said("a", "b")
    assert said.look(1.0, 2.0) == NOTHING
    said.said("a", "")
    assert said.look(2.0, 2.0) == Looked([("a", "b")], [], [])
    assert said.look(3.0, 2.0) == NOTHING


def test_a_node_that_is_lost_is_in_no_pair() -> None:
    said = views(a="", b="", c="")
    said.look(0.0, 2.0)
    assert said.look(2.0, 2.0).apart == [("a", "b"), ("a", "c"), ("b", "c")]
    said.lost("b")
    assert said.partitions() == [("a", "c")]
    assert said.look(3.0, 2.0) == NOTHING


def test_the_time_a_node_stood_still_does_not_count() -> None:
    said = views(a="", b="")
    said.look(0.0, 2.0)
    said.stood_still(9.0)
    said.stood_still(0.0)
    assert said.look(10.5, 2.0) == NOTHING
    assert said.look(11.0, 2.0).apart == [("a", "b")]


def test_a_pair_with_a_quiet_peer_is_not_reported_yet() -> None:
    said = views(a="", b="")
    said.look(0.0, 2.0)
    assert said.look(2.0, 2.0, {"b"}) == NOTHING
    assert said.look(3.0, 2.0).apart == [("a", "b")]
