"""topics.py, publishing.py, awaitable_pubsub.py: PubSub, as Phoenix's; rows B1 to B14 of its behaviours."""

from __future__ import annotations

import contextlib
import functools
import os
from typing import TYPE_CHECKING, Any

import pytest

from pyx import (
    EncodeError,
    Exit,
    Node,
    NodeBusy,
    NodeNameInvalid,
    NotAProcess,
    Pid,
    Presence,
    Process,
    PubSub,
    ReceiveTimeout,
    aio,
    receive,
    rpc,
    send,
    spawn,
    spawn_link,
)
from pyx import self as own_pid
from pyx.core.keys import BATCH, Keys
from pyx.core.outbox import HIGH_WATER_BYTES
from pyx.pubsub import publishing
from pyx.pubsub.publishing import _enter, broadcast_of
from pyx.runtime.sending import REFUSED_BYTES, encode_for
from tests.local_nodes import HANG, Running, as_process, in_kernel, peer_of, seen_from, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.runtime.local_node import LocalNode
    from tests.local_nodes import LocalNodes

NODEUPS = int(os.environ.get("PYX_NODEUPS", "50"))

pytestmark = pytest.mark.usefixtures("both_ways")


def run(node: LocalNode, program: Callable[[], Any]) -> Any:
    return as_process(node, program)


def all_received() -> list[Any]:
    """The messages of the running process, which are here already."""
    found = []
    with contextlib.suppress(ReceiveTimeout):
        while True:
            found.append(receive(timeout=0))
    return found


class Listener:
    """A process of a node that has subscribed, and tells the test what it got once it gets `"report"`."""

    def __init__(self, node: LocalNode, *topics: str, **options: Any) -> None:
        self.ready: list[bool] = []

        def program() -> list[Any]:
            for topic in topics:
                PubSub.subscribe(topic, **options)
            self.ready.append(True)
            got = []
            while (message := receive(timeout=HANG)) != "report":
                got.append(message)
            return got

        self._node = node
        self._running = Running(node, program)
        self.pid = self._running.pid
        until(lambda: bool(self.ready))

    def got(self) -> list[Any]:
        """What it has got before this, of this node's processes and in the order of a sender's messages."""
        run(self._node, lambda: send(self.pid, "report"))
        return list(self._running.outcome())

    def outcome(self) -> list[Any]:
        """What it has got before another process sent it `"report"`."""
        return list(self._running.outcome())


@pytest.fixture
def pair(nodes: LocalNodes) -> tuple[LocalNode, LocalNode]:
    """Two connected nodes."""
    a, b = nodes.start("a"), nodes.start("b")
    assert run(a, lambda: Node.connect("b@test")) is True
    return a, b


class TestOneNode:
    def test_b1_publisher_gets_its_own_message_if_it_has_subscribed(self, node: LocalNode) -> None:
        def program() -> Any:
            return PubSub.subscribe("t"), PubSub.broadcast("t", ("m", 1)), receive(timeout=HANG)

        assert run(node, program) == ("ok", "ok", ("m", 1))

    def test_b2_subscribed_twice_gets_everything_twice(self, node: LocalNode) -> None:
        def program() -> Any:
            PubSub.subscribe("t")
            PubSub.subscribe("t")
            PubSub.broadcast("t", "m")
            return all_received(), PubSub.subscribers("t") == [own_pid(), own_pid()]

        assert run(node, program) == (["m", "m"], True)

    def test_b3_broadcast_from_is_for_all_but_that_process(self, node: LocalNode) -> None:
        other = Listener(node, "t")

        def program() -> Any:
            PubSub.subscribe("t")
            done = (
                PubSub.broadcast_from(own_pid(), "t", "m"),
                PubSub.local_broadcast_from(own_pid(), "t", "n"),
            )
            return done, all_received()

        assert run(node, program) == (("ok", "ok"), [])
        assert other.got() == ["m", "n"]

    def test_b5_to_no_subscriber_is_ok(self, node: LocalNode) -> None:
        assert run(node, lambda: PubSub.broadcast("nobody listens", 1)) == "ok"

    def test_b6_of_an_unknown_instance_is_refused(self, node: LocalNode) -> None:
        for use in (
            lambda: PubSub.broadcast("t", 1, pubsub="NOPE"),
            lambda: PubSub.subscribe("t", pubsub="NOPE"),
            lambda: PubSub.unsubscribe("t", pubsub="NOPE"),
            lambda: PubSub.subscribers("t", pubsub="NOPE"),
            lambda: PubSub.direct_broadcast("a", "t", 1, pubsub="NOPE"),
            lambda: PubSub.broadcast("t", 1, pubsub=1),  # type: ignore[arg-type]
        ):
            with pytest.raises(
                ValueError, match=r"unknown PubSub: .* is not started on this node, which has 'pubsub' \("
            ):
                run(node, use)

    def test_b7_unsubscribe_drops_all_of_that_topic(self, node: LocalNode) -> None:
        def program() -> Any:
            PubSub.subscribe("t")
            PubSub.subscribe("t")
            PubSub.subscribe("u")
            done = PubSub.unsubscribe("t"), PubSub.unsubscribe("t"), PubSub.unsubscribe("never")
            PubSub.broadcast("t", "m")
            PubSub.broadcast("u", "n")
            return done, all_received()

        assert run(node, program) == (("ok", "ok", "ok"), ["n"])

    def test_unsubscribe_of_many_is_carried_out_in_portions(
        self, node: LocalNode, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dropped: list[int] = []
        drop = Keys.drop

        def noted(keys: Keys, space: Any, entries: Any) -> None:
            dropped.append(len(entries))
            drop(keys, space, entries)

        def program() -> Any:
            for _ in range(2 * BATCH + 50):
                PubSub.subscribe("t")
            monkeypatch.setattr(Keys, "drop", noted)
            return PubSub.unsubscribe("t"), PubSub.subscribers("t")

        assert run(node, program) == ("ok", [])
        assert dropped == [50, BATCH, BATCH]

    @pytest.mark.parametrize("topic", [1, b"t", None, ("t",), ["t"]])
    def test_b8_topic_is_a_str(self, node: LocalNode, topic: Any) -> None:
        for use in (PubSub.subscribe, PubSub.unsubscribe, PubSub.subscribers):
            with pytest.raises(TypeError, match="a topic is a str, not"):
                run(node, functools.partial(use, topic))
        with pytest.raises(TypeError, match="a topic is a str, not"):
            run(node, lambda: PubSub.broadcast(topic, 1))

    def test_topic_has_a_limit_of_length(self, node: LocalNode) -> None:
        with pytest.raises(ValueError, match=r"a topic has at most 4,096 bytes as a message, not 5,003"):
            run(node, lambda: PubSub.subscribe("t" * 5000))

    def test_topics_match_exactly(self, node: LocalNode) -> None:
        def program() -> Any:
            PubSub.subscribe("room:1")
            for topic in ("room", "room:", "room:10", "ROOM:1", "room:*"):
                PubSub.broadcast(topic, topic)
            return all_received()

        assert run(node, program) == []

    def test_b9_two_thousand_of_one_process_stay_in_order(self, node: LocalNode) -> None:
        listener = Listener(node, "t")

        def program() -> None:
            for number in range(2000):
                PubSub.broadcast("t", number)
            send(listener.pid, "report")

        run(node, program)
        assert listener.outcome() == list(range(2000))

    def test_b13_ended_subscriber_has_unsubscribed(self, node: LocalNode) -> None:
        def program() -> Any:
            pid = spawn(lambda: (PubSub.subscribe("t"), receive("end")))
            until(lambda: PubSub.subscribers("t") == [pid])
            ref = Process.monitor(pid)
            send(pid, "end")
            receive(("DOWN", ref, "process", ..., ...), timeout=HANG)
            return PubSub.subscribers("t"), PubSub.broadcast("t", "m")

        assert run(node, program) == ([], "ok")

    def test_message_is_data_and_each_subscriber_has_its_own(self, node: LocalNode) -> None:
        def program() -> Any:
            PubSub.subscribe("t")
            PubSub.subscribe("t")
            message = {"list": [1]}
            PubSub.broadcast("t", message)
            one, other = receive(timeout=HANG), receive(timeout=HANG)
            one["list"].append(2)
            return message, other

        assert run(node, program) == ({"list": [1]}, {"list": [1]})
        with pytest.raises(EncodeError, match=r"cannot send message\[1\]: <object object"):
            run(node, lambda: PubSub.broadcast("t", (1, object())))
        with pytest.raises(EncodeError, match=r"cannot send metadata\['x'\]: <object object"):
            run(node, lambda: PubSub.subscribe("t", metadata={"x": object()}))

    def test_subscribing_is_for_processes_and_broadcasting_for_all(self, node: LocalNode) -> None:
        listener = Listener(node, "t")
        with pytest.raises(NotAProcess, match=r"PubSub\.subscribe\(\)"):
            PubSub.subscribe("t")
        assert PubSub.broadcast("t", "of a thread") == "ok"
        assert listener.got() == ["of a thread"]

    def test_thousands_of_subscribers_are_reached_in_portions(self, node: LocalNode) -> None:
        async def subscriber(to: Pid) -> None:
            PubSub.subscribe("t")
            send(to, "ready")
            await aio.receive("m")
            send(to, "got")

        def program() -> Any:
            for _ in range(1000):
                spawn_link(subscriber, own_pid())
            for _ in range(1000):
                receive("ready", timeout=HANG)
            PubSub.broadcast("t", "m")
            for _ in range(1000):
                receive("got", timeout=HANG)
            return all_received()

        assert as_process(node, program, hang=60.0) == []
        assert not node.kernel.tables.fan_outs.queue


class TestInterrupted:
    """A sender that comes no further than its kernel call has broadcast to all the same."""

    def test_transport_delivers_the_rest(self, node: LocalNode) -> None:
        in_kernel(node, setattr, node.kernel.tables.fan_outs, "portion", 1)
        those = [Listener(node, "t") for _ in range(5)]

        def program() -> None:
            _enter(broadcast_of("t", "m", "pubsub"))
            raise Exit("interrupted")

        with pytest.raises(Exit):
            run(node, program)
        until(lambda: not node.kernel.tables.fan_outs.queue)
        assert [one.got() for one in those] == [["m"]] * 5

    def test_broadcast_of_a_finalizer_is_made_at_the_end_of_its_kernel_call(self, node: LocalNode) -> None:
        def program() -> Any:
            PubSub.subscribe("t")
            with node.kernel_call:
                done = PubSub.broadcast("t", "m"), PubSub.direct_broadcast("a", "t", "n")
            return done, all_received()

        assert run(node, program) == (("ok", "ok"), ["m"])


class TestSeveralNodes:
    def test_reaches_subscribers_on_all_visible_nodes(self, pair: tuple[LocalNode, LocalNode]) -> None:
        a, b = pair
        here, there = Listener(a, "t"), Listener(b, "t")

        def program() -> None:
            PubSub.broadcast("t", {"m": [1]})
            send(here.pid, "report")
            send(seen_from(a, b, there.pid), "report")

        run(a, program)
        assert here.outcome() == there.outcome() == [{"m": [1]}]

    def test_b3_skips_a_process_of_another_node(self, pair: tuple[LocalNode, LocalNode]) -> None:
        a, b = pair
        skipped, other = Listener(b, "t"), Listener(b, "t")

        def program() -> None:
            PubSub.broadcast_from(seen_from(a, b, skipped.pid), "t", "m")
            for one in (skipped, other):
                send(seen_from(a, b, one.pid), "report")

        run(a, program)
        assert (skipped.outcome(), other.outcome()) == ([], ["m"])

    def test_b4_local_and_direct_broadcasts(self, pair: tuple[LocalNode, LocalNode]) -> None:
        a, b = pair
        here, there = Listener(a, "t"), Listener(b, "t")

        def program() -> Any:
            done = [
                PubSub.local_broadcast("t", "local"),
                PubSub.direct_broadcast("a@test", "t", "here"),
                PubSub.direct_broadcast("b@test", "t", "there"),
                PubSub.direct_broadcast("b", "t", "short"),
                PubSub.direct_broadcast("nobody@test", "t", "lost"),
            ]
            send(here.pid, "report")
            send(seen_from(a, b, there.pid), "report")
            return done

        assert run(a, program) == ["ok"] * 5
        assert here.outcome() == ["local", "here"]
        assert there.outcome() == ["there", "short"]
        with pytest.raises(NodeNameInvalid):
            run(a, lambda: PubSub.direct_broadcast("no name", "t", 1))

    def test_direct_broadcast_connects(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        there = Listener(b, "t")

        def program() -> None:
            PubSub.direct_broadcast("b", "t", "m")
            send(seen_from(a, b, there.pid), "report")

        run(a, program)
        assert there.outcome() == ["m"]

    def test_takes_its_place_among_the_messages_of_its_sender(
        self, pair: tuple[LocalNode, LocalNode]
    ) -> None:
        a, b = pair
        in_kernel(b, setattr, b.kernel.tables.fan_outs, "portion", 2)
        others = [Listener(b, "t") for _ in range(3)]
        there = Listener(b, "t")

        def program() -> None:
            to = seen_from(a, b, there.pid)
            for number in range(2000):
                PubSub.broadcast("t", number)
                send(to, -number)
            send(to, "report")

        run(a, program)
        assert there.outcome() == [sign * number for number in range(2000) for sign in (1, -1)]
        until(lambda: not b.kernel.tables.fan_outs.queue)
        assert [one.got() for one in others] == [list(range(2000))] * 3

    def test_answer_of_a_call_comes_behind_it(self, pair: tuple[LocalNode, LocalNode]) -> None:
        a, _ = pair
        in_kernel(a, setattr, a.kernel.tables.fan_outs, "portion", 2)
        for _ in range(4):
            Listener(a, "t")

        def program() -> Any:
            PubSub.subscribe("t")
            rpc.call("b@test", PubSub.broadcast, "t", "m")
            return all_received()

        assert run(a, program) == ["m"]

    def test_b11_reaches_its_own_side_of_a_partition_alone(self, pair: tuple[LocalNode, LocalNode]) -> None:
        a, b = pair
        here, there = Listener(a, "t"), Listener(b, "t")
        run(a, lambda: Node.disconnect("b"))
        assert run(a, lambda: PubSub.broadcast("t", "m")) == "ok"
        assert (here.got(), there.got()) == (["m"], [])

    def test_b12_first_one_after_nodeup_arrives(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        there = Listener(b, "t")

        def program() -> None:
            Node.monitor_nodes(True)
            for number in range(NODEUPS):
                Node.connect("b")
                receive(("nodeup", "b@test"), timeout=HANG)
                PubSub.broadcast("t", number)
                rpc.call("b", Node.self)  # comes behind it, as a ping may not
                Node.disconnect("b")
                receive(("nodedown", "b@test"), timeout=HANG)

        as_process(a, program, hang=110.0)
        assert there.got() == list(range(NODEUPS))

    def test_is_encoded_once_for_all_nodes(self, nodes: LocalNodes, monkeypatch: pytest.MonkeyPatch) -> None:
        a, *others = (nodes.start(name) for name in "abcd")
        listeners = [Listener(node, "t") for node in (a, *others) for _ in range(2)]
        encoded: list[Any] = []

        def counted(dest: Any, message: Any, limit: int) -> Any:
            encoded.append(message)
            return encode_for(dest, message, limit)

        def program() -> None:
            for node in others:
                assert Node.connect(node.kernel.tables.name) is True
            monkeypatch.setattr(publishing, "encode_for", counted)
            PubSub.broadcast("t", {"m": [1]})
            for node, one in zip([a, a, *(node for node in others for _ in "12")], listeners, strict=True):
                send(seen_from(a, node, one.pid) if node is not a else one.pid, "report")

        run(a, program)
        assert [one.outcome() for one in listeners] == [[{"m": [1]}]] * 8
        assert encoded == [{"m": [1]}]

    def test_of_a_hidden_node_stays_there(self, nodes: LocalNodes) -> None:
        a, b = nodes.start("a"), nodes.start("b", hidden=True)
        run(a, lambda: Node.connect("b"))
        here, there = Listener(a, "t"), Listener(b, "t")
        run(a, lambda: (PubSub.broadcast("t", 1), Node.ping("b")))
        run(b, lambda: (PubSub.broadcast("t", 2), Node.ping("a")))
        assert (here.got(), there.got()) == ([1], [2])

    @pytest.mark.parametrize("policy", ["exported", "off"])
    def test_peers_publish_and_track_under_every_policy(self, nodes: LocalNodes, policy: str) -> None:
        a, b = nodes.start("a"), nodes.start("b", rpc=policy)
        assert run(a, lambda: Node.connect("b")) is True
        there = Listener(b, "room")

        def program() -> None:
            PubSub.broadcast("room", "m")
            Presence.track("room", "gus")
            send(seen_from(a, b, there.pid), "report")

        run(a, program)
        message, diff = there.outcome()
        assert (message, diff[:2], list(diff[2]["joins"])) == ("m", ("presence_diff", "room"), ["gus"])

    def test_large_message_goes_in_fragments(self, pair: tuple[LocalNode, LocalNode]) -> None:
        a, b = pair
        there = Listener(b, "t")

        def program() -> None:
            for size in (5_000, 300_000):
                PubSub.broadcast("t", b"x" * size)
            send(seen_from(a, b, there.pid), "report")

        run(a, program)
        assert [len(one) for one in there.outcome()] == [5_000, 300_000]

    def test_node_name_is_that_of_this_node(self, nodes: LocalNodes) -> None:
        assert run(nodes.make(), PubSub.node_name) == "nonode@nohost"
        assert run(nodes.start("b"), PubSub.node_name) == "b@test"


class TestBackPressure:
    def test_full_mailbox_of_a_subscriber_makes_the_sender_wait(self, node: LocalNode) -> None:
        def subscriber(to: Pid) -> None:
            Process.flag("max_mailbox", (10, "block"))
            PubSub.subscribe("t")
            send(to, "ready")
            receive("go on", timeout=HANG)
            got = [receive(timeout=HANG) for _ in range(20)]
            send(to, got)

        sent: list[int] = []

        def publisher() -> None:
            for number in range(20):
                PubSub.broadcast("t", number)
                sent.append(number)

        def program() -> Any:
            pid = spawn(subscriber, own_pid())
            receive("ready", timeout=HANG)
            waiting = spawn(publisher)
            until(lambda: Process.info(waiting, "status") == ("status", "waiting"))
            before = len(sent)
            send(pid, "go on")
            return before, receive(timeout=HANG)

        assert run(node, program) == (9, list(range(20)))

    def fill(self, a: LocalNode, queued: int) -> None:
        """Makes the queue for b seem that long, until `empty`."""
        in_kernel(a, setattr, peer_of(a, "b").out, "enqueued", peer_of(a, "b").out.enqueued + queued)

    def empty(self, a: LocalNode) -> None:
        def nothing_is_queued() -> None:
            out = peer_of(a, "b").out
            out.written = out.enqueued
            out.waiters.wake()

        in_kernel(a, nothing_is_queued)

    def test_busy_node_makes_the_sender_wait(self, pair: tuple[LocalNode, LocalNode]) -> None:
        a, _ = pair
        self.fill(a, HIGH_WATER_BYTES)
        sent = Running(a, lambda: PubSub.broadcast("t", "m"))
        until(lambda: bool(peer_of(a, "b").out.waiters))
        self.empty(a)
        assert sent.outcome() == "ok"

    def test_nosuspend_leaves_a_busy_node_out(self, pair: tuple[LocalNode, LocalNode]) -> None:
        a, _ = pair
        assert run(a, lambda: PubSub.broadcast("t", "m", nosuspend=True)) == []
        self.fill(a, HIGH_WATER_BYTES)
        here = Listener(a, "t")
        assert run(a, lambda: PubSub.broadcast("t", "m", nosuspend=True)) == ["b@test"]
        assert run(a, lambda: PubSub.direct_broadcast("b", "t", "m", nosuspend=True)) == ["b@test"]
        assert here.got() == ["m"]
        self.empty(a)

    def test_sender_that_cannot_wait_is_refused_and_its_twin_waits(
        self, pair: tuple[LocalNode, LocalNode]
    ) -> None:
        a, _ = pair
        self.fill(a, REFUSED_BYTES + 1)
        here = Listener(a, "t")
        for use in (PubSub.broadcast, functools.partial(PubSub.direct_broadcast, "b")):
            with pytest.raises(NodeBusy):
                use("t", "refused")
        assert PubSub.local_broadcast("t", "local") == "ok"

        async def waits() -> Any:
            return await aio.PubSub.broadcast("t", "m")

        sent: list[Any] = []

        async def program() -> None:
            sent.append(await waits())

        a.processes.spawn(program, ())
        until(lambda: bool(peer_of(a, "b").out.waiters))
        self.empty(a)
        until(lambda: sent == ["ok"])
        assert here.got() == ["local", "m"]


def test_twins_are_awaitable(pair: tuple[LocalNode, LocalNode]) -> None:
    a, b = pair
    here, there = Listener(a, "t"), Listener(b, "t")

    async def program(to: Pid) -> None:
        await aio.PubSub.broadcast("t", 1)
        await aio.PubSub.broadcast_from(own_pid(), "t", 2)
        await aio.PubSub.direct_broadcast("b", "t", 3)
        await aio.PubSub.local_broadcast("t", 4)
        await aio.PubSub.local_broadcast_from(here.pid, "t", 5)
        await aio.PubSub.local_broadcast_from(own_pid(), "t", 6)
        send(to, "report")

    a.processes.spawn(program, (seen_from(a, b, there.pid),))
    assert there.outcome() == [1, 2, 3]
    assert here.got() == [1, 2, 4, 6]
