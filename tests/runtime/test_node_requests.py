"""node_requests.py: Ping, connect and spawn on another node: what their caller gets and what is logged."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from pyx.errors import EncodeError, NodeNameInvalid, RpcRefused
from pyx.runtime import acquaintance, node_requests, request
from pyx.runtime.request import wait
from tests.local_nodes import HANG, LocalNodes, as_process, in_kernel, wait_for

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode
    from pyx.terms import Pid, Ref


def ping(node: str) -> str:
    return wait("Node.ping", node_requests.ping(node))


def connect(node: str) -> bool | str:
    return wait("Node.connect", node_requests.connect(node))


def spawn(node: str, function: str, args: list[Any], *, monitor: bool = False) -> tuple[Pid, Ref | None]:
    return wait("Node.spawn", node_requests.spawn(node, "os", (function, args), {}, monitor=monitor))


def block(node: LocalNode) -> threading.Event:
    """Stops the transport's thread of a node until the event is set."""
    stopped, go_on = threading.Event(), threading.Event()
    node.transport_loop.soon(lambda: (stopped.set(), go_on.wait(HANG)))
    wait_for(stopped)
    return go_on


class TestPing:
    @pytest.mark.parametrize(("name", "answer"), [("a", "pong"), ("b", "pong"), ("missing", "pang")])
    def test_ping_of_a_node_with_a_name(
        self, nodes: LocalNodes, caplog: pytest.LogCaptureFixture, name: str, answer: str
    ) -> None:
        nodes.start("a"), nodes.start("b")
        assert ping(name) == answer
        reason = "cannot connect to missing@test: no node of that name runs on this host"
        assert (reason in caplog.text) is (answer == "pang")

    def test_ping_without_a_name_is_pang(self, node: LocalNode) -> None:
        assert ping("b@test") == "pang"

    def test_ping_of_an_invalid_name_is_refused(self, node: LocalNode) -> None:
        with pytest.raises(NodeNameInvalid):
            ping("no good")

    def test_connected_node_that_does_not_answer_in_time_is_logged(
        self, nodes: LocalNodes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _, b = nodes.start("a"), nodes.start("b")
        assert ping("b") == "pong"
        monkeypatch.setattr(request, "ANSWER_SECONDS", 0.01)
        go_on = block(b)
        assert ping("b") == "pang"
        go_on.set()
        assert caplog.messages == ["no answer from b@test within 0.01 s"]

    def test_node_that_could_not_be_dialled_in_time_is_logged_once(
        self, nodes: LocalNodes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        monkeypatch.setattr(request, "ANSWER_SECONDS", 0.01)
        go_on = block(b)
        assert ping("b") == "pang"
        in_kernel(
            a, a.kernel.sessions.dial_failed, "b@test", "it did not answer within 5 s", time.monotonic()
        )
        go_on.set()
        assert caplog.messages == ["cannot connect to b@test: it did not answer within 5 s"]


class TestConnect:
    def test_connect_without_a_name_is_ignored(self, node: LocalNode) -> None:
        assert connect("b@test") == "ignored"

    @pytest.mark.parametrize(("name", "ok"), [("a", True), ("b", True), ("missing", False)])
    def test_connect_of_a_node_with_a_name(self, nodes: LocalNodes, name: str, ok: bool) -> None:
        nodes.start("a"), nodes.start("b")
        assert connect(name) is ok

    def test_dial_that_never_ends_is_false(self, nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch) -> None:
        _, b = nodes.start("a"), nodes.start("b")
        monkeypatch.setattr(acquaintance, "DIAL_SECONDS", 0.01)
        go_on = block(b)
        assert connect("b") is False
        go_on.set()


class TestSpawn:
    def test_spawned_pid_is_of_the_other_node(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        pid, ref = as_process(a, lambda: spawn("b", "getpid", [], monitor=True))
        assert (pid.node, pid.creation) == ("b@test", b.kernel.tables.creation)
        assert ref is not None

    def test_argument_that_is_not_data_is_refused(self, nodes: LocalNodes) -> None:
        a = nodes.start("a")
        with pytest.raises(EncodeError, match=r"cannot send args\[0\]"):
            as_process(a, lambda: spawn("a", "f", [object()]))

    def test_spawn_forbidden_by_the_rpc_policy_is_refused(self, nodes: LocalNodes) -> None:
        a, _ = nodes.start("a"), nodes.start("b", rpc="off")
        with pytest.raises(RpcRefused, match="b@test refuses calls"):
            as_process(a, lambda: spawn("b", "getpid", []))

    def test_spawn_on_an_unreachable_node_returns_a_dead_pid_and_warns(
        self, nodes: LocalNodes, caplog: pytest.LogCaptureFixture
    ) -> None:
        a = nodes.start("a")

        pid, ref = as_process(a, lambda: spawn("missing", "getpid", []))
        assert pid.is_local
        assert a.kernel.tables.find(pid) is None
        assert ref is None
        assert [record.getMessage() for record in caplog.records] == [
            "cannot start os.getpid on missing@test: no node of that name runs on this host"
        ]

    def test_dead_pid_is_the_one_that_its_monitor_names(self, nodes: LocalNodes) -> None:
        from pyx import receive

        a = nodes.start("a")

        def body() -> tuple[Any, ...]:
            pid, ref = spawn("missing", "getpid", [], monitor=True)
            return receive(timeout=HANG), ("DOWN", ref, "process", pid, "noconnection")

        message, expected = as_process(a, body)
        assert message == expected
