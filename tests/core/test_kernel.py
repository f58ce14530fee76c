"""kernel.py, effects.py: a node starts and stops; facts of a process; dropped payloads."""

from __future__ import annotations

from pyx.core.effects import CancelDial, Connected, Dial, Hangup, Log
from pyx.core.mailbox import Downed, NodeDown
from pyx.signals import Dropped, Tick
from pyx.terms import Incarnation, Pid
from tests.core.conversation import Node, World, messages, seen_from


def test_pids_keep_their_meaning_when_the_node_stops() -> None:
    node = Node()
    gus = node.process()
    node.node_started("a@h", 7, hidden=False)
    assert node.tables.find(gus.pid) is gus
    assert node.tables.find(Pid(gus.pid.number, 0, "a@h", 7)) is gus
    node.node_stopped()
    assert node.tables.find(gus.pid) is gus
    assert node.tables.find(Pid(gus.pid.number, 0, "a@h", 7)) is None
    assert (node.tables.name, node.tables.creation, node.tables.hidden) == ("", 0, False)


def test_node_stop_disconnects_every_peer_and_cancels_every_dial() -> None:
    world = World("a@h", "b@h", "c@h")
    world.connect("a@h", "b@h", "c@h")
    a, b = world["a@h"], world["b@h"]
    gus, server, watcher = a.process(), b.process(), b.process()
    there = seen_from(a, b, server.pid)
    a.membership.monitor_node(gus, "b@h", on=True)
    b.membership.monitor_nodes(watcher, on=True)
    ref = a.process_signals.monitor(gus, there)
    a.sessions.connect("waiter", "lost@h", world.now)
    world.carry()
    a.sessions.connect("waiter", "slow@h", world.now)
    a.node_stopped()
    world.carry()
    assert messages(gus) == [Downed(ref, there, "noconnection"), NodeDown("b@h")]
    assert gus.alive
    assert messages(watcher) == [NodeDown("a@h")]
    assert [hangup.gracefully for hangup in a.saw(Hangup)] == [True, True]
    assert a.saw(CancelDial) == [CancelDial("slow@h")]
    assert a.saw(Connected)[-1] == Connected("waiter", ok=False, reason="the dial was given up")
    assert b.membership.nodes(["connected"]) == ["c@h"]
    assert a.membership.nodes(["connected"]) == []


def test_node_stop_forgets_back_offs() -> None:
    world = World("a@h")
    a = world["a@h"]
    a.sessions.connect(None, "lost@h", world.now)
    world.carry()
    a.node_stopped()
    a.node_started("a@h", 9, hidden=False)
    a.seen.clear()
    a.router.send(None, ("server", "lost@h"), "x")
    assert a.saw(Dial) == [Dial("lost@h")]


def test_signals_of_an_ended_session_are_ignored() -> None:
    world = World("a@h", "b@h")
    world.connect("a@h", "b@h")
    a = world["a@h"]
    peer = a.peer("b@h")
    heard = peer.last_received
    a.signals_received(peer, [Tick()], world.now + 1)
    assert peer.last_received == heard + 1
    world.cut("a@h", "b@h")
    a.signals_received(peer, [Tick()], world.now + 2)
    assert peer.last_received == heard + 1


def test_facts_of_a_process() -> None:
    node = Node("a@h", 1)
    gus = node.process(initial_call=("stock", "handle", 1))
    server = node.process()
    node.registry.register(gus.pid, "gus")
    node.process_signals.link(gus, server.pid)
    node.process_signals.monitor(gus, server.pid)
    node.process_signals.monitor(gus, ("shop", "a@h"))
    node.process_signals.monitor(server, gus.pid)
    node.process_signals.set_trap_exit(gus, True)
    node.router.send(None, gus.pid, "hello")
    facts = node.facts(gus)
    assert facts == {
        "registered_name": "gus",
        "initial_call": ("stock", "handle", 1),
        "message_queue_len": 2,
        "links": [server.pid],
        "monitors": [server.pid],
        "monitored_by": [server.pid],
        "trap_exit": True,
        "group_leader": Pid(0),
        "kind": "def",
    }


class TestUndecodablePayload:
    def warnings(self, node: Node) -> list[str]:
        return [log.text for log in node.saw(Log) if log.level == "warning"]

    def test_undecodable_payload_is_reported_to_its_node_of_origin(self) -> None:
        world = World("a@h", "b@h")
        world.connect("a@h", "b@h")
        a, b = world["a@h"], world["b@h"]
        server = b.process()
        assert a.tables.here is not None
        b.payload_dropped(server, a.tables.here, "too long")
        world.carry()
        there = seen_from(a, b, server.pid)
        assert self.warnings(a) == [f"b@h dropped a message for {there} that it cannot read: too long"]

    def test_undecodable_payload_is_not_reported_to_another_incarnation(self) -> None:
        world = World("a@h", "b@h")
        world.connect("a@h", "b@h")
        a, b = world["a@h"], world["b@h"]
        server = b.process()
        b.payload_dropped(server, Incarnation("a@h", 4711), "too long")
        b.payload_dropped(server, Incarnation("gone@h", 1), "too long")
        world.carry()
        assert self.warnings(a) == []
        assert b.membership.nodes(["connected"]) == ["a@h"]

    def test_report_of_a_peer_cannot_forge_or_flood_log_lines(self) -> None:
        world = World("a@h", "b@h")
        world.connect("a@h", "b@h")
        a, b = world["a@h"], world["b@h"]
        for why in ("x\n[error] a@h is on fire", "y" * 10_000):
            a.signals_received(a.peer("b@h"), [Dropped(seen_from(a, b, Pid(1)), why)], world.now)
        forged, flood = self.warnings(a)
        assert "x\\n[error]" in forged
        assert "\n" not in forged
        assert len(flood) < 300
