"""The world of the simulator: virtual time, the hosts in it, and the history that the invariants check.

All events are in one queue, chance comes from one seeded generator, and no clock is read.  So the same seed
is the same run.  Events: `host.py`, `workload.py`, `faults.py`; promises: `actors.py`, `invariants.py`.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from random import Random
from typing import TYPE_CHECKING, Any, NoReturn

from pyx.core import effects as fx
from pyx.signals import ExitTo, Payload, Send
from pyx.terms import Incarnation, Pid
from pyx.wire.codec import encode
from tests.simulation import acts
from tests.simulation.actors import Actor
from tests.simulation.host import Host
from tests.simulation.network import Connection
from tests.simulation.records import Waiter, reason_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.core.peers import Peer
    from pyx.core.processes import ProcessRecord
    from tests.simulation.broadcasts import Publication
    from tests.simulation.host import AttachedConnection, Fault
    from tests.simulation.records import Request, Sent

_TRACE_LINES = 40


class Violation(AssertionError):
    """A broken promise."""


class World:
    """Virtual time, hosts, connections and records of one run.

    Args:
        seed: decides everything.
        break_kernel: a fault that every kernel of this world gets.
        has_groups: processes join and leave groups, watch them, subscribe to topics and broadcast.
    """

    def __init__(self, seed: int, break_kernel: Fault | None = None, *, has_groups: bool = False) -> None:
        self.seed = seed
        self.has_groups = has_groups
        self.random = Random(seed)
        self.now = 1000.0
        self.hosts: dict[str, Host] = {}
        """The running OS process of each name."""
        self.incarnations: dict[Incarnation, Host] = {}
        self.blocked: dict[frozenset[str], str] = {}
        """Pairs of hosts that cannot dial each other, and how that looks: `"refused"` or `"silent"`."""
        self.connections: list[Connection] = []
        self.sent: dict[Any, Sent] = {}
        """Every message and exit signal that was sent, by its unique payload or reason."""
        self.publications: dict[bytes, Publication] = {}
        """Every broadcast, by its body."""
        self.requests: dict[bytes, Request] = {}
        """Every call and spawn, by its payload."""
        self.ends: dict[str | bytes | None, list[Actor | None]] = {}
        """The processes that ended with each reason; None: the hostile node has sent that reason."""
        self.trace: deque[str] = deque(maxlen=_TRACE_LINES)
        self.counts: dict[str, int] = {}
        """The number of events of each kind: shows that a run is not empty."""
        self._break_kernel = break_kernel
        self._events: list[tuple[float, int, Host | None, Callable[..., None], tuple[Any, ...]]] = []
        self._order = itertools.count()
        self._creations = itertools.count(1)
        self._names = itertools.count(1)

    # ------------------------------------------------------------ time

    def at(self, delay: float, host: Host | None, action: Callable[..., None], *args: Any) -> None:
        """Schedules an event in *delay* seconds; dropped if *host* is dead then, deferred if it is frozen."""
        self.at_time(self.now + delay, host, action, *args)

    def at_time(self, when: float, host: Host | None, action: Callable[..., None], *args: Any) -> None:
        """Schedules an event at a time; of two at the same time the first that was scheduled comes first."""
        heapq.heappush(self._events, (when, next(self._order), host, action, args))

    def soon(self, host: Host, action: Callable[..., None], *args: Any) -> None:
        """Schedules an event for the next round of that host's loop."""
        self.at(0.0, host, action, *args)

    def run(self, seconds: float) -> None:
        """Lets virtual time pass."""
        until = self.now + seconds
        events = self._events
        while events and events[0][0] <= until:
            self.now, _, host, action, args = heapq.heappop(events)
            if host is None:
                action(*args)
            elif host.frozen:
                host.deferred.append((action, args))
            elif not host.dead:
                action(*args)
        self.now = until

    def note(self, words: str) -> None:
        """Adds a line to the trace that a failure shows."""
        self.trace.append(f"{self.now:10.4f}  {words}")

    def count(self, what: str, times: int = 1) -> None:
        """See `counts`."""
        self.counts[what] = self.counts.get(what, 0) + times

    def violated(self, promise: str) -> NoReturn:
        """Ends the run."""
        raise Violation("\n".join((promise, "what happened last:", *self.trace, f"seed {self.seed}")))

    def must(self, held: object, promise: str) -> None:
        """Ends the run unless the promise was kept."""
        if not held:
            self.violated(promise)

    # ------------------------------------------------------------ hosts and incarnations

    def boot(self, name: str, *, hidden: bool = False) -> Host:
        """Starts an OS process, as the node of that name."""
        host = self.hosts[name] = Host(self, name, hidden=hidden, break_kernel=self._break_kernel)
        self.note(f"{host} boots")
        return host

    def new_incarnation(self, host: Host) -> Incarnation:
        """The incarnation that this host begins now."""
        incarnation = Incarnation(host.name, next(self._creations))
        self.incarnations[incarnation] = host
        return incarnation

    def running(self) -> list[Host]:
        """The hosts that are not dead."""
        return [host for host in self.hosts.values() if not host.dead]

    def living(self) -> list[Actor]:
        """The processes that live, on hosts that are not frozen."""
        return [
            actor
            for host in self.hosts.values()
            if not (host.dead or host.frozen)
            for actor in host.actors.values()
            if actor.process.alive
        ]

    def resolve(self, viewer: Host, pid: Pid) -> Actor | None:
        """The process that a pid means to a host; None for a pid that was never used."""
        host = self.incarnations.get(Incarnation(pid.node, pid.creation)) if pid.node else viewer
        return host.actors.get((pid.number, pid.serial)) if host is not None else None

    def way(self, one: str, other: str) -> str:
        """What a dial meets: `"open"`, `"refused"` or `"silent"`."""
        return self.blocked.get(frozenset((one, other)), "open")

    def connected(self, one: Host, other: Host) -> Connection:
        """A new connection."""
        connection = Connection(self, one, other, number=len(self.connections))
        self.connections.append(connection)
        return connection

    def new_creation(self) -> int:
        """A creation that no host has."""
        return next(self._creations)

    # ------------------------------------------------------------ unique values

    def unique(self) -> int:
        """A number that was never returned before."""
        return next(self._names)

    def hostile_reason(self, reason: str) -> str:
        """Notes a reason with which the hostile node may end a process; links may pass it on."""
        self.ends.setdefault(reason, []).append(None)
        return reason

    def unique_payload(self, *more: Any) -> Payload:
        """A payload unlike any other."""
        return Payload(encode((self.unique(), *more)))

    # ------------------------------------------------------------ reports of the hosts

    def stepped(self, host: Host, effects: list[fx.Effect]) -> None:
        """Checks one kernel call: each process that got something reads it now, before the next event."""
        if not effects and not host.died and not host.unreported:
            return
        woken: dict[Actor, None] = {}
        for effect in effects:
            if isinstance(effect, fx.StartProcess):
                self._started(host, effect.process, effect.payload)
        for effect in effects:
            match effect:
                case fx.Wake(process):
                    woken[self._actor(host, process)] = None
                case fx.Kill(process, reason):
                    actor = self._actor(host, process)
                    actor.killed_by(reason)
                    woken[actor] = None
                case fx.ShellExit(process, frm, reason):
                    actor = self._actor(host, process)
                    actor.shown.append((frm, reason))
                    woken[actor] = None
                case _:
                    pass
        for effect in effects:
            if isinstance(effect, (fx.Answered, fx.Connected)):
                assert isinstance(effect.waiter, Waiter)
                effect.waiter.answered(effect)
        # An ended process may have got a broadcast whose receivers are not woken yet.
        woken.update(dict.fromkeys(host.died))
        for actor in woken:
            actor.reads()
        for peer, reason, seen_by_all in host.kernel.losses:
            self._lost(host, peer, reason, seen_by_all=seen_by_all)
        host.kernel.losses.clear()
        for actor in host.died:
            actor.death_is_explained()
        host.died.clear()
        if not host.kernel.tables.exit_notices:
            for actor, trapping in host.unreported:
                actor.end_was_reported(trapping)
            host.unreported.clear()
        for actor in woken:
            actor.step_is_over()

    def _lost(self, host: Host, peer: Peer, reason: str, *, seen_by_all: bool) -> None:
        self.note(f"{host} lost {peer}: {reason}")
        if reason == "not responding":
            # Short freezes between ticks do not make a tick late.
            silent, least = peer.connection.silent, host.kernel.sessions.tick_seconds / 2
            self.must(silent >= least, f"{host} gave {peer} up after {silent:g} seconds")
        self.count("sessions lost" if peer.creation else "dials lost")
        for actor in host.actors.values():
            if actor.process.alive:
                actor.node_is_lost(peer.name, seen_by_all=seen_by_all)

    def _actor(self, host: Host, process: ProcessRecord) -> Actor:
        return host.actors[process.pid.number, process.pid.serial]

    def is_written(self, signal: Send | ExitTo, attached: AttachedConnection) -> None:
        """Notes the connection that a message or an exit signal is about to be written to."""
        key = signal.body.data if isinstance(signal, Send) else reason_key(signal.reason)
        sent = self.sent.get(key)
        if key == "kill":
            assert isinstance(signal, ExitTo)
            sent = next(sent for sent in attached.host.kills if sent.is_like(signal, attached.peer))
        if sent is not None:  # it is None for the plain word `normal`
            sent.connection = attached.connection

    def _started(self, host: Host, process: ProcessRecord, payload: Payload) -> None:
        """Notes a process that a request has started."""
        request = self.requests[bytes(payload.data)]
        self.must(request.started is None, f"a second {request.kind} for one request of {request.spawner}")
        self.must(request.node in {"", host.name}, f"{host} was asked for a {request.kind} at {request.node}")
        self.must(not request.void, f"{request.spawner} asked for a {request.kind} after its end")
        request.started = actor = Actor(host, process)
        actor.request = request
        self.count(request.kind)

    def runs(self, host: Host, process: ProcessRecord) -> None:
        """Lets a started process run; a call ends some time later."""
        if process.call is not None:
            self.at(self.random.random() * 0.5, host, acts.finish_call, self._actor(host, process))
