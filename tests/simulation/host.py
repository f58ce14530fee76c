"""One OS process of the simulator: a kernel, and around it what `runtime` and `net` do, in one thread.

Real: the kernel and the bytes of the sessions.  Imitated: `runtime/peer_connections.py`,
`runtime/node_timers.py` (ticks), `net/connection.py` (flush, close gracefully or not), `runtime/dispatch.py`
(effects are handled after the lock is released, and another thread may get in between).  Handshakes:
`handshakes.py`; processes: `actors.py`; faults: `faults.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from pyx.core import effects as fx
from pyx.core.kernel import Kernel
from pyx.core.spaces import SpaceUse
from pyx.errors import ProtocolError
from pyx.signals import ExitTo, Payload, Publish, Send
from pyx.terms import Incarnation
from pyx.wire.codec import encode
from pyx.wire.frames.fragments import FRAGMENT_BYTES
from pyx.wire.frames.signal_stream import SignalStream
from pyx.wire.handshake.events import Established, Failed
from tests.simulation.broadcasts import is_written, open_topics
from tests.simulation.group_names import PUBSUB_NAME, SPACE
from tests.simulation.handshakes import Accept, Dial
from tests.simulation.hostile import NAME as HOSTILE

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.core.peers import Peer
    from tests.simulation.actors import Actor
    from tests.simulation.network import Connection, End
    from tests.simulation.records import Sent
    from tests.simulation.world import World

Fault: TypeAlias = "Callable[[WatchedKernel], None]"
"""Breaks a kernel; see `kernel_faults.py`."""

LINGER_SECONDS = 5.0
GOODBYE_SECONDS = 1.0


class WatchedKernel(Kernel):
    """A kernel that notes which sessions ended, for the invariants to check."""

    def __init__(self) -> None:
        super().__init__()
        self.losses: list[tuple[Peer, str, bool]] = []
        """The session, why, and whether it was ready and visible (so that every watcher is told)."""
        end_session = self.node_loss.end_session

        def noted(peer: Peer, reason: str) -> None:
            self.losses.append((peer, reason, peer.is_ready and not peer.hidden))
            end_session(peer, reason)

        replace(self.node_loss, "end_session", noted)


def replace(part: object, method: str, by: Callable[..., object]) -> None:
    """Replaces a method of one part of one kernel."""
    assert callable(getattr(part, method))
    setattr(part, method, by)


class Host:
    """One OS process: one incarnation of a node, or several in a row (`Node.stop`, `Node.start`)."""

    def __init__(self, world: World, name: str, *, hidden: bool, break_kernel: Fault | None) -> None:
        self.world = world
        self.name = name
        self.hidden = hidden
        self.kernel = WatchedKernel()
        if break_kernel is not None:
            break_kernel(self.kernel)
        self.kernel.sessions.tick_seconds = world.random.choice((2.0, 2.0, 4.0))
        if world.has_groups:
            use = SpaceUse(diffs_to=PUBSUB_NAME)
            self.kernel.keys.open_space(SPACE, owner=None, unique=False, replicated=True, use=use)
            open_topics(self)
        self.kernel.tables.exit_notices.portion = world.random.choice((1, 3, 500, 500))
        self.label = ""
        self.incarnation: Incarnation | None = None
        self.incarnations: list[Incarnation] = []
        self.dead = False
        self.frozen = False
        self.stopped_at = 0.0
        self.stood_still = 0.0
        """Seconds in which it was frozen."""
        self.deferred: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        """Events that came due while it was frozen."""
        self.ends: set[End] = set()
        self.attached: list[AttachedConnection] = []
        self.dials: dict[str, Dial] = {}
        self.actors: dict[tuple[int, int], Actor] = {}
        self.kills: list[Sent] = []
        """The exit signals `kill` that were sent from here."""
        self.died: list[Actor] = []
        """Processes that ended in this kernel call."""
        self.unreported: list[tuple[Actor, dict[Actor, int]]] = []
        """Ended processes with exit notices left; and those linked to them that trapped exits."""
        self.feeding: Connection | None = None
        """The connection whose signals the kernel receives at this moment."""
        self.log: list[fx.Log] = []
        self.start()

    def __repr__(self) -> str:
        return self.label

    # ------------------------------------------------------------ its incarnations

    def start(self) -> None:
        """Starts the node, as a new incarnation."""
        self.incarnation = self.world.new_incarnation(self)
        self.incarnations.append(self.incarnation)
        self.label = f"<{self.name} {self.incarnation.creation}>"
        self.step(self.kernel.node_started, *self.incarnation, hidden=self.hidden)
        self.world.at(
            self.world.random.random() * self.kernel.sessions.tick_seconds / 4,
            self,
            self._tick,
            self.incarnation,
        )

    def stop(self) -> None:
        """`Node.stop`: disconnects from every peer; `close_all` is its last part."""
        self.incarnation = None
        self.label = f"<{self.name} unnamed>"
        self.step(self.kernel.node_stopped)

    def close_all(self) -> None:
        """The last part of `Node.stop`: closes every connection that is left."""
        for attached in list(self.attached):
            attached.close(gracefully=False)
        for dial in list(self.dials.values()):
            dial.give_up()

    def die(self) -> None:
        """`kill -9`: the operating system closes every descriptor."""
        self.dead = True
        for end in sorted(self.ends, key=lambda end: end.connection.number):
            end.close()

    def freeze(self) -> None:
        """`kill -STOP`."""
        self.frozen = True
        self.stopped_at = self.world.now

    def thaw(self) -> None:
        """`kill -CONT`."""
        self.frozen = False
        self.stood_still += self.world.now - self.stopped_at
        deferred, self.deferred = self.deferred, []
        for action, args in deferred:  # in any order
            self.world.at(self.world.random.random() * 0.01, self, action, *args)

    def _tick(self, incarnation: Incarnation) -> None:
        if incarnation == self.incarnation:
            self.step(self.kernel.sessions.tick, self.world.now)
            for attached in self.attached:
                attached.must_be_lost_if_silent()
            self.world.at(self.kernel.sessions.tick_seconds / 4, self, self._tick, incarnation)

    # ------------------------------------------------------------ kernel calls

    def step(self, decide: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Makes one kernel call; checks its effects at once, and handles them now or soon."""
        result = decide(*args, **options)
        if self.kernel.tables.inbox:
            self.world.violated(f"signals wait inside {self}: {self.kernel.tables.inbox}")
        effects = self.kernel.router.collect()
        self.world.stepped(self, effects)
        if effects:
            if self.world.random.random() < 0.1:  # another thread comes between
                self.world.at(self.world.random.random() * 0.02, self, self._handle, effects)
            else:
                self._handle(effects)
        return result

    def _handle(self, effects: list[fx.Effect]) -> None:
        world = self.world
        for effect in effects:
            match effect:
                case fx.Flush(peer):
                    if peer.connection is None:
                        pass  # attaching the connection flushes
                    elif world.random.random() < 0.2:
                        world.at(world.random.random() * 0.01, self, peer.connection.flush)
                    else:
                        peer.connection.flush()
                case fx.StartProcess(process):
                    world.runs(self, process)
                case fx.Inquire():
                    payload = Payload(encode(effect.payload.data))
                    world.at(
                        world.random.random() * 0.05,
                        self,
                        self.step,
                        self.kernel.requests.answer,
                        effect,
                        payload,
                    )
                case fx.Dial(node) | fx.CancelDial(node):
                    world.soon(self, self._look_at_dial, node)
                case fx.ContinueExits():
                    world.count("exit notices in portions")
                    world.at(world.random.random() * 0.01, self, self.step, self.kernel.continue_exits)
                case fx.ContinueFanOuts():
                    world.count("broadcasts in portions")
                    go_on = self.kernel.broadcasts.continue_fan_outs
                    delay = world.random.random() * (0.5 if world.random.random() < 0.12 else 0.01)
                    world.at(delay, self, self.step, go_on)
                case fx.RetryAt(node, until):
                    world.at(
                        max(0.0, until - world.now), self, self.step, self.kernel.sessions.backoff_ended, node
                    )
                case fx.Hangup(peer, gracefully):
                    if peer.connection is not None:
                        peer.connection.close(gracefully=gracefully)
                case fx.Log():
                    world.must("cannot apply" not in effect.text, f"{self} logs: {effect.text}")
                    self.log.append(effect)
                case _:  # the others concern processes: `World.stepped` has checked them
                    pass

    # ------------------------------------------------------------ dialling

    def _look_at_dial(self, node: str) -> None:
        wanted = self.kernel.sessions.dialling(node)
        dial = self.dials.get(node)
        if dial is not None and dial.session != wanted:
            dial.give_up()
        if wanted is not None and node not in self.dials:
            self.dials[node] = Dial(self, node, wanted)

    def dialled(self, node: str, outcome: Established | Failed, end: End | None, trailing: bytes) -> None:
        """Reports the end of a dial to the kernel."""
        kernel, now = self.kernel, self.world.now
        del self.dials[node]
        if isinstance(outcome, Failed):
            self.step(kernel.sessions.dial_failed, node, outcome.reason, now, self.world.random.random())
            return
        assert end is not None
        decision = self.step(
            kernel.sessions.peer_up, outcome.name, outcome.creation, hidden=outcome.hidden, now=now
        )
        self.world.count(f"dial {decision.kind}")
        if decision.kind == "accept":
            self.attach(decision.peer, end, b"", trailing)
        else:
            end.close()

    # ------------------------------------------------------------ accepting

    def connection_arrived(self, end: End) -> None:
        """Accepts a connection that waits in the backlog."""
        if self.incarnation is None:
            end.close()
        else:
            Accept(self, end)

    def attach(self, peer: Peer, end: End, first: bytes, trailing: bytes) -> None:
        """Attaches a connection to a session: from now on its signals are sent."""
        assert self.incarnation is not None
        attached = peer.connection = AttachedConnection(self, peer, end, self.incarnation)
        self.attached.append(attached)
        end.hand_to(attached)
        if first:
            end.write(first)
        if trailing:
            attached.readable(trailing)
        attached.flush()
        if peer.state == "gone":
            attached.close(gracefully=False)


class AttachedConnection:
    """The connection of a session, as `Connection` of `net/connection.py`."""

    def __init__(self, host: Host, peer: Peer, end: End, here: Incarnation) -> None:
        self.host = host
        self.peer = peer
        self.end = end
        self.connection = end.connection
        # Fragments so small that signals of every kind take several.
        pieces = host.world.random.choice((20, 100, FRAGMENT_BYTES))
        self._session = SignalStream(here, Incarnation(peer.name, peer.creation), fragment_bytes=pieces)
        self._over = False
        self._closing = False
        self._last_read = host.world.now - host.stood_still

    @property
    def silent(self) -> float:
        """Seconds since it was last read, without those in which the host was frozen."""
        return self.host.world.now - self.host.stood_still - self._last_read

    def must_be_lost_if_silent(self) -> None:
        """Checks, after a tick, that a silent peer was lost."""
        if self.peer.state == "up" and self.silent > self.host.kernel.sessions.tick_seconds * 1.3:
            self.host.world.violated(f"{self.host} got nothing from {self.peer} for {self.silent:g} seconds")

    def flush(self) -> None:
        """Sends the queue; now and then the socket is full in between, unless it is closing."""
        out, world = self.peer.out, self.host.world
        while not self._over and (out or out.first or not self._session.is_empty):
            waiting = list(out)
            data, released = self._session.transmit(out.first or out)
            out.written += released
            for signal in waiting[: len(waiting) - len(out)]:
                if isinstance(signal, (Send, ExitTo)):
                    world.is_written(signal, self)
                elif isinstance(signal, Publish):
                    is_written(world, signal, self.peer.name, self.peer.creation, self.connection)
            self.end.write(data)
            if not self._closing and world.random.random() < 0.2:
                world.at(world.random.random() * 0.02, self.host, self.flush)
                return

    def readable(self, data: bytes) -> None:
        """See `Reader`."""
        if self._over:
            return
        self._last_read = self.host.world.now - self.host.stood_still
        try:
            signals = self._session.receive_data(data)
        except ProtocolError as error:
            if self.peer.name != HOSTILE:
                self.host.world.violated(f"{self.host} cannot read {self.peer}: {error}")
            self.host.world.count("hostile node broke the protocol")
            self._close(f"it broke the protocol: {error}")
            return
        self.host.feeding = self.connection
        self.host.step(self.host.kernel.signals_received, self.peer, signals, self.host.world.now)
        self.host.feeding = None

    def ended(self, reason: str) -> None:
        """See `Reader`."""
        self._close(reason)

    def close(self, *, gracefully: bool) -> None:
        """Closes at once, or after the queue was sent and the peer has closed (or five seconds)."""
        if gracefully and not self._over:
            self._closing = True
            self.flush()
            self.end.shut_writing()
            self.host.world.at(LINGER_SECONDS, self.host, self._close, "it was closed by this node")
        else:
            self.host.world.soon(self.host, self._close, "it was closed by this node")

    def _close(self, reason: str) -> None:
        if self._over:
            return
        self._over = True
        self.host.attached.remove(self)
        self.end.close()
        self.host.step(self.host.kernel.sessions.peer_lost, self.peer, reason, self.host.world.now)
        self.host.world.must(self.peer.state == "gone", f"{self.peer} has lost its connection, and is up")
