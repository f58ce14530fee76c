"""How long a node that cannot be reached is left alone."""

from __future__ import annotations

import pytest

from pyx.core.peers import Backoff, Peer


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


def test_success_forgets_the_failures() -> None:
    backoff = Backoff()
    backoff.failed("b@h", "refused", 0.0, 0.0)
    backoff.forget("b@h")
    assert backoff.failed("b@h", "refused", 0.0, 0.0) == pytest.approx(0.1)
    backoff.clear()
    assert backoff.reason("b@h") is None


def test_a_session_says_what_it_is() -> None:
    assert repr(Peer("b@h", 3, dialled=True)) == "<Peer b@h session 3 dialling>"
