"""gen_calls.py, awaited_replies.py: Calls of servers between kernels; each ends once, and leaves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pyx.core.effects import Answered
from pyx.core.mailbox import Called, Replied
from pyx.core.tables import THE_NODE
from pyx.errors import ProtocolError
from pyx.signals import Down, GenCall, GenReply, Payload, Send
from pyx.terms import Pid, Ref
from tests.core.conversation import Node, World, messages, seen_from

if TYPE_CHECKING:
    from pyx.core.processes import ProcessRecord

BODY = Payload(b"request")


@pytest.fixture
def world() -> World:
    world = World("gus@vm", "bob@vm")
    world.connect("gus@vm", "bob@vm")
    return world


def call(node: Node, caller: ProcessRecord | None, dest: Any, waiter: str = "waiter") -> Ref:
    ref = node.tables.make_ref()
    frm = caller.pid if caller is not None else THE_NODE
    node.gen_calls.call(waiter, frm, dest, ref, BODY)
    return ref


def outcomes(node: Node) -> list[tuple[Any, str, Any]]:
    return [(one.waiter, one.outcome, one.body) for one in node.saw(Answered)]


def has_nothing_left(*nodes: Node) -> bool:
    return all(
        not node.replies.awaited
        and not node.tables.unanswered_calls
        and not any(process.callers for process in node.tables.processes.values())
        and not node.tables.monitors
        for node in nodes
    )


class TestInsideANode:
    def test_call_puts_the_request_into_the_mailbox_and_its_reply_ends_it(self) -> None:
        node = Node()
        caller, server = node.process(), node.process()
        ref = call(node, caller, server.pid)
        assert messages(server) == [Called(False, caller.pid, ref, BODY)]
        assert outcomes(node) == []
        node.gen_calls.reply(server.pid, ref, 33)
        assert outcomes(node) == [("waiter", "value", 33)]
        node.gen_calls.reply(server.pid, ref, 34)  # a second one is dropped
        assert outcomes(node) == [("waiter", "value", 33)]
        assert messages(caller) == []
        assert has_nothing_left(node)

    def test_call_without_a_process_is_of_the_node(self) -> None:
        node = Node()
        server = node.process()
        ref = call(node, None, server.pid)
        assert messages(server) == [Called(False, THE_NODE, ref, BODY)]
        assert node.facts(server)["monitored_by"] == [THE_NODE]
        node.process_signals.process_exited(server, "shutdown")
        assert outcomes(node) == [("waiter", "exit", "shutdown")]
        assert has_nothing_left(node)

    def test_any_message_to_the_reference_ends_it(self) -> None:
        node = Node()
        server = node.process()
        ref = call(node, None, server.pid)
        node.router.send(None, ref, "by hand")
        assert outcomes(node) == [("waiter", "message", "by hand")]
        assert has_nothing_left(node)

    def test_dead_pid_and_unknown_name_are_noproc_at_once(self) -> None:
        node = Node()
        dead = node.process()
        node.process_signals.process_exited(dead, "normal")
        call(node, None, dead.pid, "one")
        call(node, None, "nobody", "two")
        call(node, None, ("nobody", "nonode@nohost"), "three")
        assert [(waiter, outcome) for waiter, outcome, _ in outcomes(node)] == [
            ("one", "noproc"),
            ("two", "noproc"),
            ("three", "noproc"),
        ]
        assert has_nothing_left(node)

    def test_call_by_name_reaches_the_process_of_that_moment(self) -> None:
        node = Node()
        first, second = node.process(), node.process()
        node.registry.register(first.pid, "stock")
        ref = call(node, None, "stock")
        node.registry.unregister("stock")
        node.registry.register(second.pid, "stock")
        assert messages(second) == []
        node.process_signals.process_exited(first, "killed")
        assert outcomes(node) == [("waiter", "exit", "killed")]
        assert ref.number not in node.replies.awaited

    def test_call_that_is_given_up_leaves_nothing_and_its_reply_vanishes(self) -> None:
        node = Node()
        caller, server = node.process(), node.process()
        ref = call(node, caller, server.pid)
        assert node.abandon(ref.number) is not None
        assert has_nothing_left(node)
        node.gen_calls.reply(server.pid, ref, 33)
        node.process_signals.process_exited(server, "normal")
        assert outcomes(node) == []
        assert messages(caller) == []

    def test_dead_caller_asks_nothing(self) -> None:
        node = Node()
        caller, server = node.process(), node.process()
        node.process_signals.process_exited(caller, "normal")
        call(node, caller, server.pid)
        assert messages(server) == []
        assert has_nothing_left(node)

    def test_reply_to_an_alias_is_the_message_of_a_reply(self) -> None:
        node = Node()
        client, server = node.process(), node.process()
        alias = node.router.alias(client)
        node.gen_calls.reply(server.pid, alias, 33)
        assert messages(client) == [Replied(alias, 33)]


class TestBetweenNodes:
    @pytest.mark.parametrize("named", [False, True])
    def test_call_and_reply_are_one_signal_each(self, world: World, named: bool) -> None:
        gus, bob = world["gus@vm"], world["bob@vm"]
        caller, server = gus.process(), bob.process()
        bob.registry.register(server.pid, "stock")
        dest = ("stock", "bob@vm") if named else seen_from(gus, bob, server.pid)
        ref = call(gus, caller, dest)
        queued = [type(signal) for signal in gus.peer("bob@vm").out]
        assert queued == [GenCall]
        world.carry()
        [called] = messages(server)
        assert (called.pid, called.ref.number) == (seen_from(bob, gus, caller.pid), ref.number)
        bob.gen_calls.reply(server.pid, called.ref, BODY)
        assert [type(signal) for signal in bob.peer("gus@vm").out] == [GenReply]
        world.carry()
        assert [(waiter, outcome) for waiter, outcome, _ in outcomes(gus)] == [("waiter", "value")]
        assert has_nothing_left(gus, bob)
        assert messages(caller) == []

    def test_reply_by_hand_ends_the_monitor_too(self, world: World) -> None:
        gus, bob = world["gus@vm"], world["bob@vm"]
        server = bob.process()
        call(gus, None, seen_from(gus, bob, server.pid))
        world.carry()
        [called] = messages(server)
        bob.router.send(server.pid, called.ref, BODY)
        bob.process_signals.process_exited(server, "normal")
        world.carry()
        assert [outcome for _, outcome, _ in outcomes(gus)] == ["message"]
        assert has_nothing_left(gus, bob)

    def test_reply_of_a_third_node_or_of_the_callers_own_is_told_to_the_servers(self) -> None:
        world = World("gus@vm", "bob@vm", "cat@vm")
        world.connect("gus@vm", "bob@vm", "cat@vm")
        gus, bob, cat = (world[name] for name in world.names)
        server = bob.process()
        for replies in (gus, cat):
            ref = call(gus, None, seen_from(gus, bob, server.pid))
            world.carry()
            assert server.callers
            replies.gen_calls.reply(None, ref if replies is gus else seen_ref(cat, gus, ref), BODY)
            world.carry()
            assert has_nothing_left(gus, bob)
        assert [outcome for _, outcome, _ in outcomes(gus)] == ["value", "value"]

    def test_end_of_the_server_ends_the_call_after_its_messages(self, world: World) -> None:
        gus, bob = world["gus@vm"], world["bob@vm"]
        caller, server = gus.process(), bob.process()
        call(gus, caller, seen_from(gus, bob, server.pid))
        world.carry()
        bob.router.send(server.pid, seen_from(bob, gus, caller.pid), BODY)
        bob.process_signals.process_exited(server, "killed")
        assert [type(signal) for signal in bob.peer("gus@vm").out] == [Send, Down]
        world.carry()
        assert outcomes(gus) == [("waiter", "exit", "killed")]
        assert has_nothing_left(gus, bob)

    def test_no_process_there_is_noproc(self, world: World) -> None:
        gus, bob = world["gus@vm"], world["bob@vm"]
        dead = bob.process()
        bob.process_signals.process_exited(dead, "normal")
        call(gus, None, ("nobody", "bob@vm"), "name")
        call(gus, None, seen_from(gus, bob, dead.pid), "pid")
        world.carry()
        assert outcomes(gus) == [("name", "noproc", "noproc"), ("pid", "noproc", "noproc")]
        assert has_nothing_left(gus, bob)

    def test_call_dials_a_node_and_is_noconnection_without_it(self) -> None:
        world = World("gus@vm", "bob@vm")
        gus, bob = world["gus@vm"], world["bob@vm"]
        server = bob.process()
        bob.registry.register(server.pid, "stock")
        call(gus, None, ("stock", "bob@vm"))
        world.carry()
        assert len(messages(server)) == 1
        call(gus, None, ("stock", "zoe@vm"), "lost")
        call(gus, None, ("stock", "zoe@vm"), "too")
        world.carry()
        call(gus, None, ("stock", "zoe@vm"), "backed off")
        assert [(waiter, outcome) for waiter, outcome, _ in outcomes(gus)] == [
            ("lost", "noconnection"),
            ("too", "noconnection"),
            ("backed off", "noconnection"),
        ]

    def test_loss_of_the_servers_node_ends_the_call(self, world: World) -> None:
        gus, bob = world["gus@vm"], world["bob@vm"]
        server = bob.process()
        call(gus, None, seen_from(gus, bob, server.pid))
        world.carry()
        world.cut("gus@vm", "bob@vm")
        assert outcomes(gus) == [("waiter", "noconnection", "cut")]
        assert has_nothing_left(gus, bob)

    def test_call_that_is_given_up_is_forgotten_there(self, world: World) -> None:
        gus, bob = world["gus@vm"], world["bob@vm"]
        server = bob.process()
        ref = call(gus, None, seen_from(gus, bob, server.pid))
        world.carry()
        gus.abandon(ref.number)
        world.carry()
        assert has_nothing_left(gus, bob)
        bob.gen_calls.reply(server.pid, messages(server)[0].ref, BODY)
        world.carry()
        assert outcomes(gus) == []

    def test_call_of_a_past_incarnation_is_noproc(self, world: World) -> None:
        gus, bob = world["gus@vm"], world["bob@vm"]
        server = bob.process()
        old = Pid(server.pid.number, server.pid.serial, "bob@vm", 4711)
        call(gus, None, old)
        world.carry()
        assert [outcome for _, outcome, _ in outcomes(gus)] == ["noproc"]
        assert messages(server) == []


class TestHostilePeer:
    def test_down_of_another_nodes_server_is_ignored(self, world: World) -> None:
        gus, bob = world["gus@vm"], world["bob@vm"]
        server = bob.process()
        ref = call(gus, None, seen_from(gus, bob, server.pid))
        gus.process_signals.down_received(Down(THE_NODE, ref, Pid(1), "x", Pid(1)), "eve@vm")
        assert outcomes(gus) == []

    def test_reference_that_is_used_twice_ends_the_session(self, world: World) -> None:
        gus, bob = world["gus@vm"], world["bob@vm"]
        server = bob.process()
        ref = call(gus, None, seen_from(gus, bob, server.pid))
        world.carry()
        [called] = messages(server)
        again = GenCall(called.pid, server.pid, called.ref, False, BODY)
        with pytest.raises(ProtocolError, match="used a second time"):
            bob.gen_calls.called(bob.peer("gus@vm"), again)
        assert ref.number in gus.replies.awaited

    def test_call_in_the_name_of_another_node_is_ignored(self, world: World) -> None:
        bob = world["bob@vm"]
        server = bob.process()
        forged = GenCall(Pid(5, 0, "cat@vm", 3), server.pid, Ref(1, "cat@vm", 3), False, BODY)
        bob.gen_calls.called(bob.peer("gus@vm"), forged)
        assert messages(server) == []


class TestAwaitedEnd:
    """A stop: a message, and then the end of the process, whatever it replies."""

    def test_end_of_a_process_here(self) -> None:
        node = Node()
        server = node.process()
        ref = node.tables.make_ref()
        node.gen_calls.await_end("waiter", THE_NODE, server.pid, ref, "stop")
        assert messages(server) == ["stop"]
        node.gen_calls.reply(server.pid, ref, "ok")
        assert outcomes(node) == []
        node.process_signals.process_exited(server, "normal")
        assert outcomes(node) == [("waiter", "exit", "normal")]
        assert has_nothing_left(node)

    def test_end_of_a_process_there(self, world: World) -> None:
        gus, bob = world["gus@vm"], world["bob@vm"]
        server = bob.process()
        bob.registry.register(server.pid, "stock")
        ref = gus.tables.make_ref()
        gus.gen_calls.await_end("waiter", THE_NODE, ("stock", "bob@vm"), ref, BODY)
        world.carry()
        bob.gen_calls.reply(server.pid, seen_ref(bob, gus, ref), BODY)
        world.carry()
        assert outcomes(gus) == []
        bob.process_signals.process_exited(server, "shutdown")
        world.carry()
        assert outcomes(gus) == [("waiter", "exit", "shutdown")]
        assert has_nothing_left(gus, bob)

    def test_no_process_and_no_node(self, world: World) -> None:
        gus = world["gus@vm"]
        dests: list[Any] = ["nobody", ("nobody", "bob@vm"), ("nobody", "zoe@vm")]
        for number, dest in enumerate(dests):
            gus.gen_calls.await_end(number, THE_NODE, dest, gus.tables.make_ref(), BODY)
        world.carry()
        assert {waiter: outcome for waiter, outcome, _ in outcomes(gus)} == {
            0: "noproc",
            1: "noproc",
            2: "noconnection",
        }

    def test_end_that_is_given_up_leaves_nothing(self, world: World) -> None:
        gus, bob = world["gus@vm"], world["bob@vm"]
        server, local = bob.process(), gus.process()
        for dest in (seen_from(gus, bob, server.pid), local.pid):
            ref = gus.tables.make_ref()
            gus.gen_calls.await_end("waiter", THE_NODE, dest, ref, BODY)
            world.carry()
            gus.abandon(ref.number)
            world.carry()
        assert has_nothing_left(gus, bob)


def seen_ref(viewer: Node, owner: Node, ref: Ref) -> Ref:
    assert owner.tables.here is not None
    assert viewer is not owner
    return Ref(ref.number, *owner.tables.here)
