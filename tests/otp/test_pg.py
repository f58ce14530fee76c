"""pg.py, awaitable_keys.py: groups of processes on all visible nodes, as OTP's pg."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pytest

from pyx import (
    Node,
    NoProcess,
    NotAProcess,
    NotLocal,
    Pid,
    Process,
    ServerAlreadyStarted,
    aio,
    pg,
    receive,
    rpc,
    send,
    spawn,
    spawn_link,
)
from pyx import self as own_pid
from pyx.atoms import Atom
from pyx.core.outbox import HIGH_WATER_BYTES
from tests.local_nodes import Running, as_process, seen_from, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.runtime.local_node import LocalNode
    from tests.local_nodes import LocalNodes


def run(node: LocalNode, program: Callable[[], Any]) -> Any:
    return as_process(node, program)


def idle() -> None:
    receive("end")


def end(pid: Pid) -> None:
    ref = Process.monitor(pid)
    Process.exit(pid, "kill")
    receive(("DOWN", ref, "process", ..., ...), timeout=60)


class TestMembers:
    def test_q1_of_one_that_joins_twice_are_two(self, node: LocalNode) -> None:
        def program() -> Any:
            joined = pg.join("g", own_pid()), pg.join("g", own_pid()), len(pg.get_members("g"))
            return joined, [pg.leave("g", own_pid()) for _ in range(3)]

        assert run(node, program) == (("ok", "ok", 2), ["ok", "ok", "not_joined"])

    def test_q2_join_and_leave_by_lists(self, node: LocalNode) -> None:
        def program() -> Any:
            me, other = own_pid(), spawn(idle)
            pg.join("g", [me, other, me])
            members = pg.get_members("g") == [me, other, me]
            left = (
                pg.leave("g", [me, me]),
                pg.get_members("g") == [other],
                pg.leave("g", [me]),
                pg.leave("g", []),
            )
            end(other)
            return members, left

        assert run(node, program) == (True, ("ok", True, "not_joined", "not_joined"))

    def test_q3_are_processes_of_this_node_and_pids(self, nodes: LocalNodes) -> None:
        here, there = nodes.start("gus"), nodes.start("server")
        remote = seen_from(here, there, run(there, own_pid))

        def program() -> None:
            for use in (pg.join, pg.leave):
                with pytest.raises(
                    NotLocal, match="is a process of server@test, and only processes of this"
                ) as caught:
                    use("g", remote)
                assert caught.value.pid == remote
                with pytest.raises(NotLocal):
                    use("g", [own_pid(), remote])
                with pytest.raises(TypeError, match="a pid is needed, not 'name'"):
                    use("g", "name")  # type: ignore[arg-type]
            assert pg.get_members("g") == []

        run(here, program)

    def test_q4_of_a_dead_pid_are_none(self, node: LocalNode) -> None:
        def program() -> Any:
            dead = spawn(idle)
            end(dead)
            return pg.join("g", dead), pg.get_members("g"), pg.which_groups()

        assert run(node, program) == ("ok", [], [])

    def test_of_an_earlier_start_of_this_node_are_none(self, nodes: LocalNodes) -> None:
        here = nodes.start("gus")
        old = Pid(1, 0, "gus@test", here.kernel.tables.creation ^ 1)
        assert run(here, lambda: (pg.join("g", old), pg.leave("g", old), pg.get_members("g"))) == (
            "ok",
            "not_joined",
            [],
        )

    def test_join_no_faster_than_other_nodes_take_what_they_are_told(self, nodes: LocalNodes) -> None:
        """The process that joins waits at the high-water mark of the queue for a node."""
        here, there = nodes.start("gus"), nodes.start("server")
        run(here, lambda: Node.connect("server"))
        peer = here.kernel.tables.peers["server@test"]

        def program() -> Any:
            group = "g" * 4000
            peer.connection.flush = lambda: None
            put, member = peer.out.enqueued, spawn(idle)
            for number in range(1000):
                pg.join((number, group), member)
            return peer.out.enqueued - put

        running = Running(here, program)
        until(lambda: bool(peer.out.waiters))
        assert peer.out.queued < 2 * HIGH_WATER_BYTES
        del peer.connection.flush
        peer.connection.flush()
        assert running.outcome() > 3 * HIGH_WATER_BYTES
        until(lambda: len(run(there, pg.which_groups)) == 1000)

    def test_leave_in_the_step_in_which_they_end(self, node: LocalNode) -> None:
        def program() -> Any:
            other = spawn(idle)
            pg.join("g", other)
            end(other)
            return pg.get_members("g"), pg.which_groups()

        assert run(node, program) == ([], [])

    def test_of_any_thread_join_too(self, node: LocalNode) -> None:
        pid, _ = node.processes.spawn(idle, ())
        assert pg.join("g", pid) == "ok"
        assert (pg.get_members("g"), pg.get_local_members("g")) == ([pid], [pid])
        with pytest.raises(NotAProcess):
            pg.monitor("g")

    def test_are_in_groups_that_are_equal_as_messages_are(self, node: LocalNode) -> None:
        def program() -> Any:
            for group in (1, 1.0, ("room", 7), frozenset({"a", "b"})):
                pg.join(group, own_pid())
            return pg.which_groups(), len(pg.get_members(1)), len(pg.get_members(frozenset({"b", "a"})))

        assert run(node, program) == ([1, 1.0, ("room", 7), frozenset({"a", "b"})], 1, 1)

    def test_are_in_one_group_by_a_text_and_by_its_atom(self, node: LocalNode) -> None:
        def program() -> Any:
            pg.join((Atom("room"), 1), own_pid()), pg.join("hall", own_pid())
            found = len(pg.get_members(("room", 1))), len(pg.get_members(Atom("hall")))
            return found, pg.which_groups(), pg.leave(("room", 1), own_pid())

        assert run(node, program) == ((1, 1), [("room", 1), "hall"], "ok")

    @pytest.mark.parametrize(
        ("group", "words"),
        [(["g"], "a group is data that is hashable"), ("g" * 5000, "a group has at most 4,096 bytes")],
    )
    def test_of_a_group_that_cannot_be_one_are_refused(self, node: LocalNode, group: Any, words: str) -> None:
        with pytest.raises((TypeError, ValueError), match=words):
            pg.get_members(group)


class TestMonitor:
    def test_q5_tells_the_members_and_then_each_change(self, node: LocalNode) -> None:
        def program() -> Any:
            me, other = own_pid(), spawn(idle)
            pg.join("g", me)
            ref, members = pg.monitor("g")
            pg.join("g", [other, other])
            pg.join("other group", other)
            pg.leave("g", me)
            Process.exit(other, "kill")
            events = [receive(timeout=60) for _ in range(3)]
            assert members == [me]
            return events == [
                (ref, "join", "g", [other, other]),
                (ref, "leave", "g", [me]),
                (ref, "leave", "g", [other, other]),
            ]

        assert run(node, program) is True

    def test_of_a_scope_tells_of_all_groups(self, node: LocalNode) -> None:
        def program() -> Any:
            pg.join(("g", 1), own_pid())
            ref, groups = pg.monitor_scope()
            pg.join("h", own_pid())
            return groups == {("g", 1): [own_pid()]}, receive(timeout=60) == (ref, "join", "h", [own_pid()])

        assert run(node, program) == (True, True)

    def test_ends_with_its_messages(self, node: LocalNode) -> None:
        def program() -> Any:
            ref, _ = pg.monitor("g")
            pg.join("g", own_pid())
            send(own_pid(), "kept")
            answers = pg.demonitor(ref), pg.demonitor(ref)
            pg.leave("g", own_pid())
            return answers, receive(timeout=60), len(node.kernel.tables.processes[own_pid().number].mailbox)

        assert run(node, program) == (("ok", False), "kept", 0)


class TestScope:
    def test_q6_that_is_not_started_has_no_members_and_no_monitors(self, node: LocalNode) -> None:
        def program() -> Any:
            for use in (pg.join, pg.leave):
                with pytest.raises(NoProcess, match="no process is registered as 'nope' on this node"):
                    use("g", own_pid(), scope="nope")
            with pytest.raises(NoProcess):
                pg.monitor("g", scope="nope")
            with pytest.raises(NoProcess):
                pg.monitor_scope(scope="nope")
            empty = pg.get_members("g", scope="nope"), pg.get_local_members("g", scope="nope")
            return empty, pg.which_groups(scope="nope"), pg.which_local_groups(scope="nope")

        assert run(node, program) == (([], []), [], [])

    def test_has_groups_of_its_own(self, node: LocalNode) -> None:
        def program() -> Any:
            owner = pg.start("shops")
            pg.join("g", own_pid(), scope="shops")
            with pytest.raises(ServerAlreadyStarted):
                pg.start("shops")
            return (
                owner == Process.whereis("shops"),
                pg.get_members("g"),
                pg.get_members("g", scope="shops") == [own_pid()],
                pg.which_groups(scope="shops"),
                pg.which_local_groups(scope="shops"),
            )

        assert run(node, program) == (True, [], True, ["g"], ["g"])

    def test_q10_that_is_killed_loses_its_members_for_good(self, nodes: LocalNodes) -> None:
        here, there = nodes.start("gus"), nodes.start("server")
        run(there, lambda: pg.start("shops"))
        member = there.processes.spawn(idle, ())[0]
        run(there, lambda: pg.join("g", member, scope="shops"))

        def program() -> Any:
            pg.start("shops")
            Node.connect("server")
            ref, members = pg.monitor("g", scope="shops")
            assert members == [seen_from(here, there, member)]
            owner = there.kernel.tables.names["shops"].pid
            Process.exit(seen_from(here, there, owner), "kill")
            return receive(timeout=60) == (ref, "leave", "g", members), pg.get_members("g", scope="shops")

        assert run(here, program) == (True, [])
        run(there, lambda: pg.start("shops"))
        assert run(there, lambda: pg.get_members("g", scope="shops")) == []
        assert there.kernel.tables.find(member) is not None

    @pytest.mark.parametrize(("scope", "words"), [("pg", "always there"), ("", "1 to 246"), (1, "is a str")])
    def test_of_another_name_is_refused(self, node: LocalNode, scope: Any, words: str) -> None:
        with pytest.raises((TypeError, ValueError), match=words):
            pg.start(scope)

    def test_is_linked_to_what_starts_it(self, node: LocalNode) -> None:
        async def start() -> None:
            await aio.pg.start_link("linked")
            await aio.pg.start("free")
            send("tester", "started")
            await aio.receive("end")

        def program() -> Any:
            Process.register(own_pid(), "tester")
            starter = spawn_link(start)
            assert receive(timeout=60) == "started"
            linked = Process.whereis("linked")
            assert linked is not None
            return starter in Process.info(linked, "links")[1]

        assert run(node, program) is True


class TestRealNodes:
    """Better than [Q7] to [Q9]: members are there when `connect` returns, and go before `nodedown`."""

    def test_q7_members_are_there_when_connect_returns(self, nodes: LocalNodes) -> None:
        here, there = nodes.start("gus"), nodes.start("server")
        member = there.processes.spawn(idle, ())[0]
        pg_of = run(there, lambda: pg.join(("g", member), member))
        assert pg_of == "ok"

        def program() -> Any:
            remote = seen_from(here, there, member)
            return (
                Node.connect("server"),
                pg.get_members(("g", remote)) == [remote],
                pg.get_local_members("g"),
            )

        assert run(here, program) == (True, True, [])

    @pytest.mark.parametrize("how", ["ping", "spawn", "rpc"])
    def test_members_are_there_when_a_ping_or_a_call_has_connected(self, nodes: LocalNodes, how: str) -> None:
        here, there = nodes.start("gus"), nodes.start("server")
        member = there.processes.spawn(idle, ())[0]
        run(there, lambda: pg.join("g", member))

        def program() -> Any:
            if how == "ping":
                assert Node.ping("server") == "pong"
            elif how == "spawn":
                Node.spawn("server", "os", "getpid", [])
            else:
                rpc.call("server", "os", "getpid", [])
            return len(pg.get_members("g"))

        assert run(here, program) == 1

    def test_q7_q8_q9_nodeup_follows_joins_and_nodedown_follows_leaves(self, nodes: LocalNodes) -> None:
        here, there = nodes.start("gus"), nodes.start("server")
        member = there.processes.spawn(idle, ())[0]
        run(there, lambda: pg.join("g", member))
        remote = seen_from(here, there, member)

        def program() -> Any:
            Node.monitor_nodes(True)
            ref, _ = pg.monitor("g")
            kinds = []
            for _ in range(2):
                Node.connect("server")
                Node.disconnect("server")
                kinds += [receive(timeout=60) for _ in range(4)]
            return (
                kinds
                == [
                    (ref, "join", "g", [remote]),
                    ("nodeup", "server@test"),
                    (ref, "leave", "g", [remote]),
                    ("nodedown", "server@test"),
                ]
                * 2
            )

        assert run(here, program) is True

    def test_join_is_seen_before_messages_and_leave_before_down(self, nodes: LocalNodes) -> None:
        here, there = nodes.start("gus"), nodes.start("server")

        def joins(to: Pid, large: int) -> None:
            send(to, "x" * large)
            pg.join("g", own_pid())
            send(to, "I am in")
            receive("end")

        def program() -> Any:
            Node.connect("server")
            ref, _ = pg.monitor("g")
            seen = []
            for large in (1, 300_000):
                pid, _ = there.processes.spawn(joins, (seen_from(there, here, own_pid()), large))
                remote = seen_from(here, there, pid)
                assert receive("I am in", timeout=60)
                seen.append(remote in pg.get_members("g"))
                monitor = Process.monitor(remote)
                Process.exit(remote, "kill")
                receive(("DOWN", monitor, "process", ..., ...), timeout=60)
                seen.append(remote not in pg.get_members("g"))
                seen.append(receive((ref, "leave", "g", [remote]), timeout=0) is not None)
            return seen

        assert run(here, program) == [True] * 6

    def test_hidden_node_is_told_nothing_and_tells_nothing(self, nodes: LocalNodes) -> None:
        here, there = nodes.start("gus"), nodes.start("server", hidden=True)
        for node in (here, there):
            pid = node.processes.spawn(idle, ())[0]
            run(node, functools.partial(pg.join, "g", pid))
        assert run(here, lambda: Node.connect("server")) is True
        run(here, lambda: pg.join("g", here.kernel.tables.processes.all()[0].pid))
        assert run(here, lambda: Node.ping("server")) == "pong"
        assert [len(run(node, lambda: pg.get_members("g"))) for node in (here, there)] == [2, 1]

    def test_thundering_herd_leaves_every_node_with_the_same_members(self, nodes: LocalNodes) -> None:
        all_nodes = [nodes.start(name) for name in ("gus", "bob", "cat")]
        run(all_nodes[0], lambda: [Node.connect("bob"), Node.connect("cat")])
        until(lambda: all(len(node.kernel.membership.visible) == 2 for node in all_nodes))

        def herd() -> None:
            for _ in range(100):
                pid = spawn(idle)
                pg.join("g", [pid, pid])
                Process.exit(pid, "kill")
            stays = spawn(idle)
            pg.join("g", stays)

        for running in [Running(node, herd) for node in all_nodes]:
            running.outcome()

        until(lambda: all(len(run(node, lambda: pg.get_members("g"))) == 3 for node in all_nodes))
