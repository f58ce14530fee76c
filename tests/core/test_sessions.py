"""sessions.py, node_loss.py: sessions begin, replace each other and end."""

from __future__ import annotations

import pytest

from pyx.core.effects import Answered, CancelDial, Connected, Dial, Flush, Hangup, Log, RetryAt
from pyx.core.kernel import Kernel
from pyx.core.mailbox import NodeDown, NodeUp
from pyx.core.peers import BEAM
from pyx.signals import Goodbye, Holdings, Nodes, Payload, Send, Tick
from pyx.terms import Pid
from tests.core.conversation import Node, World, messages

WAITER = object()


NO_HOLDINGS = Holdings((), is_last=True)


def hold_nothing(world: World, a: Node, b: Node) -> None:
    """Each of two connected nodes tells the other that its processes hold nothing."""
    for node, other in ((a, b), (b, a)):
        node.signals_received(node.peer(other.tables.name), [NO_HOLDINGS], world.now)


def mesh_of(world: World, names: str) -> list[list[str]]:
    return [world[f"{name}@h"].membership.nodes(["connected"]) for name in names]


# ---------------------------------------------------------------- dialling


def test_connect_dials_once_and_answers_each_waiter() -> None:
    world = World("a@h", "b@h")
    a = world["a@h"]
    a.sessions.connect("first", "b@h", world.now)
    a.sessions.connect("second", "b@h", world.now)
    world.carry()
    a.sessions.connect("third", "b@h", world.now)
    assert a.saw(Dial) == [Dial("b@h")]
    assert [effect.waiter for effect in a.saw(Connected)] == ["first", "second", "third"]
    assert all(effect.ok for effect in a.saw(Connected))
    assert mesh_of(world, "ab") == [["b@h"], ["a@h"]]


def test_connect_to_the_own_node_succeeds_and_before_start_fails() -> None:
    node = Node("a@h", 1)
    node.sessions.connect(WAITER, "a@h", 0.0)
    unnamed = Node()
    unnamed.sessions.connect(WAITER, "a@h", 0.0)
    assert node.saw(Connected) == [Connected(WAITER, ok=True, reason="")]
    assert unnamed.saw(Connected) == [Connected(WAITER, ok=False, reason="this Python is not a node")]


def test_failed_dial_logs_its_reason_once_and_drops_the_queue() -> None:
    world = World("a@h")
    a = world["a@h"]
    a.router.send(None, ("server", "lost@h"), 1)
    a.router.send(None, ("server", "lost@h"), 2)
    a.sessions.connect(WAITER, "lost@h", world.now)
    a.sessions.dial_failed("lost@h", "no such name", world.now, 0.0)
    assert a.saw(Log) == [Log("warning", "cannot connect to lost@h: no such name")]
    assert a.saw(Connected) == [Connected(WAITER, ok=False, reason="no such name")]
    assert [retry.until for retry in a.saw(RetryAt)] == [pytest.approx(1000.1)]
    a.sessions.dial_failed("lost@h", "no such name", world.now)
    assert len(a.saw(Log)) == 1


def test_back_off_holds_for_messages_and_not_for_connect() -> None:
    world = World("a@h")
    a = world["a@h"]

    def message_dials() -> bool:
        before = len(a.saw(Dial))
        a.router.send(None, ("server", "lost@h"), "x")
        return len(a.saw(Dial)) > before

    assert message_dials()
    a.sessions.dial_failed("lost@h", "no such name", world.now)
    assert not message_dials()
    a.sessions.connect(None, "lost@h", world.now)
    assert len(a.saw(Dial)) == 2
    a.sessions.dial_failed("lost@h", "no such name", world.now)
    a.sessions.backoff_ended("lost@h")
    assert message_dials()
    a.sessions.dial_failed("lost@h", "no such name", world.now)
    a.sessions.tick(world.now + 0.3)
    assert not message_dials()
    a.sessions.tick(world.now + 0.4)
    assert message_dials()


def test_message_after_the_back_off_dials_again() -> None:
    world = World("a@h")
    a = world["a@h"]
    a.router.send(None, ("server", "b@h"), "lost")
    world.carry()
    b = world.start("b@h")
    server = b.process()
    b.registry.register(server.pid, "server")
    a.sessions.backoff_ended("b@h")
    a.router.send(None, ("server", "b@h"), "found")
    world.carry()
    assert messages(server) == ["found"]
    world.kill("b@h")
    a.router.send(None, ("server", "b@h"), "x")
    world.carry()
    assert a.saw(RetryAt)[-1].until == pytest.approx(1000.1)  # the success has cleared the failures


# ---------------------------------------------------------------- two dial each other


def crossing() -> tuple[World, Node, Node]:
    world = World("a@h", "b@h")
    a, b = world["a@h"], world["b@h"]
    a.router.send(None, ("server", "b@h"), "from a")
    b.router.send(None, ("server", "a@h"), "from b")
    assert a.saw(Dial)
    assert b.saw(Dial)
    return world, a, b


def claim(world: World, frm: Node, to: Node) -> str:
    return to.sessions.peer_claimed(frm.tables.name, frm.tables.creation, hidden=False, now=world.now).kind


def up(world: World, frm: Node, to: Node) -> str:
    return frm.sessions.peer_up(to.tables.name, to.tables.creation, hidden=False, now=world.now).kind


def test_crossing_dials_keep_the_dial_of_the_greater_name() -> None:
    world, a, b = crossing()
    assert claim(world, a, b) == "simultaneous"
    assert claim(world, b, a) == "accept"
    assert a.saw(CancelDial) == [CancelDial("b@h")]
    assert up(world, b, a) == "accept"
    a.sessions.dial_failed("b@h", "cancelled", world.now)
    for node, other, word in ((a, "b@h", "from a"), (b, "a@h", "from b")):
        assert list(node.peer(other).out) == [NO_HOLDINGS, Send(None, "server", word)]
        assert list(node.peer(other).out.first) == [Nodes(())]
    assert a.saw(Flush) == [Flush(a.peer("b@h"))]
    hold_nothing(world, a, b)
    assert mesh_of(world, "ab") == [["b@h"], ["a@h"]]


def test_crossing_dials_keep_the_dial_of_the_greater_name_in_the_other_order() -> None:
    world, a, b = crossing()
    assert claim(world, b, a) == "accept"
    assert up(world, b, a) == "accept"
    assert claim(world, a, b) == "refused"  # a has given that dial up, which b cannot see yet
    assert up(world, a, b) == "refused"
    hold_nothing(world, a, b)
    assert mesh_of(world, "ab") == [["b@h"], ["a@h"]]
    assert a.saw(Hangup) == b.saw(Hangup) == []


def test_second_claim_after_the_crossing_time_replaces_the_session() -> None:
    world, a, b = crossing()
    claim(world, b, a)
    up(world, b, a)
    old = b.peer("a@h")
    world.now += 5
    assert claim(world, a, b) == "accept"
    assert b.saw(Hangup) == [Hangup(old, gracefully=False)]
    assert b.peer("a@h") is not old


def test_second_dial_of_the_dialling_side_replaces_the_session() -> None:
    world = World("a@h", "b@h")
    world.connect("a@h", "b@h")
    a, b = world["a@h"], world["b@h"]
    old = b.peer("a@h")
    assert claim(world, a, b) == "accept"
    assert b.saw(Hangup) == [Hangup(old, gracefully=False)]


def test_claim_of_the_own_name_or_before_start_is_refused() -> None:
    node = Node("a@h", 1)
    assert node.sessions.peer_claimed("a@h", 7, hidden=False, now=0.0).kind == "refused"
    assert Node().sessions.peer_claimed("a@h", 7, hidden=False, now=0.0).kind == "refused"


def test_answer_to_a_cancelled_dial_is_refused() -> None:
    world = World("a@h", "b@h")
    a = world["a@h"]
    a.sessions.connect(WAITER, "b@h", world.now)
    assert a.sessions.disconnect("b@h")
    assert a.sessions.peer_up("b@h", 2, hidden=False, now=world.now).kind == "refused"
    assert a.saw(CancelDial) == [CancelDial("b@h")]
    assert a.saw(Connected) == [Connected(WAITER, ok=False, reason="the dial was given up")]


# ---------------------------------------------------------------- another incarnation


def test_new_incarnation_replaces_the_old_one_whose_losses_come_first() -> None:
    world = World("a@h", "b@h")
    world.connect("a@h", "b@h")
    a = world["a@h"]
    gus = a.process()
    a.membership.monitor_nodes(gus, on=True)
    a.process_signals.link(gus, Pid(1, 0, "b@h", 2))
    world["b@h"].process()
    old = a.peer("b@h")
    decision = a.sessions.peer_claimed("b@h", 77, hidden=False, now=world.now)
    assert decision.kind == "accept"
    assert decision.peer is a.peer("b@h")
    assert a.peer("b@h").creation == 77
    assert gus.reason == "noconnection"
    assert messages(gus) == []
    a.signals_received(old, [Send(None, "server", "late")], world.now)
    a.sessions.peer_lost(old, "closed", world.now)
    a.signals_received(a.peer("b@h"), [NO_HOLDINGS], world.now)
    assert a.membership.nodes(["connected"]) == ["b@h"]
    assert old.state == "gone"


def test_dial_that_finds_a_newer_incarnation_replaces_the_session() -> None:
    world = World("a@h")
    a = world["a@h"]
    gus = a.process()
    a.membership.monitor_nodes(gus, on=True)
    a.sessions.connect(None, "b@h", world.now)
    assert a.sessions.peer_claimed("b@h", 2, hidden=False, now=world.now).kind == "accept"
    a.signals_received(a.peer("b@h"), [NO_HOLDINGS], world.now)
    assert a.sessions.peer_up("b@h", 3, hidden=False, now=world.now).kind == "accept"
    a.signals_received(a.peer("b@h"), [NO_HOLDINGS], world.now)
    assert a.peer("b@h").creation == 3
    assert messages(gus) == [NodeUp("b@h"), NodeDown("b@h"), NodeUp("b@h")]


# ---------------------------------------------------------------- sessions end


def test_disconnect_ends_one_session_with_a_goodbye() -> None:
    world = World("a@h", "b@h", "c@h")
    world.connect("a@h", "b@h", "c@h")
    a = world["a@h"]
    peer = a.peer("c@h")
    assert a.sessions.disconnect("c@h")
    assert peer.out[-1] == Goodbye()
    assert not a.sessions.disconnect("c@h")
    world.carry()
    assert a.saw(Hangup) == [Hangup(peer, gracefully=True)]
    assert mesh_of(world, "abc") == [["b@h"], ["a@h", "c@h"], ["b@h"]]
    a.router.send(None, ("server", "c@h"), "x")
    world.carry()
    assert a.membership.nodes(["connected"]) == ["b@h", "c@h"]


def test_signals_behind_a_goodbye_are_ignored() -> None:
    world = World("a@h", "b@h")
    world.connect("a@h", "b@h")
    b = world["b@h"]
    server = b.process()
    b.signals_received(b.peer("a@h"), [Goodbye(), Send(None, server.pid, "late")], world.now)
    assert messages(server) == []
    assert len(b.saw(Hangup)) == 1


def test_tick_is_sent_to_peers_that_got_nothing_else() -> None:
    world = World("a@h", "b@h")
    world.connect("a@h", "b@h")
    a = world["a@h"]
    a.sessions.connect(None, "c@h", world.now)
    a.sessions.tick(world.now)
    first = a.peer("b@h").out.first
    assert list(first) == []  # the session itself began with a signal
    a.sessions.tick(world.now)
    assert list(first) == [Tick()]
    first.clear()
    a.router.send(None, ("server", "b@h"), "x")
    a.sessions.tick(world.now + 1)
    assert Tick() not in first
    a.sessions.tick(world.now + 2)
    assert first[-1] == Tick()


def test_erlang_node_gets_a_tick_each_time_and_is_previewed_by_name() -> None:
    node = Kernel()
    node.node_started("gus@vm", 5, hidden=False)
    sessions = node.sessions
    assert sessions.preview("a@vm") == "ok"
    sessions.connect(None, "a@vm", 0.0)
    sessions.connect(None, "z@vm", 0.0)
    assert (sessions.preview("a@vm"), sessions.preview("z@vm")) == ("nok", "ok_simultaneous")
    peer = sessions.peer_up("a@vm", 6, hidden=True, now=0.0, dialect=BEAM).peer
    assert peer is not None
    assert (sessions.preview("a@vm"), peer.dialect) == ("alive", BEAM)
    node.router.send(None, ("stock", "a@vm"), Payload(b""))
    for now in (3.75, 7.4):
        sessions.tick(now)
    assert list(peer.out.first) == [Tick(), Tick()]
    node.router.collect()


def test_silent_peer_is_lost_after_the_tick_time() -> None:
    world = World("a@h", "b@h")
    world.connect("a@h", "b@h")
    a = world["a@h"]
    a.sessions.tick_seconds = 8.0
    peer = a.peer("b@h")
    for seconds in (2, 4, 6):
        a.sessions.tick(world.now + seconds)
    a.signals_received(peer, [], world.now + 7)  # a part of a long message
    for seconds in (8, 10, 12, 14):
        a.sessions.tick(world.now + seconds)
    assert a.membership.nodes(["connected"]) == ["b@h"]
    a.sessions.tick(world.now + 15)
    assert Log("error", "node b@h not responding") in a.saw(Log)
    assert a.saw(Hangup) == [Hangup(peer, gracefully=False)]
    assert a.membership.nodes(["connected"]) == []


def test_freeze_of_this_node_does_not_count_as_silence_of_peers() -> None:
    world = World("a@h", "b@h")
    world.connect("a@h", "b@h")
    a = world["a@h"]
    a.sessions.tick_seconds = 8.0
    for seconds in (0, 2, 62):  # two of them were silent at that tick
        a.sessions.tick(world.now + seconds)
    assert a.membership.nodes(["connected"]) == ["b@h"]
    a.sessions.tick(world.now + 64)
    assert a.membership.nodes(["connected"]) == ["b@h"]
    a.sessions.tick(world.now + 66)
    assert a.membership.nodes(["connected"]) == []


def test_slowly_ticking_peer_is_pinged() -> None:
    world = World("a@h", "b@h")
    world.connect("a@h", "b@h")
    a, b = world["a@h"], world["b@h"]
    a.sessions.tick_seconds, b.sessions.tick_seconds = 2.0, 60.0
    for _ in range(20):
        world.now += 0.5
        a.sessions.tick(world.now)
        world.carry()
    assert a.membership.nodes(["connected"]) == ["b@h"]
    assert a.saw(Answered) == []


# ---------------------------------------------------------------- dials under way


def test_dial_that_does_not_end_is_given_up() -> None:
    a = Node("a@h", 1)
    a.sessions.connect(WAITER, "b@h", 0.0)
    for seconds in range(15):
        a.sessions.tick(1000.0 + seconds)
    assert a.saw(Connected) == []
    a.sessions.tick(1015.0)
    assert a.saw(Connected) == [Connected(WAITER, ok=False, reason="the dial came to no end")]
    assert a.saw(CancelDial) == [CancelDial("b@h")]
    assert a.sessions.dialling("b@h") is None


def test_dialling_names_the_session_that_a_dial_is_for() -> None:
    """Effects may be handled in another order than decided; `dialling` returns the present state."""
    world = World("a@h", "b@h")
    a = world["a@h"]
    assert a.sessions.dialling("b@h") is None
    a.sessions.connect(None, "b@h", world.now)
    first = a.sessions.dialling("b@h")
    assert first == a.peer("b@h").session
    a.sessions.disconnect("b@h")
    assert a.sessions.dialling("b@h") is None
    a.sessions.connect(None, "b@h", world.now)
    assert a.sessions.dialling("b@h") not in {None, first}
    world.carry()
    assert a.sessions.dialling("b@h") is None


def test_being_dialled_lists_dials_under_way() -> None:
    world = World("a@h", "b@h")
    a = world["a@h"]
    a.sessions.connect(WAITER, "b@h", world.now)
    a.router.send(None, ("server", "c@h"), 1)
    assert a.membership.being_dialled() == ["b@h", "c@h"]
    world.carry()
    assert a.membership.being_dialled() == []


def test_signals_waiting_counts_the_queue_of_each_dial() -> None:
    world = World("a@h", "b@h")
    a = world["a@h"]
    assert a.sessions.signals_waiting() == {}
    a.sessions.connect(None, "b@h", world.now)
    assert a.sessions.signals_waiting() == {}
    a.router.send(None, ("stock", "b@h"), "a message")
    assert a.sessions.signals_waiting() == {"b@h": 1}
    world.carry()
    assert a.sessions.signals_waiting() == {}
