"""exit_notices.py: exit notices are given out in portions, each once and in order; others come between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyx.core.effects import ContinueExits, Flush, Kill, Log
from pyx.core.exit_notices import ExitNotices
from pyx.core.mailbox import Downed, Exited, NodeDown
from pyx.signals import Down, ExitSignal, Goodbye, Link, Monitor, Tick
from pyx.terms import Pid, Ref
from tests.core.conversation import Node, World, messages, seen_from

if TYPE_CHECKING:
    from pyx.core.exit_notices import Notice
    from pyx.core.processes import ProcessRecord
    from pyx.signals import Signal

ME = Pid(7)


def exits(*numbers: int) -> list[Notice]:
    return [(None, ExitSignal(ME, Pid(number), "boom")) for number in numbers]


class TestExitNotices:
    def test_come_in_order_and_in_portions(self) -> None:
        notices = ExitNotices()
        notices.portion = 2
        notices.add(exits(1, 2, 3))
        notices.add(exits(4))
        taken: list[list[Notice]] = []
        while notices:
            taken.append(list(iter(notices.take, None)))
            notices.given = 0
        assert taken == [exits(1, 2), exits(3, 4), []]

    def test_go_beyond_the_portion_on_request(self) -> None:
        notices = ExitNotices()
        notices.portion = 1
        notices.add(exits(1, 2))
        assert [notices.take(beyond=True) for _ in range(3)] == [*exits(1, 2), None]
        assert not notices

    def test_ask_for_one_more_kernel_call_once(self) -> None:
        notices = ExitNotices()
        assert not notices.must_continue()
        notices.add(exits(1))
        assert [notices.must_continue() for _ in range(2)] == [True, False]
        notices.continues()
        assert notices.must_continue()


def portions(node: Node) -> int:
    """Continues as long as the kernel asks for it; returns how often that was."""
    times = 0
    while ContinueExits() in (effects := node.router.collect()):
        node.seen += effects
        node.continue_exits()
        times += 1
    node.seen += effects
    return times


@pytest.fixture
def node() -> Node:
    """A node that gives out two notices in one kernel call."""
    node = Node("a@h", 1)
    node.tables.exit_notices.portion = 2
    return node


def trapping(node: Node, count: int) -> list[ProcessRecord]:
    processes = [node.process() for _ in range(count)]
    for process in processes:
        process.trap_exit = True
    return processes


def test_process_end_is_decided_at_once_and_told_in_portions(node: Node) -> None:
    dead, *others = trapping(node, 6)
    node.registry.register(dead.pid, "server")
    for other in others:
        node.process_signals.link(other, dead.pid)
    node.process_signals.process_exited(dead, "boom")
    assert node.registry.whereis("server") is None
    assert node.tables.find(dead.pid) is None
    assert [len(other.mailbox) for other in others] == [1, 1, 0, 0, 0]
    assert portions(node) == 2
    assert [messages(other) for other in others] == [[Exited(dead.pid, "boom")]] * 5


def test_other_kernel_calls_come_between_portions(node: Node) -> None:
    dead, *others = trapping(node, 6)
    for other in others:
        node.process_signals.link(other, dead.pid)
    node.process_signals.process_exited(dead, "boom")
    node.router.send(None, others[-1].pid, "from another")
    portions(node)
    assert messages(others[-1]) == ["from another", Exited(dead.pid, "boom")]


def test_messages_links_and_monitors_keep_their_order_behind_notices(node: Node) -> None:
    dead, *others = trapping(node, 4)
    refs = []
    for other in others:
        node.process_signals.link(other, dead.pid)
        refs.append(node.process_signals.monitor(other, dead.pid))
        node.router.send(dead.pid, other.pid, "before")
    node.process_signals.process_exited(dead, "boom")
    portions(node)
    for other, ref in zip(others, refs, strict=True):
        assert messages(other) == ["before", Exited(dead.pid, "boom"), Downed(ref, dead.pid, "boom")]


def test_answer_for_a_dead_process_comes_behind_its_notices(node: Node) -> None:
    dead, *others = trapping(node, 5)
    first = [node.process_signals.monitor(other, dead.pid) for other in others]
    node.process_signals.process_exited(dead, "boom")
    late = node.process_signals.monitor(others[-1], dead.pid)
    portions(node)
    downs = [Downed(first[-1], dead.pid, "boom"), Downed(late, dead.pid, "noproc")]
    assert messages(others[-1]) == downs


def test_portion_for_one_peer_is_flushed_once_and_charged_whole() -> None:
    world = World("a@h", "b@h")
    world.connect("a@h", "b@h")
    a, b = world["a@h"], world["b@h"]
    dead, watcher = b.process(), a.process()
    count = b.tables.exit_notices.portion
    for _ in range(count):
        a.process_signals.monitor(watcher, seen_from(a, b, dead.pid))
    world.carry()
    b.process_signals.process_exited(dead, "boom")
    effects, peer = b.router.collect(), b.peer("a@h")
    assert effects.count(Flush(peer)) == 1
    assert len(peer.out) == count
    assert peer.out.load == peer.out.queued > 0
    world.carry()
    assert len(messages(watcher)) == count
    assert peer.out.load == 0


def test_link_to_a_process_whose_exit_is_queued_is_not_a_second_link(node: Node) -> None:
    dead, *others = trapping(node, 5)
    last = others[-1]
    for other in others:
        node.process_signals.link(other, dead.pid)
    last.trap_exit = False
    node.process_signals.process_exited(dead, "boom")
    assert node.process_signals.link(last, dead.pid)
    assert last.alive
    portions(node)
    assert last.reason == "boom"


def test_unlink_before_the_exit_notice_prevents_the_exit(node: Node) -> None:
    dead, *others = trapping(node, 5)
    for other in others:
        node.process_signals.link(other, dead.pid)
    node.process_signals.process_exited(dead, "boom")
    node.process_signals.unlink(others[-1], dead.pid)
    portions(node)
    assert messages(others[-1]) == []
    assert list(others[-1].links) == []


def test_ends_that_follow_from_an_end_queue_their_notices_behind_it(node: Node) -> None:
    """A supervisor with many children, each with a watcher."""
    watcher, parent, *children = (node.process() for _ in range(7))
    for child in children:
        node.process_signals.link(child, parent.pid)
        node.process_signals.monitor(watcher, child.pid)
    node.process_signals.process_exited(parent, "boom")
    assert [child.alive for child in children] == [False, False, True, True, True]
    portions(node)
    assert node.saw(Kill) == [Kill(child, "boom") for child in children]
    downs = [message.target for message in messages(watcher)]
    assert downs == [child.pid for child in children]


def test_last_portion_asks_for_no_further_kernel_call(node: Node) -> None:
    dead, *others = trapping(node, 3)
    for other in others:
        node.process_signals.link(other, dead.pid)
    node.process_signals.process_exited(dead, "boom")
    assert portions(node) <= 1
    assert node.router.collect() == []


def test_notice_that_fails_does_not_keep_the_others_back(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    dead, *others = trapping(node, 6)
    for other in others:
        node.process_signals.link(other, dead.pid)
    carry_out = node.process_signals.apply

    def fails_at_the_fourth(signal: Signal) -> None:
        assert not isinstance(signal, ExitSignal) or signal.to != others[3].pid, "a fault of the kernel"
        carry_out(signal)

    monkeypatch.setattr(node.process_signals, "apply", fails_at_the_fourth)
    node.process_signals.process_exited(dead, "boom")
    portions(node)
    assert [len(other.mailbox) for other in others] == [1, 1, 1, 0, 1]
    (line,) = node.saw(Log)
    assert line.text.startswith("cannot apply a signal: AssertionError in ")


class TestBetweenNodes:
    @pytest.fixture
    def world(self) -> World:
        world = World("a@h", "b@h")
        world.connect("a@h", "b@h")
        world["a@h"].tables.exit_notices.portion = 1
        return world

    def watched(self, world: World, count: int) -> tuple[ProcessRecord, list[ProcessRecord]]:
        """A process of a, and those of b that are linked to it and trap exits."""
        a, b = world["a@h"], world["b@h"]
        process, others = a.process(), trapping(b, count)
        for other in others:
            b.process_signals.link(other, seen_from(b, a, process.pid))
        world.carry()
        return process, others

    def test_all_linked_processes_get_one_exit(self, world: World) -> None:
        a, b = world["a@h"], world["b@h"]
        process, others = self.watched(world, 3)
        a.process_signals.process_exited(process, "boom")
        portions(a)
        world.carry()
        heard = [Exited(seen_from(b, a, process.pid), "boom")]
        assert [messages(other) for other in others] == [heard] * 3

    def test_session_lost_between_portions_is_noconnection_to_the_rest(self, world: World) -> None:
        """Nothing of the lost session is sent in the next one."""
        a, b = world["a@h"], world["b@h"]
        process, others = self.watched(world, 3)
        for other in others:
            b.membership.monitor_node(other, "a@h", on=True)
        a.process_signals.process_exited(process, "boom")
        a.router.collect()
        world.cut("a@h", "b@h")
        world.connect("a@h", "b@h")
        world.carry()
        a.continue_exits()
        portions(a)
        world.carry()
        heard = [Exited(seen_from(b, a, process.pid), "noconnection"), NodeDown("a@h")]
        assert [messages(other) for other in others] == [heard] * 3
        assert b.saw(Log)[-1].text == "node a@h is up"

    def test_disconnecting_node_sends_all_notices_first(self, world: World) -> None:
        a = world["a@h"]
        process, _ = self.watched(world, 3)
        peer = a.peer("b@h")
        a.process_signals.process_exited(process, "boom")
        a.sessions.disconnect("b@h")
        said = [signal for signal in (*peer.out.first, *peer.out) if not isinstance(signal, Tick)]
        assert [type(signal) for signal in said if not isinstance(signal, Goodbye)] == [ExitSignal] * 3

    def test_answers_to_a_peer_about_a_dead_process_come_behind_its_notices(self, world: World) -> None:
        a = world["a@h"]
        process, _ = self.watched(world, 3)
        peer, frm = a.peer("b@h"), Pid(99, 0, "b@h", 2)
        a.process_signals.process_exited(process, "boom")
        a.signals_received(peer, [Link(frm, process.pid), Monitor(frm, process.pid, Ref(9))], world.now)
        portions(a)
        said = [signal for signal in peer.out if isinstance(signal, (ExitSignal, Down))]
        assert [(type(signal), signal.reason) for signal in said] == [
            *[(ExitSignal, "boom")] * 3,
            (ExitSignal, "noproc"),
            (Down, "noproc"),
        ]
