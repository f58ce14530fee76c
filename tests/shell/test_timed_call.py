"""timed_call.py: How long a call took."""

from __future__ import annotations

import asyncio

import pytest

from pyx.shell.timed_call import duration, timed_call


def test_value_is_returned_and_the_time_is_shown() -> None:
    shown: list[str] = []
    assert timed_call(sorted, ([2, 1],), {"reverse": True}, shown.append) == [2, 1]
    assert [line.split()[0] for line in shown] == ["took"]


def test_coroutine_is_timed_until_it_is_done() -> None:
    async def later() -> int:
        assert shown == []
        return 5

    shown: list[str] = []
    assert asyncio.run(timed_call(later, (), {}, shown.append)) == 5
    assert len(shown) == 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "took 0.00 us"), (1.5e-6, "took 1.50 us"), (0.0123, "took 12.3 ms"), (0.123, "took 123 ms"),
     (0.99999, "took 1.00 s"), (75.0, "took 75.0 s"), (3600.0, "took 3600 s")],
)  # fmt: skip
def test_duration_has_three_digits(seconds: float, text: str) -> None:
    assert duration(seconds) == text
