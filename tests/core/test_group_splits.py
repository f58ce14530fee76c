"""groups.py: splits of the mesh, and the races of OTP's suite of pg: in the end all nodes see what is so."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from pyx.core.mailbox import Downed, GroupChanged, NodeDown, NodeUp
from pyx.signals import Held, Let
from pyx.terms import Pid
from tests.core.conversation import World, messages, seen_from
from tests.core.test_groups import group, join, leave, member, members, world_of
from tests.core.test_keys import NIL, K, L, space

if TYPE_CHECKING:
    from pyx.core.processes import ProcessRecord


def meet(world: World, *names: str) -> None:
    """Connects each of these nodes with each."""
    for one, other in itertools.combinations(names, 2):
        world.connect(f"{one}@h", f"{other}@h")


def part(world: World, *sides: str) -> None:
    """Cuts all connections between sides, each given as the letters of its nodes."""
    for one, other in itertools.combinations(sides, 2):
        for a, b in itertools.product(one, other):
            world.cut(f"{a}@h", f"{b}@h")


class Herd:
    """The processes of some nodes, and which of them are in the group: the truth that nodes have to see."""

    def __init__(self, names: str) -> None:
        self.world = world_of(*names)
        self.names = names
        self.truth: dict[str, list[ProcessRecord]] = {name: [] for name in names}

    def joins(self, name: str) -> ProcessRecord:
        process = member(self.world, name)
        self.truth[name].append(process)
        self.world.carry()
        return process

    def leaves(self, name: str) -> None:
        process = self.truth[name].pop(0)
        assert leave(self.world[f"{name}@h"], process)
        self.world.carry()

    def ends(self, name: str) -> None:
        process = self.truth[name].pop(0)
        self.world[f"{name}@h"].process_signals.process_exited(process, "boom")
        self.world.carry()

    def must_see(self, *sides: str) -> None:
        """Each node sees the members of its side, and no others."""
        for side in sides:
            for name in side:
                viewer = self.world[f"{name}@h"]
                there = {
                    process.pid if other == name else seen_from(viewer, self.world[f"{other}@h"], process.pid)
                    for other in side
                    for process in self.truth[other]
                }
                seen = members(viewer)
                assert len(seen) == len(there), (name, seen)
                assert set(seen) == there


@pytest.mark.parametrize(
    ("names", "sides"),
    [("ab", ("a", "b")), ("abc", ("a", "b", "c")), ("abcd", ("ab", "cd")), ("abcd", ("a", "b", "c", "d"))],
    ids=["netsplit", "trisplit", "halves", "foursplit"],
)
def test_after_a_split_with_changes_on_all_sides_all_see_all(names: str, sides: tuple[str, ...]) -> None:
    herd = Herd(names)
    for name in names:
        herd.joins(name), herd.joins(name), herd.joins(name)
    meet(herd.world, *names)
    herd.must_see(names)
    part(herd.world, *sides)
    herd.must_see(*sides)
    for name in names:
        herd.joins(name)
        herd.leaves(name)
        herd.ends(name)
    herd.must_see(*sides)
    meet(herd.world, *names)
    herd.must_see(names)


def test_exchange_of_nodes_that_both_changed_while_apart() -> None:
    herd = Herd("ab")
    herd.joins("a"), herd.joins("b")
    meet(herd.world, "a", "b")
    part(herd.world, "a", "b")
    herd.leaves("a"), herd.joins("a"), herd.joins("a"), herd.ends("b")
    meet(herd.world, "a", "b")
    herd.must_see("ab")


def test_restart_of_a_node_leaves_nothing_of_its_earlier_incarnation() -> None:
    herd = Herd("ab")
    herd.joins("a"), herd.joins("b")
    meet(herd.world, "a", "b")
    herd.world.kill("b@h")
    herd.truth["b"] = []
    herd.must_see("a")
    space(herd.world.start("b@h"), replicated=True)
    meet(herd.world, "a", "b")
    herd.must_see("ab")
    herd.joins("b")
    herd.must_see("ab")


def test_disconnected_start_joins_before_there_is_a_node() -> None:
    world = World("b@h")
    a = world.start("a@h")
    a.node_stopped()
    space(a, replicated=True), space(world["b@h"], replicated=True)
    gus = a.process()
    join(a, gus)
    a.node_started("a@h", 77, hidden=False)
    world.connect("a@h", "b@h")
    assert members(world["b@h"]) == [seen_from(world["b@h"], a, gus.pid)]


def test_leave_and_end_of_a_member_cross_and_are_seen_once() -> None:
    """leave_exit_race: the process leaves as it is killed from the other side."""
    world = world_of("a", "b")
    meet(world, "a", "b")
    a, b, watcher = world["a@h"], world["b@h"], world["a@h"].process()
    for _ in range(20):
        bob = member(world, "b")
        world.carry()
        ref = a.keys.watch(watcher, group(a), K)
        there = seen_from(a, b, bob.pid)
        a.process_signals.exit(watcher.pid, there, "kill")
        leave(b, bob)
        world.carry()
        assert not bob.alive
        assert messages(watcher)[-1] == GroupChanged(ref, "leave", K, (there,))
        assert sum(event.ref == ref for event in messages(watcher)) == 1
        a.keys.unwatch(watcher, ref)
    assert members(a) == members(b) == []


def test_join_of_a_process_that_is_killed_meanwhile_is_no_member() -> None:
    world = world_of("a", "b")
    meet(world, "a", "b")
    a, b = world["a@h"], world["b@h"]
    bob = b.process()
    a.process_signals.exit(Pid(0), seen_from(a, b, bob.pid), "kill")
    world.carry()
    join(b, bob)
    world.carry()
    assert members(a) == members(b) == []


def test_overlay_missing_a_node_that_is_no_peer_joins_no_one() -> None:
    """A session that is over speaks for no process any more."""
    world = world_of("a", "b")
    meet(world, "a", "b")
    a, old = world["a@h"], world["a@h"].peer("b@h")
    world.cut("a@h", "b@h")
    a.signals_received(old, [Held(Pid(9, 0, "b@h", 2), 7, "s", K, NIL)], world.now)
    assert members(a) == []


def test_group_that_loses_its_last_member_elsewhere_is_gone() -> None:
    """empty_group_by_remote_leave."""
    world = world_of("a", "b")
    meet(world, "a", "b")
    a, b, bob = world["a@h"], world["b@h"], member(world, "b")
    world.carry()
    assert a.groups.keys(group(a)) == [K]
    leave(b, bob)
    world.carry()
    assert a.groups.keys(group(a)) == []
    assert not a.peer("b@h").holdings


def test_process_leaves_its_own_groups_only() -> None:
    """process_owner_check: an entry of one process cannot be let go by another of the same node."""
    world = world_of("a", "b")
    meet(world, "a", "b")
    a, b, bob, other = world["a@h"], world["b@h"], member(world, "b"), world["b@h"].process()
    assert not leave(b, other)
    world.carry()
    [entry] = a.groups.members(group(a), K)
    a.signals_received(a.peer("b@h"), [Let(seen_from(a, b, other.pid), (entry.number,))], world.now)
    assert members(a) == [seen_from(a, b, bob.pid)]


def test_node_that_connects_sees_everything_of_a_mesh_at_once() -> None:
    """initial, forced_sync: no exchange is needed beside the beginning of each session."""
    herd = Herd("abcd")
    for name in "abcd":
        herd.joins(name)
    meet(herd.world, "a", "b", "c")
    herd.must_see("abc", "d")
    herd.world.connect("d@h", "a@h")
    herd.must_see("abcd")


def test_q8_q9_leave_precedes_nodedown_and_join_precedes_nodeup_each_time() -> None:
    world = world_of("a", "b")
    a, b, watcher, bob = world["a@h"], world["b@h"], world["a@h"].process(), member(world, "b")
    a.membership.monitor_nodes(watcher, on=True)
    ref = a.keys.watch(watcher, group(a), None)
    join(b, bob, key=L)
    there = (seen_from(a, b, bob.pid),)
    for _ in range(2):
        world.connect("a@h", "b@h")
        world.cut("a@h", "b@h")
    joins = [GroupChanged(ref, "join", key, there) for key in (K, L)]
    leaves = [GroupChanged(ref, "leave", key, there) for key in (K, L)]
    assert messages(watcher) == [*joins, NodeUp("b@h"), *leaves, NodeDown("b@h")] * 2


def test_group_leave_of_a_killed_node_reaches_all_before_the_downs() -> None:
    world = world_of("a", "b", "c")
    meet(world, "a", "b", "c")
    bob = member(world, "b")
    world.carry()
    watchers = []
    for name in ("a@h", "c@h"):
        node = world[name]
        watcher, there = node.process(), seen_from(node, world["b@h"], bob.pid)
        watchers.append(
            (
                watcher,
                node.keys.watch(watcher, group(node), K),
                node.process_signals.monitor(watcher, there),
                there,
            )
        )
    world.carry()
    world.kill("b@h")
    for watcher, ref, monitor, there in watchers:
        assert messages(watcher) == [
            GroupChanged(ref, "leave", K, (there,)),
            Downed(monitor, there, "noconnection"),
        ]
