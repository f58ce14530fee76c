"""presence.py, presence_errors.py: Presence; rows T1 to T11 of what Phoenix's Tracker does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pyx import (
    AlreadyTracked,
    EncodeError,
    Node,
    NotAProcess,
    NotLocal,
    NotTracked,
    Presence,
    Process,
    PubSub,
    receive,
    send,
    spawn,
)
from pyx import self as own_pid
from pyx.core.keys import BATCH
from pyx.signals import Held, Payload
from pyx.wire.codec import encode, encode_key
from tests.local_nodes import HANG, Running, in_kernel, peer_of, seen_from, until
from tests.pubsub.test_topics import all_received, run

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode
    from pyx.terms import Pid
    from tests.local_nodes import LocalNodes

pytestmark = pytest.mark.usefixtures("both_ways")


def plain(diff: Any) -> Any:
    """A diff, or what `Presence.list` returns, without references."""
    match diff:
        case ("presence_diff", topic, {"joins": joins, "leaves": leaves}):
            return topic, plain(joins), plain(leaves)
    return {
        key: [{name: it for name, it in meta.items() if not name.startswith("ref")} for meta in metas]
        for key, metas in diff.items()
    }


class Tracked:
    """A process of a node that is tracked as *key* until it gets `"end"`."""

    def __init__(self, node: LocalNode, topic: str, key: str, **meta: Any) -> None:
        self.refs: list[str] = []

        def program() -> None:
            self.refs.append(Presence.track(topic, key, meta))
            receive("end", timeout=30)

        self._node = node
        self._running = Running(node, program)
        self.pid = self._running.pid
        until(lambda: bool(self.refs))

    def end(self) -> None:
        run(self._node, lambda: send(self.pid, "end"))
        self._running.outcome()


@pytest.fixture
def pair(nodes: LocalNodes) -> tuple[LocalNode, LocalNode]:
    """Two nodes that are not connected."""
    return nodes.start("a"), nodes.start("b")


class TestOneNode:
    def test_t1_track_returns_a_reference_and_is_refused_the_second_time(self, node: LocalNode) -> None:
        def program() -> Any:
            ref = Presence.track("room", "gus", {"device": "web"})
            found = Presence.list("room") == {"gus": [{"device": "web", "ref": ref}]}
            with pytest.raises(AlreadyTracked) as refused:
                Presence.track("room", "gus")
            error = refused.value
            return found, (error.topic, error.key, error.pid) == ("room", "gus", own_pid()), str(error)

        found, has_facts, text = run(node, program)
        assert (found, has_facts) == (True, True)
        assert text.endswith("is tracked as 'gus' in 'room' already")

    def test_process_may_have_several_keys_and_topics(self, node: LocalNode) -> None:
        def program() -> Any:
            for topic, key in (("r", "a"), ("r", "b"), ("s", "a")):
                Presence.track(topic, key)
            return plain(Presence.list("r")), plain(Presence.list("s")), Presence.list("t")

        assert run(node, program) == ({"a": [{}], "b": [{}]}, {"a": [{}]}, {})

    def test_t3_key_of_two_processes_has_two_entries(self, node: LocalNode) -> None:
        for device in ("web", "phone"):
            Tracked(node, "room", "gus", device=device)
        assert run(node, lambda: plain(Presence.list("room"))) == {
            "gus": [{"device": "web"}, {"device": "phone"}]
        }
        assert len(run(node, lambda: Presence.get_by_key("room", "gus"))) == 2
        assert run(node, lambda: Presence.get_by_key("room", "bob")) == []

    def test_t4_update_is_a_leave_and_a_join_with_the_reference_before(self, node: LocalNode) -> None:
        def program() -> Any:
            first = Presence.track("room", "gus", {"n": 1})
            PubSub.subscribe("room")
            second = Presence.update("room", "gus", {"n": 2})
            third = Presence.update("room", "gus", lambda meta: {**meta, "m": 3})
            return (first, second, third), all_received()

        (first, second, third), diffs = run(node, program)
        one, two = {"n": 1, "ref": first}, {"n": 2, "ref": second, "ref_prev": first}
        three = {"n": 2, "m": 3, "ref": third, "ref_prev": second}
        assert diffs == [
            ("presence_diff", "room", {"joins": {"gus": [two]}, "leaves": {"gus": [one]}}),
            ("presence_diff", "room", {"joins": {"gus": [three]}, "leaves": {"gus": [two]}}),
        ]

    def test_function_of_an_update_sees_what_was_changed_meanwhile(self, node: LocalNode) -> None:
        def program() -> Any:
            Presence.track("room", "gus", {"count": 0})
            refs: list[str] = []

            def grown(meta: Any) -> Any:
                if not refs:  # what another thread may do while this function runs
                    refs.append(Presence.update("room", "gus", {"count": 10}))
                return {"count": meta["count"] + 1}

            refs.append(Presence.update("room", "gus", grown))
            [meta] = Presence.get_by_key("room", "gus")
            return meta == {"count": 11, "ref": refs[1], "ref_prev": refs[0]}

        assert run(node, program) is True

    def test_t4_update_of_nothing_is_refused(self, node: LocalNode) -> None:
        def program() -> Any:
            Presence.track("room", "other")
            with pytest.raises(NotTracked, match="is not tracked as 'gus' in 'room'"):
                Presence.update("room", "gus", {})

            def goes(meta: Any) -> Any:
                Presence.untrack("room", "other")
                return meta

            with pytest.raises(NotTracked):
                Presence.update("room", "other", goes)

        run(node, program)

    def test_t5_untrack_of_one_of_all_and_of_nothing(self, node: LocalNode) -> None:
        def program() -> Any:
            for topic, key in (("r", "a"), ("r", "b"), ("s", "a")):
                Presence.track(topic, key)
            PubSub.subscribe("r")
            done = [Presence.untrack("r", "a"), Presence.untrack("r", "a"), Presence.untrack("never", "a")]
            left = plain(Presence.list("r"))
            done += [Presence.untrack_all(), Presence.untrack_all()]
            return done, left, Presence.list("s"), [plain(one) for one in all_received()]

        assert run(node, program) == (
            ["ok"] * 5,
            {"b": [{}]},
            {},
            [("r", {}, {"a": [{}]}), ("r", {}, {"b": [{}]})],
        )

    def test_untrack_all_and_an_end_are_told_in_portions(self, node: LocalNode) -> None:
        def program(to: Pid) -> None:
            for number in range(BATCH + 1):
                Presence.track("room", str(number))
            send(to, "tracked")
            receive("untrack")
            Presence.untrack_all()
            for number in range(BATCH + 1):
                Presence.track("room", str(number))

        def hear() -> Any:
            tracker = spawn(program, own_pid())
            receive("tracked")
            PubSub.subscribe("room")
            Process.monitor(tracker)
            send(tracker, "untrack")
            receive(("DOWN", ..., ..., ..., ...))
            leaves = [len(message[2]["leaves"]) for message in all_received()]
            return [count for count in leaves if count], Presence.list("room")

        assert run(node, hear) == ([BATCH, 1, BATCH, 1], {})

    def test_t6_ended_process_has_left(self, node: LocalNode) -> None:
        tracked = Tracked(node, "room", "gus")

        def program() -> Any:
            PubSub.subscribe("room")
            ref = Process.monitor(tracked.pid)
            send(tracked.pid, "end")
            diff = receive(timeout=HANG)
            receive(("DOWN", ref, "process", ..., ...), timeout=HANG)
            return plain(diff), Presence.list("room")

        assert run(node, program) == (("room", {}, {"gus": [{}]}), {})

    def test_another_process_of_this_node_may_be_tracked(self, node: LocalNode) -> None:
        def program() -> Any:
            pid = spawn(lambda: receive("end"))
            Presence.track("room", "gus", {"n": 1}, pid=pid)
            Presence.update("room", "gus", {"n": 2}, pid=pid)
            found = plain(Presence.list("room"))
            Presence.untrack("room", "gus", pid=pid)
            Presence.track("room", "gus", pid=pid)
            Presence.untrack_all(pid=pid)
            send(pid, "end")
            return found, Presence.list("room")

        assert run(node, program) == ({"gus": [{"n": 2}]}, {})
        with pytest.raises(NotAProcess, match=r"Presence\.track\(\)"):
            Presence.track("room", "gus")

    def test_arguments_are_checked(self, node: LocalNode) -> None:
        def program() -> None:
            with pytest.raises(TypeError, match="the key of a presence is a str, not 7"):
                Presence.track("room", 7)  # type: ignore[arg-type]
            with pytest.raises(TypeError, match="the meta of a presence is a dict, not 7"):
                Presence.track("room", "gus", 7)  # type: ignore[arg-type]
            with pytest.raises(TypeError, match="a topic is a str"):
                Presence.list(7)  # type: ignore[arg-type]
            with pytest.raises(ValueError, match=r"a meta has at most 16,384 bytes as a message"):
                Presence.track("room", "gus", {"x": "x" * 20_000})
            with pytest.raises(EncodeError, match=r"cannot send meta\['f'\]"):
                Presence.track("room", "gus", {"f": object()})
            with pytest.raises(ValueError, match="unknown Presence: 'NOPE' is not started on this node"):
                Presence.list("room", presence="NOPE")
            with pytest.raises(ValueError, match="unknown PubSub: 'NOPE'"):
                Presence.start(name="rooms", pubsub="NOPE")
            with pytest.raises(TypeError, match="down_after is a number of seconds"):
                Presence.start(name="rooms", down_after="soon")  # type: ignore[arg-type]

        run(node, program)


class TestSeveralNodes:
    def test_t2_is_seen_with_the_next_message_and_t8_diffs_come_on_every_node(
        self, pair: tuple[LocalNode, LocalNode]
    ) -> None:
        a, b = pair
        run(a, lambda: Node.connect("b"))
        ready: list[bool] = []

        def hears() -> Any:
            PubSub.subscribe("room")
            ready.append(True)
            diff, frm, listed = receive(timeout=HANG), receive(timeout=HANG), Presence.list("room")
            send(frm, "end")
            return plain(diff), plain(listed), plain(receive(timeout=HANG))

        there = Running(b, hears)
        until(lambda: bool(ready))

        def program() -> None:
            Presence.track("room", "gus", {"n": 1})
            send(seen_from(a, b, there.pid), own_pid())
            receive("end", timeout=HANG)

        run(a, program)
        gus = {"gus": [{"n": 1}]}
        assert there.outcome() == (("room", gus, {}), gus, ("room", {}, gus))

    def test_t7_process_of_another_node_is_not_tracked_here(self, pair: tuple[LocalNode, LocalNode]) -> None:
        a, b = pair
        remote = seen_from(a, b, run(b, own_pid))
        for use in (
            lambda: Presence.track("room", "gus", pid=remote),
            lambda: Presence.update("room", "gus", {}, pid=remote),
            lambda: Presence.untrack("room", "gus", pid=remote),
        ):
            with pytest.raises(NotLocal, match="and only processes of this node are tracked here"):
                run(a, use)

    def test_t9_lost_node_leaves_at_once_and_t10_comes_back_in_one_diff(
        self, pair: tuple[LocalNode, LocalNode]
    ) -> None:
        a, b = pair
        for key in ("bob", "cat"):
            Tracked(b, "room", key)

        def program() -> Any:
            PubSub.subscribe("room")
            Node.monitor_nodes(True)
            got = []
            for _ in range(2):
                assert Node.connect("b") is True
                got.append(sorted(Presence.list("room")))
                Node.disconnect("b")
                got.append(sorted(Presence.list("room")))
                got += [
                    message if message[0] != "presence_diff" else plain(message) for message in all_received()
                ]
            return got

        both: dict[str, Any] = {"bob": [{}], "cat": [{}]}
        once = [
            ["bob", "cat"],
            [],
            ("room", both, {}),
            ("nodeup", "b@test"),
            ("room", {}, both),
            ("nodedown", "b@test"),
        ]
        assert run(a, program) == once * 2

    def test_t11_entries_of_a_restarted_node_go_at_once(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        for node in (a, b):
            run(node, lambda: Presence.start(name="rooms", down_after=600))

        def joins(node: LocalNode, key: str) -> None:
            ready: list[str] = []

            def program() -> None:
                ready.append(Presence.track("room", key, presence="rooms"))
                receive("end")

            node.processes.spawn(program, ())
            until(lambda: bool(ready))

        def names() -> list[str]:
            return sorted(Presence.list("room", presence="rooms"))

        joins(b, "old")
        assert run(a, lambda: (Node.connect("b"), names())) == (True, ["old"])
        run(a, lambda: Node.disconnect("b"))
        assert run(a, names) == ["old"]
        assert run(a, lambda: (Node.connect("b"), names())) == (True, ["old"])
        run(b, Node.stop)
        until(lambda: not a.kernel.tables.peers)
        assert run(a, names) == ["old"]
        again = nodes.start("b")
        run(again, lambda: Presence.start(name="rooms"))
        joins(again, "new")
        assert run(a, lambda: (Node.connect("b"), names())) == (True, ["new"])

    def test_rolling_restart_is_a_leave_and_a_join_for_each_node(self, nodes: LocalNodes) -> None:
        a = nodes.start("a")
        others = {name: nodes.start(name) for name in ("b", "c")}
        for name, node in others.items():
            Tracked(node, "room", name)

        def joined(name: str) -> Any:
            assert Node.connect(name) is True
            return plain(receive(timeout=HANG))

        def program() -> Any:
            PubSub.subscribe("room")
            told = [joined(name) for name in others]
            for name, node in others.items():
                run(node, Node.stop)  # it says goodbye
                told.append(plain(receive(timeout=HANG)))
                Tracked(nodes.start(name), "room", name)
                told.append(joined(name))
            return told, sorted(Presence.list("room")), all_received()

        b: dict[str, Any] = {"b": [{}]}
        c: dict[str, Any] = {"c": [{}]}
        joins_and_leaves = [("room", {}, b), ("room", b, {}), ("room", {}, c), ("room", c, {})]
        assert run(a, program) == ([("room", b, {}), ("room", c, {}), *joins_and_leaves], ["b", "c"], [])

    def test_held_back_leaves_are_told_when_the_time_is_over(self, pair: tuple[LocalNode, LocalNode]) -> None:
        a, b = pair
        for node in (a, b):
            run(node, lambda: Presence.start(name="rooms", down_after=0.05))
        ready: list[str] = []

        def bob() -> None:
            ready.append(Presence.track("room", "bob", presence="rooms"))
            receive("end")

        b.processes.spawn(bob, ())
        until(lambda: bool(ready))

        def program() -> Any:
            PubSub.subscribe("room")
            Node.connect("b")
            Node.disconnect("b")
            diffs = [plain(receive(timeout=HANG)) for _ in range(2)]
            return diffs, Presence.list("room", presence="rooms")

        assert run(a, program) == ([("room", {"bob": [{}]}, {}), ("room", {}, {"bob": [{}]})], {})

    @pytest.mark.parametrize("is_absent", [False, True])
    def test_instance_that_ends_and_starts_anew_is_a_leave_and_a_join_of_what_peers_hold(
        self, pair: tuple[LocalNode, LocalNode], *, is_absent: bool
    ) -> None:
        a, b = pair

        def rooms() -> Any:
            return Presence.start(name="rooms", down_after=600)

        run(b, rooms)
        ready: list[str] = []

        def bob() -> None:
            ready.append(Presence.track("room", "bob", presence="rooms"))
            receive("end")

        b.processes.spawn(bob, ())
        until(lambda: bool(ready))

        def program() -> Any:
            PubSub.subscribe("room")
            Node.connect("b")
            pid = rooms()
            if is_absent:
                Node.disconnect("b")
            Process.exit(pid, "kill")
            Process.monitor(pid)
            receive(("DOWN", ..., ..., ..., ...))
            if is_absent:
                Node.connect("b")
            rooms()
            return [plain(diff) for diff in all_received()]

        bob_is: dict[str, Any] = {"bob": [{}]}
        assert run(a, program) == [("room", bob_is, {}), ("room", {}, bob_is), ("room", bob_is, {})]

    @pytest.mark.parametrize(
        "value", [5, (), ("key",), (7, {}), ("key", 5), (["key"], {}), ("key", {}, 1), {"key": {}}]
    )
    def test_entry_that_a_peer_has_malformed_is_left_out(
        self, pair: tuple[LocalNode, LocalNode], value: Any
    ) -> None:
        a, b = pair
        Tracked(b, "room", "bob")
        run(a, lambda: Node.connect("b"))
        pid = run(b, own_pid)
        key = encode_key("room", max_bytes=100)

        def lies(payload: bytes, number: int) -> None:
            held = Held(pid, number, "presence presence", key, Payload(payload))
            in_kernel(b, b.kernel.router.enqueue, peer_of(b, "a"), held)

        def program() -> Any:
            PubSub.subscribe("room")
            lies(encode(value), 1_000_000)
            lies(b"\xc1\xff", 1_000_001)
            diffs = [plain(receive(timeout=HANG)) for _ in range(2)]
            return plain(Presence.list("room")), diffs

        assert run(a, program) == ({"bob": [{}]}, [("room", {}, {})] * 2)
