"""keys.py, spaces.py, space_parts.py: what processes of a node hold, until the step of their end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pyx.core.mailbox import Downed, GroupChanged, KeyChanged
from pyx.core.spaces import PLAIN_USE, SpaceUse
from pyx.signals import Payload
from tests.core.conversation import Node, messages
from tests.core.test_exit_notices import portions

if TYPE_CHECKING:
    from pyx.core.processes import ProcessRecord
    from pyx.core.spaces import Space
    from pyx.terms import Pid

K, L = b"\xa1k", b"\xa1l"
NIL = Payload(b"")


@pytest.fixture
def node() -> Node:
    return Node("a@h", 1)


def space(
    node: Node,
    name: str = "s",
    *,
    unique: bool = False,
    replicated: bool = False,
    owner: ProcessRecord | None = None,
    use: SpaceUse = PLAIN_USE,
) -> Space:
    assert node.keys.open_space(name, owner=owner, unique=unique, replicated=replicated, use=use)
    return node.tables.spaces[name]


def holders(of: Space, key: bytes) -> list[Pid]:
    return [entry.held.frm for entry in of.living(key)]


class TestUniqueKey:
    def test_has_one_holder_which_the_next_one_is_told(self, node: Node) -> None:
        names, first, second = space(node, unique=True), node.process(), node.process()
        assert node.keys.hold(names, K, 1, [first]) is None
        assert node.keys.hold(names, K, 2, [second]) == first.pid
        assert node.keys.hold(names, K, 2, [first]) == first.pid
        assert [(entry.held.frm, entry.held.value) for entry in names.living(K)] == [(first.pid, 1)]

    def test_is_free_in_the_step_in_which_its_holder_ends(self, node: Node) -> None:
        names, first, second, watcher = (
            space(node, unique=True),
            node.process(),
            node.process(),
            node.process(),
        )
        node.keys.hold(names, K, 1, [first])
        ref = node.process_signals.monitor(watcher, first.pid)
        node.process_signals.process_exited(first, "boom")
        assert messages(watcher) == [Downed(ref, first.pid, "boom")]
        assert (holders(names, K), names.size, names.keys()) == ([], 0, [])
        assert node.keys.hold(names, K, 2, [second]) is None

    def test_is_free_though_the_entries_of_its_holder_are_removed_later(self, node: Node) -> None:
        node.tables.exit_notices.portion = 1
        names, first, second = space(node, unique=True), node.process(), node.process()
        for number in range(1000):
            node.keys.hold(names, b"%d" % number, 1, [first])
        node.process_signals.process_exited(first, "boom")
        assert (names.size, names.stored, names.keys()) == (0, 900, [])
        assert node.keys.hold(names, b"999", 2, [second]) is None
        assert holders(names, b"999") == [second.pid]
        assert portions(node) > 9
        assert (names.size, names.stored, names.keys()) == (1, 1, [b"999"])
        assert holders(names, b"999") == [second.pid]

    def test_cannot_be_held_by_an_ended_process(self, node: Node) -> None:
        names, dead = space(node, unique=True), node.process()
        node.process_signals.process_exited(dead, "normal")
        assert node.keys.hold(names, K, 1, [dead]) is None
        assert (holders(names, K), names.size) == ([], 0)


class TestDuplicateKey:
    def test_is_held_as_often_as_it_was_taken(self, node: Node) -> None:
        group, gus, bob = space(node), node.process(), node.process()
        node.keys.hold(group, K, NIL, [gus, bob, gus])
        assert holders(group, K) == [gus.pid, bob.pid, gus.pid]
        assert node.keys.let_go(group, K, [gus])
        assert holders(group, K) == [gus.pid, bob.pid]
        assert node.keys.let_go(group, K, [gus, bob])
        assert not node.keys.let_go(group, K, [gus])
        assert (holders(group, K), group.holders, group.size) == ([], {}, 0)

    def test_takes_a_new_value(self, node: Node) -> None:
        group, gus, bob = space(node), node.process(), node.process()
        node.keys.hold(group, K, 1, [gus])
        assert node.keys.update(gus, group, K, 2)
        assert not node.keys.update(bob, group, K, 3)
        assert [entry.held.value for entry in group.living(K)] == [2]

    def test_is_dropped_by_entry(self, node: Node) -> None:
        group, gus = space(node), node.process()
        node.keys.hold(group, K, 1, [gus])
        node.keys.hold(group, L, 2, [gus])
        of_k, of_l = node.keys.held_by(gus, group)
        node.keys.drop(group, [of_k])
        node.keys.drop(group, [of_k])
        assert node.keys.held_by(gus, group) == [of_l]
        assert group.size == group.stored == 1


class TestSpace:
    def test_is_one_of_its_name(self, node: Node) -> None:
        space(node)
        assert not node.keys.open_space("s", owner=None, unique=True, replicated=False)

    def test_ends_with_its_owner_and_the_holders_live(self, node: Node) -> None:
        owner, gus = node.process(), node.process()
        group = space(node, owner=owner)
        node.keys.hold(group, K, 1, [gus, owner])
        node.process_signals.process_exited(owner, "killed")
        assert node.tables.spaces == {}
        assert gus.alive
        assert group.holders == {}
        assert gus.holdings is not None
        assert gus.holdings.entries == {}
        assert space(node).size == 0

    def test_ends_with_its_owner_though_a_holder_ends_before_its_entries_are_removed(
        self, node: Node
    ) -> None:
        node.tables.exit_notices.portion = 1
        owner, gus = node.process(), node.process()
        group = space(node, owner=owner)
        for number in range(300):
            node.keys.hold(group, b"%d" % number, 1, [gus])
        node.process_signals.process_exited(owner, "killed")
        node.process_signals.process_exited(gus, "killed")
        portions(node)
        assert group.holders == {}

    def test_of_an_ended_process_is_not_made(self, node: Node) -> None:
        dead = node.process()
        node.process_signals.process_exited(dead, "normal")
        assert not node.keys.open_space("s", owner=dead, unique=True, replicated=False)


class TestWatcher:
    def test_is_told_of_joins_and_leaves_in_one_event_each(self, node: Node) -> None:
        group, gus, bob, watcher = space(node), node.process(), node.process(), node.process()
        ref = node.keys.watch(watcher, group, K)
        node.keys.hold(group, K, NIL, [gus, bob])
        node.keys.hold(group, L, NIL, [gus])
        node.keys.let_go(group, K, [bob, gus])
        both = gus.pid, bob.pid
        assert messages(watcher) == [
            GroupChanged(ref, "join", K, both),
            GroupChanged(ref, "leave", K, both[::-1]),
        ]

    def test_of_all_keys_is_told_of_each(self, node: Node) -> None:
        group, gus, watcher = space(node), node.process(), node.process()
        ref = node.keys.watch(watcher, group, None)
        node.keys.hold(group, K, NIL, [gus])
        node.keys.hold(group, L, NIL, [gus])
        assert messages(watcher) == [GroupChanged(ref, "join", key, (gus.pid,)) for key in (K, L)]

    def test_sees_the_leave_of_an_ended_process_before_its_down(self, node: Node) -> None:
        node.tables.exit_notices.portion = 1
        group, gus, watcher = space(node), node.process(), node.process()
        node.keys.hold(group, K, NIL, [gus, gus])
        ref = node.keys.watch(watcher, group, K)
        monitor = node.process_signals.monitor(watcher, gus.pid)
        node.process_signals.process_exited(gus, "boom")
        portions(node)
        assert messages(watcher) == [
            GroupChanged(ref, "leave", K, (gus.pid, gus.pid)),
            Downed(monitor, gus.pid, "boom"),
        ]

    def test_that_begins_after_an_end_is_not_told_of_it(self, node: Node) -> None:
        node.tables.exit_notices.portion = 1
        group, gus, watcher = space(node), node.process(), node.process()
        for number in range(300):
            node.keys.hold(group, b"%d" % number, NIL, [gus])
        node.process_signals.process_exited(gus, "boom")
        node.keys.watch(watcher, group, None)
        assert portions(node) > 2
        assert messages(watcher) == []

    def test_that_stops_is_told_of_nothing_more(self, node: Node) -> None:
        group, gus, watcher = space(node), node.process(), node.process()
        ref = node.keys.watch(watcher, group, K)
        assert [node.keys.unwatch(watcher, ref) for _ in range(2)] == [True, False]
        node.keys.hold(group, K, NIL, [gus])
        assert (messages(watcher), group.watches) == ([], {})

    def test_that_ends_leaves_nothing(self, node: Node) -> None:
        group, watcher = space(node), node.process()
        node.keys.watch(watcher, group, K)
        node.process_signals.process_exited(watcher, "normal")
        assert group.watches == {}


def test_listeners_are_told_of_registrations_by_their_names(node: Node) -> None:
    names = space(node, unique=True, use=SpaceUse(listeners=("ear", "gone")))
    gus, listener = node.process(), node.process()
    node.registry.register(listener.pid, "ear")
    node.keys.hold(names, K, 1, [gus])
    node.process_signals.process_exited(gus, "boom")
    assert messages(listener) == [
        KeyChanged("join", "s", K, gus.pid, 1),
        KeyChanged("leave", "s", K, gus.pid, 1),
    ]


def test_process_that_holds_twenty_thousand_keys_ends_in_portions(node: Node) -> None:
    """No kernel call forgets more than a portion; all of them are gone for readers at once."""
    names, gus = space(node, unique=True), node.process()
    for number in range(20_000):
        node.keys.hold(names, b"%d" % number, 1, [gus])
    node.process_signals.process_exited(gus, "normal")
    assert (names.size, names.keys()) == (0, [])
    left = [names.stored]
    while node.tables.exit_notices:
        node.router.collect()
        node.continue_exits()
        left.append(names.stored)
    assert left == [*range(19_500, -1, -500), 0]


def test_idle_process_has_no_holdings(node: Node) -> None:
    assert node.process().holdings is None


def test_entries_of_one_process_are_removed_from_the_end(node: Node) -> None:
    class Noted(list[Any]):
        def remove(self, _: Any) -> None:
            pytest.fail("each entry is looked for among all of its process")

    at, gus = space(node), node.process()
    node.keys.hold(at, K, 1, [gus] * 3)
    assert gus.holdings is not None
    gus.holdings.entries[at, K] = Noted(gus.holdings.entries[at, K])
    node.keys.drop(at, node.keys.held_by(gus, at, K))
    assert (holders(at, K), at.size, gus.holdings.entries) == ([], 0, {})
