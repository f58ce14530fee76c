"""kernel.py: signals of a hostile peer end its own session and no other.

The other test file of `kernel.py` is `test_kernel.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pyx.core.effects import Answered, Dial, Hangup, Kill, Log
from pyx.core.known_nodes import MAX_KNOWN
from pyx.core.mailbox import Downed, NodeDown
from pyx.core.membership import MAX_INVITED_DIALS
from pyx.signals import MOST_NODES, Crashed, Down, Leader, Monitor, Nodes, Payload, Ping, Send, Spawn
from pyx.terms import Pid, Ref
from tests.core.conversation import Node, World, messages, seen_from

if TYPE_CHECKING:
    from pyx.core.processes import ProcessRecord

EVIL = "evil@h"


class Victim:
    """A node with an honest and a hostile peer."""

    def __init__(self, policy: str = "open") -> None:
        self.world = World("a@h", "b@h", EVIL, policy=policy)
        self.world.connect(EVIL, "a@h")
        self.world.connect("b@h", "a@h")
        self.node: Node = self.world["a@h"]
        self.honest: Node = self.world["b@h"]
        self.evil = Pid(1, 0, EVIL, self.world[EVIL].tables.creation)
        """A process of the evil peer, as the victim writes it."""
        self.node.saw(object)

    def ref(self, number: int = 1) -> Ref:
        """A reference of the hostile peer."""
        return Ref(number, EVIL, self.evil.creation)

    def hears(self, *signals: Any) -> None:
        """Receives these signals from the hostile peer, in one batch."""
        self.node.signals_received(self.node.peer(EVIL), signals, self.world.now)
        self.world.carry()

    @property
    def has_broken_off(self) -> bool:
        return EVIL not in self.node.membership.nodes(["connected"])

    def loss(self) -> str:
        """The log lines on the loss of the hostile peer."""
        text: str
        (text,) = [log.text for log in self.node.saw(Log) if log.text.startswith(f"node {EVIL} is down")]
        return text


def watched_by(node: Node, service: ProcessRecord) -> tuple[ProcessRecord, Ref]:
    watcher = node.process()
    return watcher, node.process_signals.monitor(watcher, service.pid)


class TestMonitorReferenceUsedTwice:
    def test_monitor_reference_used_twice_ends_the_connection_and_its_monitor(self) -> None:
        victim = Victim()
        one, other = victim.node.process(), victim.node.process()
        victim.hears(
            Monitor(victim.evil, one.pid, victim.ref()), Monitor(victim.evil, other.pid, victim.ref())
        )
        assert victim.has_broken_off
        assert "is used a second time" in victim.loss()
        assert (one.monitored_by, other.monitored_by) == ({}, {})
        assert len(victim.node.saw(Hangup)) == 1

    def test_monitor_reference_used_twice_leaves_monitors_of_other_nodes(self) -> None:
        victim = Victim()
        node, honest = victim.node, victim.honest
        one, other = node.process(), node.process()
        here, ref = watched_by(node, other)
        far = honest.process()
        ref_of_far = honest.process_signals.monitor(far, seen_from(honest, node, other.pid))
        victim.world.carry()
        victim.hears(
            Monitor(victim.evil, one.pid, victim.ref()), Monitor(victim.evil, other.pid, victim.ref())
        )
        node.process_signals.exit(Pid(0), other.pid, "kill")
        victim.world.carry()
        assert messages(here) == [Downed(ref, other.pid, "killed")]
        assert messages(far) == [Downed(ref_of_far, seen_from(honest, node, other.pid), "killed")]
        assert node.saw(Kill) == [Kill(other, "killed")]
        assert node.membership.nodes(["visible"]) == ["b@h"]

    def test_spawn_with_a_monitor_reference_in_use_starts_no_process(self) -> None:
        victim = Victim()
        service = victim.node.process()
        victim.hears(
            Monitor(victim.evil, service.pid, victim.ref()),
            Spawn(victim.evil, 1, victim.evil, False, victim.ref(), Payload(b"")),
        )
        assert victim.has_broken_off
        assert list(victim.node.tables.processes.values()) == [service]

    def test_monitor_reference_used_by_two_processes_is_two_monitors(self) -> None:
        victim = Victim()
        service = victim.node.process()
        another = Pid(2, 0, EVIL, victim.evil.creation)
        victim.hears(
            Monitor(victim.evil, service.pid, victim.ref()), Monitor(another, service.pid, victim.ref())
        )
        assert not victim.has_broken_off
        assert [watcher.pid for watcher in service.monitored_by] == [victim.evil, another]

    def test_monitor_with_a_reference_of_this_node_removes_none_of_its_monitors(self) -> None:
        victim = Victim()
        service, decoy = victim.node.process(), victim.node.process()
        supervisor, ref = watched_by(victim.node, service)
        victim.hears(Monitor(victim.evil, decoy.pid, ref))
        victim.node.process_signals.process_exited(decoy, "normal")
        victim.node.process_signals.process_exited(service, "normal")
        assert messages(supervisor) == [Downed(ref, service.pid, "normal")]


class TestDownFromAPeer:
    def test_down_about_a_process_of_another_node_is_ignored(self) -> None:
        victim = Victim()
        service = victim.honest.process()
        there = seen_from(victim.node, victim.honest, service.pid)
        watcher = victim.node.process()
        ref = victim.node.process_signals.monitor(watcher, there)
        named = victim.node.process_signals.monitor(watcher, ("stock", "b@h"))
        victim.hears(Down(watcher.pid, ref, there, "noproc"), Down(watcher.pid, named, "stock", "noproc"))
        assert messages(watcher) == [Downed(named, ("stock", "b@h"), "noproc")]  # by its own node
        victim.honest.process_signals.process_exited(service, "normal")
        victim.world.carry()
        assert messages(watcher)[1:] == [Downed(ref, there, "normal")]

    def test_down_about_a_process_of_this_node_is_ignored(self) -> None:
        victim = Victim()
        service = victim.node.process()
        watcher, ref = watched_by(victim.node, service)
        victim.hears(Down(watcher.pid, ref, service.pid, "noproc"))
        assert messages(watcher) == []
        assert not victim.has_broken_off

    def test_down_about_a_process_of_the_peer_is_applied(self) -> None:
        victim = Victim()
        watcher = victim.node.process()
        ref = victim.node.process_signals.monitor(watcher, victim.evil)
        victim.hears(Down(watcher.pid, ref, victim.evil, "bored", victim.evil))
        assert messages(watcher)[0] == Downed(ref, victim.evil, "bored")


class TestLeaderFromAPeer:
    @pytest.mark.parametrize(("policy", "takes"), [("open", True), ("exported", False), ("off", False)])
    def test_leader_is_set_by_a_peer_only_under_a_policy_that_lets_it_run_code(
        self, policy: str, takes: bool
    ) -> None:
        victim = Victim(policy)
        shell = victim.node.process(terminal=True)
        victim.hears(Leader(victim.evil, shell.pid, victim.evil))
        assert shell.leader == (victim.evil if takes else shell.pid)

    @pytest.mark.parametrize("policy", ["exported", "off"])
    def test_leader_is_set_by_the_present_leader_under_any_policy(self, policy: str) -> None:
        victim = Victim(policy)
        process = victim.node.process(leader=victim.evil)
        another = Pid(2, 0, EVIL, victim.evil.creation)
        victim.hears(Leader(victim.evil, process.pid, another))
        assert process.leader == another


def _fails(*_: object) -> None:
    raise KeyError


class TestSignalThatTheKernelFailsAt:
    """The kernel of these tests has a fault; no such signal is known."""

    def test_signal_that_the_kernel_fails_at_ends_that_connection_and_no_other(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        victim = Victim()
        node = victim.node
        gus = node.process()
        node.process_signals.set_trap_exit(gus, True)
        node.membership.monitor_nodes(gus, on=True)
        ref = node.process_signals.monitor(gus, victim.evil)
        node.requests.ping("waiter", EVIL, victim.world.now)
        node.saw(object)
        monkeypatch.setattr(node.printing, "show", _fails)
        peer = node.peer(EVIL)
        node.signals_received(
            peer,
            [Send(victim.evil, gus.pid, "before"), Crashed(victim.evil, gus.pid, "x"), Ping(1)],
            victim.world.now,
        )
        assert messages(gus) == ["before", Downed(ref, victim.evil, "noconnection"), NodeDown(EVIL)]
        assert [(answered.waiter, answered.outcome) for answered in node.saw(Answered)] == [
            ("waiter", "noconnection")
        ]
        assert node.saw(Hangup) == [Hangup(peer, gracefully=False)]
        assert node.membership.nodes(["connected"]) == ["b@h"]
        (error,) = [log.text for log in node.saw(Log) if log.level == "error"]
        assert "cannot apply a signal of evil@h: KeyError in " in error

    def test_signals_before_one_that_the_kernel_fails_at_take_effect(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        victim = Victim()
        node = victim.node
        child = node.process()
        watcher, ref = watched_by(node, child)
        carry_out = node.process_signals.apply
        failed: list[Any] = []

        def fails_once(signal: Any) -> None:
            if isinstance(signal, Down) and not failed:
                failed.append(signal)
                raise RuntimeError
            carry_out(signal)

        monkeypatch.setattr(node.process_signals, "apply", fails_once)
        second, second_ref = watched_by(node, child)
        node.exits.kill(child, "killed")
        node.signals_received(node.peer(EVIL), [Ping(1)], victim.world.now)
        assert victim.has_broken_off
        assert messages(second) == [Downed(second_ref, child.pid, "killed")]
        assert (messages(watcher), failed[0].ref) == ([], ref)


class TestNodesNamedByAPeer:
    """Nodes that may not exist, in any number."""

    NAMES = tuple(f"n{number}@h" for number in range(MOST_NODES))

    def dialled(self, node: Node) -> list[str]:
        return [dial.node for dial in node.saw(Dial)]

    def test_nodes_named_by_a_peer_are_dialled_a_few_at_a_time(self) -> None:
        victim = Victim()
        node = victim.node
        node.seen.clear()
        node.membership.partition_detector.lost(EVIL)  # as if this were its first announcement
        node.signals_received(node.peer(EVIL), [Nodes(self.NAMES)], victim.world.now)
        assert self.dialled(node) == list(self.NAMES[:MAX_INVITED_DIALS])
        node.sessions.dial_failed("n3@h", "no such name", victim.world.now)
        assert self.dialled(node) == list(self.NAMES[: MAX_INVITED_DIALS + 1])
        node.sessions.dial_failed("n3@h", "no such name", victim.world.now)
        assert node.sessions.peer_up("n5@h", 5, hidden=False, now=victim.world.now).kind == "accept"
        assert self.dialled(node) == list(self.NAMES[: MAX_INVITED_DIALS + 2])

    def test_nodes_named_by_a_peer_are_all_dialled_and_forgotten_with_the_peer(self) -> None:
        victim = Victim()
        node = victim.node
        node.seen.clear()
        node.membership.partition_detector.lost(EVIL)
        victim.hears(Nodes(self.NAMES))  # none of them exists
        assert self.dialled(node) == list(self.NAMES)
        assert node.membership.being_dialled() == []
        node.membership.partition_detector.lost(EVIL)
        node.signals_received(node.peer(EVIL), [Nodes(("x1@h", *self.NAMES, "x2@h")[:MOST_NODES])], 0.0)
        node.node_stopped()
        assert node.membership.being_dialled() == []
        assert "x2@h" not in self.dialled(node)

    def test_nodes_named_by_a_peer_are_kept_up_to_a_limit(self) -> None:
        victim = Victim()
        for batch in range(20):
            victim.hears(Nodes(tuple(f"b{batch}n{number}@h" for number in range(MOST_NODES))))
        assert len(victim.node.tables.known_nodes) == MAX_KNOWN

    def test_nodes_named_by_a_peer_are_announced_up_to_the_same_limit(self) -> None:
        victim = Victim()
        node, honest = victim.node, victim.node.peer("b@h")
        for number in range(MOST_NODES + 5):
            node.sessions.peer_claimed(f"n{number}@h", 1, hidden=False, now=victim.world.now)
        honest.out.first.clear()
        node.membership.announce(honest)
        (told,) = honest.out.first
        assert isinstance(told, Nodes)
        assert len(told.names) == MOST_NODES
