"""membership.py: announcements, node monitors, partitions and kinds of nodes."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from pyx.core.effects import Dial, Log
from pyx.core.mailbox import NodeDown, NodeInterest, NodeUp
from pyx.signals import Nodes
from tests.core.conversation import Node, World, messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.core.mailbox import NodedownReason


def mesh_of(world: World, names: str) -> list[list[str]]:
    return [world[f"{name}@h"].membership.nodes(["connected"]) for name in names]


# ---------------------------------------------------------------- the mesh


@pytest.mark.parametrize("names", ["abc", "cba", "abcd", "dbca"])
def test_connecting_to_one_member_connects_to_all(names: str) -> None:
    full = [f"{name}@h" for name in sorted(names)]
    world = World(*full)
    for one, other in itertools.pairwise(names):
        world.connect(f"{one}@h", f"{other}@h")
    for name in full:
        assert world[name].membership.nodes(["this", "visible"]) == full


def test_two_meshes_become_one_when_members_connect() -> None:
    world = World("a@h", "b@h", "c@h", "d@h")
    world.connect("a@h", "b@h")
    world.connect("c@h", "d@h")
    world.connect("b@h", "c@h")
    assert [len(nodes) for nodes in mesh_of(world, "abcd")] == [3, 3, 3, 3]


def test_hidden_node_is_not_announced_and_gets_no_announcements() -> None:
    world = World("a@h", "b@h", "hid@h", hidden=("hid@h",))
    world.connect("a@h", "b@h")
    watcher = world["a@h"].process()
    world["a@h"].membership.monitor_nodes(watcher, on=True)
    world.connect("hid@h", "a@h")
    a, b, hid = world["a@h"], world["b@h"], world["hid@h"]
    assert (hid.membership.nodes(["visible"]), hid.membership.nodes(["hidden"])) == ([], ["a@h"])
    assert (a.membership.nodes(["visible"]), a.membership.nodes(["hidden"])) == (["b@h"], ["hid@h"])
    assert a.membership.nodes(["connected"]) == ["b@h", "hid@h"]
    assert b.membership.nodes(["connected"]) == ["a@h"]
    world.kill("hid@h")
    assert messages(watcher) == []


def test_announcement_of_or_to_a_hidden_node_is_ignored() -> None:
    world = World("a@h", "hid@h", hidden=("hid@h",))
    world.connect("hid@h", "a@h")
    for here, there in (("a@h", "hid@h"), ("hid@h", "a@h")):
        node = world[here]
        node.seen.clear()
        node.signals_received(node.peer(there), [Nodes(("x@h",))], world.now)
        assert node.saw(Dial) == []


def test_failed_invited_dial_is_a_warning_only_if_a_user_asked_too() -> None:
    a = Node("a@h", 1)
    peer = a.sessions.peer_claimed("b@h", 2, hidden=False, now=0.0).peer
    assert peer is not None
    a.signals_received(peer, [Nodes(("a@h", "b@h", "c@h", "d@h"))], 0.0)
    assert a.saw(Dial) == [Dial("c@h"), Dial("d@h")]
    a.router.send(None, ("server", "d@h"), "x")
    a.sessions.dial_failed("c@h", "timed out", 0.0)
    a.sessions.dial_failed("d@h", "timed out", 0.0)
    assert [log.level for log in a.saw(Log)] == ["info", "info", "warning"]  # the first: b is up


def test_healthy_session_survives_the_loss_of_a_third_node() -> None:
    world = World("a@h", "b@h", "c@h")
    world.connect("a@h", "b@h", "c@h")
    world.cut("a@h", "c@h")
    assert mesh_of(world, "abc") == [["b@h"], ["a@h", "c@h"], ["b@h"]]


# ---------------------------------------------------------------- overlapping partitions


def triangle() -> World:
    world = World("a@h", "b@h", "c@h")
    world.connect("a@h", "b@h", "c@h")
    return world


def pass_time(world: World, seconds: float, *names: str) -> None:
    """Ticks every half a second at these nodes (default: all), with a tick time of two seconds."""
    nodes = [world[name] for name in names or sorted(world.names)]
    for node in nodes:
        node.sessions.tick_seconds = 2.0
    for _ in range(round(seconds * 2)):
        world.now += 0.5
        for node in nodes:
            node.sessions.tick(world.now)
        world.carry()


def reports(node: Node) -> list[Log]:
    return [log for log in node.saw(Log) if "each other" in log.text]


APART = Log("warning", "a@h and c@h do not see each other, though this node sees both")


def test_complete_mesh_reports_no_partition() -> None:
    world = World("a@h", "b@h", "c@h", "d@h")
    world.connect("a@h", "b@h", "c@h", "d@h")
    pass_time(world, 10)
    for name in world.names:
        assert world[name].membership.partitions() == []
        assert reports(world[name]) == []


def test_partition_is_reported_once_by_a_node_that_sees_both_sides() -> None:
    world = triangle()
    pass_time(world, 1)
    world.cut("a@h", "c@h")
    pass_time(world, 1.5)
    assert world["b@h"].membership.partitions() == []
    pass_time(world, 10)
    assert world["b@h"].membership.partitions() == [("a@h", "c@h")]
    assert reports(world["b@h"]) == [APART]
    assert reports(world["a@h"]) == reports(world["c@h"]) == []
    assert mesh_of(world, "abc") == [["b@h"], ["a@h", "c@h"], ["b@h"]]


def test_healed_partition_is_logged_and_may_be_reported_again() -> None:
    world = triangle()
    world.cut("a@h", "c@h")
    pass_time(world, 4)
    world.connect("a@h", "c@h")
    pass_time(world, 1)
    assert world["b@h"].membership.partitions() == []
    world.cut("a@h", "c@h")
    pass_time(world, 4)
    assert reports(world["b@h"]) == [APART, Log("info", "a@h and c@h see each other again"), APART]


def test_partition_ends_when_its_node_is_lost() -> None:
    world = triangle()
    world.cut("a@h", "c@h")
    pass_time(world, 4)
    world.kill("c@h")
    assert world["b@h"].membership.partitions() == []
    world.start("c@h")
    world.connect("c@h", "b@h")
    pass_time(world, 4)
    assert world["b@h"].membership.partitions() == []
    assert reports(world["b@h"]) == [APART]


def test_partition_of_nodes_that_never_connected_is_reported() -> None:
    world = World("a@h", "b@h", "c@h")
    world.connect("a@h", "b@h")
    world.reachable = False
    decision = world["b@h"].sessions.peer_claimed("c@h", 3, hidden=False, now=world.now)
    answer = world["c@h"]
    answer.sessions.connect(None, "b@h", world.now)
    up = answer.sessions.peer_up("b@h", 2, hidden=False, now=world.now)
    assert decision.peer is not None
    assert up.peer is not None
    world.join(answer, up.peer, world["b@h"], decision.peer)
    pass_time(world, 4)
    assert world["b@h"].membership.partitions() == [("a@h", "c@h")]


def test_dying_node_is_not_reported_as_partition() -> None:
    """One peer may notice long before another: a frozen node is silent, its connections stay."""
    world = triangle()
    pass_time(world, 1)
    a, b, c = world["a@h"], world["b@h"], world["c@h"]
    a.sessions.peer_lost(a.peer("c@h"), "not responding", world.now)
    a.router.collect()
    c.router.collect()
    for _ in range(3):
        world.now += 0.5
        for node in (a, b):
            node.sessions.tick(world.now)
        world.carry_between("a@h", "b@h")
    b.sessions.peer_lost(b.peer("c@h"), "not responding", world.now)
    world.carry_between("a@h", "b@h")
    assert reports(b) == []


def test_silent_node_is_not_reported_as_partition_while_it_may_be_dead() -> None:
    world = triangle()
    pass_time(world, 1)
    a, b = world["a@h"], world["b@h"]
    a.sessions.peer_lost(a.peer("c@h"), "not responding", world.now)
    b.sessions.tick_seconds = 4.0
    for _ in range(7):  # b gets nothing from c for four seconds, and then loses it
        world.now += 0.5
        for node in (a, b):
            node.sessions.tick(world.now)
        world.carry_between("a@h", "b@h")
    assert b.membership.partitions() == []


def test_slowly_ticking_peer_is_asked_before_a_partition_is_reported() -> None:
    world = World("a@h", "b@h", "c@h")
    world.connect("a@h", "b@h", "c@h")  # b has not been told that a and c are connected
    pass_time(world, 10, "b@h")
    assert world["b@h"].membership.partitions() == []
    assert reports(world["b@h"]) == []


def test_freeze_of_this_node_does_not_count_as_time_of_a_partition() -> None:
    world = triangle()
    pass_time(world, 1)
    world.cut("a@h", "c@h")
    pass_time(world, 1, "a@h", "b@h")
    world.now += 5
    b = world["b@h"]
    b.sessions.tick(world.now)
    assert b.membership.partitions() == []


def test_disconnected_node_is_not_dialled_again_for_an_announcement() -> None:
    world = triangle()
    a = world["a@h"]
    a.sessions.disconnect("c@h")
    pass_time(world, 4)
    a.seen.clear()
    a.signals_received(a.peer("b@h"), [Nodes(("c@h", "x@h"))], world.now)
    assert a.saw(Dial) == []
    assert "x@h" in a.membership.nodes(["known"])


def test_hidden_nodes_are_not_part_of_partitions() -> None:
    world = World("a@h", "b@h", "hid@h", hidden=("hid@h",))
    world.connect("a@h", "b@h", "hid@h")
    pass_time(world, 10)
    assert world["b@h"].membership.partitions() == []


# ---------------------------------------------------------------- node monitors and lists


def test_node_monitors_stack_and_can_be_taken_back() -> None:
    world = World("a@h", "b@h")
    a = world["a@h"]
    gus = a.process()
    for on in (True, True, True, False):
        a.membership.monitor_node(gus, "b@h", on=on)
    world.carry()
    assert a.membership.nodes(["connected"]) == ["b@h"]
    world.kill("b@h")
    assert messages(gus) == [NodeDown("b@h")] * 2


def test_node_monitor_of_an_unreachable_node_fires_at_once() -> None:
    world = World("a@h")
    a = world["a@h"]
    gus = a.process()
    a.membership.monitor_node(gus, "lost@h", on=True)
    world.carry()
    assert messages(gus) == [NodeDown("lost@h")]
    a.membership.monitor_node(gus, "lost@h", on=True)
    assert messages(gus) == [NodeDown("lost@h")] * 2
    a.membership.monitor_node(gus, "a@h", on=True)
    a.membership.monitor_node(gus, "lost@h", on=False)
    assert gus.node_monitors == {}


def test_node_monitor_taken_back_does_not_fire() -> None:
    world = World("a@h", "b@h")
    a = world["a@h"]
    gus = a.process()
    a.membership.monitor_node(gus, "b@h", on=True)
    a.membership.monitor_node(gus, "b@h", on=False)
    world.carry()
    world.kill("b@h")
    assert messages(gus) == []


def test_monitor_nodes_reports_visible_nodes_until_it_is_ended() -> None:
    world = World("a@h", "b@h")
    a = world["a@h"]
    gus, dead = a.process(), a.process()
    for process in (gus, gus, dead):
        a.membership.monitor_nodes(process, on=True)
    a.process_signals.process_exited(dead, "normal")
    world.connect("a@h", "b@h")
    world.cut("a@h", "b@h")
    a.membership.monitor_nodes(gus, on=False)
    world.connect("a@h", "b@h")
    assert messages(gus) == [NodeUp("b@h"), NodeDown("b@h")]
    assert messages(dead) == []
    assert gus not in a.tables.node_watchers


FACTS = NodeInterest(with_facts=True)


def hear_nothing(node: Node, world: World) -> None:
    for _quarter in range(6):
        world.now += node.sessions.tick_seconds / 4
        node.sessions.tick(world.now)


@pytest.mark.parametrize(
    ("reason", "end"),
    [
        ("connection_closed", lambda world: world.kill("b@h")),
        ("connection_closed", lambda world: world["b@h"].sessions.disconnect("a@h")),
        ("connection_closed", lambda world: world["b@h"].node_stopped()),
        ("disconnect", lambda world: world["a@h"].sessions.disconnect("b@h")),
        ("net_kernel_terminated", lambda world: world["a@h"].node_stopped()),
        ("net_tick_timeout", lambda world: hear_nothing(world["a@h"], world)),
    ],
    ids=["killed", "disconnected there", "stopped there", "disconnected", "stopped", "silent"],
)
def test_nodedown_has_the_reason_of_otp(reason: NodedownReason, end: Callable[[World], None]) -> None:
    world = World("a@h", "b@h")
    a = world["a@h"]
    gus = a.process()
    a.membership.monitor_nodes(gus, on=True, interest=FACTS)
    world.connect("a@h", "b@h")
    end(world)
    world.carry()
    assert messages(gus) == [NodeUp("b@h", "visible"), NodeDown("b@h", "visible", reason)]


def test_nodes_of_the_asked_type_are_reported() -> None:
    world = World("a@h", "b@h", "hid@h", hidden=("hid@h",))
    a = world["a@h"]
    watchers = {kind: a.process() for kind in ("visible", "hidden", "all")}
    for kind, watcher in watchers.items():
        a.membership.monitor_nodes(watcher, on=True, interest=NodeInterest(kind, with_facts=True))  # type: ignore[arg-type]
    world.connect("a@h", "b@h")
    world.connect("a@h", "hid@h")
    world.kill("hid@h")
    hidden = [NodeUp("hid@h", "hidden"), NodeDown("hid@h", "hidden", "connection_closed")]
    visible = [NodeUp("b@h", "visible")]
    assert {kind: messages(watcher) for kind, watcher in watchers.items()} == {
        "visible": visible,
        "hidden": hidden,
        "all": visible + hidden,
    }


def test_each_combination_of_options_is_a_request_of_its_own() -> None:
    world = World("a@h", "b@h")
    a = world["a@h"]
    gus = a.process()
    for interest in (NodeInterest(), FACTS, FACTS):
        a.membership.monitor_nodes(gus, on=True, interest=interest)
    world.connect("a@h", "b@h")
    a.membership.monitor_nodes(gus, on=False)
    world.kill("b@h")
    assert messages(gus) == [
        NodeUp("b@h"),
        NodeUp("b@h", "visible"),
        NodeDown("b@h", "visible", "connection_closed"),
    ]
    a.membership.monitor_nodes(gus, on=False, interest=FACTS)
    assert a.tables.node_watchers == {}


def test_nodes_lists_each_kind_and_refuses_others() -> None:
    world = World("a@h", "b@h")
    world.connect("a@h", "b@h")
    a = world["a@h"]
    a.router.send(None, ("server", "mistyped@h"), "x")
    assert a.membership.nodes(["known"]) == ["a@h", "b@h", "mistyped@h"]
    assert a.membership.nodes(["this", "visible"]) == ["a@h", "b@h"]
    assert a.membership.nodes([]) == []
    assert Node().membership.nodes(["this"]) == ["nonode@nohost"]
    with pytest.raises(
        ValueError, match="'near' is not a kind of node: this, visible, hidden, connected, known"
    ):
        a.membership.nodes(["near"])
