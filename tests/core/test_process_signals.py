"""process_signals.py, process_exits.py, monitors.py: each rule once inside a node and once between two."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from pyx.core.effects import ContinueExits, Dial, Kill, ShellExit, Wake
from pyx.core.mailbox import Downed, Exited, NodeDown
from pyx.signals import ExitSignal, Leader, Link, Tick, Unlink, UnlinkAck
from pyx.terms import Pid
from tests.core.conversation import Node, World, messages, seen_from

if TYPE_CHECKING:
    from pyx.core.processes import ProcessRecord


class Pair:
    """Two processes and their pids as the other sees them: on one node, or on two."""

    def __init__(self, *, apart: bool) -> None:
        self.world = World("a@h", "b@h") if apart else World("a@h")
        self.a = self.world["a@h"]
        self.b = self.world["b@h"] if apart else self.a
        if apart:
            self.world.connect("a@h", "b@h")
        self.gus = self.a.process()
        self.server = self.b.process()
        self.server_seen = seen_from(self.a, self.b, self.server.pid)
        self.gus_seen = seen_from(self.b, self.a, self.gus.pid)

    def ended(self) -> None:
        self.world.carry()


@pytest.fixture(params=["one node", "two nodes"])
def pair(request: pytest.FixtureRequest) -> Pair:
    return Pair(apart=request.param == "two nodes")


# ---------------------------------------------------------------- links


def test_exit_of_a_linked_process_ends_the_other(pair: Pair) -> None:
    pair.a.process_signals.link(pair.gus, pair.server_seen)
    pair.ended()
    pair.b.process_signals.process_exited(pair.server, "boom")
    pair.ended()
    assert not pair.gus.alive
    assert pair.gus.reason == "boom"
    assert pair.a.saw(Kill) == [Kill(pair.gus, "boom")]


def test_link_works_in_both_directions(pair: Pair) -> None:
    pair.a.process_signals.link(pair.gus, pair.server_seen)
    pair.ended()
    pair.a.process_signals.process_exited(pair.gus, "boom")
    pair.ended()
    assert pair.server.reason == "boom"


def test_normal_exit_does_not_end_linked_processes(pair: Pair) -> None:
    pair.a.process_signals.link(pair.gus, pair.server_seen)
    pair.ended()
    pair.b.process_signals.process_exited(pair.server, "normal")
    pair.ended()
    assert pair.gus.alive
    assert messages(pair.gus) == []
    assert list(pair.gus.links) == []


@pytest.mark.parametrize("reason", ["normal", "boom", "kill"])
def test_trapped_exit_of_a_linked_process_is_a_message(pair: Pair, reason: str) -> None:
    assert pair.a.process_signals.set_trap_exit(pair.gus, True) is False
    pair.a.process_signals.link(pair.gus, pair.server_seen)
    pair.a.process_signals.link(pair.gus, pair.server_seen)
    pair.ended()
    pair.b.process_signals.process_exited(pair.server, reason)
    pair.ended()
    assert messages(pair.gus) == [Exited(pair.server_seen, reason)]
    assert pair.a.process_signals.set_trap_exit(pair.gus, False) is True


def test_kill_as_own_exit_reason_can_be_trapped_by_links(pair: Pair) -> None:
    pair.a.process_signals.link(pair.gus, pair.server_seen)
    pair.ended()
    pair.b.process_signals.process_exited(pair.server, "kill")
    pair.ended()
    assert pair.gus.reason == "kill"


def test_unlink_prevents_the_exit(pair: Pair) -> None:
    pair.a.process_signals.link(pair.gus, pair.server_seen)
    pair.ended()
    pair.a.process_signals.unlink(pair.gus, pair.server_seen)
    pair.b.process_signals.process_exited(pair.server, "boom")
    pair.ended()
    assert pair.gus.alive
    assert not pair.gus.links.exit_received(pair.server_seen)
    pair.a.process_signals.unlink(pair.gus, pair.server_seen)
    pair.ended()


def test_link_after_unlink_links_again(pair: Pair) -> None:
    pair.a.process_signals.link(pair.gus, pair.server_seen)
    pair.ended()
    pair.a.process_signals.unlink(pair.gus, pair.server_seen)
    pair.a.process_signals.link(pair.gus, pair.server_seen)
    pair.ended()
    assert list(pair.gus.links) == [pair.server_seen]
    assert list(pair.server.links) == [pair.gus_seen]


def test_crossing_link_and_unlink_leave_both_unlinked() -> None:
    pair = Pair(apart=True)
    pair.a.process_signals.link(pair.gus, pair.server_seen)
    pair.ended()
    pair.a.process_signals.unlink(pair.gus, pair.server_seen)
    pair.b.process_signals.unlink(pair.server, pair.gus_seen)
    pair.b.process_signals.link(pair.server, pair.gus_seen)
    pair.ended()
    assert list(pair.gus.links) == []
    assert list(pair.server.links) == []


def test_link_to_itself_has_no_effect() -> None:
    node = Node()
    gus = node.process()
    assert node.process_signals.link(gus, gus.pid)
    assert list(gus.links) == []


def test_link_to_a_dead_local_process_is_refused_or_a_trapped_exit() -> None:
    node = Node()
    gus, dead = node.process(), node.process()
    node.process_signals.process_exited(dead, "normal")
    assert not node.process_signals.link(gus, dead.pid)
    assert gus.alive
    node.process_signals.set_trap_exit(gus, True)
    assert node.process_signals.link(gus, dead.pid)
    assert messages(gus) == [Exited(dead.pid, "noproc")]


def test_link_to_a_dead_process_of_another_node_is_an_exit() -> None:
    pair = Pair(apart=True)
    pair.b.process_signals.process_exited(pair.server, "normal")
    assert pair.a.process_signals.link(pair.gus, pair.server_seen)
    pair.ended()
    assert pair.gus.reason == "noproc"


def test_link_to_an_earlier_incarnation_does_not_reach_the_present_one() -> None:
    pair = Pair(apart=True)
    pair.a.process_signals.set_trap_exit(pair.gus, True)
    stale = Pid(pair.server.pid.number, 0, "b@h", 99)
    pair.a.process_signals.link(pair.gus, stale)
    pair.ended()
    assert messages(pair.gus) == [Exited(stale, "noproc")]
    assert list(pair.server.links) == []


def test_link_to_an_unreachable_node_is_an_exit() -> None:
    node = Node()
    gus = node.process()
    assert node.process_signals.link(gus, Pid(1, 0, "b@h", 2))
    assert gus.reason == "noconnection"


def test_exit_runs_along_a_chain_of_links_of_any_length() -> None:
    node = Node()
    chain = [node.process() for _ in range(5000)]
    for one, other in itertools.pairwise(chain):
        node.process_signals.link(one, other.pid)
    node.process_signals.process_exited(chain[0], "boom")
    while ContinueExits() in node.router.collect():
        node.continue_exits()
    assert {process.reason for process in chain} == {"boom"}
    assert node.tables.processes == {}


# ---------------------------------------------------------------- monitors


def test_monitor_fires_once_and_monitors_stack(pair: Pair) -> None:
    refs = [pair.a.process_signals.monitor(pair.gus, pair.server_seen) for _ in range(2)]
    pair.ended()
    pair.b.process_signals.process_exited(pair.server, "boom")
    pair.b.process_signals.process_exited(pair.server, "again")
    pair.ended()
    assert messages(pair.gus) == [Downed(ref, pair.server_seen, "boom") for ref in refs]
    assert pair.gus.alive


def test_down_of_a_monitor_by_name_names_the_node(pair: Pair) -> None:
    pair.b.registry.register(pair.server.pid, "server")
    ref = pair.a.process_signals.monitor(pair.gus, ("server", pair.b.tables.name))
    pair.ended()
    pair.b.registry.unregister("server")  # the monitor stays with the process that had the name
    pair.b.process_signals.process_exited(pair.server, "normal")
    pair.ended()
    assert messages(pair.gus) == [Downed(ref, ("server", pair.b.tables.name), "normal")]


def test_monitor_of_a_dead_process_fires_at_once(pair: Pair) -> None:
    pair.b.process_signals.process_exited(pair.server, "boom")
    ref = pair.a.process_signals.monitor(pair.gus, pair.server_seen)
    by_name = pair.a.process_signals.monitor(pair.gus, ("nobody", pair.b.tables.name))
    pair.ended()
    assert messages(pair.gus) == [
        Downed(ref, pair.server_seen, "noproc"),
        Downed(by_name, ("nobody", pair.b.tables.name), "noproc"),
    ]


def test_monitor_by_plain_name_survives_a_new_name_of_the_node() -> None:
    node = Node()
    gus, server = node.process(), node.process()
    node.registry.register(server.pid, "server")
    taken_back, ref = node.process_signals.monitor(gus, "server"), node.process_signals.monitor(gus, "server")
    node.node_started("a@h", 1, hidden=False)
    assert node.process_signals.demonitor(gus, taken_back)
    assert [watcher.ref for watcher in server.monitored_by] == [ref]
    node.process_signals.process_exited(server, "boom")
    assert messages(gus) == [Downed(ref, ("server", "nonode@nohost"), "boom")]


def test_monitor_by_an_old_name_of_this_node_survives_the_loss_of_its_new_bearer() -> None:
    world = World("a@h", "b@h")
    b = world["b@h"]
    gus, server = b.process(), b.process()
    b.registry.register(server.pid, "server")
    ref = b.process_signals.monitor(gus, ("server", "b@h"))
    b.node_stopped()
    b.node_started("z@h", 7, hidden=False)
    assert b.sessions.peer_claimed("b@h", 8, hidden=False, now=world.now).kind == "accept"
    b.membership.monitor_node(gus, "b@h", on=True)
    b.sessions.peer_lost(b.peer("b@h"), "closed", world.now)
    assert messages(gus) == [NodeDown("b@h")]
    b.process_signals.process_exited(server, "boom")
    assert messages(gus)[1:] == [Downed(ref, ("server", "b@h"), "boom")]


def test_monitor_at_an_unreachable_node_fires_at_once() -> None:
    node = Node()
    gus = node.process()
    far = Pid(1, 0, "b@h", 2)
    refs = node.process_signals.monitor(gus, far), node.process_signals.monitor(gus, ("server", "b@h"))
    assert messages(gus) == [
        Downed(refs[0], far, "noconnection"),
        Downed(refs[1], ("server", "b@h"), "noconnection"),
    ]


def test_demonitor_prevents_the_down(pair: Pair) -> None:
    ref = pair.a.process_signals.monitor(pair.gus, pair.server_seen)
    assert pair.a.process_signals.demonitor(pair.gus, ref)
    pair.ended()
    assert pair.server.monitored_by == {}
    pair.b.process_signals.process_exited(pair.server, "boom")
    pair.ended()
    assert messages(pair.gus) == []
    assert not pair.a.process_signals.demonitor(pair.gus, ref)


def test_demonitor_with_flush_removes_a_down_that_has_come(pair: Pair) -> None:
    ref, other = (pair.a.process_signals.monitor(pair.gus, pair.server_seen) for _ in range(2))
    pair.ended()
    pair.b.process_signals.process_exited(pair.server, "boom")
    pair.ended()
    assert not pair.a.process_signals.demonitor(pair.gus, ref, flush=True)
    assert messages(pair.gus) == [Downed(other, pair.server_seen, "boom")]


def test_process_end_takes_its_monitors_back(pair: Pair) -> None:
    pair.a.process_signals.monitor(pair.gus, pair.server_seen)
    pair.ended()
    pair.a.process_signals.process_exited(pair.gus, "normal")
    pair.ended()
    assert pair.server.monitored_by == {}


# ---------------------------------------------------------------- exit signals


def test_exit_signal_ends_a_process(pair: Pair) -> None:
    ref = pair.a.process_signals.monitor(pair.gus, pair.server_seen)
    pair.server.waiting = True
    pair.a.process_signals.exit(pair.gus.pid, pair.server_seen, "boom")
    pair.ended()
    assert pair.server.reason == "boom"
    assert not pair.server.waiting
    assert pair.b.saw(Kill) == [Kill(pair.server, "boom")]
    assert messages(pair.gus) == [Downed(ref, pair.server_seen, "boom")]


def test_exit_signal_normal_has_no_effect(pair: Pair) -> None:
    pair.a.process_signals.exit(pair.gus.pid, pair.server_seen, "normal")
    pair.ended()
    assert pair.server.alive
    assert messages(pair.server) == []


def test_trapped_exit_signal_is_a_message_and_wakes(pair: Pair) -> None:
    pair.b.process_signals.set_trap_exit(pair.server, True)
    pair.server.waiting = True
    for reason in ("normal", "boom"):
        pair.a.process_signals.exit(pair.gus.pid, pair.server_seen, reason)
    pair.ended()
    assert messages(pair.server) == [Exited(pair.gus_seen, "normal"), Exited(pair.gus_seen, "boom")]
    assert pair.b.saw(Wake) == [Wake(pair.server)]


def test_kill_cannot_be_trapped_and_is_seen_as_killed(pair: Pair) -> None:
    pair.b.process_signals.set_trap_exit(pair.server, True)
    pair.b.registry.register(pair.server.pid, "server")
    pair.a.process_signals.set_trap_exit(pair.gus, True)
    pair.a.process_signals.link(pair.gus, pair.server_seen)
    ref = pair.a.process_signals.monitor(pair.gus, pair.server_seen)
    pair.a.process_signals.exit(pair.gus.pid, pair.server_seen, "kill")
    pair.ended()
    assert messages(pair.gus) == [Exited(pair.server_seen, "killed"), Downed(ref, pair.server_seen, "killed")]
    assert pair.b.registry.whereis("server") is None
    pair.a.router.send(pair.gus.pid, pair.server_seen, "late")
    pair.ended()
    assert messages(pair.server) == []


def test_exit_signal_to_or_from_a_dead_process_has_no_effect() -> None:
    node = Node()
    gus, server = node.process(), node.process()
    node.process_signals.process_exited(gus, "normal")
    node.process_signals.exit(server.pid, gus.pid, "boom")
    node.process_signals.exit(gus.pid, server.pid, "kill")
    assert server.alive
    node.process_signals.exit(Pid(0), server.pid, "kill")
    assert not server.alive


def test_shell_shows_an_exit_signal_and_lives_on() -> None:
    node = Node()
    shell, child = node.process(keeps_pid=True), node.process()
    node.process_signals.link(shell, child.pid)
    node.process_signals.process_exited(child, "boom")
    assert node.saw(ShellExit) == [ShellExit(shell, child.pid, "boom")]
    node.process_signals.exit(child.pid, shell.pid, "normal")
    assert shell.alive
    node.process_signals.exit(Pid(0), shell.pid, "kill")
    assert shell.reason == "killed"


# ---------------------------------------------------------------- start of processes


def test_started_process_is_linked_and_monitored_from_its_first_moment() -> None:
    node = Node()
    gus = node.process()
    node.process_signals.set_trap_exit(gus, True)
    child, ref = node.process_signals.process_started("def", parent=gus.pid, link_to=gus, monitored_by=gus)
    assert ref is not None
    node.process_signals.process_exited(child, "boom")
    assert messages(gus) == [Exited(child.pid, "boom"), Downed(ref, child.pid, "boom")]


def test_process_linked_to_a_killed_spawner_ends() -> None:
    node = Node()
    gus = node.process()
    node.process_signals.process_exited(gus, "killed")
    child, _ = node.process_signals.process_started("def", parent=gus.pid, link_to=gus, monitored_by=gus)
    assert child.reason == "noproc"


def test_dead_process_links_and_monitors_nothing() -> None:
    node = Node("a@h", 1)
    gus, server = node.process(), node.process()
    node.process_signals.process_exited(gus, "killed")
    assert node.process_signals.link(gus, server.pid)
    node.process_signals.monitor(gus, server.pid)
    node.membership.monitor_node(gus, "b@h", on=True)
    node.membership.monitor_nodes(gus, on=True)
    assert list(server.links) == []
    assert server.monitored_by == {}
    assert node.saw(Dial) == []


def test_group_leader_is_inherited_and_can_be_set(pair: Pair) -> None:
    shell = pair.a.process(terminal=True)
    child = pair.a.process(parent=shell.pid)
    assert child.leader == shell.pid
    assert pair.a.process(parent=Pid(999)).leader is None
    pair.a.process_signals.set_leader(pair.gus.pid, pair.server_seen, shell.pid)
    pair.ended()
    assert pair.server.leader == seen_from(pair.b, pair.a, shell.pid)


# ---------------------------------------------------------------- a node is lost


def bound(world: World) -> tuple[ProcessRecord, ProcessRecord, list[object]]:
    a, b = world["a@h"], world["b@h"]
    gus, server = a.process(), b.process()
    there = seen_from(a, b, server.pid)
    a.process_signals.set_trap_exit(gus, True)
    a.membership.monitor_node(gus, "b@h", on=True)
    a.membership.monitor_node(gus, "b@h", on=True)
    a.process_signals.link(gus, there)
    by_pid, by_name = a.process_signals.monitor(gus, there), a.process_signals.monitor(gus, ("server", "b@h"))
    expected: list[object] = [
        Downed(by_pid, there, "noconnection"),
        Downed(by_name, ("server", "b@h"), "noconnection"),
        Exited(there, "noconnection"),
        NodeDown("b@h"),
        NodeDown("b@h"),
    ]
    return gus, server, expected


def test_lost_node_brings_one_exit_and_down_each_and_nodedown_last() -> None:
    world = World("a@h", "b@h")
    world["b@h"].registry.register(world["b@h"].process().pid, "server")
    gus, server, expected = bound(world)
    world.carry()
    world["b@h"].process_signals.monitor(server, seen_from(world["b@h"], world["a@h"], gus.pid))
    world.carry()
    world.cut("a@h", "b@h")
    assert messages(gus) == expected
    assert server.reason == "noconnection"
    assert gus.monitored_by == {}
    assert gus.monitors == {}
    assert gus.node_monitors == {}
    world.connect("a@h", "b@h")
    world.cut("a@h", "b@h")
    assert messages(gus) == expected


def test_links_and_monitors_at_an_unreachable_node_end_like_those_of_a_lost_one() -> None:
    world = World("a@h", "b@h")
    world.reachable = False
    gus, _, expected = bound(world)
    world.carry()
    assert messages(gus) == expected


def test_no_exit_is_sent_to_a_lost_node() -> None:
    world = World("a@h", "b@h")
    a = world["a@h"]
    world.connect("a@h", "b@h")
    gus = a.process()
    a.process_signals.link(gus, Pid(1, 0, "b@h", 2))
    world["b@h"].process()
    world.carry()
    world.kill("b@h")
    a.seen.clear()
    if gus.alive:
        a.process_signals.process_exited(gus, "boom")
    assert a.saw(Dial) == []


# ---------------------------------------------------------------- what peers may not do


def test_peer_sends_signals_for_its_own_processes_only() -> None:
    pair = Pair(apart=True)
    third = Pid(5, 0, "c@h", 9)
    peer = pair.b.peer("a@h")
    pair.b.signals_received(
        peer, [Link(third, pair.server.pid), ExitSignal(third, pair.server.pid, "boom")], 0.0
    )
    assert list(pair.server.links) == []
    assert pair.server.alive


def test_signals_for_a_dead_process_are_answered_or_dropped() -> None:
    pair = Pair(apart=True)
    pair.b.process_signals.process_exited(pair.server, "normal")
    peer = pair.b.peer("a@h")
    to, frm = pair.server.pid, pair.gus_seen
    pair.b.signals_received(
        peer, [Unlink(frm, to, 7), UnlinkAck(frm, to, 7), ExitSignal(frm, to, "x"), Leader(frm, to, frm)], 0.0
    )
    assert list(peer.out) == [UnlinkAck(to, frm, 7)]


def test_apply_refuses_signals_that_are_not_between_processes() -> None:
    with pytest.raises(AssertionError, match="Tick is not a signal between processes"):
        Node().process_signals.apply(Tick())
