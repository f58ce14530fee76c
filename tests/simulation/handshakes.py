"""Handshakes in the simulator: the real machines, carried by an imitation of `net/endpoint.py` (dial, accept,
five seconds each).  The session after the authentication: `host.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyx.net.pending_connections import HANDSHAKE_SECONDS
from pyx.wire.handshake.events import Authenticated, Established, Failed, NeedKey, Postponed, Transmit
from pyx.wire.handshake.hello import acceptor_hello, dialler_hello
from pyx.wire.handshake.machine import Acceptor, Dialler

if TYPE_CHECKING:
    from tests.simulation.host import Host
    from tests.simulation.network import End

KEY = b"k" * 32


class Conversation:
    """A handshake over one end: `net/endpoint.py`'s `_converse`."""

    def __init__(self, host: Host, end: End, machine: Dialler | Acceptor) -> None:
        self.host = host
        self.end = end
        self.machine = machine
        end.hand_to(self)
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
                    self.finished(event)
                    return

    def finished(self, outcome: Authenticated | Established | Postponed | Failed) -> None:
        """Handles the outcome of the handshake."""
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
        # "silent": nothing comes back, and the five seconds pass

    def _connect(self) -> None:
        there = self.host.world.hosts.get(self.node)
        if self._over:
            return
        if there is None or there.dead or there.incarnation is None or self.host.incarnation is None:
            self._fail("no node of that name runs")
            return
        connection = self.host.world.connected(self.host, there)
        self._end, other = connection.ends
        self.host.world.at(connection.latency(), there, there.connection_arrived, other)
        nonce = self.host.world.random.randbytes(32)
        hello = dialler_hello(self.host.incarnation, self.node, nonce, hidden=self.host.hidden)
        machine = Dialler(hello, b"unix")
        super().__init__(self.host, self._end, machine)

    def finished(self, outcome: Authenticated | Established | Postponed | Failed) -> None:
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
        """Cancels the dial, for the kernel."""
        self._over = True
        del self.host.dials[self.node]
        if self._end is not None:
            self._end.close()


class Accept(Conversation):
    """A connection of another node, until that node is authenticated."""

    def __init__(self, host: Host, end: End) -> None:
        self._over = False
        assert host.incarnation is not None
        self._incarnation = host.incarnation
        host.world.at(HANDSHAKE_SECONDS, host, self._timed_out)
        nonce = host.world.random.randbytes(32)
        machine = Acceptor(acceptor_hello(host.incarnation, nonce, hidden=host.hidden), b"unix")
        super().__init__(host, end, machine)

    def finished(self, outcome: Authenticated | Established | Postponed | Failed) -> None:
        """See `Conversation`."""
        self._over = True
        if not isinstance(outcome, Authenticated) or self.host.incarnation != self._incarnation:
            self.end.close()
            return
        host, machine = self.host, self.machine
        assert isinstance(machine, Acceptor)
        decision = host.step(
            host.kernel.sessions.peer_claimed, *outcome[:2], hidden=outcome.hidden, now=host.world.now
        )
        host.world.count(f"claim {decision.kind}")
        accepted = decision.kind == "accept"
        machine.decide("ok" if accepted else decision.kind)
        first = b"".join(event.data for event in machine.events() if isinstance(event, Transmit))
        if accepted:
            host.attach(decision.peer, self.end, first, machine.trailing_data)
        else:
            self.end.write(first)
            self.end.close()

    def _timed_out(self) -> None:
        if not self._over:
            self._over = True
            self.end.close()
