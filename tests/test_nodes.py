"""nodes.py: `Node`, as a user types it: this node, other nodes, spawn and monitors there."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

import pyx
from pyx import (
    AlreadyStarted,
    EncodeError,
    NameTaken,
    Node,
    NodeNameInvalid,
    NodeNotAlive,
    NotAProcess,
    Port,
    Process,
    Ref,
    RpcRefused,
    WouldBlock,
    make_ref,
    receive,
    rpc,
    send,
)
from pyx import self as own_pid
from pyx.primitives import drain
from pyx.runtime import request, start_stop
from pyx.terms import Pid
from tests.local_nodes import COOKIE, HANG, LocalNodes, Running, as_process, until, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.runtime.local_node import LocalNode


class TestNodeOf:
    def test_node_of_a_pid_and_of_a_reference_is_a_name(self, nodes: LocalNodes) -> None:
        a = nodes.start("a")
        there = Pid(1, 0, "b@test", 2), Ref(1, "b@test", 2)
        assert (
            as_process(a, lambda: [pyx.node(own_pid()), pyx.node(make_ref()), pyx.node()]) == ["a@test"] * 3
        )
        assert [pyx.node(one) for one in there] == ["b@test"] * 2
        assert pyx.node(Port("c@test", 1, 2)) == "c@test"

    def test_node_without_a_name_is_nonode(self, node: LocalNode) -> None:
        assert pyx.node() == pyx.node(Pid(1)) == "nonode@nohost"

    def test_other_values_have_no_node(self) -> None:
        with pytest.raises(TypeError, match=r"^node\(\) takes a pid, a reference or a port, not 'gus'$"):
            pyx.node("gus")  # type: ignore[arg-type]

    def test_pids_of_this_node_sort_by_its_name_while_it_has_one(self, nodes: LocalNodes) -> None:
        own, before, after = Ref(1), Ref(1, "a@test", 7), Ref(1, "c@test", 7)
        nodes.start("b")
        assert sorted([after, own, before]) == [before, own, after]


class TestTickTime:
    def test_tick_time_is_changed_in_a_running_node(
        self, nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a = nodes.start("a", tick=3600.0)
        ticked = threading.Semaphore(0)
        monkeypatch.setattr(a.kernel.sessions, "tick", lambda _: ticked.release())
        assert Node.get_net_ticktime() == 3600.0
        assert Node.set_net_ticktime(3600) == "unchanged"
        assert Node.set_net_ticktime(0.1) == "change_initiated"
        assert Node.get_net_ticktime() == Node.info()["tick"] == 0.1
        for _ in range(3):
            assert ticked.acquire(timeout=HANG)

    @pytest.mark.parametrize("seconds", [0, -1, 1e9, float("nan")])
    def test_tick_time_has_a_range(self, seconds: float, nodes: LocalNodes) -> None:
        nodes.start("a")
        with pytest.raises(ValueError, match="is not a number of seconds from"):
            Node.set_net_ticktime(seconds)

    def test_tick_time_needs_a_name_and_a_number(self, node: LocalNode) -> None:
        assert Node.get_net_ticktime() == "ignored"
        with pytest.raises(NodeNotAlive, match="cannot change the tick time"):
            Node.set_net_ticktime(5)
        with pytest.raises(TypeError, match="a tick time is a number of seconds, not '5'"):
            Node.set_net_ticktime("5")  # type: ignore[arg-type]


class TestThisNode:
    def test_node_without_a_name_has_none_of_its_facts(self, node: LocalNode) -> None:
        assert Node.self() == "nonode@nohost"
        assert Node.is_alive() is False
        assert Node.stop() is False
        assert Node.get_cookie() is None
        assert Node.list() == []
        assert Node.list("this") == ["nonode@nohost"]

    def test_start_and_stop_change_name_and_liveness(self, node: LocalNode) -> None:
        assert Node.start("a@test", cookie=COOKIE) == "a@test"
        assert Node.self() == "a@test"
        assert Node.is_alive() is True
        assert Node.list("this") == ["a@test"]
        assert Node.info()["name"] == "a@test"
        assert Node.stop() is True
        assert Node.is_alive() is False

    def test_start_twice_or_with_a_taken_name_is_refused(self, nodes: LocalNodes) -> None:
        nodes.start("a")
        other = nodes.make()
        with pytest.raises(AlreadyStarted):
            Node.start("b@test", cookie=COOKIE)
        with pytest.raises(NameTaken):
            as_process(other, lambda: Node.start("a@test", cookie=COOKIE))
        with pytest.raises(NodeNameInvalid):
            as_process(other, lambda: Node.start("no good"))

    def test_cookie_is_kept_out_of_its_repr(self, node: LocalNode) -> None:
        Node.start("a@test", cookie=COOKIE)
        cookie = Node.get_cookie()
        assert cookie is not None
        assert cookie.text == COOKIE
        assert COOKIE not in repr(cookie)
        assert Node.set_cookie("pyx1-" + "3" * 43) is True
        assert Node.set_cookie("b", "pyx1-" + "4" * 43) is True

    def test_set_cookie_needs_a_named_node_and_a_str(self, node: LocalNode) -> None:
        with pytest.raises(NodeNotAlive, match="cannot set a cookie: this Python is not a node"):
            Node.set_cookie("x")
        Node.start("a@test", cookie=COOKIE)
        for args in ((), ("a", "b", "c"), (1,), ("",)):
            with pytest.raises(TypeError, match="takes a cookie, or a node and a cookie"):
                Node.set_cookie(*args)


class TestOtherNodes:
    def test_ping_and_connect_list_the_node(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        assert Node.ping("b") == "pong"
        assert Node.connect("b@test") is True
        assert Node.connect("a") is True  # itself
        assert Node.ping("a") == "pong"
        assert Node.list() == ["b@test"]
        until(lambda: as_process(b, Node.list) == ["a@test"])
        assert a.kernel.tables.name == "a@test"

    def test_missing_node_is_pang_and_false(
        self, nodes: LocalNodes, caplog: pytest.LogCaptureFixture
    ) -> None:
        nodes.start("a")
        assert Node.ping("nobody") == "pang"
        assert Node.connect("nobody") is False
        assert Node.list("known") == ["a@test", "nobody@test"]
        assert "cannot connect to nobody@test: no node of that name runs on this host" in caplog.text

    def test_list_selects_nodes_by_kind(self, nodes: LocalNodes) -> None:
        nodes.start("a")
        nodes.start("b")
        nodes.start("h", hidden=True)
        Node.ping("b")
        Node.ping("h")
        assert Node.list("visible") == ["b@test"]
        assert Node.list("hidden") == ["h@test"]
        assert Node.list("connected") == ["b@test", "h@test"]
        assert Node.list("this", "visible") == Node.list(["this", "visible"]) == ["a@test", "b@test"]
        with pytest.raises(ValueError, match="'friends' is not a kind of node: this, visible, hidden"):
            Node.list("friends")

    def test_node_without_a_name_reaches_no_other(self, node: LocalNode) -> None:
        assert Node.ping("b") == "pang"
        assert Node.connect("b") == "ignored"
        assert Node.disconnect("b") == "ignored"

    def test_disconnect_leaves_other_connections(self, nodes: LocalNodes) -> None:
        for name in "abc":
            nodes.start(name)
        Node.ping("b")
        Node.ping("c")
        assert Node.disconnect("b") is True
        assert Node.list() == ["c@test"]
        assert Node.disconnect("b") is False

    @pytest.mark.parametrize("name", ["no good", "", "a@", 42, None])
    def test_invalid_node_name_is_refused(self, nodes: LocalNodes, name: Any) -> None:
        nodes.start("a")
        for call in (Node.ping, Node.connect, Node.disconnect, lambda one: Node.spawn(one, "os", "getpid")):
            with pytest.raises((NodeNameInvalid, TypeError), match="node name"):
                call(name)

    def test_ping_of_a_node_that_does_not_answer_is_pang_and_logged(
        self, nodes: LocalNodes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        nodes.start("a")
        b = nodes.start("b")
        Node.ping("b")
        monkeypatch.setattr(request, "ANSWER_SECONDS", 0.01)
        standing, go_on = threading.Event(), threading.Event()
        b.transport_loop.soon(lambda: (standing.set(), go_on.wait(HANG)))
        wait_for(standing)
        assert Node.ping("b") == "pang"
        assert "no answer from b@test within 0.01 s" in caplog.text
        go_on.set()

    @pytest.mark.parametrize("call", [Node.ping, Node.connect, lambda name: Node.spawn(name, "os", "getpid")])
    def test_call_on_a_running_loop_names_its_twin(
        self, nodes: LocalNodes, call: Callable[[str], Any]
    ) -> None:
        nodes.start("a")

        async def on_a_loop() -> None:
            call("a")

        with pytest.raises(WouldBlock, match=r"Node\.\w+\(\) would block the running event loop"):
            asyncio.run(on_a_loop())


def named(to: Pid, *, value: int) -> None:
    send(to, value)


class TestSpawn:
    def test_spawned_process_runs_there_and_prints_here(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")

        def body() -> Any:
            pid = Node.spawn("b", "pyx", "receive", [])
            return pid, own_pid()

        pid, _ = as_process(a, body)
        assert (pid.node, pid.creation) == ("b@test", b.kernel.tables.creation)
        process = b.kernel.tables.find(Pid(pid.number))
        assert process is not None
        assert process.leader == Pid(0, node="a@test", creation=a.kernel.tables.creation)

    def test_spawned_function_is_sent_by_name(self, nodes: LocalNodes) -> None:
        nodes.start("a")
        nodes.start("b")
        assert Node.spawn("b", receive).node == "b@test"
        with pytest.raises(EncodeError, match="bound to an object"):
            Node.spawn("b", [1].append, 1)

    def test_keyword_arguments_reach_the_function(self, nodes: LocalNodes) -> None:
        a, _ = nodes.start("a"), nodes.start("b")

        def body() -> Any:
            Node.spawn("b", named, to=own_pid(), value=1)
            Node.spawn_link("b", __name__, "named", [own_pid()], kwargs={"value": 2})
            Node.spawn_monitor("b", named, own_pid(), value=3)
            return sorted(receive(int, timeout=HANG) for _ in range(3))

        assert as_process(a, body) == [1, 2, 3]

    def test_spawn_link_and_spawn_monitor_report_the_end(self, nodes: LocalNodes) -> None:
        a, _ = nodes.start("a"), nodes.start("b")

        def body() -> Any:
            Process.flag("trap_exit", True)
            linked = Node.spawn_link("b", "operator", "truediv", [1, 0])
            exit_message = receive(("EXIT", linked, ...), timeout=HANG)
            pid, ref = Node.spawn_monitor("b", "sys", "exit", [3])
            return exit_message[2].type, receive(("DOWN", ref, "process", pid, ...), timeout=HANG)[4]

        assert as_process(a, body) == ("ZeroDivisionError", 3)

    def test_spawn_without_a_connection(self, nodes: LocalNodes, caplog: pytest.LogCaptureFixture) -> None:
        a = nodes.start("a")

        def body() -> Any:
            Process.flag("trap_exit", True)
            alone = Node.spawn("nobody", "os", "getpid")
            linked = Node.spawn_link("nobody", "os", "getpid")
            pid, ref = Node.spawn_monitor("nobody", "os", "getpid")
            return Process.is_alive(alone), drain(), linked, (pid, ref)

        is_alive, messages, linked, (pid, ref) = as_process(a, body)
        assert is_alive is False
        assert messages == [("EXIT", linked, "noconnection"), ("DOWN", ref, "process", pid, "noconnection")]
        assert "cannot start os.getpid on nobody@test" in caplog.text

    def test_spawn_forbidden_by_the_rpc_policy_is_refused(self, nodes: LocalNodes) -> None:
        nodes.start("a")
        nodes.start("b", rpc="off")
        with pytest.raises(RpcRefused, match="b@test refuses calls"):
            Node.spawn("b", "os", "getpid")

    def test_spawn_link_and_spawn_monitor_need_a_process(self, nodes: LocalNodes) -> None:
        nodes.start("a")
        for call in (Node.spawn_link, Node.spawn_monitor):
            with pytest.raises(NotAProcess):
                call("a", "os", "getpid")


class TestNodeMonitors:
    def test_monitors_of_one_node_add_up(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")

        def body() -> Any:
            Node.ping("b")
            Node.monitor("b", True)
            Node.monitor("b", True)
            Node.monitor("b", True)
            Node.monitor("b", False)
            send(own_pid(), "ready")
            receive("ready")
            ready.set()
            return [receive(("nodedown", ...), timeout=HANG) for _ in range(2)], drain()

        ready = threading.Event()
        running = Running(a, body)
        wait_for(ready)
        start_stop.stop(b)
        assert running.outcome() == ([("nodedown", "b@test")] * 2, [])

    def test_monitor_of_an_unreachable_node_fires_at_once(self, nodes: LocalNodes) -> None:
        a = nodes.start("a")
        assert as_process(a, lambda: (Node.monitor("nobody", True), receive(timeout=HANG))) == (
            (True, ("nodedown", "nobody@test"))
        )  # fmt: skip

    def test_monitor_needs_a_named_node_and_a_process(self, node: LocalNode) -> None:
        with pytest.raises(NotAProcess):
            Node.monitor("b", True)
        with pytest.raises(NodeNotAlive, match="cannot monitor a node"):
            as_process(node, lambda: Node.monitor("b", True))
        with pytest.raises(NotAProcess):
            Node.monitor_nodes(True)

    def test_monitor_nodes_reports_visible_nodes(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        ready = threading.Event()

        def body() -> Any:
            Node.monitor_nodes(True)
            ready.set()
            seen = [receive(timeout=HANG), receive(timeout=HANG)]
            Node.monitor_nodes(False)
            return seen

        running = Running(a, body)
        wait_for(ready)
        Node.ping("b")
        start_stop.stop(b)
        assert running.outcome() == [("nodeup", "b@test"), ("nodedown", "b@test")]

    def test_monitor_nodes_with_reasons_says_what_ended_the_connection(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b", hidden=True)

        def body() -> Any:
            Node.monitor_nodes(True, node_type="all", reasons=True)
            Node.ping("b")
            Node.disconnect("b")
            return [receive(timeout=HANG), receive(timeout=HANG)]

        assert as_process(a, body) == [
            ("nodeup", "b@test", {"node_type": "hidden"}),
            ("nodedown", "b@test", {"node_type": "hidden", "nodedown_reason": "disconnect"}),
        ]
        with pytest.raises(ValueError, match=r"^node_type is 'visible', 'hidden' or 'all', not 'near'$"):
            as_process(b, lambda: Node.monitor_nodes(True, node_type="near"))  # type: ignore[arg-type]


def test_pid_of_a_restarted_node_is_dead(nodes: LocalNodes) -> None:
    """An old pid is dead, and gets none of the messages to the process that has its number now."""
    a, b = nodes.start("a"), nodes.start("b")
    old = as_process(a, lambda: Node.spawn("b", "pyx", "receive"))
    start_stop.stop(b)
    b = nodes.start("b")
    running = Running(b, lambda: receive(timeout=HANG))
    assert running.pid.number == old.number
    assert Node.ping("b") == "pong"

    def body() -> Any:
        send(old, "for the dead")
        ref = Process.monitor(old)
        down = receive(("DOWN", ref, ..., ..., ...), timeout=HANG)[4]
        return down, Process.is_alive(old)

    assert as_process(a, body) == ("noproc", False)
    assert as_process(a, lambda: rpc.call("b", "Process", "list")) != []
    send(Pid(running.pid.number, node="b@test", creation=b.kernel.tables.creation), "for the living")
    assert running.outcome() == "for the living"
