"""requests.py, pending_requests.py, policy.py: each request is answered once, fails once or is abandoned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyx.core.effects import Answered, Dial, Inquire, Kill, Log, StartProcess
from pyx.core.mailbox import Downed, Exited
from pyx.core.policy import allows
from pyx.signals import Answer, Call, Payload, Ping, Pong, Spawn, Spawned
from pyx.terms import Incarnation, Pid
from tests.core.conversation import Node, World, messages, seen_from, travelled

if TYPE_CHECKING:
    from pyx.core.peers import Peer
    from pyx.signals import Signal

PAYLOAD = Payload(b"os getpid")
VALUE = Payload(b"4242")
WAITER = object()


def two_nodes(policy: str = "open") -> tuple[World, Node, Node]:
    world = World("a@h", "b@h", policy=policy)
    world.connect("a@h", "b@h")
    return world, world["a@h"], world["b@h"]


# ---------------------------------------------------------------- calls


def test_call_runs_in_a_process_of_its_own_and_returns_its_value() -> None:
    world, a, b = two_nodes()
    shell = a.process(terminal=True)
    a.requests.call(WAITER, shell.pid, shell.leader, "b@h", PAYLOAD)
    world.carry()
    (start,) = b.saw(StartProcess)
    assert start.payload == Payload(PAYLOAD.data, Incarnation("a@h", 1))
    assert start.process.kind == "call"
    assert start.process.initial_call == start.payload  # until its thread has decoded it
    assert start.process.leader == seen_from(b, a, shell.pid)
    b.requests.call_finished(start.process, "value", VALUE)
    world.carry()
    assert a.saw(Answered) == [Answered(WAITER, "value", Payload(VALUE.data, Incarnation("b@h", 2)))]


@pytest.mark.parametrize("here", ["a@h", ""])
def test_call_to_the_own_node_runs_in_a_process_of_its_own(here: str) -> None:
    node = Node("a@h", 1)
    gus = node.process()
    node.requests.call(WAITER, gus.pid, None, here, PAYLOAD)
    (start,) = node.saw(StartProcess)
    node.requests.call_finished(start.process, "raised", VALUE)
    assert node.saw(Answered) == [Answered(WAITER, "raised", VALUE)]


def test_cast_gets_no_answer() -> None:
    world, a, b = two_nodes()
    gus = a.process()
    assert a.requests.call(None, gus.pid, gus.leader, "b@h", PAYLOAD) == 0
    assert a.requests.call(None, gus.pid, gus.leader, "", PAYLOAD) == 0
    world.carry()
    (start,) = b.saw(StartProcess)
    assert start.process.leader == Pid(0, 0, "a@h", 1)
    b.requests.call_finished(start.process, "value", VALUE)
    world.carry()
    assert a.saw(Answered) == []
    (at_home,) = a.saw(StartProcess)
    assert at_home.process.leader is None


def test_call_whose_process_is_killed_is_answered_with_the_reason() -> None:
    world, a, b = two_nodes()
    a.requests.call(WAITER, Pid(0), None, "b@h", PAYLOAD)
    world.carry()
    (start,) = b.saw(StartProcess)
    b.process_signals.exit(Pid(0), start.process.pid, "kill")
    b.requests.call_finished(start.process, "value", VALUE)
    world.carry()
    assert a.saw(Answered) == [Answered(WAITER, "exit", "killed")]


def test_abandoned_call_goes_on_and_its_answer_is_dropped() -> None:
    world, a, b = two_nodes()
    number = a.requests.call(WAITER, Pid(0), None, "b@h", PAYLOAD)
    world.carry()
    a.requests.abandon(number)
    a.requests.abandon(number)
    (start,) = b.saw(StartProcess)
    assert start.process.alive
    b.requests.call_finished(start.process, "value", VALUE)
    world.carry()
    assert a.saw(Answered) == []


def test_call_to_a_node_that_is_lost_is_noconnection_and_its_late_answer_dropped() -> None:
    world, a, b = two_nodes()
    a.requests.call(WAITER, Pid(0), None, "b@h", PAYLOAD)
    world.carry()
    (start,) = b.saw(StartProcess)
    world.cut("a@h", "b@h")
    assert a.saw(Answered) == [Answered(WAITER, "noconnection", "cut")]
    world.connect("a@h", "b@h")
    b.requests.call_finished(start.process, "value", VALUE)
    world.carry()
    assert len(a.saw(Answered)) == 1


def test_failed_dial_is_a_warning_only_if_no_caller_gets_the_reason() -> None:
    a = Node("a@h", 1)
    a.requests.call(WAITER, Pid(0), None, "called@h", PAYLOAD)
    a.requests.spawn(WAITER, Pid(0), None, "spawned@h", PAYLOAD, link=False, monitor=False)
    a.requests.call(None, Pid(0), None, "cast@h", PAYLOAD)
    a.requests.ping(WAITER, "pinged@h", 0.0)
    a.requests.call(WAITER, Pid(0), None, "both@h", PAYLOAD)
    a.router.send(None, ("shell", "both@h"), 1)
    for name in ("called", "spawned", "cast", "pinged", "both"):
        a.sessions.dial_failed(f"{name}@h", "gone", 1.0)
    said = [(log.level, log.text) for log in a.saw(Log)]
    assert [level for level, _ in said] == ["info", "info", "warning", "warning", "warning"]


def test_call_to_an_unreachable_node_fails_after_the_dial_and_at_once_in_the_back_off() -> None:
    world = World("a@h")
    a = world["a@h"]
    a.requests.call(WAITER, Pid(0), None, "lost@h", PAYLOAD)
    assert a.saw(Dial) == [Dial("lost@h")]
    a.sessions.dial_failed("lost@h", "no such name", world.now)
    a.requests.call(WAITER, Pid(0), None, "lost@h", PAYLOAD)
    assert a.saw(Answered) == [Answered(WAITER, "noconnection", "no such name")] * 2
    assert len(a.saw(Dial)) == 1


def test_call_before_the_node_is_started_fails() -> None:
    node = Node()
    node.requests.call(WAITER, Pid(0), None, "a@h", PAYLOAD)
    node.requests.ping(WAITER, "a@h", 0.0)
    assert node.saw(Answered) == [Answered(WAITER, "noconnection", "this Python is not a node")] * 2


def test_dead_process_makes_no_requests() -> None:
    world, a, b = two_nodes()
    gus = a.process()
    a.process_signals.process_exited(gus, "killed")
    a.requests.call(WAITER, gus.pid, None, "b@h", PAYLOAD)
    a.requests.spawn(WAITER, gus.pid, None, "b@h", PAYLOAD, link=False, monitor=False)
    world.carry()
    assert b.saw(StartProcess) == []


def test_unexpected_answer_or_one_of_another_node_is_dropped() -> None:
    world = World("a@h", "b@h", "c@h")
    world.connect("a@h", "b@h", "c@h")
    a = world["a@h"]
    number = a.requests.call(WAITER, Pid(0), None, "b@h", PAYLOAD)
    a.signals_received(a.peer("c@h"), [Answer(number, "value", VALUE), Answer(99, "value", VALUE)], 0.0)
    a.signals_received(a.peer("c@h"), [Spawned(number, Pid(1, 0, "c@h", 3))], 0.0)
    assert a.saw(Answered) == []


# ---------------------------------------------------------------- spawns


def test_spawn_returns_the_pid_and_links_and_monitors_in_one_kernel_call() -> None:
    world, a, b = two_nodes()
    gus = a.process()
    a.process_signals.set_trap_exit(gus, True)
    _, ref = a.requests.spawn(WAITER, gus.pid, None, "b@h", PAYLOAD, link=True, monitor=True)
    assert ref is not None
    world.carry()
    (start,) = b.saw(StartProcess)
    there = seen_from(a, b, start.process.pid)
    assert a.saw(Answered) == [Answered(WAITER, "spawned", there)]
    assert a.facts(gus)["links"] == [there]
    b.process_signals.process_exited(start.process, "boom")
    world.carry()
    assert messages(gus) == [Exited(there, "boom"), Downed(ref, there, "boom")]


def test_spawn_on_the_own_node_links_and_monitors() -> None:
    node = Node()
    gus = node.process()
    _, ref = node.requests.spawn(WAITER, gus.pid, None, "", PAYLOAD, link=True, monitor=True)
    (start,) = node.saw(StartProcess)
    assert node.saw(Answered) == [Answered(WAITER, "spawned", start.process.pid)]
    assert start.process.parent == gus.pid
    node.process_signals.process_exited(gus, "boom")
    assert start.process.reason == "boom"
    assert ref is not None


def test_spawn_at_an_unreachable_node_returns_a_dead_pid() -> None:
    world = World("a@h")
    a = world["a@h"]
    gus = a.process()
    a.process_signals.set_trap_exit(gus, True)
    _, ref = a.requests.spawn(WAITER, gus.pid, None, "lost@h", PAYLOAD, link=True, monitor=True)
    world.carry()
    (answered,) = a.saw(Answered)
    assert answered[:3] == (WAITER, "noconnection", "no such name")
    assert a.tables.find(answered.dead_pid) is None
    assert ref is not None
    assert messages(gus) == [
        Downed(ref, answered.dead_pid, "noconnection"),
        Exited(answered.dead_pid, "noconnection"),
    ]
    assert a.tables.dead_pid() not in {gus.pid, answered.dead_pid}


def test_linked_spawn_at_an_unreachable_node_ends_a_spawner_that_does_not_trap() -> None:
    world = World("a@h")
    a = world["a@h"]
    gus = a.process()
    a.requests.spawn(WAITER, gus.pid, None, "lost@h", PAYLOAD, link=True, monitor=False)
    world.carry()
    assert a.saw(Kill) == [Kill(gus, "noconnection")]


def test_abandoned_spawn_is_linked_and_monitored_all_the_same() -> None:
    world, a, b = two_nodes()
    gus = a.process()
    number, _ = a.requests.spawn(WAITER, gus.pid, None, "b@h", PAYLOAD, link=True, monitor=False)
    a.requests.abandon(number)
    world.carry()
    (start,) = b.saw(StartProcess)
    assert a.saw(Answered) == []
    a.process_signals.process_exited(gus, "boom")
    world.carry()
    assert start.process.reason == "boom"
    number, _ = a.requests.spawn(WAITER, Pid(0), None, "b@h", PAYLOAD, link=False, monitor=False)
    a.requests.abandon(number)
    world.cut("a@h", "b@h")
    assert a.saw(Answered) == []


def test_unlink_before_the_answer_to_the_spawn_holds() -> None:
    """A third process has told of the new one, faster than the answer."""
    _, a, b = two_nodes()
    gus = a.process()
    a.requests.spawn(WAITER, gus.pid, None, "b@h", PAYLOAD, link=True, monitor=False)
    at_a, at_b = a.peer("b@h"), b.peer("a@h")
    hand_over(a, at_a, b, at_b)
    (start,) = b.saw(StartProcess)
    there = seen_from(a, b, start.process.pid)
    a.process_signals.link(gus, there)
    a.process_signals.unlink(gus, there)
    hand_over(b, at_b, a, at_a)  # the answer
    hand_over(a, at_a, b, at_b)
    hand_over(b, at_b, a, at_a)
    assert list(gus.links) == []
    assert list(start.process.links) == []
    assert a.saw(Answered) == [Answered(WAITER, "spawned", there)]


def hand_over(frm: Node, out: Peer, to: Node, into: Peer) -> None:
    assert frm.tables.here is not None
    signals = [travelled(signal, frm.tables.here, to) for signal in out.out]
    out.out.clear()
    to.signals_received(into, signals, 0.0)


def test_spawner_that_ends_before_the_answer_ends_its_linked_process() -> None:
    world, a, b = two_nodes()
    gus = a.process()
    a.requests.spawn(WAITER, gus.pid, None, "b@h", PAYLOAD, link=True, monitor=True)
    a.process_signals.process_exited(gus, "boom")
    world.carry()
    (start,) = b.saw(StartProcess)
    assert start.process.reason == "noproc"
    a.requests.spawn(WAITER, Pid(0), None, "b@h", PAYLOAD, link=False, monitor=False)
    world.carry()
    assert b.saw(StartProcess)[1].process.alive


# ---------------------------------------------------------------- questions and pings


def test_question_about_a_process_is_answered_by_its_node() -> None:
    world, a, b = two_nodes()
    a.requests.info(WAITER, Pid(0), "b@h", "info", PAYLOAD)
    world.carry()
    (inquire,) = b.saw(Inquire)
    assert (inquire.node, inquire.subject) == ("a@h", "info")
    b.requests.answer(inquire, VALUE)
    world.carry()
    assert a.saw(Answered) == [Answered(WAITER, "value", Payload(VALUE.data, Incarnation("b@h", 2)))]


def test_question_about_a_local_process_is_answered() -> None:
    node = Node()
    node.requests.info(WAITER, Pid(0), "", "info", PAYLOAD)
    (inquire,) = node.saw(Inquire)
    node.requests.answer(inquire, VALUE)
    assert node.saw(Answered) == [Answered(WAITER, "value", VALUE)]


def test_ping_connects_and_is_answered() -> None:
    world = World("a@h", "b@h")
    a = world["a@h"]
    a.requests.ping(WAITER, "b@h", world.now)
    world.carry()
    a.requests.ping(WAITER, "b@h", world.now)
    a.requests.ping(WAITER, "a@h", world.now)
    world.carry()
    assert a.saw(Answered) == [Answered(WAITER, "pong", None)] * 3
    assert a.membership.nodes(["visible"]) == ["b@h"]


def test_ping_dials_in_a_back_off() -> None:
    world = World("a@h")
    a = world["a@h"]
    for _ in range(2):
        a.requests.ping(WAITER, "lost@h", world.now)
        world.carry()
    assert len(a.saw(Dial)) == 2
    assert a.saw(Answered) == [Answered(WAITER, "noconnection", "no such name")] * 2


# ---------------------------------------------------------------- the policy


@pytest.mark.parametrize("policy", ["open", "exported", "off"])
def test_policy_refuses_only_requests_that_run_code(policy: str) -> None:
    world, a, b = two_nodes(policy)
    assert [allows(policy, kind) for kind in (Call, Spawn)] == [policy != "off"] * 2
    assert allows(policy, Ping)
    a.requests.call(WAITER, Pid(0), None, "b@h", PAYLOAD)
    a.requests.call(None, Pid(0), None, "b@h", PAYLOAD)
    a.requests.spawn(WAITER, Pid(0), None, "b@h", PAYLOAD, link=True, monitor=True)
    a.requests.info(WAITER, Pid(0), "b@h", "info", PAYLOAD)
    world.carry()
    assert len(b.saw(Inquire)) == 1
    if policy == "off":
        assert b.saw(StartProcess) == []
        assert a.saw(Answered) == [Answered(WAITER, "refused", "off")] * 2
    else:
        assert len(b.saw(StartProcess)) == 3


def test_unknown_policy_is_refused() -> None:
    with pytest.raises(ValueError, match="policy 'on' is none of open, exported, off"):
        Node(policy="on")


def test_request_of_a_peer_in_the_name_of_a_foreign_process_is_ignored() -> None:
    _, _, b = two_nodes()
    third = Pid(1, 0, "c@h", 3)
    b.signals_received(b.peer("a@h"), [Spawn(third, 1, third, True, None, PAYLOAD)], 0.0)
    assert b.saw(StartProcess) == []


class TestAnswerOfAPeer:
    @pytest.mark.parametrize(
        ("kind", "answer"),
        [
            ("call", Pong(1)),
            ("call", Answer(1, "spawned", VALUE)),
            ("call", Answer(1, "noconnection", "word")),
            ("call", Answer(1, "value", "word")),
            ("call", Answer(1, "refused", VALUE)),
            ("call", Answer(1, "refused", "because")),
            ("call", Spawned(1, Pid(1, 0, "b@h", 2))),
            ("ask", Pong(1)),
            ("ask", Answer(1, "exit", "killed")),
            ("ask", Spawned(1, Pid(1, 0, "b@h", 2))),
            ("spawn", Answer(1, "value", VALUE)),
            ("spawn", Pong(1)),
            ("spawn", Spawned(1, Pid(1, 0, "c@h", 3))),
            ("ping", Answer(1, "value", VALUE)),
            ("ping", Answer(1, "refused", "off")),
        ],
    )
    def test_answer_that_does_not_fit_its_request_is_nonsense_to_the_waiter(
        self, kind: str, answer: Signal
    ) -> None:
        world = World("a@h", "b@h")
        world.connect("a@h", "b@h")
        a = world["a@h"]
        gus = a.process()
        match kind:
            case "call":
                a.requests.call("waiter", gus.pid, None, "b@h", VALUE)
            case "ask":
                a.requests.info("waiter", gus.pid, "b@h", "info", VALUE)
            case "spawn":
                a.requests.spawn("waiter", gus.pid, None, "b@h", VALUE, link=True, monitor=True)
            case _:
                a.requests.ping("waiter", "b@h", world.now)
        for _ in range(2):
            a.signals_received(a.peer("b@h"), [answer], world.now)
        ((waiter, outcome, _body, dead_pid),) = a.saw(Answered)
        assert (waiter, outcome, dead_pid) == ("waiter", "nonsense", None)
        assert a.pending == {}
        assert (list(gus.links), gus.monitors) == ([], {})
        assert a.membership.nodes(["connected"]) == ["b@h"]
