"""ticks.py: Ticks of the kernel, peers that are silent, and the files of a name that vanish."""

from __future__ import annotations

import itertools
import shutil
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pyx import Process, receive, self
from pyx.errors import NameTaken
from tests.staging import (
    HANG,
    Stage,
    as_process,
    connected,
    in_kernel,
    ping,
    start_node,
    until,
    wait_for,
)

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode


class TestTicks:
    def test_kernel_ticks_every_period(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        ticked = threading.Semaphore(0)
        a = stage.make()
        monkeypatch.setattr(a.kernel.mesh, "tick", lambda _: ticked.release())
        start_node(a, "a@test", tick=0.004)
        for _ in range(3):
            assert ticked.acquire(timeout=HANG)

    def test_silent_peer_is_down(self, stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
        a, b = stage.start("a", tick=0.1), stage.start("b")
        ping(a, "b")
        standing, go_on = threading.Event(), threading.Event()
        b.transport_loop.soon(lambda: (standing.set(), go_on.wait(HANG)))
        wait_for(standing)
        until(lambda: "node b@test not responding" in caplog.text)
        go_on.set()
        assert connected(a) == []


@pytest.mark.parametrize("jump", [-1e9, 1e9])
def test_jump_of_the_wall_clock_changes_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    a, b = stage.start("a", tick=60.0), stage.start("b", tick=60.0)
    assert ping(a, "b") == "pong"
    jumped = iter(itertools.count(1_700_000_000.0, jump))
    monkeypatch.setattr(time, "time", lambda: next(jumped))
    for node in (a, b):
        node.transport_loop.call(in_kernel, node, lambda node=node: node.kernel.mesh.tick(time.monotonic()))
    assert ping(a, "b") == "pong"
    heard = as_process(a, lambda: (Process.send_after(self(), "late", 0.01), receive(timeout=HANG)))
    assert heard[1] == "late"
    assert connected(a) == ["b@test"]


class TestNameFiles:
    """A logout removes the whole directory, a cleaner of temporary files the old ones."""

    @staticmethod
    def look(node: LocalNode) -> None:
        """Does what happens each second."""
        transport = node.transport
        assert transport is not None
        assert transport._endpoint is not None
        assert transport._ticks._name_files is not None
        node.transport_loop.call(transport._ticks._name_files.restore, transport._endpoint)

    def test_node_whose_files_vanished_is_found_again(
        self, stage: Stage, home: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        a = stage.start("a")
        shutil.rmtree(home)
        self.look(a)
        assert caplog.messages == [f"the lock and socket of a@test were missing in {home}: restored"]
        b = stage.start("b")
        assert ping(b, "a") == "pong"
        with pytest.raises(NameTaken):
            stage.start("a")
        self.look(a)
        assert len(caplog.messages) == 1

    def test_node_whose_files_vanished_keeps_its_connections(self, stage: Stage, home: str) -> None:
        a, b = stage.start("a"), stage.start("b")
        assert ping(a, "b") == "pong"
        shutil.rmtree(home)
        self.look(a)
        self.look(b)
        assert connected(a) == ["b@test"]
        assert ping(b, "a") == "pong"

    def test_files_are_restored_within_the_next_second(
        self, stage: Stage, home: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        stage.start("a")
        Path(home, "a@test.lock").unlink()
        until(lambda: caplog.messages == [f"the lock of a@test was missing in {home}: restored"])

    def test_files_that_cannot_be_restored_are_logged_once_with_a_hint(
        self, stage: Stage, home: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        a = stage.start("a")
        Path(home).chmod(0o755)
        self.look(a)
        self.look(a)
        (line,) = caplog.messages
        assert "new nodes cannot find a@test" in line
        assert f"(hint: chmod 700 {home})" in line
        Path(home).chmod(0o700)
        self.look(a)
        assert caplog.messages == [line, "new nodes find a@test again"]
