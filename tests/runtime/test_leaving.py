"""shutdown.py, transport.py: A node that leaves: what still arrives, what is dropped, how long it takes."""

from __future__ import annotations

import logging
import re
import threading
from typing import TYPE_CHECKING

from pyx import receive, send
from pyx.execution import interrupts
from pyx.runtime import shutdown, start_stop
from tests.local_nodes import (
    HANG,
    LocalNodes,
    Running,
    as_process,
    in_kernel,
    peer_of,
    ping,
    until,
    wait_for,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from pyx.runtime.local_node import LocalNode


class _Told(logging.Handler):
    """Calls a function when a line is logged."""

    def __init__(self, then: Callable[[], None]) -> None:
        super().__init__()
        self._then = then

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        del record
        self._then()


class TestLeaving:
    def test_peers_receive_all_messages_and_then_a_goodbye(
        self, nodes: LocalNodes, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        a, b = nodes.start("a"), nodes.start("b")
        running = Running(b, lambda: [receive() for _ in range(1000)])
        in_kernel(b, b.kernel.registry.register, running.pid, "reader")
        as_process(a, lambda: [send(("reader", "b"), [number]) for number in range(1000)])
        start_stop.stop(a)
        assert running.outcome() == [[number] for number in range(1000)]
        until(lambda: "node a@test is down: it left" in caplog.text)

    def test_wait_for_a_dial_that_is_not_answered_is_short(
        self, nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(shutdown, "PATIENCE_SECONDS", 0.01)
        a, b = nodes.start("a"), nodes.start("b")
        standing, go_on = threading.Event(), threading.Event()
        b.transport_loop.soon(lambda: (standing.set(), go_on.wait(HANG)))
        wait_for(standing)
        as_process(a, lambda: send(("reader", "b"), "never"))
        start_stop.stop(a)
        go_on.set()
        assert caplog.messages == ["messages for b@test are dropped (1): the dial to it was given up"]

    def test_peers_receive_all_messages_after_another_was_lost(
        self, nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """That loss must not count as the end of the connections that the goodbye waits for."""
        a, _, c = nodes.start("a", hidden=True), nodes.start("b"), nodes.start("c")
        ping(a, "c")
        start_stop.stop(c)
        until(lambda: in_kernel(a, a.kernel.membership.nodes, ("connected",)) == [])
        ping(a, "b")
        closed: list[bool] = []
        link = peer_of(a, "b").connection
        close = link.close

        def noted(*, gracefully: bool) -> None:
            closed.append(gracefully)
            close(gracefully=gracefully)

        monkeypatch.setattr(link, "close", noted)
        start_stop.stop(a)
        assert closed == [True]

    def test_wait_for_a_peer_that_takes_nothing_is_short(
        self, nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(shutdown, "GOODBYE_SECONDS", 0.01)
        a, b = nodes.start("a"), nodes.start("b")
        ping(a, "b")
        go_on = threading.Event()
        b.transport_loop.soon(lambda: go_on.wait(HANG))
        start_stop.stop(a)
        go_on.set()
        assert caplog.messages == []

    @staticmethod
    def stand_still(node: LocalNode) -> threading.Event:
        """The node reads nothing until the event is set."""
        standing, go_on = threading.Event(), threading.Event()
        node.transport_loop.soon(lambda: (standing.set(), go_on.wait(HANG)))
        wait_for(standing)
        return go_on

    @staticmethod
    def say_much(node: LocalNode) -> None:
        """As a script that sends and ends."""
        for number in range(8):
            node.sending.send(("sink", "b@test"), [number, "x" * 300_000])

    def test_all_messages_reach_a_peer_that_was_busy(
        self, nodes: LocalNodes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shutdown, "PATIENCE_SECONDS", HANG)
        monkeypatch.setattr(shutdown, "_LOG_SECONDS", 0.0)
        a, b = nodes.start("a"), nodes.start("b")
        running = Running(b, lambda: [receive()[0] for _ in range(8)])
        in_kernel(b, b.kernel.registry.register, running.pid, "sink")
        ping(a, "b")
        go_on = self.stand_still(b)
        self.say_much(a)
        is_told = _Told(go_on.set)
        logging.getLogger("pyx.node").addHandler(is_told)
        try:
            start_stop.stop(a)
        finally:
            logging.getLogger("pyx.node").removeHandler(is_told)
        assert running.outcome() == list(range(8))
        (line,) = caplog.messages
        assert re.fullmatch(r"a@test leaves, and waits for b@test to take [\d,]+ bytes", line)

    def test_bytes_that_a_peer_never_takes_are_logged_as_dropped(
        self, nodes: LocalNodes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shutdown, "_LOG_SECONDS", HANG)  # a look may come late
        monkeypatch.setattr(shutdown, "PATIENCE_SECONDS", 0.01)
        a, b = nodes.start("a"), nodes.start("b")
        ping(a, "b")
        go_on = self.stand_still(b)
        self.say_much(a)
        start_stop.stop(a)
        go_on.set()
        (line,) = caplog.messages
        told = r"[12],\d{3},\d{3} bytes for b@test are dropped: it did not take them in time"
        assert re.fullmatch(told, line)

    def test_node_that_was_told_to_end_waits_a_bounded_time(
        self, nodes: LocalNodes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shutdown, "HURRY_SECONDS", 0.01)
        a, b = nodes.start("a"), nodes.start("b")
        ping(a, "b")
        go_on = self.stand_still(b)
        self.say_much(a)
        start_stop.hurry()
        start_stop.stop(a)
        go_on.set()
        assert "bytes for b@test are dropped" in caplog.text

    def test_ctrl_c_ends_the_wait(self, nodes: LocalNodes, caplog: pytest.LogCaptureFixture) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        ping(a, "b")
        go_on = self.stand_still(b)
        self.say_much(a)
        interrupts.pending_interrupt.noted = True
        start_stop.stop(a)  # and raises nothing: the Ctrl-C has had its effect
        assert not interrupts.pending_interrupt.noted
        go_on.set()
        assert "bytes for b@test are dropped" in caplog.text
