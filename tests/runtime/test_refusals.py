"""refusals.py: The log of strangers who did not get through."""

from __future__ import annotations

from pyx.runtime.refusals import Refusals


def test_the_first_is_told_at_once() -> None:
    assert Refusals().refused("wrong cookie") == "refused a connection: wrong cookie"


def test_one_that_comes_in_the_rest_is_told_behind_it() -> None:
    refusals = Refusals()
    refusals.refused("it does not speak TLS")
    assert refusals.refused("wrong cookie") is None
    assert refusals.rested() == "refused a connection: wrong cookie"
    assert refusals.refused("it hung up") is None, "that line has a rest behind it too"


def test_of_a_crowd_the_last_is_told_and_how_many_they_were() -> None:
    refusals = Refusals()
    refusals.refused("it does not speak TLS")
    for reason in ("it hung up", "it hung up", "wrong cookie"):
        assert refusals.refused(reason) is None
    assert refusals.rested() == "refused a connection: wrong cookie (and 2 more since the last line)"
    assert refusals.rested() is None


def test_after_a_quiet_rest_the_next_is_told_at_once() -> None:
    refusals = Refusals()
    refusals.refused("wrong cookie")
    assert refusals.rested() is None
    assert refusals.refused("it hung up") == "refused a connection: it hung up"
