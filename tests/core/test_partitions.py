"""partitions.py: announcements of peers, compared."""

from __future__ import annotations

from pyx.core.partitions import Looked, PartitionDetector

NOTHING = Looked([], [], [])


def announced(**said: str) -> PartitionDetector:
    """A detector that each node, named by one letter, has told the letters of the nodes it sees."""
    found = PartitionDetector()
    for node, names in said.items():
        assert found.said(node, tuple(names))
    return found


def test_peers_that_see_each_other_are_not_reported() -> None:
    assert announced(a="bc", b="ac", c="ab").look(0.0, 2.0) == NOTHING


def test_said_is_true_for_the_first_announcement_of_a_session() -> None:
    said = announced(a="b")
    assert not said.said("a", ())
    said.lost("a")
    assert said.said("a", ())


def test_pair_is_doubted_then_apart_then_healed_each_once() -> None:
    said = announced(a="bc", b="ac", c="b")
    assert said.look(0.0, 2.0) == Looked([("a", "c")], [], [])
    assert said.look(1.0, 2.0) == NOTHING
    assert said.partitions() == []
    assert said.look(2.0, 2.0) == Looked([], [("a", "c")], [])
    assert said.partitions() == [("a", "c")]
    assert said.look(3.0, 2.0) == NOTHING
    said.said("c", "ab")
    assert said.look(4.0, 2.0) == Looked([], [], [("a", "c")])
    assert said.partitions() == []


def test_cleared_doubt_leaves_no_trace() -> None:
    said = announced(a="", b="a")
    said.look(0.0, 2.0)
    said.said("a", "b")
    assert said.look(1.0, 2.0) == NOTHING
    said.said("a", "")
    assert said.look(2.0, 2.0) == Looked([("a", "b")], [], [])
    assert said.look(3.0, 2.0) == NOTHING


def test_lost_node_is_in_no_pair() -> None:
    said = announced(a="", b="", c="")
    said.look(0.0, 2.0)
    assert said.look(2.0, 2.0).apart == [("a", "b"), ("a", "c"), ("b", "c")]
    said.lost("b")
    assert said.partitions() == [("a", "c")]
    assert said.look(3.0, 2.0) == NOTHING


def test_time_in_which_the_node_stood_still_does_not_count() -> None:
    said = announced(a="", b="")
    said.look(0.0, 2.0)
    said.stood_still(9.0)
    said.stood_still(0.0)
    assert said.look(10.5, 2.0) == NOTHING
    assert said.look(11.0, 2.0).apart == [("a", "b")]


def test_pair_with_a_quiet_peer_is_not_reported_yet() -> None:
    said = announced(a="", b="")
    said.look(0.0, 2.0)
    assert said.look(2.0, 2.0, {"b"}) == NOTHING
    assert said.look(3.0, 2.0).apart == [("a", "b")]
