"""broadcasts.py, fan_outs.py: broadcasts to mailboxes here, in portions, and as one signal to each peer."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from pyx.core.broadcasts import PUBSUB
from pyx.core.effects import ContinueFanOuts, Wake
from pyx.core.fan_outs import FanOut
from pyx.core.holder_blocks import BLOCK, HolderBlocks
from pyx.core.mailbox import Downed, Exited, NodeDown, NodeUp, Published
from pyx.core.outbox import HIGH_WATER_BYTES
from pyx.core.spaces import PLAIN_USE, Space, SpaceUse
from pyx.signals import Payload, Publish
from pyx.terms import Ref
from tests.core.conversation import Node, World, messages, seen_from

if TYPE_CHECKING:
    from pyx.core.peers import Peer
    from pyx.core.processes import ProcessRecord
    from pyx.terms import Pid

NODEUPS = int(os.environ.get("PYX_NODEUPS", "1000"))

T, U = b"\xa1t", b"\xa1u"
NIL = Payload(b"")


def body(text: str) -> Payload:
    return Payload(text.encode())


def subscriptions(node: Node, use: SpaceUse = PLAIN_USE, owner: ProcessRecord | None = None) -> Space:
    """The space of the instance `p`, opened if it is not."""
    node.keys.open_space(PUBSUB + "p", owner=owner, unique=False, replicated=False, use=use)
    return node.tables.spaces[PUBSUB + "p"]


def subscriber(node: Node, topic: bytes = T, times: int = 1) -> ProcessRecord:
    """A new process that has subscribed."""
    process = node.process()
    node.keys.hold(subscriptions(node), topic, NIL, [process] * times)
    return process


def broadcast(
    node: Node, frm: ProcessRecord | None, text: str, *, topic: bytes = T, skip: Pid | None = None
) -> FanOut | None:
    """What `PubSub.broadcast_from` does in its kernel call."""
    pid = frm.pid if frm is not None else None
    node.broadcasts.publish_to_peers(Publish(pid, skip, "p", topic, body(text)))
    return node.broadcasts.publish(pid, subscriptions(node), topic, body(text), skip=skip)


def texts(process: ProcessRecord) -> list[str]:
    """The messages in a mailbox, emptied."""
    items: list[Any] = process.mailbox.snapshot()
    return [bytes(item.data).decode() if type(item) is Payload else type(item).__name__ for item in items]


@pytest.fixture
def node() -> Node:
    node = Node("a@h", 1)
    node.tables.fan_outs.portion = 2
    return node


@pytest.fixture
def world() -> World:
    """Nodes a and b, connected, which deliver to two mailboxes at a time."""
    world = World("a@h", "b@h")
    for name in world.names:
        world[name].tables.fan_outs.portion = 2
        subscriptions(world[name])
    world.connect("a@h", "b@h")
    return world


class TestOnThisNode:
    def test_reaches_each_subscription_and_no_other_topic(self, node: Node) -> None:
        gus, other = subscriber(node, times=2), subscriber(node, U)
        assert broadcast(node, node.process(), "m") is None
        assert (texts(gus), texts(other)) == (["m", "m"], [])

    def test_leaves_out_the_skipped_process(self, node: Node) -> None:
        gus, bob = subscriber(node), subscriber(node)
        broadcast(node, gus, "m", skip=gus.pid)
        assert (texts(gus), texts(bob)) == ([], ["m"])

    def test_reaches_no_ended_process(self, node: Node) -> None:
        gus, bob = subscriber(node), subscriber(node)
        node.process_signals.process_exited(gus, "normal")
        broadcast(node, None, "m")
        assert (texts(gus), texts(bob)) == ([], ["m"])

    def test_of_an_instance_with_a_dispatcher_goes_to_its_process(self, node: Node) -> None:
        owner = node.process()
        subscriptions(node, SpaceUse(dispatches=True), owner)
        gus = subscriber(node)
        broadcast(node, gus, "m", skip=gus.pid)
        assert texts(gus) == []
        assert messages(owner) == [Published(gus.pid, T, body("m"))]


class TestFanOut:
    def test_goes_on_in_portions(self, node: Node) -> None:
        those = [subscriber(node) for _ in range(5)]
        fan_out = broadcast(node, node.process(), "m")
        assert fan_out is not None
        assert [texts(one) for one in those] == [["m"], ["m"], [], [], []]
        assert node.saw(ContinueFanOuts) == [ContinueFanOuts()]
        node.broadcasts.continue_fan_outs()
        assert [texts(one) for one in those] == [["m"]] * 4 + [[]]
        node.broadcasts.continue_fan_outs()
        assert [texts(one) for one in those] == [["m"]] * 5
        assert fan_out.is_done
        assert len(node.saw(ContinueFanOuts)) == 2
        assert not node.tables.fan_outs.queue
        assert not node.tables.fan_outs.latest

    def test_wakes_when_all_is_appended_and_in_portions(self, node: Node) -> None:
        those = [subscriber(node) for _ in range(3)]
        for one in those:
            one.waiting = True
        broadcast(node, None, "m")
        assert node.saw(Wake) == []
        node.broadcasts.go_on()
        assert [effect.process for effect in node.saw(Wake)] == those[:1]
        node.broadcasts.go_on()
        assert [effect.process for effect in node.saw(Wake)] == those
        assert not any(one.waiting for one in those)

    def test_receiver_that_was_woken_by_another_message_is_not_woken_again(self, node: Node) -> None:
        those = [subscriber(node) for _ in range(3)]
        those[0].waiting = True
        broadcast(node, None, "m")
        node.router.send(None, those[0].pid, body("other"))
        node.broadcasts.go_on()
        node.broadcasts.go_on()
        assert len(node.saw(Wake)) == 1

    def test_who_unsubscribes_or_subscribes_meanwhile_gets_nothing(self, node: Node) -> None:
        those = [subscriber(node) for _ in range(4)]
        broadcast(node, None, "m")
        node.keys.let_go(subscriptions(node), T, [those[3]])
        node.keys.hold(subscriptions(node), T, NIL, [those[3]])
        late = subscriber(node)
        node.broadcasts.go_on()
        assert (texts(those[2]), texts(those[3]), texts(late)) == (["m"], [], [])

    def test_those_that_wait_follow_what_comes_and_goes_meanwhile(self, node: Node) -> None:
        those = [subscriber(node) for _ in range(6)]
        gus = node.process()
        broadcast(node, gus, "a")
        broadcast(node, gus, "b")
        node.keys.drop(subscriptions(node), node.keys.held_by(those[5], subscriptions(node)))
        broadcast(node, gus, "c")
        those.append(subscriber(node))
        broadcast(node, gus, "d")
        while node.tables.fan_outs.queue:
            node.broadcasts.go_on()
        assert [texts(one) for one in those] == [["a", "b", "c", "d"]] * 5 + [[], ["d"]]

    def test_of_many_receivers_no_step_looks_at_more_than_a_block_and_a_portion(
        self, node: Node, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[int] = []
        entries_after = Space.entries_after

        def noted(space: Space, *args: Any) -> Any:
            found = entries_after(space, *args)
            seen.append(len(found))
            return found

        monkeypatch.setattr(Space, "entries_after", noted)
        those = [subscriber(node) for _ in range(4 * BLOCK)]
        assert type(subscriptions(node).holders[T]) is HolderBlocks
        node.tables.fan_outs.portion = BLOCK - 1
        broadcast(node, node.process(), "m")
        subscriber(node)
        for each in those[::2]:  # they end in the middle of it
            node.process_signals.process_exited(each, "normal")
        while node.tables.fan_outs.queue:
            node.broadcasts.go_on()
        assert all(texts(each) == ["m"] for each in those[1::2])
        assert max(seen) == BLOCK - 1
        assert sum(seen) <= len(those)

    def test_broadcast_of_the_same_sender_waits_behind_it(self, node: Node) -> None:
        those = [subscriber(node) for _ in range(4)]
        alone, gus = subscriber(node, U), node.process()
        broadcast(node, gus, "first")
        broadcast(node, gus, "second")
        broadcast(node, gus, "to one", topic=U)
        while node.tables.fan_outs.queue:
            node.broadcasts.go_on()
        assert [texts(one) for one in those] == [["first", "second"]] * 4
        assert texts(alone) == ["to one"]

    def test_small_broadcast_of_another_sender_passes_it(self, node: Node) -> None:
        for _ in range(4):
            subscriber(node)
        alone = subscriber(node, U)
        broadcast(node, node.process(), "large")
        broadcast(node, node.process(), "small", topic=U)
        assert texts(alone) == ["small"]


class TestOrderOfOneSender:
    """What a sender does after a broadcast comes behind it, though the fan-out is not done."""

    def after(self, node: Node, act: Any) -> list[str]:
        """What the last of three subscribers gets, of which two have had their copies."""
        gus = node.process()
        *_, last = [subscriber(node) for _ in range(3)]
        broadcast(node, gus, "m")
        assert texts(last) == []
        act(gus, last)
        early = texts(last)
        node.broadcasts.go_on()
        assert texts(last) == early
        return early

    def test_messages(self, node: Node) -> None:
        def by_pid(gus: ProcessRecord, last: ProcessRecord) -> None:
            node.router.send(gus.pid, last.pid, body("behind"))

        def by_name(gus: ProcessRecord, last: ProcessRecord) -> None:
            node.registry.register(last.pid, "last")
            node.router.send(gus.pid, "last", body("behind"))

        def by_alias(gus: ProcessRecord, last: ProcessRecord) -> None:
            node.router.send(gus.pid, node.router.alias(last, once=True), body("behind"))

        for act in (by_pid, by_name, by_alias):
            assert self.after(node, act) == ["m", "behind"]
            for one in list(subscriptions(node).all()):
                node.process_signals.process_exited(one.process, "normal")

    def test_exit_and_down(self, node: Node) -> None:
        def ends(gus: ProcessRecord, last: ProcessRecord) -> None:
            node.process_signals.set_trap_exit(last, True)
            node.process_signals.link(last, gus.pid)
            node.process_signals.monitor(last, gus.pid)
            node.process_signals.process_exited(gus, "normal")

        assert self.after(node, ends) == ["m", "Exited", "Downed"]

    def test_reports_that_it_does_not_exist_any_more(self, node: Node) -> None:
        def monitors(gus: ProcessRecord, last: ProcessRecord) -> None:
            node.process_signals.process_exited(gus, "normal")
            assert texts(last) == []
            node.process_signals.monitor(last, gus.pid)

        def links(gus: ProcessRecord, last: ProcessRecord) -> None:
            node.process_signals.set_trap_exit(last, True)
            node.process_signals.process_exited(gus, "normal")
            node.process_signals.link(last, gus.pid)

        def calls(gus: ProcessRecord, last: ProcessRecord) -> None:
            node.process_signals.process_exited(gus, "normal")
            node.gen_calls.call(object(), last.pid, gus.pid, Ref(99), body("request"))

        for act, seen in ((monitors, ["m", "Downed"]), (links, ["m", "Exited"]), (calls, ["m"])):
            assert self.after(node, act) == seen
            for one in list(subscriptions(node).all()):
                node.process_signals.process_exited(one.process, "normal")

    def test_calls(self, node: Node) -> None:
        def calls(gus: ProcessRecord, last: ProcessRecord) -> None:
            node.gen_calls.call(object(), gus.pid, last.pid, Ref(99), body("request"))

        assert self.after(node, calls) == ["m", "Called"]

    def test_replies_of_a_server_to_a_caller(self, node: Node) -> None:
        def replies(gus: ProcessRecord, last: ProcessRecord) -> None:
            ref = Ref(99)
            node.gen_calls.call(object(), last.pid, gus.pid, ref, body("request"))
            node.gen_calls.reply(gus.pid, ref, body("value"))

        assert self.after(node, replies) == ["m"]

    def test_each_is_looked_at_once_for_a_receiver(self, node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
        """A sender that broadcasts and sends in turns costs no more, however much of it is on its way."""
        take_for, looked = FanOut.take_for, []

        def counted(fan_out: FanOut, process: ProcessRecord) -> int:
            looked.append(fan_out)
            return take_for(fan_out, process)

        monkeypatch.setattr(FanOut, "take_for", counted)
        gus, other = node.process(), node.process()
        *_, last = [subscriber(node) for _ in range(3)]
        for number in range(100):
            for sender in (gus, other):
                broadcast(node, sender, f"{number}")
                node.router.send(sender.pid, last.pid, body(f"-{number}"))
        assert texts(last) == [f"{sign}{number}" for number in range(100) for sign in ("", "-") * 2]
        assert len(looked) == 200

    def test_not_messages_of_another(self, node: Node) -> None:
        assert self.after_of_another(node) == ["passes"]

    def after_of_another(self, node: Node) -> list[str]:
        *_, last = [subscriber(node) for _ in range(3)]
        broadcast(node, node.process(), "m")
        node.router.send(node.process().pid, last.pid, body("passes"))
        return texts(last)


class TestBetweenNodes:
    def test_is_one_signal_for_a_node(self, world: World) -> None:
        a, gus = world["a@h"], world["a@h"].process()
        those = [subscriber(world["b@h"]) for _ in range(2)]
        broadcast(a, gus, "m")
        assert list(a.peer("b@h").out) == [Publish(gus.pid, None, "p", T, body("m"))]
        world.carry()
        assert [len(one.mailbox) for one in those] == [1, 1]

    def test_first_one_after_nodeup_arrives_every_time(self) -> None:
        """It is sent in the kernel call that tells of `nodeup`; the other node is cut off, or restarted."""
        world = World("a@h", "b@h")
        a, gus = world["a@h"], world["a@h"].process()
        subscriptions(a)
        a.membership.monitor_nodes(gus, True)
        ready = a.membership.peer_is_ready

        def noted(peer: Peer) -> None:
            ready(peer)
            assert messages(gus)[-1] == NodeUp("b@h")
            broadcast(a, gus, "m")

        a.membership.peer_is_ready = noted  # type: ignore[method-assign]
        bob = subscriber(world["b@h"])
        for number in range(NODEUPS):
            a.sessions.connect(None, "b@h", world.now)
            world.carry()
            assert len(bob.mailbox) == 1
            if number % 50:
                bob.mailbox.incoming.clear()  # type: ignore[union-attr]
                world.cut("a@h", "b@h")
            else:
                world.kill("b@h")
                bob = subscriber(world.start("b@h"))
            a.seen.clear()
            world["b@h"].seen.clear()

    def test_to_hidden_nodes_is_not_sent_and_from_them_is_dropped(self) -> None:
        world = World("a@h", "b@h", hidden=("b@h",))
        a, b = world["a@h"], world["b@h"]
        world.connect("a@h", "b@h")
        gus, bob = subscriber(a), subscriber(b)
        broadcast(a, None, "m")
        b.broadcasts.publish_to("a@h", Publish(None, None, "p", T, body("m")))
        b.router.enqueue(b.peer("a@h"), Publish(None, None, "p", T, body("m")))
        world.carry()
        assert (texts(gus), texts(bob)) == (["m"], [])

    def test_skips_a_process_of_the_other_node(self, world: World) -> None:
        a, b = world["a@h"], world["b@h"]
        bob, cat = subscriber(b), subscriber(b)
        broadcast(a, None, "m", skip=seen_from(a, b, bob.pid))
        world.carry()
        assert (len(bob.mailbox), len(cat.mailbox)) == (0, 1)

    def test_for_an_unknown_instance_or_another_space_is_dropped(self, world: World) -> None:
        a, b = world["a@h"], world["b@h"]
        b.keys.open_space("registry p", owner=None, unique=False, replicated=False)
        bob = b.process()
        b.keys.hold(b.tables.spaces["registry p"], T, NIL, [bob])
        for pubsub in ("nobody", "registry p", "../registry p"):
            a.router.enqueue(a.peer("b@h"), Publish(None, None, pubsub, T, body("m")))
        world.carry()
        assert texts(bob) == []

    def test_order_of_a_remote_sender_is_kept_while_it_fans_out(self, world: World) -> None:
        a, b = world["a@h"], world["b@h"]
        gus = a.process()
        those = [subscriber(b) for _ in range(5)]
        b.process_signals.monitor(those[4], seen_from(b, a, gus.pid))
        world.carry()
        broadcast(a, gus, "m")
        a.router.send(gus.pid, seen_from(a, b, those[4].pid), body("behind"))
        a.process_signals.process_exited(gus, "normal")
        world.carry()
        assert [type(item) for item in messages(those[4])] == [Payload, Payload, Downed]
        assert [len(one.mailbox) for one in those[:4]] == [1, 1, 0, 0]
        b.broadcasts.continue_fan_outs()
        assert [len(one.mailbox) for one in those[:4]] == [1, 1, 1, 1]

    def test_loss_of_the_node_comes_behind_it(self, world: World) -> None:
        a, b = world["a@h"], world["b@h"]
        gus = a.process()
        those = [subscriber(b) for _ in range(4)]
        b.process_signals.set_trap_exit(those[3], True)
        b.process_signals.link(those[3], seen_from(b, a, gus.pid))
        b.membership.monitor_node(those[3], "a@h", True)
        world.carry()
        broadcast(a, gus, "m")
        world.carry()
        world.cut("a@h", "b@h")
        assert [type(item) for item in messages(those[3])] == [Payload, Exited, NodeDown]

    def test_counts_in_the_load_of_its_peer_until_it_is_delivered(self, world: World) -> None:
        a, b = world["a@h"], world["b@h"]
        for _ in range(5):
            subscriber(b)
        before = b.peer("a@h").out.load
        broadcast(a, a.process(), "m")
        world.carry()
        assert b.peer("a@h").out.load > before
        while b.tables.fan_outs.queue:
            b.broadcasts.continue_fan_outs()
        assert b.peer("a@h").out.load == before

    def test_many_small_ones_of_one_read_are_delivered_in_several_calls(self, world: World) -> None:
        a, b = world["a@h"], world["b@h"]
        bob, gus = subscriber(b), a.process()
        for number in range(5):
            broadcast(a, gus, f"{number}")
        a.router.send(gus.pid, seen_from(a, b, b.process().pid), body("to another"))
        world.carry_between("a@h", "b@h")
        assert texts(bob) == ["0", "1"]
        while b.tables.fan_outs.queue:
            b.broadcasts.continue_fan_outs()
        assert texts(bob) == ["0", "1", "2", "3", "4"]

    def test_leaves_out_a_busy_peer_if_asked_to(self, world: World) -> None:
        a = world["a@h"]
        signal = Publish(None, None, "p", T, Payload(b"x" * HIGH_WATER_BYTES))
        out = a.peer("b@h").out
        assert a.broadcasts.publish_to_peers(signal, nosuspend=True) == ([out], [])
        assert a.broadcasts.publish_to_peers(signal, nosuspend=True) == ([], ["b@h"])
        assert a.broadcasts.publish_to("b@h", signal, nosuspend=True) == ([], ["b@h"])
        assert a.broadcasts.publish_to("b@h", signal) == ([out], [])
        assert len(out) == 2
