"""backoff.py: how long a node that cannot be reached is not dialled."""

from __future__ import annotations

import pytest

from pyx.core.backoff import FORGOTTEN_AFTER, MAX_NODES, Backoff


def test_delay_doubles_up_to_five_seconds() -> None:
    backoff = Backoff()
    delays = [backoff.failed("b@h", "refused", 0.0, 0.0) for _ in range(8)]
    assert delays == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0])


def test_jitter_shortens_the_delay_by_up_to_a_half() -> None:
    assert Backoff().failed("b@h", "refused", 10.0, 1.0) == pytest.approx(10.05)


def test_backoff_lasts_until_it_is_ended_and_keeps_its_reason() -> None:
    backoff = Backoff()
    assert backoff.reason("b@h") is None
    backoff.failed("b@h", "no such name", 0.0, 0.0)
    assert backoff.reason("b@h") == "no such name"
    backoff.ended("b@h")
    backoff.ended("never dialled")
    assert backoff.reason("b@h") is None
    assert backoff.failed("b@h", "no such name", 0.0, 0.0) == pytest.approx(0.2)
    backoff.expire(0.1)
    assert backoff.reason("b@h") == "no such name"
    backoff.expire(0.2)
    assert backoff.reason("b@h") is None


def test_failures_are_forgotten_long_after_the_delay() -> None:
    backoff = Backoff()
    backoff.failed("b@h", "refused", 0.0, 0.0)
    backoff.failed("c@h", "refused", 30.0, 0.0)
    backoff.expire(FORGOTTEN_AFTER + 0.1)
    assert backoff.failed("b@h", "refused", 0.0, 0.0) == pytest.approx(0.1)
    assert backoff.failed("c@h", "refused", 0.0, 0.0) == pytest.approx(0.2)


def test_oldest_failures_are_forgotten_when_there_are_too_many_nodes() -> None:
    backoff = Backoff()
    for name in ["first@h", *(f"n{number}@h" for number in range(MAX_NODES - 1)), "first@h", "last@h"]:
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
