"""peers.py: How long a node that cannot be reached is left alone."""

from __future__ import annotations

import pytest

from pyx.core.peers import FORGOTTEN_AFTER, MOST_RESTING, Backoff, Peer


def test_a_rest_doubles_up_to_five_seconds() -> None:
    backoff = Backoff()
    rests = [backoff.failed("b@h", "refused", 0.0, 0.0) for _ in range(8)]
    assert rests == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0])


def test_chance_cuts_it_by_up_to_a_half() -> None:
    assert Backoff().failed("b@h", "refused", 10.0, 1.0) == pytest.approx(10.05)


def test_it_rests_until_told_and_remembers_why() -> None:
    backoff = Backoff()
    assert backoff.reason("b@h") is None
    backoff.failed("b@h", "no such name", 0.0, 0.0)
    assert backoff.reason("b@h") == "no such name"
    backoff.rested("b@h")
    backoff.rested("never heard of")
    assert backoff.reason("b@h") is None
    assert backoff.failed("b@h", "no such name", 0.0, 0.0) == pytest.approx(0.2)
    backoff.overdue(0.1)
    assert backoff.reason("b@h") == "no such name"
    backoff.overdue(0.2)
    assert backoff.reason("b@h") is None


def test_a_node_that_rested_long_ago_is_forgotten() -> None:
    backoff = Backoff()
    backoff.failed("b@h", "refused", 0.0, 0.0)
    backoff.failed("c@h", "refused", 30.0, 0.0)
    backoff.overdue(FORGOTTEN_AFTER + 0.1)
    assert backoff.failed("b@h", "refused", 0.0, 0.0) == pytest.approx(0.1)
    assert backoff.failed("c@h", "refused", 0.0, 0.0) == pytest.approx(0.2)


def test_of_too_many_those_that_failed_longest_ago_are_forgotten() -> None:
    backoff = Backoff()
    for name in ["first@h", *(f"n{number}@h" for number in range(MOST_RESTING - 1)), "first@h", "last@h"]:
        backoff.failed(name, "refused", 0.0, 0.0)
    assert (backoff.reason("n0@h"), backoff.reason("n1@h")) == (None, "refused")
    assert (backoff.reason("first@h"), backoff.reason("last@h")) == ("refused", "refused")


def test_success_forgets_the_failures() -> None:
    backoff = Backoff()
    backoff.failed("b@h", "refused", 0.0, 0.0)
    backoff.forget("b@h")
    assert backoff.failed("b@h", "refused", 0.0, 0.0) == pytest.approx(0.1)
    backoff.clear()
    assert backoff.reason("b@h") is None


def test_a_session_says_what_it_is() -> None:
    assert repr(Peer("b@h", 3, dialled=True)) == "<Peer b@h session 3 dialling>"
