"""transport.py, shutdown.py: A node among others on this host: doors, links, cookies, ticks, cuts; two and
three in one OS process.
"""

from __future__ import annotations

import errno
import functools
import itertools
import logging
import os
import re
import shutil
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pyx import Node, Process, receive, rpc, self, send
from pyx.core import effects as fx
from pyx.errors import NameTaken, PyxError, RpcTimeout, RuntimeDirectoryUnsafe
from pyx.execution import interrupts
from pyx.net.cookie import Cookie
from pyx.net.endpoint import Arrival
from pyx.net.name_claim import NameClaim
from pyx.options import NodeOptions
from pyx.runtime import drain_timeout, start_stop
from pyx.runtime.transport import Transport
from pyx.terms import Pid
from pyx.wire.frames.fragments import NODE_BUDGET_BYTES
from tests.staging import (
    HANG,
    Running,
    Stage,
    as_process,
    encoded,
    in_kernel,
    seen_from,
    start_node,
    until,
    wait_for,
)

if TYPE_CHECKING:
    from pyx.core.peers import Peer
    from pyx.runtime.local_node import LocalNode

WEAK = {"cookie": "pyx1-" + "1" * 43}


def connected(node: LocalNode) -> list[str]:
    return in_kernel(node, node.kernel.membership.nodes, ("visible",))


def peer_of(node: LocalNode, name: str) -> Peer:
    return node.kernel.tables.peers[f"{name}@test"]


def ping(node: LocalNode, name: str) -> str:
    return as_process(node, lambda: Node.ping(name))


class TestSessions:
    def test_two_nodes_meet(self, stage: Stage) -> None:
        a, b = stage.start("a"), stage.start("b")
        assert ping(a, "b") == "pong"
        assert connected(a) == ["b@test"]
        until(lambda: connected(b) == ["a@test"])

    def test_all_share_what_the_node_has_room_for(self, stage: Stage) -> None:
        """512 MiB of unfinished messages; what happens beyond is told by `test_reassembly.py`."""
        a, *others = [stage.start(name) for name in "abc"]
        for name in "bc":
            ping(a, name)
        budgets = [peer_of(a, name).connection._session._reassembly._shared_budget for name in "bc"]
        assert budgets[0] is budgets[1]
        assert budgets[0].has(NODE_BUDGET_BYTES)
        assert not budgets[0].has(NODE_BUDGET_BYTES + 1)
        assert peer_of(others[0], "a").connection._session._reassembly._shared_budget is not budgets[0]

    def test_a_third_is_told_of_the_first_two(self, stage: Stage) -> None:
        nodes = [stage.start(name) for name in "abc"]
        ping(nodes[0], "b")
        ping(nodes[2], "b")
        for node in nodes:
            until(lambda node=node: len(connected(node)) == 2)  # type: ignore[misc]

    def test_a_hidden_one_is_told_to_nobody(self, stage: Stage) -> None:
        a, b, h = stage.start("a"), stage.start("b"), stage.start("h", hidden=True)
        ping(a, "b")
        ping(h, "a")
        until(lambda: in_kernel(a, a.kernel.membership.nodes, ("hidden",)) == ["h@test"])
        assert (connected(a), connected(b)) == (["b@test"], ["a@test"])
        assert in_kernel(h, h.kernel.membership.nodes, ("hidden",)) == ["a@test"]

    def test_two_that_dial_each_other_end_with_one_session(self, stage: Stage) -> None:
        a, b = stage.start("a"), stage.start("b")
        barrier = threading.Barrier(2)

        def dial(name: str) -> Any:
            barrier.wait(HANG)
            return Node.connect(name)

        both = [Running(a, lambda: dial("b")), Running(b, lambda: dial("a"))]
        assert [one.outcome() for one in both] == [True, True]
        assert a.transport is not None
        assert b.transport is not None
        until(lambda: len(a.transport._links) == len(b.transport._links) == 1)  # type: ignore[union-attr]

    def test_a_message_a_call_and_a_print_cross(self, stage: Stage) -> None:
        a, b = stage.start("a"), stage.start("b")
        shown: list[tuple[Pid, str]] = []
        a.output.outlet._write = lambda text, frm: shown.append((frm, text))
        running = Running(b, receive)
        in_kernel(b, b.kernel.registry.register, running.pid, "reader")
        as_process(a, lambda: send(("reader", "b"), {"name": "nike"}))
        assert running.outcome() == {"name": "nike"}
        assert as_process(a, lambda: rpc.call("b", "os", "getpid")) == os.getpid()
        worker = b.kernel.tables.dead_pid()
        in_kernel(b, b.kernel.printing.print_lines, worker, seen_from(b, a, Pid(0)), "a line\n")
        until(lambda: shown == [(seen_from(a, b, worker), "a line\n")])

    def test_one_that_ends_without_a_word_is_lost_at_once(self, stage: Stage) -> None:
        a, b = stage.start("a"), stage.start("b")
        ping(a, "b")
        down = Running(a, lambda: (Node.monitor("b", True), receive("never-or-down", ("nodedown", ...)))[1])
        until(lambda: bool(peer_of(a, "b").dependents))
        link = peer_of(b, "a").connection
        b.transport_loop.call(link._end, "as if it had died")
        assert down.outcome() == ("nodedown", "b@test")
        assert connected(a) == []

    def test_messages_sent_before_the_session_stands_arrive_in_order(self, stage: Stage) -> None:
        a, b = stage.start("a"), stage.start("b")
        running = Running(b, lambda: [receive() for _ in range(100)])
        in_kernel(b, b.kernel.registry.register, running.pid, "reader")
        as_process(a, lambda: [send(("reader", "b"), number) for number in range(100)])
        assert running.outcome() == list(range(100))


class TestNames:
    def test_a_name_that_a_live_node_has_is_refused(self, stage: Stage) -> None:
        stage.start("a")
        with pytest.raises(
            NameTaken, match=rf"the name a@test is in use by another node \(pid {os.getpid()}\)"
        ):
            stage.start("a")

    def test_it_is_free_again_when_the_node_has_stopped(self, stage: Stage) -> None:
        a, b = stage.start("a"), stage.start("b")
        assert start_stop.stop(a)
        again = stage.start("a")
        assert again.kernel.tables.creation != 0
        assert ping(b, "a") == "pong"

    def test_without_the_place_for_a_socket_nothing_is_left_behind(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def cannot(_: NameClaim) -> socket.socket:
            raise PyxError("no room")

        with monkeypatch.context() as patch:
            patch.setattr(NameClaim, "listen", cannot)
            with pytest.raises(PyxError, match="no room"):
                stage.start("a")
        assert ping(stage.start("a"), "a") == "pong"  # the name is free


class TestCookies:
    def test_another_cookie_is_a_failure_that_says_why_where_it_was_asked(
        self, stage: Stage, caplog: pytest.LogCaptureFixture
    ) -> None:
        a, _ = stage.start("a"), stage.start("b", **WEAK)
        assert ping(a, "b") == "pang"
        assert "cannot connect to b@test: " in caplog.text
        assert "cookie" in caplog.text

    def test_one_for_all_and_one_for_each(self, stage: Stage) -> None:
        a, b = stage.start("a"), stage.start("b", **WEAK)
        assert a.transport is not None
        assert b.transport is not None
        a.transport.set_cookie(WEAK["cookie"], "b@test")
        b.transport.set_cookie(WEAK["cookie"], None)
        assert ping(a, "b") == "pong"
        assert a.transport.cookie == Cookie("pyx1-" + "0" * 43)
        assert a.transport.key_for("c@test") != a.transport.key_for("b@test")

    def test_log_of_refused_connections_is_rate_limited(
        self, stage: Stage, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("pyx.runtime.rate_limited_log.PAUSE_SECONDS", 0.0)
        a = stage.start("a")
        assert a.transport is not None

        def refused(transport: Transport) -> None:  # in one turn of the loop, so before any pause is over
            for reason in ("it hung up in TLS", "100% nonsense", "wrong cookie"):
                transport.connection_refused(reason)

        a.transport_loop.call(refused, a.transport)
        until(lambda: len(caplog.records) >= 2)
        assert [record.getMessage() for record in caplog.records] == [
            "refused a connection: it hung up in TLS",
            "refused a connection: wrong cookie (and 1 more since the last line)",
        ]


class TestTicks:
    def test_the_kernel_hears_the_clock(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        ticked = threading.Semaphore(0)
        a = stage.make()
        monkeypatch.setattr(a.kernel.mesh, "tick", lambda _: ticked.release())
        start_node(a, "a@test", tick=0.004)
        for _ in range(3):
            assert ticked.acquire(timeout=HANG)

    def test_a_silent_peer_is_down(self, stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
        a, b = stage.start("a", tick=0.1), stage.start("b")
        ping(a, "b")
        standing, go_on = threading.Event(), threading.Event()
        b.transport_loop.soon(lambda: (standing.set(), go_on.wait(HANG)))
        wait_for(standing)
        until(lambda: "node b@test not responding" in caplog.text)
        go_on.set()
        assert connected(a) == []


class TestLeaving:
    def test_peers_hear_a_goodbye_and_everything_said_before(
        self, stage: Stage, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        a, b = stage.start("a"), stage.start("b")
        running = Running(b, lambda: [receive() for _ in range(1000)])
        in_kernel(b, b.kernel.registry.register, running.pid, "reader")
        as_process(a, lambda: [send(("reader", "b"), [number]) for number in range(1000)])
        start_stop.stop(a)
        assert running.outcome() == [[number] for number in range(1000)]
        until(lambda: "node a@test is down: it left" in caplog.text)

    def test_a_dial_that_is_not_answered_is_not_waited_for_long(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(drain_timeout, "PATIENCE_SECONDS", 0.01)
        a, b = stage.start("a"), stage.start("b")
        standing, go_on = threading.Event(), threading.Event()
        b.transport_loop.soon(lambda: (standing.set(), go_on.wait(HANG)))
        wait_for(standing)
        as_process(a, lambda: send(("reader", "b"), "never"))
        start_stop.stop(a)
        go_on.set()
        assert caplog.messages == ["messages for b@test are dropped (1): the dial to it was given up"]

    def test_also_after_a_peer_was_lost_before(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        """That loss must not be taken for the end of the links that the goodbye waits for."""
        a, _, c = stage.start("a", hidden=True), stage.start("b"), stage.start("c")
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

    def test_a_peer_that_takes_nothing_is_not_waited_for_long(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(drain_timeout, "GOODBYE_SECONDS", 0.01)
        a, b = stage.start("a"), stage.start("b")
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
        """As a script does that sends, and ends."""
        for number in range(8):
            node.sending.send(("sink", "b@test"), [number, "x" * 300_000])

    def test_all_arrives_at_a_peer_that_was_busy(
        self, stage: Stage, caplog: pytest.LogCaptureFixture
    ) -> None:
        a, b = stage.start("a"), stage.start("b")
        running = Running(b, lambda: [receive()[0] for _ in range(8)])
        in_kernel(b, b.kernel.registry.register, running.pid, "sink")
        ping(a, "b")
        go_on = self.stand_still(b)
        self.say_much(a)
        timer = threading.Timer(1.5, go_on.set)  # the peer's work, which takes its time
        timer.start()
        start_stop.stop(a)
        assert running.outcome() == list(range(8))
        (line,) = caplog.messages
        assert re.fullmatch(r"a@test leaves, and waits for b@test to take [\d,]+ bytes", line)
        timer.join()

    def test_what_a_peer_never_takes_is_told(
        self, stage: Stage, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(drain_timeout, "PATIENCE_SECONDS", 0.01)
        a, b = stage.start("a"), stage.start("b")
        ping(a, "b")
        go_on = self.stand_still(b)
        self.say_much(a)
        start_stop.stop(a)
        go_on.set()
        (line,) = caplog.messages
        told = r"[12],\d{3},\d{3} bytes for b@test are dropped: it did not take them in time"
        assert re.fullmatch(told, line)

    def test_a_node_that_was_told_to_end_waits_a_bounded_time(
        self, stage: Stage, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(drain_timeout, "HURRY_SECONDS", 0.01)
        a, b = stage.start("a"), stage.start("b")
        ping(a, "b")
        go_on = self.stand_still(b)
        self.say_much(a)
        start_stop.hurry()
        start_stop.stop(a)
        go_on.set()
        assert "bytes for b@test are dropped" in caplog.text

    def test_a_ctrl_c_ends_the_wait(self, stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
        a, b = stage.start("a"), stage.start("b")
        ping(a, "b")
        go_on = self.stand_still(b)
        self.say_much(a)
        interrupts.pending_interrupt.noted = True
        start_stop.stop(a)  # and raises nothing: the Ctrl-C has had its effect
        assert not interrupts.pending_interrupt.noted
        go_on.set()
        assert "bytes for b@test are dropped" in caplog.text


class TestRaces:
    def test_a_dial_is_never_asked_of_doors_that_are_not_there(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another thread sends as soon as the kernel has its name: its dial must not be lost."""
        b = stage.start("b")
        running = Running(b, receive)
        in_kernel(b, b.kernel.registry.register, running.pid, "reader")
        a = stage.make()
        started = a.kernel.node_started

        def with_an_eager_process(*args: Any, **options: Any) -> None:
            started(*args, **options)
            a.kernel.router.send(None, ("reader", "b@test"), encoded("early"))

        monkeypatch.setattr(a.kernel, "node_started", with_an_eager_process)
        start_node(a, "a@test")
        assert running.outcome() == "early"

    def test_a_session_that_the_kernel_does_not_want_any_more_is_hung_up(self, stage: Stage) -> None:
        a, b = stage.start("a"), stage.start("b")
        assert a.transport is not None
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        arrival = Arrival("b@test", b.kernel.tables.creation, False, True, ours, b"", b"", None)  # type: ignore[arg-type]
        a.transport_loop.call(a.transport.established, arrival)  # a never dialled
        assert theirs.recv(1) == b""
        theirs.close()

    def test_one_that_is_lost_before_it_is_attached_is_hung_up(self, stage: Stage) -> None:
        a, _ = stage.start("a"), stage.start("b")
        transport = a.transport
        assert transport is not None
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        status, peer = a.transport_loop.call(functools.partial(transport.claimed, "c@test", 7, hidden=False))
        assert status == "ok"
        in_kernel(a, a.kernel.mesh.disconnect, "c@test")
        arrival = Arrival("c@test", 7, False, False, ours, b"the verdict", b"", peer)  # type: ignore[arg-type]
        a.transport_loop.call(transport.established, arrival)
        until(lambda: not transport._links)
        assert theirs.recv(100).startswith((b"the verdict", b""))
        theirs.close()


class TestABadNetwork:
    """For scenarios: links stand still and dials hang, until the cut is over."""

    def test_nothing_passes_a_cut_and_all_arrives_after_it(self, stage: Stage) -> None:
        a, b = stage.start("a"), stage.start("b")
        ping(a, "b")
        assert b.transport is not None
        running = Running(b, receive)
        in_kernel(b, b.kernel.registry.register, running.pid, "reader")
        b.transport.cut_off(frozenset({"a@test"}))
        as_process(a, lambda: send(("reader", "b"), "through the cut"))
        with pytest.raises(RpcTimeout):
            as_process(a, lambda: rpc.call("b", "os", "getpid", timeout=0.01))
        assert len(running_mailbox(b, running.pid)) == 0
        b.transport.cut_off(frozenset())
        assert running.outcome() == "through the cut"

    def test_frames_may_be_late(self, stage: Stage) -> None:
        a, b = stage.start("a"), stage.start("b")
        assert b.transport is not None
        b.transport.delay_frames(lambda: 0.001)
        assert ping(a, "b") == "pong"
        assert as_process(a, lambda: rpc.call("b", "os", "getpid")) == os.getpid()


def running_mailbox(node: LocalNode, pid: Pid) -> Any:
    process = node.kernel.tables.find(pid)
    assert process is not None
    return process.mailbox


def test_an_unsafe_directory_is_refused(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o755)
    monkeypatch.setenv("PYX_RUNTIME_DIR", str(tmp_path))
    node, options = stage.make(), NodeOptions("a@test")
    with pytest.raises(RuntimeDirectoryUnsafe):
        Transport(node.dispatch, node.limited_log, "a@test", 1, options, cookie=Cookie("x"))


class TestANameWhoseFilesVanish:
    """A logout removes the whole directory, a cleaner of temporary files what is old in it."""

    @staticmethod
    def look(node: LocalNode) -> None:
        """What happens each second."""
        assert node.transport is not None
        node.transport_loop.call(node.transport._look_after_name)

    def test_is_found_again(self, stage: Stage, home: str, caplog: pytest.LogCaptureFixture) -> None:
        a = stage.start("a")
        shutil.rmtree(home)
        self.look(a)
        assert caplog.messages == [f"the lock and socket of a@test were missing in {home}: made anew"]
        b = stage.start("b")
        assert ping(b, "a") == "pong"
        with pytest.raises(NameTaken):
            stage.start("a")
        self.look(a)
        assert len(caplog.messages) == 1

    def test_keeps_its_sessions(self, stage: Stage, home: str) -> None:
        a, b = stage.start("a"), stage.start("b")
        assert ping(a, "b") == "pong"
        shutil.rmtree(home)
        self.look(a)
        self.look(b)
        assert connected(a) == ["b@test"]
        assert ping(b, "a") == "pong"

    def test_is_looked_after_every_second(
        self, stage: Stage, home: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        stage.start("a")
        Path(home, "a@test.lock").unlink()
        until(lambda: caplog.messages == [f"the lock of a@test was missing in {home}: made anew"])

    def test_that_cannot_be_made_anew_is_told_once_with_the_cure(
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


@pytest.mark.parametrize("jump", [-1e9, 1e9])
def test_a_wall_clock_that_jumps_changes_nothing(
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


def test_a_node_that_cannot_accept_says_so_once(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    transport = stage.start("a").transport
    assert transport is not None
    for _ in range(3):
        transport.cannot_accept(errno.EMFILE)
    (line,) = caplog.messages
    assert line.startswith("cannot accept a connection: Too many open files (hint: ")


class TestADial:
    """Whether one is wanted is asked of the kernel, for two effects of two threads may change places."""

    def test_is_begun_though_its_end_is_told_last(self, stage: Stage) -> None:
        a, b = stage.start("a"), stage.start("b")
        in_kernel(a, a.kernel.mesh.connect, None, "b@test", time.monotonic())
        in_kernel(a, a.kernel.tables.effects.append, fx.CancelDial("b@test"))
        until(lambda: connected(a) == ["b@test"])
        assert connected(b) == ["a@test"]

    def test_is_not_begun_once_it_is_given_up(self, stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
        a = stage.start("a")

        def waver() -> None:
            in_kernel(a, a.kernel.mesh.connect, None, "nobody@test", time.monotonic())
            in_kernel(a, a.kernel.mesh.disconnect, "nobody@test")
            in_kernel(a, a.kernel.tables.effects.append, fx.Dial("nobody@test"))

        a.transport_loop.call(waver)
        a.transport_loop.call(lambda: None)
        assert in_kernel(a, a.kernel.mesh.dialling, "nobody@test") is None
        assert "nobody@test" not in caplog.text
