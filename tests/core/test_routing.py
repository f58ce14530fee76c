"""routing.py, tables.py, printing.py: every destination, every lost message; where printed lines appear."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyx.core.effects import Dial, Flush, Log, Show, Wake
from pyx.signals import Payload, Send
from pyx.terms import Incarnation, Pid, Ref
from tests.core.conversation import Node, World, messages, seen_from

if TYPE_CHECKING:
    from pyx.core.processes import ProcessRecord


def test_message_to_a_pid_is_delivered_and_wakes_a_waiting_process_once() -> None:
    node = Node()
    gus, server = node.process(), node.process()
    server.waiting = True
    assert node.router.send(gus.pid, server.pid, "one")
    assert node.router.send(gus.pid, server.pid, "two")
    assert messages(server) == ["one", "two"]
    assert node.router.collect() == [Wake(server)]
    assert not server.waiting
    assert node.router.collect() == []


def test_registered_name_is_an_address_in_three_forms() -> None:
    node = Node("a@h", 1)
    server = node.process()
    server.waiting = True
    node.registry.register(server.pid, "server")
    assert node.router.send(None, "server", 1)
    assert node.router.send(None, ("server", "a@h"), 2)
    assert node.router.send(None, ("server", ""), 3)
    assert messages(server) == [1, 2, 3]
    assert node.router.collect() == [Wake(server)]


def test_pid_with_the_name_of_this_node_is_local() -> None:
    node = Node("a@h", 1)
    server = node.process()
    assert node.router.send(None, Pid(server.pid.number, 0, "a@h", 1), "hello")
    assert messages(server) == ["hello"]


def test_send_without_receiver_is_silent_but_false_for_a_plain_name() -> None:
    world = World("a@h")
    a = world["a@h"]
    dead = a.process()
    a.process_signals.process_exited(dead, "normal")
    a.sessions.connect(None, "lost@h", world.now)
    world.carry()
    a.seen.clear()
    assert not a.router.send(None, "nobody", "x")
    without_receiver: list[Pid | tuple[str, str] | Ref] = [
        ("nobody", "a@h"),
        ("nobody", ""),
        dead.pid,
        Pid(9, 0, "a@h", 77),
        Ref(99),
        Ref(1, "a@h", 77),
    ]
    without_receiver += [("nobody", "lost@h"), Pid(4, 0, "lost@h", 5)]
    for dest in without_receiver:
        assert a.router.send(None, dest, "x")
    assert a.router.collect() == []


def test_send_to_another_node_before_start_is_lost() -> None:
    node = Node()
    server = node.process()
    node.registry.register(server.pid, "server")
    assert node.tables.here is None
    assert node.router.send(None, ("server", "a@h"), "x")
    assert node.router.send(None, ("server", "nonode@nohost"), "y")
    assert node.router.collect() == []
    assert messages(server) == ["y"]


def test_send_of_a_dead_process_is_dropped() -> None:
    node = Node()
    killed, server = node.process(), node.process()
    node.process_signals.process_exited(killed, "killed")
    assert node.router.send(killed.pid, server.pid, "late")
    assert messages(server) == []
    assert node.router.send(Pid(0), server.pid, "from the node itself")
    assert messages(server) == ["from the node itself"]


def test_first_message_dials_and_all_are_sent_in_order() -> None:
    world = World("a@h", "b@h")
    a, b = world["a@h"], world["b@h"]
    gus, server = a.process(), b.process()
    b.registry.register(server.pid, "server")
    for number in (1, 2):
        a.router.send(gus.pid, ("server", "b@h"), number)
    a.router.send(gus.pid, seen_from(a, b, server.pid), 3)
    assert a.saw(Dial) == [Dial("b@h")]
    assert a.saw(Flush) == []
    assert a.peer("b@h").out[0] == Send(gus.pid, "server", 1)
    a.tables.effects.extend(a.seen)
    world.carry()
    assert messages(server) == [1, 2, 3]
    a.router.send(gus.pid, ("server", "b@h"), 4)
    assert a.router.collect() == [Flush(a.peer("b@h"))]


def test_message_for_an_earlier_incarnation_is_dropped_by_its_receiver() -> None:
    world = World("a@h", "b@h")
    a, b = world["a@h"], world["b@h"]
    old = b.process()
    stale = seen_from(a, b, old.pid)
    world.kill("b@h")
    b = world.start("b@h")
    successor = b.process()
    assert successor.pid == old.pid
    world.connect("a@h", "b@h")
    a.router.send(None, stale, "for the dead")
    a.router.send(None, seen_from(a, b, successor.pid), "for the living")
    world.carry()
    assert messages(successor) == ["for the living"]
    assert b.tables.here == Incarnation("b@h", 3)


def test_alias_is_an_address_until_it_is_taken_back() -> None:
    world = World("a@h", "b@h")
    a, b = world["a@h"], world["b@h"]
    caller = a.process()
    alias = a.router.alias(caller)
    seen_by_b = Ref(alias.number, "a@h", a.tables.creation)
    assert a.router.send(None, alias, 1)
    b.router.send(None, seen_by_b, 2)
    world.carry()
    assert a.router.unalias(caller, alias)
    assert not a.router.unalias(caller, alias)
    a.router.send(None, alias, "late")
    b.router.send(None, seen_by_b, "late")
    world.carry()
    assert messages(caller) == [1, 2]


def test_alias_ends_with_its_first_message_or_its_process() -> None:
    node = Node()
    caller = node.process()
    once, kept = node.router.alias(caller, once=True), node.router.alias(caller)
    node.router.send(None, once, "reply")
    node.router.send(None, once, "again")
    assert messages(caller) == ["reply"]
    node.process_signals.process_exited(caller, "normal")
    assert node.router.send(None, kept, "late")
    assert messages(caller) == ["reply"]


def terminal(node: Node) -> ProcessRecord:
    return node.process(terminal=True)


def test_printed_lines_appear_on_the_terminal_of_the_leader() -> None:
    node = Node()
    shell = terminal(node)
    child = node.process(parent=shell.pid)
    grandchild = node.process(parent=child.pid)
    node.printing.print_lines(grandchild, grandchild.leader, "hello\n")
    assert shell.output is not None
    assert list(shell.output) == [(grandchild.pid, "hello\n")]
    assert node.router.collect() == [Show(shell)]


def test_printed_lines_without_a_leader_appear_on_the_nodes_output() -> None:
    node = Node()
    orphan, mute = node.process(), node.process()
    node.printing.print_lines(orphan, None, "a\n")
    node.printing.print_lines(orphan.pid, Pid(0), "b\n")
    node.printing.print_lines(orphan, mute.pid, "c\n")
    assert list(node.tables.console) == [(orphan.pid, "a\n"), (orphan.pid, "b\n"), (orphan.pid, "c\n")]
    assert node.router.collect() == [Show(None)] * 3


def test_dead_process_prints_nothing_but_its_report_is_shown() -> None:
    node = Node()
    dead = node.process()
    node.process_signals.process_exited(dead, "boom")
    node.printing.print_lines(dead, None, "late\n")
    assert list(node.tables.console) == []
    node.printing.print_lines(dead.pid, None, "it crashed\n")
    assert list(node.tables.console) == [(dead.pid, "it crashed\n")]


def test_printed_lines_go_to_a_leader_on_another_node_and_stay_when_it_is_lost() -> None:
    world = World("a@h", "b@h")
    world.connect("a@h", "b@h")
    a, b = world["a@h"], world["b@h"]
    shell = terminal(a)
    worker = b.process(leader=seen_from(b, a, shell.pid))
    b.printing.print_lines(worker, worker.leader, "far\n")
    world.carry()
    assert shell.output is not None
    assert list(shell.output) == [(seen_from(a, b, worker.pid), "far\n")]
    a.process_signals.process_exited(shell, "normal")
    b.printing.print_lines(worker, worker.leader, "to a dead one\n")
    world.carry()
    assert list(a.tables.console) == [(seen_from(a, b, worker.pid), "to a dead one\n")]
    world.cut("a@h", "b@h")
    b.printing.print_lines(worker, worker.leader, "orphan\n")
    assert list(b.tables.console) == [(worker.pid, "orphan\n")]
    assert b.membership.nodes(["connected"]) == []


def test_printed_lines_for_a_leader_of_an_earlier_incarnation_stay_on_this_node() -> None:
    world = World("a@h", "b@h")
    world.connect("a@h", "b@h")
    b = world["b@h"]
    worker = b.process(leader=Pid(1, 0, "a@h", 99))
    b.printing.print_lines(worker, worker.leader, "stale\n")
    assert list(b.tables.console) == [(worker.pid, "stale\n")]


def test_crash_is_logged_on_its_node_and_shown_on_its_terminal() -> None:
    world = World("a@h", "b@h")
    world.connect("a@h", "b@h")
    a, b = world["a@h"], world["b@h"]
    shell = terminal(a)
    worker = b.process(leader=seen_from(b, a, shell.pid))
    b.seen.clear()
    b.printing.process_crashed(worker, "ValueError: no\n")
    world.carry()
    assert b.saw(Log) == [Log("error", "Process #PID<0.1.0> raised an exception\nValueError: no")]
    assert shell.output is not None
    who = seen_from(a, b, worker.pid)
    report = f"[error] Process {who} on node b@h raised an exception\nValueError: no\n"
    assert list(shell.output) == [(who, report)]
    at_home = b.process()
    b.printing.process_crashed(at_home, "ValueError: no\n")
    assert list(b.tables.console) == []


def test_make_ref_returns_a_new_reference() -> None:
    node = Node()
    assert node.tables.make_ref() != node.tables.make_ref()


def test_alias_of_a_dead_process_is_not_kept() -> None:
    """Its thread has not noticed its end yet, and nothing would ever take the alias back."""
    node = Node()
    process = node.process()
    node.process_signals.process_exited(process, "killed")
    alias = node.router.alias(process)
    node.router.send(None, alias, "lost")
    assert messages(process) == []
    assert node.tables.aliases == {}


def test_queued_lists_bytes_by_node() -> None:
    world = World("a@h", "b@h", "c@h")
    world.connect("a@h", "b@h", "c@h")
    a = world["a@h"]
    assert a.router.queued() == {}
    a.router.send(None, ("server", "b@h"), Payload(bytes(1000)))
    assert list(a.router.queued()) == ["b@h"]
    assert a.router.queued()["b@h"] > 1000
    world.carry()
    assert a.router.queued() == {}


@pytest.mark.parametrize("is_remote", [False, True])
def test_reply_to_the_alias_of_a_monitor_ends_the_monitor(is_remote: bool) -> None:
    world = World("gus@vm", "bob@vm")
    world.connect("gus@vm", "bob@vm")
    gus, bob = world["gus@vm"], world["bob@vm"]
    caller = gus.process()
    server = bob.process() if is_remote else gus.process()
    target = seen_from(gus, bob, server.pid) if is_remote else server.pid
    ref = gus.process_signals.monitor(caller, target, "reply_demonitor")
    world.carry()
    assert server.monitored_by
    if is_remote:
        bob.router.send(server.pid, Ref(ref.number, "gus@vm", gus.tables.creation), Payload(b"reply"))
    else:
        gus.router.send(server.pid, ref, "reply")
    world.carry()
    assert (dict(caller.monitors), dict(caller.aliases), dict(server.monitored_by)) == ({}, {}, {})
    assert len(messages(caller)) == 1
