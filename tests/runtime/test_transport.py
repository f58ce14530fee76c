"""transport.py, peer_connections.py: Nodes on this host that meet: names, connections, dials, refusals."""

from __future__ import annotations

import errno
import functools
import os
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from pyx import Node, receive, rpc, send
from pyx.core import effects as fx
from pyx.errors import NameTaken, PyxError, RuntimeDirectoryUnsafe
from pyx.net.arrivals import Arrival
from pyx.net.cookie import Cookie
from pyx.net.name_claim import NameClaim
from pyx.options import NodeOptions
from pyx.runtime import start_stop
from pyx.runtime.transport import Transport
from pyx.terms import Pid
from pyx.wire.frames.fragments import NODE_BUDGET_BYTES
from tests.local_nodes import (
    HANG,
    LocalNodes,
    Running,
    as_process,
    connected,
    encoded,
    in_kernel,
    peer_of,
    ping,
    seen_from,
    start_node,
    until,
)

if TYPE_CHECKING:
    from pathlib import Path


class TestConnections:
    def test_ping_connects_two_nodes(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        assert ping(a, "b") == "pong"
        assert connected(a) == ["b@test"]
        until(lambda: connected(b) == ["a@test"])

    def test_connections_share_the_reassembly_budget_of_the_node(self, nodes: LocalNodes) -> None:
        """512 MiB of unfinished messages; `test_reassembly.py` tests what happens beyond."""
        a, *others = [nodes.start(name) for name in "abc"]
        for name in "bc":
            ping(a, name)
        budgets = [peer_of(a, name).connection._session._reassembly._shared_budget for name in "bc"]
        assert budgets[0] is budgets[1]
        assert budgets[0].has(NODE_BUDGET_BYTES)
        assert not budgets[0].has(NODE_BUDGET_BYTES + 1)
        assert peer_of(others[0], "a").connection._session._reassembly._shared_budget is not budgets[0]

    def test_third_node_is_connected_to_the_first_two(self, nodes: LocalNodes) -> None:
        started = [nodes.start(name) for name in "abc"]
        ping(started[0], "b")
        ping(started[2], "b")
        for node in started:
            until(lambda node=node: len(connected(node)) == 2)  # type: ignore[misc]

    def test_hidden_node_is_announced_to_no_third_node(self, nodes: LocalNodes) -> None:
        a, b, h = nodes.start("a"), nodes.start("b"), nodes.start("h", hidden=True)
        ping(a, "b")
        ping(h, "a")
        until(lambda: in_kernel(a, a.kernel.membership.nodes, ("hidden",)) == ["h@test"])
        assert (connected(a), connected(b)) == (["b@test"], ["a@test"])
        assert in_kernel(h, h.kernel.membership.nodes, ("hidden",)) == ["a@test"]

    def test_two_dials_of_each_other_end_with_one_connection(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        barrier = threading.Barrier(2)

        def dial(name: str) -> Any:
            barrier.wait(HANG)
            return Node.connect(name)

        both = [Running(a, lambda: dial("b")), Running(b, lambda: dial("a"))]
        assert [one.outcome() for one in both] == [True, True]
        assert a.transport is not None
        assert b.transport is not None
        until(lambda: len(a.transport._connections.node_of) == len(b.transport._connections.node_of) == 1)  # type: ignore[union-attr]

    def test_message_call_and_print_reach_the_other_node(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        shown: list[tuple[Pid, str]] = []
        a.output.writer._write = lambda text, frm: shown.append((frm, text))
        running = Running(b, receive)
        in_kernel(b, b.kernel.registry.register, running.pid, "reader")
        as_process(a, lambda: send(("reader", "b"), {"name": "nike"}))
        assert running.outcome() == {"name": "nike"}
        assert as_process(a, lambda: rpc.call("b", "os", "getpid")) == os.getpid()
        worker = b.kernel.tables.dead_pid()
        in_kernel(b, b.kernel.printing.print_lines, worker, seen_from(b, a, Pid(0)), "a line\n")
        until(lambda: shown == [(seen_from(a, b, worker), "a line\n")])

    def test_node_that_ends_without_a_goodbye_is_lost_at_once(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        ping(a, "b")
        down = Running(a, lambda: (Node.monitor("b", True), receive("never-or-down", ("nodedown", ...)))[1])
        until(lambda: bool(peer_of(a, "b").dependents))
        link = peer_of(b, "a").connection
        b.transport_loop.call(link._end, "as if it had died")
        assert down.outcome() == ("nodedown", "b@test")
        assert connected(a) == []

    def test_end_that_has_come_is_known_when_the_name_is_claimed_again(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        ping(a, "b")
        until(lambda: connected(b) == ["a@test"])
        end = socket.socket(fileno=os.dup(peer_of(a, "b").connection._descriptor))

        def answers() -> tuple[str, bool]:  # in one step of the loop, which can notice nothing meanwhile
            assert b.transport is not None
            before = b.transport.preview("a@test")
            end.shutdown(socket.SHUT_RDWR)
            return before, "ok" in map(b.transport.preview, ["a@test"] * 100)

        with end:
            assert b.transport_loop.call(answers) == ("alive", True)

    def test_messages_sent_before_the_connection_is_up_arrive_in_order(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        running = Running(b, lambda: [receive() for _ in range(100)])
        in_kernel(b, b.kernel.registry.register, running.pid, "reader")
        as_process(a, lambda: [send(("reader", "b"), number) for number in range(100)])
        assert running.outcome() == list(range(100))


class TestNames:
    def test_name_of_a_live_node_is_refused(self, nodes: LocalNodes) -> None:
        nodes.start("a")
        with pytest.raises(
            NameTaken, match=rf"the name a@test is in use by another node \(pid {os.getpid()}\)"
        ):
            nodes.start("a")

    def test_name_is_free_when_the_node_has_stopped(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        assert start_stop.stop(a)
        again = nodes.start("a")
        assert again.kernel.tables.creation != 0
        assert ping(b, "a") == "pong"

    def test_start_without_a_place_for_the_socket_leaves_nothing_behind(
        self, nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def cannot(_: NameClaim) -> socket.socket:
            raise PyxError("no room")

        with monkeypatch.context() as patch:
            patch.setattr(NameClaim, "listen", cannot)
            with pytest.raises(PyxError, match="no room"):
                nodes.start("a")
        assert ping(nodes.start("a"), "a") == "pong"  # the name is free


def test_unsafe_directory_is_refused(
    nodes: LocalNodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o755)
    monkeypatch.setenv("PYX_RUNTIME_DIR", str(tmp_path))
    node, options = nodes.make(), NodeOptions("a@test")
    with pytest.raises(RuntimeDirectoryUnsafe):
        Transport(node.dispatch, node.limited_log, "a@test", 1, options, cookie=Cookie("x"))


class TestRaces:
    def test_dial_wanted_before_the_endpoint_is_there_is_made_later(
        self, nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another thread sends as soon as the kernel has its name: that dial must not be lost."""
        b = nodes.start("b")
        running = Running(b, receive)
        in_kernel(b, b.kernel.registry.register, running.pid, "reader")
        a = nodes.make()
        started = a.kernel.node_started

        def with_an_eager_process(*args: Any, **options: Any) -> None:
            started(*args, **options)
            a.kernel.router.send(None, ("reader", "b@test"), encoded("early"))

        monkeypatch.setattr(a.kernel, "node_started", with_an_eager_process)
        start_node(a, "a@test")
        assert running.outcome() == "early"

    def test_connection_that_the_kernel_rejects_is_closed(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        assert a.transport is not None
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        arrival = Arrival("b@test", b.kernel.tables.creation, False, True, ours, b"", b"", None)  # type: ignore[arg-type]
        a.transport_loop.call(a.transport.established, arrival)  # a never dialled
        assert theirs.recv(1) == b""
        theirs.close()

    def test_connection_of_a_peer_lost_before_it_is_attached_is_closed(self, nodes: LocalNodes) -> None:
        a, _ = nodes.start("a"), nodes.start("b")
        transport = a.transport
        assert transport is not None
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        status, peer = a.transport_loop.call(functools.partial(transport.claimed, "c@test", 7, hidden=False))
        assert status == "ok"
        in_kernel(a, a.kernel.sessions.disconnect, "c@test")
        arrival = Arrival("c@test", 7, False, False, ours, b"the verdict", b"", peer)  # type: ignore[arg-type]
        a.transport_loop.call(transport.established, arrival)
        until(lambda: not transport._connections.node_of)
        assert theirs.recv(100).startswith((b"the verdict", b""))
        theirs.close()


def test_failure_to_accept_is_logged_once(nodes: LocalNodes, caplog: pytest.LogCaptureFixture) -> None:
    transport = nodes.start("a").transport
    assert transport is not None
    for _ in range(3):
        transport.cannot_accept(errno.EMFILE)
    (line,) = caplog.messages
    assert line.startswith("cannot accept a connection: Too many open files (hint: ")


class TestDials:
    """The kernel is asked whether a dial is wanted, as two effects of two threads may change places."""

    def test_dial_begins_though_the_end_of_the_one_before_is_told_last(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        in_kernel(a, a.kernel.sessions.connect, None, "b@test", time.monotonic())
        in_kernel(a, a.kernel.tables.effects.append, fx.CancelDial("b@test"))
        until(lambda: connected(a) == ["b@test"])
        until(lambda: connected(b) == ["a@test"])

    def test_dial_that_was_given_up_does_not_begin(
        self, nodes: LocalNodes, caplog: pytest.LogCaptureFixture
    ) -> None:
        a = nodes.start("a")

        def waver() -> None:
            in_kernel(a, a.kernel.sessions.connect, None, "missing@test", time.monotonic())
            in_kernel(a, a.kernel.sessions.disconnect, "missing@test")
            in_kernel(a, a.kernel.tables.effects.append, fx.Dial("missing@test"))

        a.transport_loop.call(waver)
        a.transport_loop.call(lambda: None)
        assert in_kernel(a, a.kernel.sessions.dialling, "missing@test") is None
        assert "missing@test" not in caplog.text
