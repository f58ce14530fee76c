"""Faults of a kernel that concern groups, by name; see `kernel_faults.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyx.signals import Held, Let
from tests.simulation.host import replace
from tests.simulation.kernel_faults import do_nothing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.core.exit_notices import Forgotten, Notice
    from pyx.core.mailbox import NodedownReason
    from pyx.core.peers import Peer
    from pyx.core.processes import ProcessRecord
    from pyx.signals import Reason, Signal
    from tests.simulation.host import Fault, WatchedKernel


def nodeup_comes_before_the_holdings(kernel: WatchedKernel) -> None:
    """Promise 1 is broken."""
    began, ready = kernel.membership.session_began, kernel.membership.peer_is_ready

    def faulty(peer: Peer) -> None:
        began(peer)
        ready(peer)

    replace(kernel.membership, "session_began", faulty)
    replace(kernel.membership, "peer_is_ready", do_nothing)


def connected_comes_before_the_holdings(kernel: WatchedKernel) -> None:
    """Promise 1 is broken for those who wait for a connection."""
    began = kernel.membership.session_began

    def faulty(peer: Peer) -> None:
        began(peer)
        kernel.sessions._ready(peer)
        peer.is_ready = False

    replace(kernel.membership, "session_began", faulty)


def members_of_a_lost_node_leave_after_nodedown(kernel: WatchedKernel) -> None:
    """Promise 2 is broken."""
    lost, ended = kernel.groups.peer_lost, kernel.membership.session_ended

    def faulty(peer: Peer, why: NodedownReason, *, was_ready: bool) -> None:
        ended(peer, why, was_ready=was_ready)
        if peer.holdings is not None:
            peer.is_ready = was_ready
            lost(peer)

    replace(kernel.groups, "peer_lost", do_nothing)
    replace(kernel.membership, "session_ended", faulty)


def members_of_a_lost_node_stay(kernel: WatchedKernel) -> None:
    """No watcher is told of the loss of a node."""
    replace(kernel.groups, "peer_lost", do_nothing)


def message_overtakes_a_join(kernel: WatchedKernel) -> None:
    """Promise 3 is broken: a join is sent after the signal that follows it."""
    enqueue = kernel.router.enqueue
    late: list[tuple[Peer, Signal]] = []

    def faulty(peer: Peer, signal: Signal) -> None:
        if isinstance(signal, Held):
            late.append((peer, signal))
            return
        enqueue(peer, signal)
        while late:
            enqueue(*late.pop())

    replace(kernel.router, "enqueue", faulty)


def message_overtakes_the_holdings(kernel: WatchedKernel) -> None:
    """The holdings of a session follow what was queued while it was dialled."""
    send = kernel.groups.send_holdings

    def faulty(peer: Peer) -> None:
        waiting = list(peer.out)
        peer.out.clear()
        send(peer)
        peer.out.extendleft(reversed(waiting))

    replace(kernel.groups, "send_holdings", faulty)


def end_of_a_member_is_told_after_its_down(kernel: WatchedKernel) -> None:
    """Promise 4 is broken: the keys of an ended process are forgotten after its exit notices."""
    end, release = kernel.exits.end, kernel.keys.release
    late: list[Iterator[Notice]] = []

    def held_back(process: ProcessRecord) -> None:
        goodbyes = release(process)
        if goodbyes is not None:
            late.append(goodbyes)

    def faulty(process: ProcessRecord, reason: Reason) -> None:
        end(process, reason)
        while late:
            kernel.tables.exit_notices.add(late.pop())

    replace(kernel.keys, "release", held_back)
    replace(kernel.exits, "end", faulty)


def watchers_are_not_told_of_ends(kernel: WatchedKernel) -> None:
    """The keys of an ended process are forgotten without a word."""
    forget, tell = kernel.keys.forget, kernel.keys.tell

    def faulty(batch: Forgotten) -> None:
        replace(kernel.keys, "tell", lambda *_, **__: None)
        forget(batch)
        replace(kernel.keys, "tell", tell)

    replace(kernel.keys, "forget", faulty)


def ends_are_told_to_those_who_came_later(kernel: WatchedKernel) -> None:
    """A watcher or subscriber is told that an entry leaves which it was never shown."""
    tell = kernel.keys.tell

    def faulty(*args: Any, **options: Any) -> None:
        tell(*args, **{**options, "since": None})

    replace(kernel.keys, "tell", faulty)


def keys_of_an_ended_process_stay(kernel: WatchedKernel) -> None:
    """Nothing is forgotten."""
    replace(kernel.keys, "forget", do_nothing)


def peers_are_not_told_of_leaves(kernel: WatchedKernel) -> None:
    """No `Let` is sent."""
    enqueue = kernel.router.enqueue

    def faulty(peer: Peer, signal: Signal) -> None:
        if not isinstance(signal, Let):
            enqueue(peer, signal)

    replace(kernel.router, "enqueue", faulty)


GROUP_FAULTS: dict[str, Fault] = {
    install.__name__: install
    for install in (
        nodeup_comes_before_the_holdings,
        connected_comes_before_the_holdings,
        members_of_a_lost_node_leave_after_nodedown,
        members_of_a_lost_node_stay,
        message_overtakes_a_join,
        message_overtakes_the_holdings,
        end_of_a_member_is_told_after_its_down,
        watchers_are_not_told_of_ends,
        ends_are_told_to_those_who_came_later,
        keys_of_an_ended_process_stay,
        peers_are_not_told_of_leaves,
    )
}
"""Every fault of this file by its name."""
