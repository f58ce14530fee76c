"""groups.py: what peers hold: in place before `nodeup`, gone before `nodedown`; joins precede messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pyx.core.effects import Answered, Connected, Hangup
from pyx.core.groups import PIECE
from pyx.core.mailbox import Downed, GroupChanged, NodeDown, NodeUp
from pyx.core.peers import BEAM
from pyx.signals import MOST_HELD, Discover, Held, Holdings, Let, Payload, Pong, Send, queued_bytes
from pyx.terms import Pid
from tests.core.conversation import Node, World, messages, seen_from
from tests.core.test_exit_notices import portions
from tests.core.test_keys import NIL, K, L, space

if TYPE_CHECKING:
    from pyx.core.peers import Peer
    from pyx.core.processes import ProcessRecord
    from pyx.core.spaces import Space

WAITER = object()


def world_of(*names: str, hidden: tuple[str, ...] = ()) -> World:
    """Nodes that are not connected, each with the replicated space `s`."""
    world = World(*(f"{name}@h" for name in names), hidden=tuple(f"{name}@h" for name in hidden))
    for name in names:
        space(world[f"{name}@h"], replicated=True)
    return world


def group(node: Node) -> Space:
    return node.tables.spaces["s"]


def join(node: Node, *processes: ProcessRecord, key: bytes = K, value: Payload = NIL) -> None:
    node.keys.hold(group(node), key, value, processes)


def leave(node: Node, *processes: ProcessRecord, key: bytes = K) -> bool:
    return node.keys.let_go(group(node), key, processes)


def members(node: Node, key: bytes = K) -> list[Pid]:
    return [held.frm for held in node.groups.members(group(node), key)]


def member(world: World, name: str, key: bytes = K) -> ProcessRecord:
    """A new process of a node, which holds *key*."""
    node = world[f"{name}@h"]
    process = node.process()
    join(node, process, key=key)
    return process


def erlang_node(world: World) -> Peer:
    """An Erlang node that has dialled a@h."""
    decision = world["a@h"].sessions.peer_claimed("x@h", 9, hidden=True, now=world.now, dialect=BEAM)
    assert decision.peer is not None
    return decision.peer


def here_and_there(world: World, viewer: str, **owners: list[ProcessRecord]) -> list[Pid]:
    """The pids of processes of several nodes, as one node writes them; its own first."""
    at = world[f"{viewer}@h"]
    pids = [process.pid for process in owners.pop(viewer, [])]
    return pids + [
        seen_from(at, world[f"{name}@h"], process.pid) for name, those in owners.items() for process in those
    ]


class TestSessionBegins:
    def test_with_the_holdings_of_both_sides(self) -> None:
        world = world_of("a", "b")
        gus, bob = member(world, "a"), member(world, "b")
        world.connect("a@h", "b@h")
        assert members(world["a@h"]) == here_and_there(world, "a", a=[gus], b=[bob])
        assert members(world["b@h"]) == here_and_there(world, "b", b=[bob], a=[gus])

    def test_with_holdings_though_there_are_none(self) -> None:
        world = World("a@h", "b@h")
        a = world["a@h"]
        a.sessions.connect(None, "b@h", world.now)
        a.router.send(None, ("server", "b@h"), Payload(b"early"))
        a.sessions.peer_up("b@h", 2, hidden=False, now=world.now)
        assert list(a.peer("b@h").out) == [
            Holdings((), is_last=True),
            Send(None, "server", Payload(b"early")),
        ]
        assert a.peer("b@h").out.queued == sum(map(queued_bytes, a.peer("b@h").out))

    def test_and_nodeup_and_connected_come_after_them(self) -> None:
        """Promise 1."""
        world = world_of("a", "b")
        a, watcher = world["a@h"], world["a@h"].process()
        ref = a.keys.watch(watcher, group(a), K)
        a.membership.monitor_nodes(watcher, on=True)
        a.sessions.connect(WAITER, "b@h", world.now)
        a.requests.ping(WAITER, "b@h", world.now)
        a.sessions.peer_up("b@h", 2, hidden=False, now=world.now)
        a.sessions.connect(WAITER, "b@h", world.now)
        peer = a.peer("b@h")
        first, second = (Held(Pid(n, 0, "b@h", 2), n, "s", K, NIL) for n in (1, 2))
        a.signals_received(peer, [Holdings((first,), is_last=False)], world.now)
        [ping] = a.pending
        a.signals_received(peer, [Pong(ping)], world.now)
        assert (members(a), messages(watcher)) == ([], [])
        assert a.membership.nodes(["visible"]) == a.membership.nodes(["connected"]) == []
        assert a.saw(Connected) == a.saw(Answered) == []
        a.signals_received(peer, [Holdings((second,), is_last=True)], world.now)
        both = (first.frm, second.frm)
        assert messages(watcher) == [GroupChanged(ref, "join", K, both), NodeUp("b@h")]
        assert members(a) == list(both)
        assert a.saw(Connected) == [Connected(WAITER, ok=True, reason="")] * 2
        assert [answer.outcome for answer in a.saw(Answered)] == ["pong"]
        assert a.membership.nodes(["visible"]) == ["b@h"]

    def test_in_pieces(self) -> None:
        world = world_of("a", "b")
        a, gus = world["a@h"], world["a@h"].process()
        for number in range(2 * PIECE + 1):
            join(a, gus, key=b"%d" % number)
        a.sessions.connect(None, "b@h", world.now)
        a.sessions.peer_up("b@h", 2, hidden=False, now=world.now)
        pieces: list[Any] = list(a.peer("b@h").out)
        assert [(len(piece.entries), piece.is_last) for piece in pieces] == [
            (PIECE, False),
            (PIECE, False),
            (1, False),
            (0, True),
        ]
        assert MOST_HELD >= PIECE

    def test_between_hidden_nodes_without_any(self) -> None:
        world = world_of("a", "b", hidden=("b",))
        member(world, "a"), member(world, "b")
        a, b = world["a@h"], world["b@h"]
        a.sessions.connect(WAITER, "b@h", world.now)
        world.carry()
        gus = member(world, "a")
        leave(a, gus)
        world.carry()
        assert len(members(a)) == len(members(b)) == 1
        assert a.saw(Connected) == [Connected(WAITER, ok=True, reason="")]
        assert a.membership.nodes(["hidden", "connected"]) == ["b@h"]
        assert [len(peer.holdings or ()) for node in (a, b) for peer in node.tables.peers.values()] == [0, 0]

    def test_with_an_erlang_node_by_asking_for_its_scopes(self) -> None:
        world = world_of("a")
        a, gus = world["a@h"], member(world, "a")
        beam = erlang_node(world)
        assert [type(signal) for signal in beam.out] == [Discover, Held]
        a.keys.open_space("other", owner=None, unique=False, replicated=True)
        leave(a, gus)
        assert list(beam.out)[2:] == [Discover("other"), Let(gus.pid, (1,))]
        beam.out.clear()
        a.sessions.tick(world.now)
        assert list(beam.out)[:2] == [Discover("s"), Discover("other")]

    def test_with_members_of_an_erlang_node_that_no_other_node_sees(self) -> None:
        world = world_of("a", "b")
        world.connect("a@h", "b@h")
        a, beam = world["a@h"], erlang_node(world)
        watcher = a.process()
        ref, _ = a.groups.watch(watcher, group(a), K)
        ann = Pid(7, 0, "x@h", 9)
        a.receive_signal(beam, Held(ann, 1, "s", K, NIL))
        assert members(a) == [ann]
        assert not a.peer("b@h").out
        a.sessions.lose(beam, "gone")
        assert members(a) == []
        assert [one for one in messages(watcher) if type(one) is GroupChanged] == [
            GroupChanged(ref, "join", K, (ann,)), GroupChanged(ref, "leave", K, (ann,)),
        ]  # fmt: skip

    def test_and_a_peer_that_never_says_what_it_holds_is_lost(self) -> None:
        world = World("a@h")
        a = world["a@h"]
        a.sessions.connect(WAITER, "b@h", world.now)
        a.sessions.tick(world.now)
        a.sessions.peer_up("b@h", 2, hidden=False, now=world.now)
        peer = a.peer("b@h")
        for _ in range(5):
            world.now += a.sessions.tick_seconds / 4
            a.signals_received(peer, [], world.now)
            a.sessions.tick(world.now)
        assert a.saw(Connected) == [
            Connected(WAITER, ok=False, reason="it does not say what its processes hold")
        ]
        assert a.saw(Hangup) == [Hangup(peer, gracefully=False)]


class TestJoin:
    def test_is_seen_before_any_message_that_its_process_sends_afterwards(self) -> None:
        """Promise 3."""
        world = world_of("a", "b")
        world.connect("a@h", "b@h")
        a, b, gus, bob = world["a@h"], world["b@h"], world["a@h"].process(), world["b@h"].process()
        there = seen_from(a, b, bob.pid)
        join(a, gus)
        a.router.send(gus.pid, there, Payload(b"I am in"))
        kinds = [type(signal) for signal in a.peer("b@h").out]
        assert kinds == [Held, Send]
        seen: list[list[Pid]] = []
        b.router.deliver = lambda *_: seen.append(members(b))  # type: ignore[method-assign]
        b.router.receive_messages = lambda signals, at, peer: (seen.append(members(b)), at + 1)[1]  # type: ignore[method-assign]
        world.carry()
        assert seen == [[seen_from(b, a, gus.pid)]]

    def test_of_several_is_one_event_on_each_node(self) -> None:
        world = world_of("a", "b")
        world.connect("a@h", "b@h")
        a, b, watcher = world["a@h"], world["b@h"], world["a@h"].process()
        ref = a.keys.watch(watcher, group(a), K)
        gus, bob = a.process(), b.process()
        join(a, gus, gus)
        join(b, bob)
        world.carry()
        assert messages(watcher) == [
            GroupChanged(ref, "join", K, (gus.pid, gus.pid)),
            GroupChanged(ref, "join", K, (seen_from(a, b, bob.pid),)),
        ]

    def test_of_a_space_that_is_not_here_is_seen_once_it_is(self) -> None:
        world = World("a@h", "b@h")
        space(world["b@h"], replicated=True)
        world.connect("a@h", "b@h")
        bob = member(world, "b")
        world.carry()
        assert space(world["a@h"], replicated=True).size == 0
        assert members(world["a@h"]) == [seen_from(world["a@h"], world["b@h"], bob.pid)]

    def test_with_a_new_value_replaces_the_old_one(self) -> None:
        world = world_of("a", "b")
        world.connect("a@h", "b@h")
        a, b, watcher = world["a@h"], world["b@h"], world["a@h"].process()
        bob = b.process()
        there = (seen_from(a, b, bob.pid),)
        ref = a.keys.watch(watcher, group(a), K)
        join(b, bob, value=Payload(b"1"))
        b.keys.update(bob, group(b), K, Payload(b"2"))
        world.carry()
        assert messages(watcher) == [GroupChanged(ref, kind, K, there) for kind in ("join", "update")]
        assert [held.value.data for held in a.groups.members(group(a), K)] == [b"2"]


class TestLeave:
    def test_of_one_that_joined_twice_leaves_one(self) -> None:
        world = world_of("a", "b")
        world.connect("a@h", "b@h")
        a, b = world["a@h"], world["b@h"]
        bob = b.process()
        join(b, bob, bob)
        leave(b, bob)
        world.carry()
        assert members(a) == [seen_from(a, b, bob.pid)]
        leave(b, bob)
        world.carry()
        assert (members(a), a.groups.keys(group(a))) == ([], [])
        assert not a.peer("b@h").holdings

    def test_of_an_ended_member_is_seen_before_its_down(self) -> None:
        """Promise 4."""
        world = world_of("a", "b")
        world.connect("a@h", "b@h")
        a, b, watcher = world["a@h"], world["b@h"], world["a@h"].process()
        bob = member(world, "b")
        join(b, bob, bob)
        world.carry()
        there = seen_from(a, b, bob.pid)
        ref = a.keys.watch(watcher, group(a), K)
        monitor = a.process_signals.monitor(watcher, there)
        world.carry()
        b.process_signals.process_exited(bob, "boom")
        world.carry()
        assert messages(watcher) == [
            GroupChanged(ref, "leave", K, (there, there, there)),
            Downed(monitor, there, "boom"),
        ]

    def test_of_a_lost_node_is_seen_before_down_and_nodedown(self) -> None:
        """Promise 2."""
        world = world_of("a", "b")
        world.connect("a@h", "b@h")
        a, b, watcher = world["a@h"], world["b@h"], world["a@h"].process()
        bob = member(world, "b")
        world.carry()
        there = seen_from(a, b, bob.pid)
        ref = a.keys.watch(watcher, group(a), K)
        monitor = a.process_signals.monitor(watcher, there)
        a.membership.monitor_nodes(watcher, on=True)
        a.membership.monitor_node(watcher, "b@h", on=True)
        world.carry()
        world.cut("a@h", "b@h")
        assert messages(watcher) == [
            GroupChanged(ref, "leave", K, (there,)),
            Downed(monitor, there, "noconnection"),
            NodeDown("b@h"),
            NodeDown("b@h"),
        ]
        assert members(a) == []

    def test_of_a_lost_node_that_was_never_ready_is_not_seen_nor_is_a_nodedown(self) -> None:
        world = world_of("a", "b")
        a, watcher = world["a@h"], world["a@h"].process()
        a.keys.watch(watcher, group(a), None)
        a.membership.monitor_nodes(watcher, on=True)
        a.sessions.connect(WAITER, "b@h", world.now)
        a.sessions.peer_up("b@h", 2, hidden=False, now=world.now)
        peer = a.peer("b@h")
        held = Held(Pid(1, 0, "b@h", 2), 1, "s", K, NIL)
        a.signals_received(peer, [Holdings((held,), is_last=False)], world.now)
        a.sessions.peer_lost(peer, "cut", world.now)
        assert messages(watcher) == []
        assert a.saw(Connected) == [Connected(WAITER, ok=False, reason="cut")]

    def test_of_a_process_with_thousands_of_keys_reaches_peers_in_portions(self) -> None:
        world = world_of("a", "b")
        a, b, gus = world["a@h"], world["b@h"], world["a@h"].process()
        for number in range(1200):
            join(a, gus, key=b"%d" % number)
        world.connect("a@h", "b@h")
        a.process_signals.process_exited(gus, "normal")
        assert sum(len(one.numbers) for one in a.peer("b@h").out if type(one) is Let) < 500
        portions(a)
        world.carry()
        assert b.groups.keys(group(b)) == []


class TestPeerSpeaksForItsOwnProcessesOnly:
    def connected(self) -> tuple[World, Node]:
        world = world_of("a", "b", "c")
        world.connect("a@h", "b@h", "c@h")
        return world, world["a@h"]

    def test_and_ends_no_entry_of_another_process(self) -> None:
        world, a = self.connected()
        bob = member(world, "b")
        world.carry()
        [entry] = a.groups.members(group(a), K)
        a.signals_received(a.peer("b@h"), [Let(Pid(99, 0, "b@h", 2), (entry.number,))], world.now)
        a.signals_received(a.peer("c@h"), [Let(entry.frm, (entry.number,))], world.now)
        assert members(a) == [seen_from(a, world["b@h"], bob.pid)]

    def test_and_a_number_that_is_used_twice_ends_its_session(self) -> None:
        world, a = self.connected()
        for key in (K, L):
            a.signals_received(a.peer("b@h"), [Held(Pid(9, 0, "b@h", 2), 7, "s", key, NIL)], world.now)
        assert "b@h" not in a.tables.peers
        assert members(a) == []

    @pytest.mark.parametrize("times", [1, 2])
    def test_and_holdings_that_come_twice_end_its_session(self, times: int) -> None:
        world, a = self.connected()
        peer = a.peer("b@h")
        held = Held(Pid(9, 0, "b@h", 2), 7, "s", K, NIL)
        a.signals_received(peer, [Holdings((held,) * times, is_last=True)], world.now)
        assert peer.state == "gone"

    def test_and_numbers_that_are_unknown_are_ignored(self) -> None:
        world, a = self.connected()
        a.signals_received(a.peer("b@h"), [Let(Pid(9, 0, "b@h", 2), (1, 2, 3))], world.now)
        assert a.peer("b@h").state == "up"


def test_spaces_of_a_node_and_of_its_peers_are_read_together() -> None:
    world = world_of("a", "b")
    world.connect("a@h", "b@h")
    a, watcher = world["a@h"], world["a@h"].process()
    gus, bob = member(world, "a"), member(world, "b", key=L)
    world.carry()
    there = seen_from(a, world["b@h"], bob.pid)
    assert a.groups.keys(group(a)) == [K, L]
    _, present = a.groups.watch(watcher, group(a), L)
    assert [held.frm for held in present] == [there]
    _, whole = a.groups.watch_all(watcher, group(a))
    assert {key: [held.frm for held in those] for key, those in whole.items()} == {K: [gus.pid], L: [there]}


def test_nodeup_and_nodedown_of_a_peer_are_one_batch_of_changes_each() -> None:
    world = world_of("a", "b")
    a, watcher = world["a@h"], world["a@h"].process()
    a.keys.watch(watcher, group(a), None)
    bob, cat = member(world, "b"), member(world, "b", key=L)
    join(world["b@h"], cat)
    batches: list[tuple[str, list[int]]] = []
    tell = a.keys.tell_watchers

    def noted(of: Space, kind: str, changes: Any, **options: Any) -> None:
        batches.append((kind, [len(held) for held in changes.values()]))
        tell(of, kind, changes, **options)

    a.keys.tell_watchers = noted  # type: ignore[method-assign,assignment]
    world.connect("a@h", "b@h")
    world.cut("a@h", "b@h")
    assert batches == [("join", [2, 1]), ("leave", [2, 1])]
    assert bob.alive


def test_owner_of_a_scope_ends_and_its_members_leave_for_everybody() -> None:
    world = World("a@h", "b@h")
    a, b = world["a@h"], world["b@h"]
    owner = a.process()
    space(a, replicated=True, owner=owner)
    space(b, replicated=True)
    world.connect("a@h", "b@h")
    gus, watcher = member(world, "a"), b.process()
    world.carry()
    ref = b.keys.watch(watcher, group(b), K)
    a.process_signals.exit(gus.pid, owner.pid, "kill")
    world.carry()
    assert messages(watcher) == [GroupChanged(ref, "leave", K, (seen_from(b, a, gus.pid),))]
    assert (members(b), gus.alive) == ([], True)
