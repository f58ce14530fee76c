"""stall.py: The time after which a peer that reads nothing is given up; the clock is an argument."""

from __future__ import annotations

from pyx.net.stall import LOOK_SECONDS, STALLED_SECONDS, Stall


def given_up_at(stall: Stall, now: float, taken: int) -> float:
    """Returns the time at which the peer is given up, with each check exactly on time."""
    while again := stall.look(taken, now):
        now += again
    return now


def test_peer_that_reads_nothing_is_given_up_after_30_seconds() -> None:
    assert STALLED_SECONDS == 30.0
    assert given_up_at(Stall(7, 100.0), 103.0, 7) == 130.0


def test_progress_restarts_the_time() -> None:
    stall = Stall(7, 100.0)
    assert stall.look(7, 103.0)
    assert stall.look(8, 129.0)
    assert given_up_at(stall, 130.0, 8) == 159.0


def test_checks_that_run_a_little_late_change_nothing() -> None:
    stall, now = Stall(7, 100.0), 100.0
    while again := stall.look(7, now):
        now += again + 0.01
    assert 130.0 <= now < 130.1


def test_time_in_which_this_node_was_suspended_does_not_count() -> None:
    stall = Stall(7, 100.0)
    assert stall.look(7, 103.0) == LOOK_SECONDS
    assert stall.look(7, 1106.0) == LOOK_SECONDS  # a thousand seconds too late
    assert given_up_at(stall, 1109.0, 7) == 1130.0
