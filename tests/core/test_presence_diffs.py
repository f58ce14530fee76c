"""presence_diffs.py: one diff for each step; a lost node that comes back in time is not missed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest

from pyx.core.broadcasts import PUBSUB
from pyx.core.effects import HoldBack
from pyx.core.keys import BATCH
from pyx.core.mailbox import NodeDown, NodeUp, PresenceChanged
from pyx.core.spaces import SpaceUse
from pyx.signals import Payload, Publish
from tests.core.conversation import Node, World, messages

if TYPE_CHECKING:
    from pyx.core.processes import ProcessRecord
    from pyx.core.spaces import Space

T, U = b"\xa1t", b"\xa1u"


def value(text: str) -> Payload:
    return Payload(text.encode())


def opened(node: Node, down_after: float = 0.0) -> Space:
    """The space of presences of a node, told to the subscribers of the instance `p`."""
    node.keys.open_space(PUBSUB + "p", owner=None, unique=False, replicated=False)
    use = SpaceUse(diffs_to="p", down_after=down_after)
    node.keys.open_space("presence r", owner=None, unique=False, replicated=True, use=use)
    return node.tables.spaces["presence r"]


def track(node: Node, process: ProcessRecord, text: str, topic: bytes = T) -> None:
    node.keys.hold(opened(node), topic, value(text), [process], label=text)


def ear(node: Node, topic: bytes = T) -> ProcessRecord:
    """A subscriber of the topic."""
    process = node.process()
    node.keys.hold(node.tables.spaces[PUBSUB + "p"], topic, value(""), [process])
    return process


def diffs(process: ProcessRecord) -> list[tuple[list[str], list[str]]]:
    """The joins and leaves of each diff in a mailbox, which is emptied."""
    found = [item for item in process.mailbox.snapshot() if type(item) is PresenceChanged]
    process.mailbox.discard(lambda item: type(item) is PresenceChanged)
    return [
        (
            [bytes(held.value.data).decode() for held in one.joins],
            [bytes(held.value.data).decode() for held in one.leaves],
        )
        for one in found
    ]


@pytest.fixture
def world() -> World:
    world = World("a@h", "b@h")
    for name in world.names:
        opened(world[name])
    return world


class Compared(str):
    """A label that notes what it is compared with."""

    __slots__ = ()
    others: ClassVar[list[object]] = []

    def __eq__(self, other: object) -> bool:
        self.others.append(other)
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def test_track_update_untrack_and_end_are_a_diff_each(world: World) -> None:
    a = world["a@h"]
    hears, gus = ear(a), a.process()
    track(a, gus, "one")
    entry = a.keys.labelled(gus, opened(a), T, "one")
    assert entry is not None
    a.keys.replace(entry, value("two"))
    a.keys.drop(opened(a), [entry])
    assert diffs(hears) == [(["one"], []), (["two"], ["one"]), ([], ["two"])]
    track(a, gus, "three")
    track(a, gus, "four")
    a.process_signals.process_exited(gus, "normal")
    assert diffs(hears) == [(["three"], []), (["four"], []), ([], ["three", "four"])]


@pytest.mark.parametrize("portion", [1, 256], ids=["long fan-out", "at once"])
def test_subscriber_since_the_end_of_a_process_is_not_told_of_its_leaves(world: World, portion: int) -> None:
    a = world["a@h"]
    a.tables.exit_notices.portion, a.tables.fan_outs.portion = 1, portion
    gus, bob = a.process(), a.process()
    for topic in (T, U):
        a.keys.hold(opened(a), topic, value("gus"), [gus] * BATCH)
    before = ear(a, U)
    a.process_signals.process_exited(gus, "normal")  # a portion: the entries in T
    after = ear(a, U)
    a.keys.hold(a.tables.spaces[PUBSUB + "p"], U, value(""), [before])
    track(a, bob, "bob", U)
    a.process_signals.process_exited(bob, "normal")
    while a.tables.exit_notices:
        a.continue_exits()
    while a.tables.fan_outs.queue:
        a.broadcasts.continue_fan_outs()
    joined: tuple[list[str], list[str]] = (["bob"], [])
    left: tuple[list[str], list[str]] = ([], ["bob"])
    assert diffs(after) == [joined, left]
    assert diffs(before) == [joined, joined, ([], ["gus"] * BATCH), left, left]


def test_entry_of_a_process_with_thousands_is_found_by_its_label(world: World) -> None:
    a = world["a@h"]
    space, gus = opened(a), a.process()
    for number in range(5_000):
        track(a, gus, str(number))
    track(a, gus, "")
    held = {entry.label: entry for entry in a.keys.held_by(gus, space, T)}
    assert len(held) == 5_001
    for label in ("0", "4999", ""):
        assert a.keys.labelled(gus, space, T, label) is held[label]
        a.keys.drop(space, [held[label]])
        assert a.keys.labelled(gus, space, T, label) is None
    label = Compared("4998")
    assert a.keys.labelled(gus, space, T, label) is held["4998"]
    assert len(label.others) == 1


def test_other_nodes_are_told_of_the_same(world: World) -> None:
    a, b = world["a@h"], world["b@h"]
    world.connect("a@h", "b@h")
    hears, bob = ear(a), b.process()
    track(b, bob, "one")
    entry = b.keys.labelled(bob, opened(b), T, "one")
    assert entry is not None
    b.keys.replace(entry, value("two"))
    b.process_signals.process_exited(bob, "normal")
    world.carry()
    assert diffs(hears) == [(["one"], []), (["two"], ["one"]), ([], ["two"])]


def test_node_that_comes_or_goes_is_one_diff_for_each_topic(world: World) -> None:
    a, b = world["a@h"], world["b@h"]
    hears, hears_u = ear(a), ear(a, U)
    a.membership.monitor_nodes(hears, True)
    bob, cat = b.process(), b.process()
    track(b, bob, "bob")
    track(b, cat, "cat")
    track(b, cat, "cat in u", U)
    world.connect("a@h", "b@h")
    world.cut("a@h", "b@h")
    kinds = [type(item) for item in messages(hears)]
    assert kinds == [PresenceChanged, NodeUp, PresenceChanged, NodeDown]
    assert diffs(hears) == [(["bob", "cat"], []), ([], ["bob", "cat"])]
    assert diffs(hears_u) == [(["cat in u"], []), ([], ["cat in u"])]


def test_diffs_of_many_topics_are_given_out_in_portions(world: World) -> None:
    a, b = world["a@h"], world["b@h"]
    a.tables.fan_outs.portion = 2
    ears = []
    for number in range(5):
        topic = bytes((0xA1, 65 + number))
        ears.append(ear(a, topic))
        track(b, b.process(), "bob", topic)
    world.connect("a@h", "b@h")
    assert sum(len(diffs(one)) for one in ears) == 2
    while a.tables.fan_outs.queue:
        a.broadcasts.continue_fan_outs()
    assert sum(len(diffs(one)) for one in ears) == 3


class TestHeldBack:
    @pytest.fixture
    def world(self) -> World:
        """Nodes that hold the loss of another back for a second."""
        world = World("a@h", "b@h")
        for name in world.names:
            opened(world[name], 1.0)
        return world

    def lost(self, world: World) -> tuple[ProcessRecord, HoldBack]:
        """A subscriber of a that has heard of two processes of b, which is lost now."""
        a, b = world["a@h"], world["b@h"]
        hears = ear(a)
        for name in ("bob", "cat"):
            track(b, b.process(), name)
        world.connect("a@h", "b@h")
        assert diffs(hears) == [(["bob", "cat"], [])]
        world.cut("a@h", "b@h")
        [effect] = a.saw(HoldBack)
        return hears, effect

    def known(self, world: World) -> list[str]:
        a = world["a@h"]
        found = a.groups.members(opened(a), T) + a.presence_diffs.absent(opened(a), T)
        return [bytes(held.value.data).decode() for held in found]

    def test_loss_is_told_when_the_time_is_over(self, world: World) -> None:
        hears, effect = self.lost(world)
        which = effect[1:]
        assert effect.seconds == 1.0
        assert (diffs(hears), self.known(world)) == ([], ["bob", "cat"])
        world["a@h"].presence_diffs.is_over(*which)
        assert (diffs(hears), self.known(world)) == ([([], ["bob", "cat"])], [])
        world["a@h"].presence_diffs.is_over(*which)
        assert diffs(hears) == []

    def test_node_that_comes_back_shows_nothing(self, world: World) -> None:
        hears, effect = self.lost(world)
        which = effect[1:]
        world.connect("a@h", "b@h")
        assert (diffs(hears), self.known(world)) == ([], ["bob", "cat"])
        world["a@h"].presence_diffs.is_over(*which)
        assert (diffs(hears), self.known(world)) == ([], ["bob", "cat"])

    def test_node_that_comes_back_changed_shows_what_has_changed(self, world: World) -> None:
        hears, _ = self.lost(world)
        b = world["b@h"]
        bob, cat = [entry.process for entry in opened(b).all()]
        entry = b.keys.labelled(bob, opened(b), T, "bob")
        assert entry is not None
        b.keys.replace(entry, value("robert"))
        b.process_signals.process_exited(cat, "normal")
        track(b, b.process(), "dan")
        world.connect("a@h", "b@h")
        assert diffs(hears) == [(["robert", "dan"], ["bob", "cat"])]

    def test_restarted_node_is_not_waited_for(self, world: World) -> None:
        hears, effect = self.lost(world)
        which = effect[1:]
        b = world.start("b@h")
        opened(b)
        track(b, b.process(), "new")
        world.connect("b@h", "a@h")
        assert diffs(hears) == [(["new"], ["bob", "cat"])]
        world["a@h"].presence_diffs.is_over(*which)
        assert (diffs(hears), self.known(world)) == ([], ["new"])

    def test_second_loss_has_a_time_of_its_own(self, world: World) -> None:
        hears, effect = self.lost(world)
        first = effect[1:]
        world.connect("a@h", "b@h")
        world.cut("a@h", "b@h")
        world["a@h"].presence_diffs.is_over(*first)
        assert diffs(hears) == []
        second = world["a@h"].saw(HoldBack)[1][1:]
        world["a@h"].presence_diffs.is_over(*second)
        assert diffs(hears) == [([], ["bob", "cat"])]


def test_diffs_keep_the_order_of_their_processes_behind_a_long_broadcast(world: World) -> None:
    """A process of b broadcasts to many, and is tracked; then its node is lost with another process."""
    a, b = world["a@h"], world["b@h"]
    a.tables.fan_outs.portion = 2
    hears = ear(a)
    for _ in range(5):
        ear(a, U)
    world.connect("a@h", "b@h")
    a.membership.monitor_nodes(hears, True)
    bob, cat = b.process(), b.process()
    b.broadcasts.publish_to_peers(Publish(bob.pid, None, "p", U, value("m")))
    track(b, bob, "bob")
    track(b, cat, "cat")
    world.carry_between("a@h", "b@h")
    assert a.tables.fan_outs.queue
    world.cut("a@h", "b@h")
    assert [type(item) for item in messages(hears)] == [*[PresenceChanged] * 3, NodeDown]
    while a.tables.fan_outs.queue:
        a.broadcasts.continue_fan_outs()
    assert diffs(hears) == [(["cat"], []), (["bob"], []), ([], ["bob", "cat"])]
