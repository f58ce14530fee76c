"""kernel.py: each surprising detail of IEx in a conversation: what pyx does, the same or not (`iex.py`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyx.core.effects import Answered, Connected, Dial, Log, ShellExit
from pyx.core.mailbox import Downed, Exited, NodeDown
from pyx.options import DEFAULT_TICK_SECONDS
from pyx.signals import Payload
from pyx.terms import Incarnation, Pid
from tests.core.conversation import Node, World, messages, seen_from
from tests.core.iex import DETAILS
from tests.pages import is_there, rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.core.processes import ProcessRecord
    from tests.core.iex import Detail

PROOFS: dict[str, Callable[[], None]] = {}
WAITER = object()
RAISED = Payload(b"a Raised value")


def proves(detail: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def note(proof: Callable[[], None]) -> Callable[[], None]:
        assert PROOFS.setdefault(detail, proof) is proof
        return proof

    return note


@pytest.mark.parametrize("detail", DETAILS, ids=[detail.id for detail in DETAILS])
def test_detail_of_iex(detail: Detail) -> None:
    if detail.id in PROOFS:
        PROOFS[detail.id]()
    for test in detail.tests:
        assert is_there(test), f"{test} is not there"


def test_each_detail_of_iex_is_proven_and_each_difference_has_a_reason() -> None:
    assert len({detail.id for detail in DETAILS}) == len(DETAILS)
    assert set(PROOFS) == {detail.id for detail in DETAILS if not detail.tests}
    assert all(detail.is_followed == (not detail.why) for detail in DETAILS)


def two_nodes() -> tuple[World, Node, Node]:
    world = World("a@h", "b@h")
    world.connect("a@h", "b@h")
    return world, world["a@h"], world["b@h"]


# ---------------------------------------------------------------- connections


@proves("joining one joins all")
def _() -> None:
    world = World("a@h", "b@h", "c@h", "d@h")
    world.connect("a@h", "b@h")
    world.connect("c@h", "b@h")
    world.connect("d@h", "c@h")
    assert world["d@h"].membership.nodes(["visible"]) == ["a@h", "b@h", "c@h"]


@proves("anything connects")
def _() -> None:
    acts: list[Callable[[Node, ProcessRecord], object]] = [
        lambda a, gus: a.router.send(gus.pid, ("server", "b@h"), "hello"),
        lambda a, gus: a.process_signals.monitor(gus, ("server", "b@h")),
        lambda a, gus: a.process_signals.link(gus, Pid(1, 0, "b@h", 2)),
        lambda a, gus: a.process_signals.exit(gus.pid, Pid(1, 0, "b@h", 2), "boom"),
        lambda a, gus: a.membership.monitor_node(gus, "b@h", on=True),
        lambda a, gus: a.requests.call(WAITER, gus.pid, None, "b@h", Payload(b"call")),
    ]
    for act in acts:
        world = World("a@h", "b@h")
        a = world["a@h"]
        act(a, a.process())
        world.carry()
        assert a.membership.nodes(["connected"]) == ["b@h"]
        assert [log.level for log in a.saw(Log)] == ["info"]


@proves("hidden")
def _() -> None:
    world = World("a@h", "b@h", "hid@h", hidden=("hid@h",))
    world.connect("a@h", "b@h")
    world.connect("hid@h", "a@h")
    assert (world["hid@h"].membership.nodes(["visible"]), world["hid@h"].membership.nodes(["hidden"])) == (
        [],
        ["a@h"],
    )
    assert (world["a@h"].membership.nodes(["visible"]), world["a@h"].membership.nodes(["hidden"])) == (
        ["b@h"],
        ["hid@h"],
    )
    assert world["b@h"].membership.nodes(["connected"]) == ["a@h"]


@proves("disconnect")
def _() -> None:
    world = World("a@h", "b@h", "c@h")
    world.connect("a@h", "b@h", "c@h")
    assert world["a@h"].sessions.disconnect("c@h")
    world.carry()
    assert [world[name].membership.nodes(["visible"]) for name in world.names] == [
        ["b@h"],
        ["a@h", "c@h"],
        ["b@h"],
    ]


@proves("half-right cookie")
def _() -> None:
    world, a, b = two_nodes()
    newcomer = world.start("c@h")
    newcomer.sessions.connect(None, "a@h", world.now)
    world.carry_between("a@h", "c@h")  # c does not reach b
    assert newcomer.membership.nodes(["visible"]) == ["a@h"]
    assert (a.membership.nodes(["visible"]), b.membership.nodes(["visible"])) == (["b@h", "c@h"], ["a@h"])


@proves("overlapping partitions")
def _() -> None:
    world = World("a@h", "b@h", "c@h")
    world.connect("a@h", "b@h", "c@h")
    world.cut("a@h", "c@h")
    for _round in range(6):
        world.now += DEFAULT_TICK_SECONDS / 4
        for name in world.names:
            world[name].sessions.tick(world.now)
        world.carry()
    b = world["b@h"]
    assert b.membership.nodes(["visible"]) == ["a@h", "c@h"]
    assert b.membership.partitions() == [("a@h", "c@h")]
    assert [log.level for log in b.saw(Log) if "do not see each other" in log.text] == ["warning"]


@proves("disconnect without connection")
def _() -> None:
    assert not World("a@h")["a@h"].sessions.disconnect("b@h")


# ---------------------------------------------------------------- messages


@proves("send never fails")
def _() -> None:
    node = Node("a@h", 1)
    gus, dead = node.process(), node.process()
    node.process_signals.process_exited(dead, "normal")
    assert not node.router.send(gus.pid, "nobody", "x")
    for lost in (("nobody", "a@h"), ("nobody", "b@h"), dead.pid, Pid(1, 0, "b@h", 2), node.tables.make_ref()):
        assert node.router.send(gus.pid, lost, "x")


@proves("order")
def _() -> None:
    world, a, b = two_nodes()
    gus, server = a.process(), b.process()
    b.registry.register(server.pid, "server")
    for number in range(0, 20, 2):
        a.router.send(gus.pid, seen_from(a, b, server.pid), number)
        a.router.send(gus.pid, ("server", "b@h"), number + 1)
    world.carry()
    assert messages(server) == list(range(20))


@proves("no resend")
def _() -> None:
    world, a, b = two_nodes()
    gus, server = a.process(), b.process()
    a.router.send(gus.pid, seen_from(a, b, server.pid), "lost")
    world.cut("a@h", "b@h")
    a.router.send(gus.pid, seen_from(a, b, server.pid), "sent anew")
    world.carry()
    assert messages(server) == ["sent anew"]


@proves("late reply")
def _() -> None:
    world, a, b = two_nodes()
    gus, server = a.process(), b.process()
    alias = a.router.alias(gus)
    a.router.unalias(gus, alias)
    b.router.send(server.pid, type(alias)(alias.number, "a@h", a.tables.creation), "late")
    world.carry()
    assert messages(gus) == []


@proves("names are local")
def _() -> None:
    world, a, b = two_nodes()
    gus, server = a.process(), b.process()
    a.registry.register(gus.pid, "server")
    b.registry.register(server.pid, "server")
    a.router.send(None, "server", "here")
    a.router.send(None, ("server", "b@h"), "there")
    world.carry()
    assert (messages(gus), messages(server)) == (["here"], ["there"])


# ---------------------------------------------------------------- monitors


@proves("monitor of the dead")
def _() -> None:
    world, a, b = two_nodes()
    gus, server = a.process(), b.process()
    there = seen_from(a, b, server.pid)
    b.process_signals.process_exited(server, "boom")
    ref = a.process_signals.monitor(gus, there)
    world.carry()
    assert messages(gus) == [Downed(ref, there, "noproc")]


@proves("monitor by name")
def _() -> None:
    world, a, b = two_nodes()
    gus, server = a.process(), b.process()
    b.registry.register(server.pid, "server")
    ref = a.process_signals.monitor(gus, ("server", "b@h"))
    world.carry()
    b.process_signals.process_exited(server, "boom")
    world.carry()
    assert messages(gus) == [Downed(ref, ("server", "b@h"), "boom")]


@proves("monitor out of reach")
def _() -> None:
    world = World("a@h")
    gus = world["a@h"].process()
    far = Pid(1, 0, "b@h", 2)
    ref = world["a@h"].process_signals.monitor(gus, far)
    world.carry()
    assert messages(gus) == [Downed(ref, far, "noconnection")]


@proves("monitors stack")
def _() -> None:
    world, a, b = two_nodes()
    gus, server = a.process(), b.process()
    there = seen_from(a, b, server.pid)
    a.process_signals.set_trap_exit(gus, True)
    for _round in range(2):
        a.process_signals.monitor(gus, there)
        a.membership.monitor_node(gus, "b@h", on=True)
        a.process_signals.link(gus, there)
    world.carry()
    world.kill("b@h")
    assert [type(message) for message in messages(gus)] == [Downed, Downed, Exited, NodeDown, NodeDown]


@proves("node monitor out of reach")
def _() -> None:
    world = World("a@h")
    gus = world["a@h"].process()
    world["a@h"].membership.monitor_node(gus, "zzz@h", on=True)
    world.carry()
    assert messages(gus) == [NodeDown("zzz@h")]


# ---------------------------------------------------------------- links and exits


@proves("link to the dead")
def _() -> None:
    node = Node()
    gus, dead = node.process(), node.process()
    node.process_signals.process_exited(dead, "boom")
    assert not node.process_signals.link(gus, dead.pid)  # `Process.link` raises
    node.process_signals.set_trap_exit(gus, True)
    assert node.process_signals.link(gus, dead.pid)
    assert messages(gus) == [Exited(dead.pid, "noproc")]


@proves("normal end")
def _() -> None:
    node = Node()
    gus, trapper, server = node.process(), node.process(), node.process()
    node.process_signals.set_trap_exit(trapper, True)
    for process in (gus, trapper):
        node.process_signals.link(process, server.pid)
    node.process_signals.process_exited(server, "normal")
    assert gus.alive
    assert messages(trapper) == [Exited(server.pid, "normal")]


@proves("exit normal to another")
def _() -> None:
    node = Node()
    gus, server = node.process(), node.process()
    node.process_signals.exit(gus.pid, server.pid, "normal")
    assert server.alive
    assert messages(server) == []


@proves("exit normal to oneself")
def _() -> None:
    node = Node()
    gus, watcher = node.process(), node.process()
    ref = node.process_signals.monitor(watcher, gus.pid)
    node.process_signals.process_exited(gus, "normal")  # as `Process.exit(self(), ...)` does
    assert messages(watcher) == [Downed(ref, gus.pid, "normal")]


@proves("kill")
def _() -> None:
    world, a, b = two_nodes()
    gus, server = a.process(), b.process()
    there = seen_from(a, b, server.pid)
    b.process_signals.set_trap_exit(server, True)
    ref = a.process_signals.monitor(gus, there)
    a.process_signals.exit(gus.pid, there, "kill")
    world.carry()
    assert messages(gus) == [Downed(ref, there, "killed")]


@proves("kill from inside")
def _() -> None:
    node = Node()
    gus, trapper, server = node.process(), node.process(), node.process()
    node.process_signals.set_trap_exit(trapper, True)
    for process in (gus, trapper):
        node.process_signals.link(process, server.pid)
    node.process_signals.process_exited(server, "kill")
    assert gus.reason == "kill"
    assert messages(trapper) == [Exited(server.pid, "kill")]


@proves("spawn out of reach")
def _() -> None:
    world = World("a@h")
    a = world["a@h"]
    gus = a.process()
    a.process_signals.set_trap_exit(gus, True)
    for link in (False, True):
        a.requests.spawn(WAITER, gus.pid, None, "zzz@h", Payload(b"call"), link=link, monitor=False)
    world.carry()
    given = [answered.dead_pid for answered in a.saw(Answered)]
    assert all(pid is not None and pid.is_local and a.tables.find(pid) is None for pid in given)
    assert messages(gus) == [Exited(given[1], "noconnection")]


@proves("crash")
def _() -> None:
    world, a, b = two_nodes()
    gus, server = a.process(), b.process()
    there = seen_from(a, b, server.pid)
    ref = a.process_signals.monitor(gus, there)
    world.carry()
    b.process_signals.process_exited(server, RAISED)
    world.carry()
    assert messages(gus) == [
        Downed(ref, there, Payload(RAISED.data, Incarnation("b@h", 2)))
    ]  # data, whatever is in it


@proves("crash is logged")
def _() -> None:
    world, a, b = two_nodes()
    shell = a.process(terminal=True)
    crashed, left = (b.process(leader=seen_from(b, a, shell.pid)) for _ in range(2))
    b.printing.process_crashed(crashed, "ValueError: no\n")
    b.process_signals.process_exited(crashed, RAISED)
    b.process_signals.process_exited(left, "boom")
    world.carry()
    assert [log.text for log in b.saw(Log) if log.level == "error"] == [
        f"Process {crashed.pid} raised an exception\nValueError: no"
    ]
    assert shell.output is not None
    assert len(shell.output) == 1


@proves("shell")
def _() -> None:
    node = Node()
    shell, child = node.process(keeps_pid=True), node.process()
    node.process_signals.link(shell, child.pid)
    node.process_signals.process_exited(child, "boom")
    assert node.saw(ShellExit) == [ShellExit(shell, child.pid, "boom")]
    assert node.tables.find(shell.pid) is shell


# ---------------------------------------------------------------- a node is lost


@proves("noconnection")
def _() -> None:
    world, a, b = two_nodes()
    gus, server = a.process(), b.process()
    there = seen_from(a, b, server.pid)
    a.process_signals.set_trap_exit(gus, True)
    a.process_signals.link(gus, there)
    ref = a.process_signals.monitor(gus, there)
    world.carry()
    b.process_signals.process_exited(server, "boom")  # a does not exist to hear of it
    world.kill("b@h")
    assert messages(gus) == [Downed(ref, there, "noconnection"), Exited(there, "noconnection")]


@proves("survivor")
def _() -> None:
    world, a, b = two_nodes()
    gus = a.process()
    for link in (False, True):
        a.requests.spawn(WAITER, gus.pid, None, "b@h", Payload(b"call"), link=link, monitor=False)
    world.carry()
    spawned, linked = b.tables.processes.values()
    world.kill("a@h")
    assert spawned.alive
    assert linked.reason == "noconnection"


@proves("nodedown comes last")
def _() -> None:
    world, a, b = two_nodes()
    gus, server = a.process(), b.process()
    there = seen_from(a, b, server.pid)
    a.process_signals.set_trap_exit(gus, True)
    a.membership.monitor_nodes(gus, on=True)
    a.membership.monitor_node(gus, "b@h", on=True)
    a.process_signals.link(gus, there)
    a.process_signals.monitor(gus, there)
    world.carry()
    world.kill("b@h")
    assert [type(message) for message in messages(gus)] == [Downed, Exited, NodeDown, NodeDown]


@proves("no reconnecting")
def _() -> None:
    world, a, _b = two_nodes()
    world.cut("a@h", "b@h")
    a.seen.clear()
    a.sessions.tick(world.now)
    world.carry()
    assert a.membership.nodes(["connected"]) == []
    assert a.saw(Dial) == []
    a.router.send(None, ("server", "b@h"), "x")
    world.carry()
    assert a.membership.nodes(["connected"]) == ["b@h"]


@proves("another incarnation")
def _() -> None:
    world, a, b = two_nodes()
    gus, server = a.process(), b.process()
    old = seen_from(a, b, server.pid)
    world.kill("b@h")
    successor = world.start("b@h").process()
    assert successor.pid == server.pid
    a.router.send(gus.pid, old, "for the dead")
    ref = a.process_signals.monitor(gus, old)
    world.carry()
    assert messages(successor) == []
    assert messages(gus) == [Downed(ref, old, "noproc")]
    assert old != seen_from(a, world["b@h"], successor.pid)


@proves("frozen peer")
def _() -> None:
    world, a, _b = two_nodes()
    assert DEFAULT_TICK_SECONDS == 15.0
    for quarter in range(4):
        a.sessions.tick(world.now + quarter * DEFAULT_TICK_SECONDS / 4)
    assert a.membership.nodes(["connected"]) == ["b@h"]
    a.sessions.tick(world.now + DEFAULT_TICK_SECONDS)
    assert Log("error", "node b@h not responding") in a.saw(Log)
    assert a.membership.nodes(["connected"]) == []


@proves("nodedown for every reason")
def _() -> None:
    world = World("a@h", "b@h")
    a = world["a@h"]
    a.requests.call(WAITER, Pid(0), None, "zzz@h", Payload(b"call"))
    world.carry()
    a.requests.call(WAITER, Pid(0), None, "b@h", Payload(b"call"))
    a.sessions.dial_failed("b@h", "the cookie of b@h differs from ours", world.now)
    unnamed = Node()
    unnamed.requests.call(WAITER, Pid(0), None, "b@h", Payload(b"call"))
    assert [answer.body for answer in (*a.saw(Answered), *unnamed.saw(Answered))] == [
        "no such name",
        "the cookie of b@h differs from ours",
        "this Python is not a node",
    ]
    a.sessions.connect(WAITER, "b@h", world.now)
    world.carry()
    a.requests.call(WAITER, Pid(0), None, "b@h", Payload(b"call"))
    world.kill("b@h")
    assert a.saw(Answered)[-1].body == "connection closed"
    assert a.saw(Connected)[-1].ok


@proves("orphan")
def _() -> None:
    world, a, b = two_nodes()
    shell = a.process(terminal=True)
    orphan = b.process(leader=seen_from(b, a, shell.pid))
    world.kill("a@h")
    b.printing.print_lines(orphan, orphan.leader, "hello\n")
    assert orphan.alive
    assert list(b.tables.console) == [(orphan.pid, "hello\n")]


@proves("order of nodes")
def _() -> None:
    world = World("a@h", "b@h", "c@h")
    world.connect("a@h", "c@h")
    world.connect("a@h", "b@h")
    assert world["a@h"].membership.nodes(["visible"]) == ["b@h", "c@h"]


def test_page_of_differences_lists_exactly_the_details_that_differ() -> None:
    differing = [[one.iex, one.pyx, one.why] for one in DETAILS if not one.is_followed]
    assert sorted(rows("docs/differences-from-iex.md", "Differences from IEx")) == sorted(differing)
