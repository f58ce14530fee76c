"""rate_limited_log.py: Lines that peers can cause at will: one, then a pause, then how many more."""

from __future__ import annotations

import errno
import logging
from typing import TYPE_CHECKING

import pytest

from pyx.runtime.rate_limited_log import AcceptFailures, RateLimitedLog, TopicLimit
from pyx.signals import Dropped, Print
from pyx.terms import Pid
from tests.hostile import Hostile
from tests.local_nodes import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.local_nodes import LocalNodes


class Clock:
    """Pauses that are over when the test says so."""

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


class TestTopicLimit:
    def test_first_line_is_due_at_once(self) -> None:
        assert TopicLimit().happened("wrong cookie") == "wrong cookie"

    def test_line_in_the_pause_is_due_after_it(self) -> None:
        topic = TopicLimit()
        topic.happened("it does not speak TLS")
        assert topic.happened("wrong cookie") is None
        assert topic.paused() == "wrong cookie"
        assert topic.happened("it hung up") is None, "that line is followed by a pause too"

    def test_last_of_many_lines_is_due_with_their_number(self) -> None:
        topic = TopicLimit()
        topic.happened("it does not speak TLS")
        for reason in ("it hung up", "it hung up", "wrong cookie"):
            assert topic.happened(reason) is None
        assert topic.paused() == "wrong cookie (and 2 more since the last line)"
        assert topic.paused() is None

    def test_line_after_a_quiet_pause_is_due_at_once(self) -> None:
        topic = TopicLimit()
        topic.happened("wrong cookie")
        assert topic.paused() is None
        assert topic.happened("it hung up") == "it hung up"


class TestAcceptFailures:
    def test_line_is_due_at_once_and_then_once_a_minute(self) -> None:
        failures = AcceptFailures()
        line = "cannot accept a connection: Too many open files"
        hint = " (hint: this process has as many open files as `ulimit -n` allows)"
        assert failures.failed(errno.EMFILE, 5000.0) == line + hint
        for tries in range(100):
            assert failures.failed(errno.EMFILE, 5000.1 + tries / 50) is None
        assert failures.failed(errno.EMFILE, 5060.0) == f"{line}, 100 times since the last line{hint}"
        assert failures.failed(errno.EMFILE, 5120.0) == line + hint

    def test_line_names_any_other_error_of_the_system(self) -> None:
        line = AcceptFailures().failed(errno.ENOMEM, 1.0)
        assert line == "cannot accept a connection: Cannot allocate memory"


def test_flood_of_one_topic_is_two_lines(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    limited = RateLimitedLog(clock.later)
    for number in range(1000):
        limited.write("dropped", logging.WARNING, f"dropped {number}")
    assert caplog.messages == ["dropped 0"]
    clock.passes()
    assert caplog.messages[1:] == ["dropped 999 (and 998 more since the last line)"]
    clock.passes()
    clock.passes()
    assert len(caplog.messages) == 2
    assert clock.waiting == []


def test_each_topic_pauses_by_itself_and_is_forgotten(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    limited = RateLimitedLog(clock.later)
    for node in ("a@h", "b@h"):
        limited.write(node, logging.WARNING, f"dropped by {node}")
    assert caplog.messages == ["dropped by a@h", "dropped by b@h"]
    clock.passes()
    assert limited._topics == {}
    limited.write("a@h", logging.WARNING, "dropped again")
    assert caplog.messages[2:] == ["dropped again"]


def test_reports_of_dropped_messages_by_a_peer_are_rate_limited(
    nodes: LocalNodes, caplog: pytest.LogCaptureFixture
) -> None:
    victim = nodes.start("victim", rpc="off")
    with Hostile(victim) as evil:
        evil.sends(*[Dropped(Pid(1), "x\n2026 CRITICAL \x1b[2J")] * 2000)
        evil.ping()
    lines = [line for line in caplog.messages if line.startswith("evil@test dropped a message")]
    assert 1 <= len(lines) <= 2
    assert all(line.isprintable() for line in lines)


def test_control_characters_of_a_peer_are_shown_as_text_on_the_node_itself(
    nodes: LocalNodes, capsys: pytest.CaptureFixture[str]
) -> None:
    victim = nodes.start("victim", rpc="off")
    with Hostile(victim) as evil:
        evil.sends(Print(Pid(1), evil.victim_pid(Pid(0)), "a\x1b]0;title\x07\tb\n"))
        evil.ping()
        shown: list[str] = []
        until(lambda: bool(shown.append(capsys.readouterr().out) or "".join(shown)))
    assert "".join(shown) == "a^[]0;title^G\tb\n"
