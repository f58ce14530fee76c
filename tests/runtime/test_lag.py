"""lag.py: How late a loop runs its timers; the clock is an argument."""

from __future__ import annotations

from pyx.runtime.lag import EVERY_SECONDS, Lag


def test_loop_in_time_has_no_delay() -> None:
    lag = Lag(10.0)
    for now in (11.0, 12.0, 13.0):
        lag.measure(now)
    assert lag.worst(13.5) == 0.0


def test_longest_delay_counts() -> None:
    lag = Lag(10.0)
    lag.measure(11.25)
    lag.measure(12.5)
    assert lag.worst(13.0) == 0.25


def test_delay_that_lasts_counts() -> None:
    lag = Lag(10.0)
    lag.measure(11.0)
    assert lag.worst(17.0) == 5.0


def test_delay_counts_for_a_minute() -> None:
    lag = Lag(10.0)
    now = 11.5
    lag.measure(now)
    for _ in range(59):
        now += EVERY_SECONDS
        lag.measure(now)
    assert lag.worst(now) == 0.5
    lag.measure(now + EVERY_SECONDS)
    assert lag.worst(now + EVERY_SECONDS) == 0.0
