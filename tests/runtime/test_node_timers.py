"""node_timers.py: Ticks of the kernel, and peers that are silent."""

from __future__ import annotations

import itertools
import threading
import time

import pytest

from pyx import Process, receive, self
from tests.local_nodes import (
    HANG,
    LocalNodes,
    as_process,
    connected,
    in_kernel,
    ping,
    start_node,
    until,
    wait_for,
)


class TestTicks:
    def test_kernel_ticks_every_period(self, nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch) -> None:
        ticked = threading.Semaphore(0)
        a = nodes.make()
        monkeypatch.setattr(a.kernel.sessions, "tick", lambda _: ticked.release())
        start_node(a, "a@test", tick=0.004)
        for _ in range(3):
            assert ticked.acquire(timeout=HANG)

    def test_silent_peer_is_down(self, nodes: LocalNodes, caplog: pytest.LogCaptureFixture) -> None:
        a, b = nodes.start("a", tick=0.1), nodes.start("b")
        ping(a, "b")
        standing, go_on = threading.Event(), threading.Event()
        b.transport_loop.soon(lambda: (standing.set(), go_on.wait(HANG)))
        wait_for(standing)
        until(lambda: "node b@test not responding" in caplog.text)
        go_on.set()
        assert connected(a) == []


@pytest.mark.parametrize("jump", [-1e9, 1e9])
def test_jump_of_the_wall_clock_changes_nothing(
    nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    a, b = nodes.start("a", tick=60.0), nodes.start("b", tick=60.0)
    assert ping(a, "b") == "pong"
    jumped = iter(itertools.count(1_700_000_000.0, jump))
    monkeypatch.setattr(time, "time", lambda: next(jumped))
    for node in (a, b):
        node.transport_loop.call(
            in_kernel, node, lambda node=node: node.kernel.sessions.tick(time.monotonic())
        )
    assert ping(a, "b") == "pong"
    heard = as_process(a, lambda: (Process.send_after(self(), "late", 0.01), receive(timeout=HANG)))
    assert heard[1] == "late"
    assert connected(a) == ["b@test"]
