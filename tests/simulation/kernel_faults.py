"""Faults of a kernel, by name: each breaks one promise, to show that the simulator finds a broken kernel.

A fault takes a kernel and replaces a method of one of its parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pyx.core.effects import Wake
from pyx.core.monitors import MonitorTable
from pyx.signals import Demonitor, Down, ExitSignal, Link, Nodes, Send, UnlinkAck
from pyx.terms import Pid
from tests.simulation.host import replace
from tests.simulation.hostile import NAME as HOSTILE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyx.core.peers import Decision, Peer
    from pyx.core.processes import ProcessRecord, Watcher
    from pyx.signals import Payload, Reason, Signal
    from pyx.terms import Ref
    from tests.simulation.host import Fault, WatchedKernel

    F = TypeVar("F", bound=Fault)

FAULTS: dict[str, Fault] = {}
"""Every fault of this file by its name."""


def fault(install: F) -> F:
    """Adds a fault to `FAULTS`."""
    FAULTS[install.__name__] = install
    return install


def skip_signals(kernel: WatchedKernel, kind: type[Signal]) -> None:
    """The kernel applies no signal of that kind."""
    apply = kernel.process_signals.apply

    def faulty(signal: Signal) -> None:
        if not isinstance(signal, kind):
            apply(signal)

    replace(kernel.process_signals, "apply", faulty)


def do_nothing(*_: object) -> None:
    """Takes the place of a method."""


# ---------------------------------------------------------------- messages


@fault
def creation_is_not_compared(kernel: WatchedKernel) -> None:
    """A restarted node gets the messages for its earlier incarnation."""
    find = kernel.tables.find
    replace(kernel.tables, "find", lambda pid: find(Pid(pid.number, pid.serial)))


@fault
def messages_change_places(kernel: WatchedKernel) -> None:
    """Of two messages in a queue the later goes first."""
    enqueue = kernel.router.enqueue

    def faulty(peer: Peer, signal: Signal) -> None:
        enqueue(peer, signal)
        if len(peer.out) > 1 and isinstance(signal, Send):
            peer.out.rotate(1)

    replace(kernel.router, "enqueue", faulty)


@fault
def message_is_lost_in_a_large_batch(kernel: WatchedKernel) -> None:
    """The last of many signals that arrive together is dropped."""
    received = kernel.signals_received

    def faulty(peer: Peer, signals: Sequence[Signal], now: float) -> None:
        kept = [signal for signal in signals if isinstance(signal, Nodes) or signal != signals[-1]]
        received(peer, kept if len(signals) > 4 else signals, now)

    replace(kernel, "signals_received", faulty)


@fault
def message_of_a_lost_session_is_delivered(kernel: WatchedKernel) -> None:
    """Messages that come over a session after its end are delivered."""
    received = kernel.signals_received

    def faulty(peer: Peer, signals: Sequence[Signal], now: float) -> None:
        if peer.state != "up":
            for signal in signals:
                if isinstance(signal, Send):
                    kernel.router.receive_message(signal.to, signal.body)
        received(peer, signals, now)

    replace(kernel, "signals_received", faulty)


@fault
def waiting_process_is_not_woken(kernel: WatchedKernel) -> None:
    """A process that waits in `receive` is not woken by a message from another node."""
    deliver, effects = kernel.router.deliver, kernel.tables.effects

    def faulty(process: ProcessRecord, item: Any) -> None:
        deliver(process, item)
        if effects and effects[-1] == Wake(process):
            effects.pop()

    replace(kernel.router, "deliver", faulty)


@fault
def alias_is_not_taken_back(kernel: WatchedKernel) -> None:
    """A late reply stays in the mailbox."""

    def faulty(process: ProcessRecord, ref: Ref) -> bool:
        return process.aliases.pop(ref, None) is not None

    replace(kernel.router, "unalias", faulty)


# ---------------------------------------------------------------- links, monitors, exits


@fault
def monitor_fires_twice(kernel: WatchedKernel) -> None:
    """The loss of a node is reported twice by a monitor."""
    sever = kernel.node_loss.sever

    def faulty(process: ProcessRecord, node: str) -> None:
        monitors = dict(process.monitors)
        sever(process, node)
        kernel.process_signals.settle()
        for ref, target in monitors.items():
            process.add_monitor(ref, target)
        sever(process, node)

    replace(kernel.node_loss, "sever", faulty)


@fault
def down_is_not_sent(kernel: WatchedKernel) -> None:
    """The end of a process is not reported to monitors of another node."""
    enqueue = kernel.router.enqueue

    def faulty(peer: Peer, signal: Signal) -> None:
        if not isinstance(signal, Down) or signal.reason in {"noproc", "normal"}:
            enqueue(peer, signal)

    replace(kernel.router, "enqueue", faulty)


@fault
def exit_overtakes_messages(kernel: WatchedKernel) -> None:
    """An exit or a down passes messages that were sent before it."""
    enqueue = kernel.router.enqueue

    def faulty(peer: Peer, signal: Signal) -> None:
        enqueue(peer, signal)
        if isinstance(signal, (ExitSignal, Down)):
            peer.out.rotate(1)

    replace(kernel.router, "enqueue", faulty)


@fault
def nodedown_comes_first(kernel: WatchedKernel) -> None:
    """`nodedown` is delivered before the exits and downs of that node."""
    end_session = kernel.node_loss.end_session

    def faulty(peer: Peer, reason: str) -> None:
        kernel.node_loss.send_nodedown(peer)
        end_session(peer, reason)

    replace(kernel.node_loss, "end_session", faulty)


@fault
def unlink_needs_no_acknowledgement(kernel: WatchedKernel) -> None:
    """A link that crosses an unlink counts."""
    unlink = kernel.process_signals.unlink

    def faulty(process: ProcessRecord, to: Pid) -> None:
        unlink(process, to)
        process.links.states.pop(to, None)

    replace(kernel.process_signals, "unlink", faulty)
    skip_signals(kernel, UnlinkAck)


@fault
def link_overrules_outstanding_unlink(kernel: WatchedKernel) -> None:
    """A LINK that arrives while an unlink is outstanding counts."""
    apply = kernel.process_signals.apply

    def faulty(signal: Signal) -> None:
        if isinstance(signal, Link) and (process := kernel.tables.find(signal.to)) is not None:
            process.links.states.pop(signal.frm, None)
        apply(signal)

    replace(kernel.process_signals, "apply", faulty)


@fault
def demonitor_is_not_applied(kernel: WatchedKernel) -> None:
    """A monitor that was taken back stays on the watched side."""
    skip_signals(kernel, Demonitor)


@fault
def link_to_dead_process_is_silent(kernel: WatchedKernel) -> None:
    """A link to a dead process of another node is not answered by an exit."""
    post = kernel.router.send_signal

    def faulty(node: str, signal: Signal, *, connect: bool = False, quiet: bool = False) -> bool:
        is_noproc = isinstance(signal, ExitSignal) and signal.reason == "noproc"
        return is_noproc or post(node, signal, connect=connect, quiet=quiet)

    replace(kernel.router, "send_signal", faulty)


@fault
def kill_is_trapped(kernel: WatchedKernel) -> None:
    """The reason `kill` does not end a process."""
    kill = kernel.exits.kill

    def faulty(process: ProcessRecord, reason: Reason) -> None:
        if reason != "killed":
            kill(process, reason)

    replace(kernel.exits, "kill", faulty)


@fault
def normal_exit_ends_linked_processes(kernel: WatchedKernel) -> None:
    """The reason `normal` ends linked processes."""
    apply_exit = kernel.process_signals.apply_exit

    def faulty(process: ProcessRecord, frm: Pid, reason: Reason) -> None:
        apply_exit(process, frm, "normally" if reason == "normal" else reason)

    replace(kernel.process_signals, "apply_exit", faulty)


@fault
def links_outlive_the_session(kernel: WatchedKernel) -> None:
    """Links and monitors between two nodes stay when the session ends."""
    replace(kernel.node_loss, "sever", do_nothing)


@fault
def exit_notices_are_dropped(kernel: WatchedKernel) -> None:
    """Exit notices beyond the first portion are not given out."""
    continue_exits = kernel.continue_exits

    def faulty() -> None:
        kernel.tables.exit_notices.waiting.clear()
        continue_exits()

    replace(kernel, "continue_exits", faulty)


@fault
def dead_process_acts(kernel: WatchedKernel) -> None:
    """A killed process makes requests until its thread has noticed."""
    replace(kernel.tables, "has_ended", lambda _: False)


# ---------------------------------------------------------------- requests


@fault
def spawn_links_one_end(kernel: WatchedKernel) -> None:
    """A spawned process is not linked to its spawner, though the spawner is to it."""
    start = kernel.requests._start_spawn

    def faulty(frm: Pid, leader: Pid | None, payload: Payload, *, link: bool, monitor: Ref | None) -> Pid:
        del link
        return start(frm, leader, payload, link=False, monitor=monitor)

    replace(kernel.requests, "_start_spawn", faulty)


@fault
def lost_request_is_not_failed(kernel: WatchedKernel) -> None:
    """A waiter waits for the answer of a lost node for ever."""
    replace(kernel.requests, "fail_all", do_nothing)


@fault
def lost_call_of_a_server_is_not_failed(kernel: WatchedKernel) -> None:
    """A caller waits for the reply of a lost node for ever."""
    replace(kernel.replies, "peer_lost", do_nothing)


@fault
def call_of_a_server_is_not_forgotten(kernel: WatchedKernel) -> None:
    """A server's node keeps the calls that have their reply."""
    replace(kernel.replies, "answered", do_nothing)


@fault
def end_of_a_server_is_not_told(kernel: WatchedKernel) -> None:
    """A caller waits for a server that has ended."""
    replace(kernel.replies, "server_ended", do_nothing)


@fault
def abandoned_call_is_answered(kernel: WatchedKernel) -> None:
    """The reply to an abandoned call reaches its waiter."""
    replace(kernel.gen_calls, "abandon", do_nothing)


@fault
def abandoned_request_is_answered(kernel: WatchedKernel) -> None:
    """The answer to an abandoned request reaches its waiter."""
    replace(kernel.pending, "abandon", do_nothing)


# ---------------------------------------------------------------- nodes


@fault
def both_dials_are_accepted(kernel: WatchedKernel) -> None:
    """Two nodes that dial each other get two sessions."""
    peer_claimed = kernel.sessions.peer_claimed

    def faulty(name: str, creation: int, *, hidden: bool, now: float) -> Decision:
        proper = kernel.tables.name
        kernel.tables.name = "!" + proper  # less than any other: its own dial never goes first
        decision = peer_claimed(name, creation, hidden=hidden, now=now)
        kernel.tables.name = proper
        return decision

    replace(kernel.sessions, "peer_claimed", faulty)


@fault
def partitions_are_not_announced(kernel: WatchedKernel) -> None:
    """A change of the visible nodes is not announced at a tick."""
    replace(kernel.membership, "announce_changes", do_nothing)


@fault
def hidden_node_is_announced(kernel: WatchedKernel) -> None:
    """A hidden node becomes known to third nodes."""
    session_up = kernel.sessions._session_up

    def faulty(peer: Peer, creation: int, *, hidden: bool, now: float, dialect: str) -> None:
        session_up(peer, creation, hidden=hidden and kernel.tables.hidden, now=now, dialect=dialect)

    replace(kernel.sessions, "_session_up", faulty)


@fault
def silent_peer_is_kept(kernel: WatchedKernel) -> None:
    """A peer that sends nothing is never lost."""
    tick = kernel.sessions.tick

    def faulty(now: float) -> None:
        for peer in kernel.tables.peers.values():
            peer.last_received = now
        tick(now)

    replace(kernel.sessions, "tick", faulty)


# ---------------------------------------------------------------- a hostile peer


@fault
def monitor_reference_is_used_twice(kernel: WatchedKernel) -> None:
    """A monitor by a reference that is in use takes the place of the first."""
    replace(kernel.tables.monitors, "check_new", do_nothing)


class MonitorsByReference(MonitorTable):
    """A table whose key is what the peer chooses, without the process that watches."""

    def __setitem__(self, watcher: Watcher, process: ProcessRecord) -> None:
        super().__setitem__(watcher.ref, process)  # type: ignore[index]

    def __contains__(self, watcher: Any) -> bool:
        return super().__contains__(watcher.ref)

    def pop(self, watcher: Watcher, *_: object) -> Any:
        return super().pop(watcher.ref, None)  # type: ignore[call-overload]

    def check_new(self, watcher: Watcher) -> None:
        """Allows any."""


@fault
def monitors_are_known_by_reference_alone(kernel: WatchedKernel) -> None:
    """A reference stands for one monitor, whichever process it belongs to."""
    kernel.tables.monitors = MonitorsByReference()  # type: ignore[misc]


@fault
def any_down_is_believed(kernel: WatchedKernel) -> None:
    """A peer reports the ends of processes that are not its own."""

    def faulty(process: ProcessRecord, ref: Ref, node: str) -> bool:
        del node
        return ref in process.monitors

    replace(kernel.process_signals, "may_report_down", faulty)


@fault
def hostile_signal_raises(kernel: WatchedKernel) -> None:
    """The kernel fails at a signal of the hostile peer."""
    receive = kernel.receive_signal

    def faulty(peer: Peer, signal: Signal) -> None:
        if isinstance(signal, UnlinkAck) and peer.name == HOSTILE:
            raise KeyError(signal)
        receive(peer, signal)

    replace(kernel, "receive_signal", faulty)
