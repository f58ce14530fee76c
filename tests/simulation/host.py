"""One OS process of the simulator: a kernel, and around it what `runtime` and `net` do with it, in one thread.

Real: the kernel, both handshakes, the sessions' bytes.  Imitated, step for step: `runtime/transport.py` (doors,
links, ticks), `net/listener.py` (dial, admit, five seconds each), `net/peer.py` (flush, close gracefully or
not), `runtime/local_node.py` (effects are carried out after the lock, and another thread may get in between).
Not here: the processes that run on it (`actors.py`), and what breaks (`faults.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyx.core import effects as fx
from pyx.core.kernel import Kernel
from pyx.errors import ProtocolError
from pyx.signals import ExitTo, Letter, Send
from pyx.terms import Life
from pyx.wire.codec import seal
from pyx.wire.handshake import Acceptor, Dialler, Established, Failed, NeedKey, Postponed, Proven, Transmit
from pyx.wire.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.core.peers import Peer
    from pyx.signals import Signal
    from tests.simulation.actors import Actor
    from tests.simulation.network import Connection, End
    from tests.simulation.world import World

HANDSHAKE_SECONDS = 5.0
LINGER_SECONDS = 5.0
GOODBYE_SECONDS = 1.0
KEY = b"k" * 32


class WatchedKernel(Kernel):
    """A kernel that notes which sessions were given up, for the invariants to look at."""

    def __init__(self) -> None:
        super().__init__()
        self.losses: list[tuple[Peer, bool]] = []
        """The session, and whether it was up and visible (so that all watchers hear of it)."""

    def _over(self, peer: Peer, reason: str) -> None:
        self.losses.append((peer, peer.state == "up" and not peer.hidden))
        super()._over(peer, reason)


class Host:
    """One OS process: usually one life of a node, sometimes several in a row (`Node.stop`, `Node.start`)."""

    def __init__(self, world: World, name: str, *, hidden: bool, kernel: type[WatchedKernel]) -> None:
        self.world = world
        self.name = name
        self.hidden = hidden
        self.kernel = kernel()
        self.kernel.tick_seconds = world.random.choice((1.0, 2.0, 2.0, 4.0))
        self.life: Life | None = None
        self.lives: list[Life] = []
        self.dead = False
        self.frozen = False
        self.deferred: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        """What would have happened while it was frozen."""
        self.ends: set[End] = set()
        self.links: list[Link] = []
        self.dials: dict[str, Dial] = {}
        self.actors: dict[tuple[int, int], Actor] = {}
        self.died: list[Actor] = []
        """Those who ended in this step."""
        self.feeding: Connection | None = None
        """The connection whose signals the kernel is given at this moment."""
        self.log: list[fx.Log] = []
        self.start()

    def __repr__(self) -> str:
        return f"<{self.name} {self.life.creation if self.life else 'unnamed'}>"

    # ------------------------------------------------------------ its life

    def start(self) -> None:
        """The node gets its name (again)."""
        self.life = self.world.new_life(self)
        self.lives.append(self.life)
        self.step(self.kernel.node_started, *self.life, hidden=self.hidden)
        self.world.at(self.world.random.random() * self.kernel.tick_seconds / 4, self, self._tick, self.life)

    def stop(self) -> None:
        """`Node.stop`: leaves the mesh; `stopped` says when that is done."""
        self.life = None
        self.step(self.kernel.node_stopped)

    def close_all(self) -> None:
        """The last part of `Node.stop`: whatever link is left is closed."""
        for link in list(self.links):
            link.close(gracefully=False)
        for dial in list(self.dials.values()):
            dial.give_up()

    def die(self) -> None:
        """`kill -9`: the system closes every descriptor."""
        self.dead = True
        for end in sorted(self.ends, key=lambda end: end.connection.number):
            end.close()

    def thaw(self) -> None:
        """`kill -CONT`."""
        self.frozen = False
        deferred, self.deferred = self.deferred, []
        for action, args in deferred:  # timers and descriptors are looked at in any order
            self.world.at(self.world.random.random() * 0.01, self, action, *args)

    def _tick(self, life: Life) -> None:
        if life == self.life:
            self.step(self.kernel.tick, self.world.now)
            self.world.at(self.kernel.tick_seconds / 4, self, self._tick, life)

    # ------------------------------------------------------------ steps

    def step(self, decide: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """One input of the kernel; what it leads to is checked at once, and carried out now or soon."""
        result = decide(*args, **options)
        effects = self.kernel.collect()
        self.world.stepped(self, effects)
        if effects:
            if self.world.random.random() < 0.1:  # another thread comes between the lock and its effects
                self.world.at(self.world.random.random() * 0.02, self, self._carry_out, effects)
            else:
                self._carry_out(effects)
        return result

    def _carry_out(self, effects: list[fx.Effect]) -> None:
        world = self.world
        for effect in effects:
            match effect:
                case fx.Flush(peer):
                    if peer.link is None:
                        pass  # attaching the link flushes
                    elif world.random.random() < 0.2:
                        world.at(world.random.random() * 0.01, self, peer.link.flush)
                    else:
                        peer.link.flush()
                case fx.Start(process):
                    world.runs(self, process)
                case fx.Inquire():
                    letter = Letter(seal(effect.letter.data))
                    world.at(world.random.random() * 0.05, self, self.step, self.kernel.answer, effect, letter)
                case fx.Dial(node) | fx.CancelDial(node):
                    world.soon(self, self._look_at_dial, node)
                case fx.Rest(node, until):
                    world.at(max(0.0, until - world.now), self, self.step, self.kernel.rested, node)
                case fx.Hangup(peer, gracefully):
                    if peer.link is not None:
                        peer.link.close(gracefully=gracefully)
                case fx.Log():
                    self.log.append(effect)
                case _:  # the others concern processes: `World.stepped` has looked at them
                    pass

    # ------------------------------------------------------------ dialling

    def _look_at_dial(self, node: str) -> None:
        wanted = self.kernel.dialling(node)
        dial = self.dials.get(node)
        if dial is not None and dial.session != wanted:
            dial.give_up()
        if wanted is not None and node not in self.dials:
            self.dials[node] = Dial(self, node, wanted)

    def dialled(self, node: str, outcome: Established | Failed, end: End | None, trailing: bytes) -> None:
        """A dial has come to its end."""
        kernel, now = self.kernel, self.world.now
        del self.dials[node]
        if isinstance(outcome, Failed):
            self.step(kernel.dial_failed, node, outcome.reason, now, self.world.random.random())
            return
        assert end is not None
        verdict = self.step(kernel.peer_up, outcome.name, outcome.creation, hidden=outcome.hidden, now=now)
        if verdict.kind == "accept":
            self.attach(verdict.peer, end, b"", trailing)
        else:
            end.close()

    # ------------------------------------------------------------ accepting

    def knocked(self, end: End) -> None:
        """A connection waits in the backlog."""
        if self.life is None:
            end.close()
        else:
            Door(self, end)

    def attach(self, peer: Peer, end: End, first: bytes, trailing: bytes) -> None:
        """A session stands: from now on its signals travel."""
        assert self.life is not None
        link = peer.link = Link(self, peer, end, self.life)
        self.links.append(link)
        end.reader = link
        if first:
            end.write(first)
        if trailing:
            link.readable(trailing)
        link.flush()
        if peer.state == "gone":
            link.close(gracefully=False)


class Conversation:
    """A handshake over one end: `net/listener.py`'s `_converse`."""

    def __init__(self, host: Host, end: End, machine: Dialler | Acceptor) -> None:
        self.host = host
        self.end = end
        self.machine = machine
        end.reader = self
        self._go_on()

    def readable(self, data: bytes) -> None:
        """See `Reader`."""
        self.machine.receive_data(data)
        self._go_on()

    def ended(self, reason: str) -> None:
        """See `Reader`."""
        del reason
        self.machine.connection_lost()
        self._go_on()

    def _go_on(self) -> None:
        while events := self.machine.events():
            for event in events:
                if isinstance(event, Transmit):
                    self.end.write(event.data)
                elif isinstance(event, NeedKey):
                    self.machine.key_chosen(KEY)
                else:
                    self.came_to(event)
                    return

    def came_to(self, outcome: Proven | Established | Postponed | Failed) -> None:
        """The conversation is over."""
        raise NotImplementedError


class Dial(Conversation):
    """One attempt to reach a node."""

    def __init__(self, host: Host, node: str, session: int) -> None:
        self.host = host
        self.node = node
        self.session = session
        self._postponed = False
        self._over = False
        self._late = f"it did not answer within {HANDSHAKE_SECONDS:g} s"
        self._end: End | None = None
        world = host.world
        world.at(HANDSHAKE_SECONDS, host, self._timed_out)
        way = world.way(host.name, node)
        if way == "open":
            world.at(world.random.random() * 0.01, host, self._connect)
        elif way == "refused":
            world.at(world.random.random() * 0.5, host, self._fail, "no route to it")
        # "silent": nothing comes back, the five seconds tell

    def _connect(self) -> None:
        there = self.host.world.hosts.get(self.node)
        if self._over:
            return
        if there is None or there.dead or there.life is None or self.host.life is None:
            self._fail("no node of that name runs")
            return
        connection = self.host.world.connected(self.host, there)
        self._end, other = connection.ends
        self.host.world.at(connection.latency(), there, there.knocked, other)
        machine = Dialler(
            *self.host.life,
            hidden=self.host.hidden,
            nonce=self.host.world.random.randbytes(32),
            channel=b"unix",
            dialled=self.node,
        )
        super().__init__(self.host, self._end, machine)

    def came_to(self, outcome: Proven | Established | Postponed | Failed) -> None:
        """See `Conversation`."""
        if self._over:
            return
        if isinstance(outcome, Postponed):
            self._late = "it was dialling this node itself at the same time, and did not get through"
            self.end.close()
        elif isinstance(outcome, Failed):
            self._fail(outcome.reason)
        else:
            assert isinstance(outcome, Established)
            self._over = True
            self.host.dialled(self.node, outcome, self.end, self.machine.trailing_data)

    def _timed_out(self) -> None:
        self._fail(self._late)

    def _fail(self, reason: str) -> None:
        if not self._over:
            self._over = True
            if self._end is not None:
                self._end.close()
            self.host.dialled(self.node, Failed(reason), None, b"")

    def give_up(self) -> None:
        """The kernel does not want it any more."""
        self._over = True
        del self.host.dials[self.node]
        if self._end is not None:
            self._end.close()


class Door(Conversation):
    """Somebody who came in, until he has proven himself."""

    def __init__(self, host: Host, end: End) -> None:
        self._over = False
        assert host.life is not None
        self._life = host.life
        host.world.at(HANDSHAKE_SECONDS, host, self._timed_out)
        nonce = host.world.random.randbytes(32)
        machine = Acceptor(*host.life, hidden=host.hidden, nonce=nonce, channel=b"unix")
        super().__init__(host, end, machine)

    def came_to(self, outcome: Proven | Established | Postponed | Failed) -> None:
        """See `Conversation`."""
        self._over = True
        if not isinstance(outcome, Proven) or self.host.life != self._life:
            self.end.close()
            return
        host, machine = self.host, self.machine
        assert isinstance(machine, Acceptor)
        verdict = host.step(host.kernel.peer_claimed, *outcome[:2], hidden=outcome.hidden, now=host.world.now)
        accepted = verdict.kind == "accept"
        machine.verdict("ok" if accepted else verdict.kind)
        first = b"".join(event.data for event in machine.events() if isinstance(event, Transmit))
        if accepted:
            host.attach(verdict.peer, self.end, first, machine.trailing_data)
        else:
            self.end.write(first)
            self.end.close()

    def _timed_out(self) -> None:
        if not self._over:
            self._over = True
            self.end.close()


class Link:
    """An attached session: `net/peer.py`'s `PeerLink`."""

    def __init__(self, host: Host, peer: Peer, end: End, here: Life) -> None:
        self.host = host
        self.peer = peer
        self.end = end
        self.connection = end.connection
        self._session = Session(here, Life(peer.name, peer.creation))
        self._over = False
        self._closing = False

    def flush(self) -> None:
        """Sends all that is queued."""
        out = self.peer.out
        if self._over or not out:
            return
        signals: list[Signal] = []
        while out:
            signals.append(out.popleft())
        for signal in signals:
            if isinstance(signal, (Send, ExitTo)):
                self.host.world.travels(signal, self.connection)
        for chunk in self._session.transmit(signals):
            self.end.write(chunk)

    def readable(self, data: bytes) -> None:
        """See `Reader`."""
        if self._over:
            return
        try:
            signals = self._session.receive_data(data)
        except ProtocolError as error:
            self.host.world.violated(f"{self.host} cannot read {self.peer}: {error}")
        if signals:
            self.host.feeding = self.connection
            self.host.step(self.host.kernel.signals_received, self.peer, signals, self.host.world.now)
            self.host.feeding = None

    def ended(self, reason: str) -> None:
        """See `Reader`."""
        self._close(reason)

    def close(self, *, gracefully: bool) -> None:
        """Closes at once, or after everything queued has left and the peer has closed (or five seconds)."""
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
        self.host.links.remove(self)
        self.end.close()
        self.host.step(self.host.kernel.peer_lost, self.peer, reason, self.host.world.now)

