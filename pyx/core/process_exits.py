"""The end of a process: out of every table in one kernel call, and what others are told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyx.core.effects import Kill, Released, Resume
from pyx.signals import Down, ExitSignal, queued_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.core.exit_notices import Notice
    from pyx.core.peers import Peer
    from pyx.core.pending_requests import PendingRequests
    from pyx.core.processes import ProcessRecord, Target, Watcher
    from pyx.core.registry import Registry
    from pyx.core.space_parts import SpaceParts
    from pyx.core.tables import Tables
    from pyx.signals import Reason, Signal, UnlinkAck
    from pyx.terms import Pid, Ref


class ProcessExits:
    """Ends processes, and queues their exit notices."""

    def __init__(
        self, tables: Tables, registry: Registry, spaces: SpaceParts, pending: PendingRequests
    ) -> None:
        self._tables = tables
        self._registry = registry
        self._spaces = spaces
        self._pending = pending

    def end(self, process: ProcessRecord, reason: Reason) -> None:
        """Takes a process out of every table and queues what its links and monitors are told.

        A call that ended before its function did is answered `"exit"`.  Without effect on a dead process.  It
        never ends half-way: a table entry that is missing already does not keep the others waiting.
        """
        if not process.alive:
            return
        caller, process.call = process.call, None
        tables = self._tables
        pid = process.pid
        process.alive = process.waiting = False
        process.reason = reason
        mailbox = process.mailbox
        mailbox.closed = True
        if mailbox.waiters:
            tables.effects.append(Resume(mailbox))
        tables.processes.pop(pid.number, None)
        if process.name is not None:
            self._registry.release(process)
        for ref in process.aliases:
            tables.aliases.pop(ref.number, None)
        for watcher in process.monitored_by:
            tables.monitors.pop(watcher, None)
        callers = list(process.callers.values()) if process.callers else []
        for frm, ref, _ in callers:
            if frm.node:
                tables.unanswered_calls.pop((frm.node, ref.number), None)
        for peer in tables.peers.values():
            if peer.dependents:
                peer.dependents.pop(process, None)
        if tables.node_watchers:
            tables.node_watchers.pop(process, None)
        if process.holdings is not None:
            goodbyes = self._spaces.keys.release(process)
            if goodbyes is not None:
                tables.exit_notices.add(goodbyes)
        if process.links.states or process.monitored_by or process.monitors or callers:
            # Copies: its own thread, which has not noticed its end yet, may still change the tables.
            others = list(process.links), list(process.monitored_by.items()), list(process.monitors.items())
            tables.exit_notices.add(self._notices(pid, reason, dict(tables.peers), callers, *others))
        tables.effects.append(Released(process))
        if caller is not None:
            self._pending.answer(caller, "exit", reason, pid)

    def kill(self, process: ProcessRecord, reason: Reason) -> None:
        """Ends a process, and has the runtime stop its code."""
        self.end(process, reason)
        self._tables.effects.append(Kill(process, reason))

    def answer_for_the_dead(self, node: str, signal: ExitSignal | Down | UnlinkAck) -> None:
        """Queues an answer in the place of a process that has ended, behind all its own notices."""
        peer = self._tables.peers.get(node)
        self._tables.exit_notices.add([(None, signal)] if peer is None else _promised(peer, signal))

    def _notices(
        self,
        pid: Pid,
        reason: Reason,
        sessions: dict[str, Peer],
        callers: list[tuple[Pid, Ref, Pid | str]],
        links: list[Pid],
        watchers: list[tuple[Watcher, Pid | str]],
        monitors: list[tuple[Ref, Target]],
    ) -> Iterator[Notice]:
        """What an ended process tells its callers, links and watchers, and the processes it watched."""
        for frm, ref, target in callers:
            yield sessions.get(frm.node), Down(frm, ref, target, reason, pid)
        for other in links:
            yield sessions.get(other.node), ExitSignal(pid, other, reason)
        for watcher, target in watchers:
            down = Down(watcher.pid, watcher.ref, target, reason, pid)
            yield sessions.get(watcher.pid.node), down
        for ref, watched in monitors:
            node, demonitor = self._tables.monitors.demonitor(pid, ref, watched)
            yield sessions.get(node), demonitor


def _promised(peer: Peer, signal: Signal) -> Iterator[Notice]:
    # The peer may ask faster than portions are given out: an answer counts as its load from now on.
    promised = queued_bytes(signal)
    peer.out.promised += promised
    peer.out.may_have_load = True

    def given() -> Iterator[Notice]:
        peer.out.promised -= promised
        yield peer, signal

    return given()
