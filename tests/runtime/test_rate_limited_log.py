"""rate_limited_log.py: Lines that others can bring about at will: one, then a rest, then how many more."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from pyx.runtime.rate_limited_log import RateLimitedLog
from pyx.signals import Dropped, Print
from pyx.terms import Pid
from tests.hostile import Hostile
from tests.staging import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.staging import Stage


class Clock:
    """Rests that are over when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], object]] = []

    def later(self, seconds: float, function: Callable[[], object]) -> None:
        assert seconds == 1.0
        self.waiting.append(function)

    def passes(self) -> None:
        waiting, self.waiting = self.waiting, []
        for function in waiting:
            function()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_flood_is_two_lines(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    resting = RateLimitedLog(clock.later)
    for number in range(1000):
        resting.say("dropped", logging.WARNING, f"dropped {number}")
    assert caplog.messages == ["dropped 0"]
    clock.passes()
    assert caplog.messages[1:] == ["dropped 999 (and 998 more since the last line)"]
    clock.passes()
    clock.passes()
    assert len(caplog.messages) == 2
    assert clock.waiting == []


def test_topics_rest_by_themselves_and_are_forgotten(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    resting = RateLimitedLog(clock.later)
    for node in ("a@h", "b@h"):
        resting.say(node, logging.WARNING, f"dropped by {node}")
    assert caplog.messages == ["dropped by a@h", "dropped by b@h"]
    clock.passes()
    assert resting._topics == {}
    resting.say("a@h", logging.WARNING, "dropped again")
    assert caplog.messages[2:] == ["dropped again"]


def test_what_a_peer_says_of_dropped_messages_fills_no_log(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    victim = stage.start("victim", rpc="off")
    with Hostile(victim) as evil:
        evil.says(*[Dropped(Pid(1), "x\n2026 CRITICAL \x1b[2J")] * 2000)
        evil.ping()
    lines = [line for line in caplog.messages if line.startswith("evil@test dropped a message")]
    assert 1 <= len(lines) <= 2
    assert all(line.isprintable() for line in lines)


def test_what_a_peer_prints_on_the_node_itself_moves_no_cursor(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    victim = stage.start("victim", rpc="off")
    with Hostile(victim) as evil:
        evil.says(Print(Pid(1), evil.his(Pid(0)), "a\x1b]0;title\x07\tb\n"))
        evil.ping()
        shown: list[str] = []
        until(lambda: bool(shown.append(capsys.readouterr().out) or "".join(shown)))
    assert "".join(shown) == "a^[]0;title^G\tb\n"
