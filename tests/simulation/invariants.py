"""Invariants of a kernel between two calls, and of the whole world at rest.

Those of each message as it is received: `actors.py`.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from pyx.core.link_protocol import ACTIVE
from pyx.core.processes import Watcher
from pyx.signals import Ping, Pong, Tick
from pyx.terms import Pid
from tests.simulation.broadcasts import check_broadcasts
from tests.simulation.groups import check_groups, disagreements_of_keys

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyx.core.kernel import Kernel
    from pyx.core.processes import ProcessRecord
    from pyx.terms import Incarnation, Ref
    from tests.simulation.host import Host
    from tests.simulation.records import Sent, Waiter
    from tests.simulation.world import World


def disagreements(kernel: Kernel) -> list[str]:
    """The contradictions between the tables of one kernel; to be called between two kernel calls."""
    found: list[str] = []

    def must(held: object, words: str) -> None:
        if not held:
            found.append(words)

    processes = kernel.tables.processes.values()
    must(not kernel.tables.inbox, "signals wait in the inbox")
    named = {process.name: process for process in processes if process.name is not None}
    must(set(named) == set(kernel.registry.registered()), "names of processes, and the table of names")
    for name, process in named.items():
        must(kernel.registry.whereis(name) == process.pid, f"the name {name}")
    aliases = {ref.number for process in processes for ref in process.aliases}
    must(aliases == set(kernel.tables.aliases), "aliases of processes, and the table of aliases")
    watched = {watcher: process for process in processes for watcher in process.monitored_by}
    must(watched == kernel.tables.monitors, "monitors of processes, and the table of monitors")
    visible = {peer.name for peer in kernel.tables.peers.values() if peer.state == "up" and not peer.hidden}
    must(
        kernel.membership.visible == visible,
        f"{sorted(kernel.membership.visible)} are visible, not {sorted(visible)}",
    )
    for name, peer in kernel.tables.peers.items():
        must(peer.name == name and peer.state in {"dialling", "up"}, f"the session {peer}")
        must((peer.state == "up") == bool(peer.creation), f"the creation of {peer}")
    for process in processes:
        must(kernel.tables.find(process.pid) is process, f"{process} is not found by its pid")
        remote = [
            target
            for ref, target in process.monitors.items()
            if Watcher(process.pid, ref) not in kernel.tables.monitors
        ]
        for node in _nodes_of(process.links.states, remote, process.node_monitors):
            peer_there = kernel.tables.peers.get(node)
            must(
                peer_there is not None and process in peer_there.dependents,
                f"{process} would not be told of the loss of {node}",
            )
        for watcher in process.monitored_by:
            if watcher.pid.node:
                peer_there = kernel.tables.peers.get(watcher.pid.node)
                must(
                    peer_there is not None and process in peer_there.dependents, f"{process} keeps {watcher}"
                )
        for node, _ in process.callers:
            peer_there = kernel.tables.peers.get(node)
            known = not node or (peer_there is not None and process in peer_there.dependents)
            must(known, f"{process} keeps a call of {node}")
    called = {key: process for process in processes for key in process.callers}
    remote_calls = {key: process for key, process in called.items() if key[0]}
    must(remote_calls == kernel.tables.unanswered_calls, "calls of processes, and the table of calls")
    local_calls = {
        ("", number): awaited.process
        for number, awaited in kernel.replies.awaited.items()
        if awaited.process is not None and awaited.process.alive
    }
    must(
        local_calls == {key: process for key, process in called.items() if not key[0]},
        "calls of processes here, and the callers that wait",
    )
    for number, awaited in kernel.replies.awaited.items():
        must(awaited.peer is None or awaited.peer.state != "gone", f"call {number} waits for {awaited.peer}")
    found += disagreements_of_keys(kernel)
    for number, pending in kernel.pending.items():
        alive = pending.peer is None or pending.peer.state != "gone"
        must(alive, f"request {number} waits for {pending.peer}")
    return found


def _nodes_of(*entries: Iterable[object]) -> set[str]:
    nodes: set[str] = set()
    for entry in itertools.chain(*entries):
        if isinstance(entry, Pid):
            nodes.add(entry.node)
        elif isinstance(entry, tuple):
            nodes.add(entry[1])
        elif isinstance(entry, str):
            nodes.add(entry)
    return nodes - {""}


def check_tables(host: Host) -> None:
    """Checks that the tables of a host agree."""
    for words in disagreements(host.kernel):
        host.world.violated(f"the tables of {host} disagree: {words}")


def check_quiet(world: World, waiters: list[Waiter]) -> None:
    """Checks the world at rest: no signal is under way, and both ends of everything agree."""
    for words in asymmetries(host.kernel for host in world.running()):
        world.violated(words)
    for host in world.running():
        check_tables(host)
        _check_sessions(world, host)
        _check_links(world, host)
        _check_processes(world, host)
        world.must(not host.kernel.tables.exit_notices, f"{host} keeps exit notices")
        world.must(not host.kernel.pending, f"{host} waits for {host.kernel.pending}")
        world.must(not host.kernel.replies.awaited, f"{host} waits for {host.kernel.replies.awaited}")
        world.must(not host.kernel.tables.unanswered_calls, f"{host} keeps calls without a caller")
        world.must(not host.dials, f"{host} dials {host.dials}")
    for waiter in waiters:
        void = waiter.request is not None and waiter.request.void
        late = not (waiter.done or waiter.abandoned or waiter.actor.host.dead or void)
        world.must(not late, f"{waiter} was never answered")
    for connection in world.connections:
        world.must(connection.open_ends in {0, 2}, f"{connection} is open at one end")
    _check_partitions(world)
    if world.has_groups:
        check_groups(world)
        check_broadcasts(world)


def _check_sessions(world: World, host: Host) -> None:
    """Checks that each pair has one session: up at both ends, over one connection, and no other is open."""
    for name, peer in host.kernel.tables.peers.items():
        world.must(peer.state == "up", f"{host} still dials {name}")
        kept = [signal for signal in peer.out if not isinstance(signal, (Tick, Ping, Pong))]
        world.must(not kept, f"{host} keeps {kept} for {name}")
        there = world.hosts[name]
        opposite = there.kernel.tables.peers.get(host.name)
        world.must(
            opposite is not None and opposite.state == "up", f"{host} is up with {there}, not it with it"
        )
        assert opposite is not None
        world.must(
            peer.creation == there.kernel.tables.creation, f"{host} takes {there} for another incarnation"
        )
        world.must(
            peer.connection.connection is opposite.connection.connection,
            f"{host} and {there} use two connections",
        )
        world.must(peer.hidden == (host.hidden or there.hidden), f"{host} and {there} are hidden or not")
    used = {peer.connection.connection for peer in host.kernel.tables.peers.values()}
    left = [one.connection for one in host.attached if one.connection not in used]
    world.must(not left, f"{host} has attached connections left over: {left}")
    opened = {end.connection for end in host.ends}
    world.must(opened <= used, f"{host} has connections left over: {opened - used}")


def asymmetries(kernels: Iterable[Kernel]) -> list[str]:
    """Links and monitors without their other end, in kernels between which no signal is under way."""
    found: list[str] = []
    nodes = {kernel.tables.here: kernel for kernel in kernels}
    for kernel in nodes.values():
        for process in kernel.tables.processes.values():
            for pid, state in process.links.states.items():
                there, other = _find(nodes, kernel, pid)
                if state != ACTIVE:
                    found.append(f"{process} never got the acknowledgement of its unlink of {pid}")
                elif other is None:
                    found.append(f"{process} is linked to {pid}, which is not there")
                elif _pid_for(there, kernel, process.pid) not in other.links:
                    found.append(f"{process} is linked to {other}, not back")
            for ref, target in process.monitors.items():
                if not any(_is_watcher(kernel, process, ref, there) for there in nodes.values()):
                    found.append(f"{process} monitors {target}, which does not know")
            for watcher in process.monitored_by:
                _, other = _find(nodes, kernel, watcher.pid)
                if other is None or not any(own.number == watcher.ref.number for own in other.monitors):
                    found.append(f"{process} is monitored by {watcher.pid}, which does not know")
    return found


def _find(
    nodes: dict[Incarnation | None, Kernel], viewer: Kernel, pid: Pid
) -> tuple[Kernel, ProcessRecord | None]:
    """The node and the process that a pid means to *viewer*."""
    there = nodes.get(pid.incarnation, viewer) if pid.node else viewer
    return there, there.tables.find(pid)


def _pid_for(viewer: Kernel, owner: Kernel, pid: Pid) -> Pid:
    """A pid of *owner* as *viewer* writes it."""
    return (
        pid
        if viewer is owner or owner.tables.here is None
        else Pid(pid.number, pid.serial, *owner.tables.here)
    )


def _is_watcher(kernel: Kernel, process: ProcessRecord, ref: Ref, there: Kernel) -> bool:
    """True if a process of *there* knows that *process*, of *kernel*, monitors it by that reference."""
    seen = _pid_for(there, kernel, process.pid)
    return any(
        watcher.pid == seen and watcher.ref.number == ref.number
        for watched in there.tables.processes.values()
        for watcher in watched.monitored_by
    )


def _check_links(world: World, host: Host) -> None:
    """Checks that live processes have the links and monitors that they made, and no others."""
    for actor in host.actors.values():
        process = actor.process
        if not process.alive:
            continue
        world.must(set(process.monitors) <= set(actor.watches), f"{actor} has a monitor it never set")
        for ref, watch in actor.watches.items():
            world.must(ref in process.monitors, f"{actor} got no DOWN of its monitor {watch}")
        for pid in actor.remote_links:
            other = world.resolve(host, pid)
            quiet = other is not None and other.reason == "normal"
            world.must(
                pid in process.links or quiet, f"{actor} linked to {other}, and lost it without an exit"
            )


def _check_processes(world: World, host: Host) -> None:
    """Checks that every delivery was read, and that host and kernel agree on the live processes."""
    living = {process.pid for process in host.kernel.tables.processes.values()}
    known = {actor.process.pid for actor in host.actors.values() if actor.process.alive}
    world.must(living == known, f"{host} has other processes than started there")
    for actor in host.actors.values():
        delivered = actor.process.mailbox.delivered
        world.must(actor.mark == delivered, f"{actor} was not woken, or got something after its end")
        world.must(actor.process.alive or actor.reason is not None, f"{actor} ended without a reason")
        world.must(
            dict(actor.process.node_monitors) == dict(+actor.node_counts) or not actor.process.alive,
            f"{actor} monitors nodes {actor.process.node_monitors}, not {actor.node_counts}",
        )
        for sent_to in actor.sent_to.values():
            for sent in sent_to:
                _check_arrived(world, sent)


def _check_arrived(world: World, sent: Sent) -> None:
    """Checks that what was sent over a connection that still stands has arrived at a live receiver."""
    to = sent.to
    if sent.delivered or to is None or not to.is_alive or sent.incarnation not in {None, to.host.incarnation}:
        return
    stands = not sent.remote or (sent.connection is not None and sent.connection.open_ends == 2)
    world.must(not stands, f"{sent} never arrived at {to}")


def _check_partitions(world: World) -> None:
    """Checks that every node reports the pairs of visible peers without session, and no others."""
    for host in world.running():
        peers = host.kernel.membership.nodes(["visible"])
        apart = [
            (one, other)
            for one, other in itertools.combinations(peers, 2)
            if other not in world.hosts[one].kernel.membership.nodes(["visible"])
        ]
        world.must(
            host.kernel.membership.partitions() == apart,
            f"{host} reports {host.kernel.membership.partitions()}, not {apart}",
        )
        world.count("partitions", len(apart))


def check_whole(world: World) -> None:
    """Checks that each node is connected with each other."""
    for host in world.running():
        others = sorted(other.name for other in world.running() if other is not host)
        connected = host.kernel.membership.nodes(["connected"])
        world.must(connected == others, f"{host} is connected with {connected}, not {others}")
