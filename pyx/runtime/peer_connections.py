"""The connections of a node to its peers: each hands the signals it received to the kernel, and its end.

See `net/connection.py` for bytes and sockets.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Protocol

from pyx.core.kernel import load_late_parts
from pyx.core.peers import BEAM
from pyx.execution.node_log import log
from pyx.execution.slots import LockSlot
from pyx.terms import Incarnation
from pyx.wire.codec import load_for_peers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.core.peers import Peer
    from pyx.net.arrivals import Arrival
    from pyx.net.connection import Connection, SignalSession
    from pyx.runtime.dispatch import Dispatch
    from pyx.signals import Signal
    from pyx.wire.frames.reassembly import ReassemblyBudget


def load_for_sessions() -> None:
    """Loads what a session needs and a start does without, before the kernel calls of the first session."""
    load_late_parts()
    load_for_peers()


class ConnectionFaults(Protocol):
    """A bad network (`fault_injection.py`), as far as connections tell it what happens."""

    def attached(self, connection: Connection, node: str) -> None:
        """The connection is about to begin to read and write."""

    def has_read(self, connection: Connection) -> None:
        """The kernel has the signals of one read."""


class PeerConnections:
    """The connections of one node; on the transport's loop.

    Args:
        dispatch: of the node.
        here: the node.
        max_message_bytes: the longest message that is accepted.
    """

    def __init__(self, dispatch: Dispatch, here: Incarnation, max_message_bytes: int) -> None:
        self._dispatch = dispatch
        self._here = here
        self._max_message_bytes = max_message_bytes
        self._budget: ReassemblyBudget | None = None
        self.node_of: dict[Connection, str] = {}
        """The name of the node that each connection leads to."""
        self.faults: ConnectionFaults | None = None
        self.is_closing = False
        """The node is about to leave."""
        self.all_ended = LockSlot()
        """Woken when the last connection of a node that leaves has ended."""

    def __bool__(self) -> bool:
        """True while there is one."""
        return bool(self.node_of)

    def __iter__(self) -> Iterator[Connection]:
        return iter(list(self.node_of))

    def attach(self, peer: Peer, arrival: Arrival) -> None:
        """Begins to read and to write for a peer whose handshake is over."""
        from pyx.net.connection import Connection  # loaded with the first session

        receiver = _PeerReceiver(self._dispatch, self, peer, arrival.name)
        connection = receiver.connection = Connection(
            asyncio.get_running_loop(),
            arrival.stream,
            self._session(arrival),
            peer.out,
            receiver,
            first=arrival.first,
        )
        self.node_of[connection] = arrival.name
        peer.connection = connection
        if self.faults is not None:
            self.faults.attached(connection, arrival.name)
        connection.start(arrival.trailing)
        if peer.state == "gone":  # lost between the decision and here, when nothing could close it
            connection.close(gracefully=False)

    def _session(self, arrival: Arrival) -> SignalSession:
        """Returns what encodes and decodes the signals of a connection, in its dialect."""
        there = Incarnation(arrival.name, arrival.creation)
        limit = self._max_message_bytes
        if self._budget is None:
            from pyx.wire.frames.reassembly import node_budget  # loaded with the first session

            self._budget = node_budget(limit)
        budget = self._budget
        if arrival.dialect == BEAM:
            from pyx.wire.beam.session import BeamSession  # not loaded by nodes without --beam

            return BeamSession(self._here, there, arrival.flags, max_payload_bytes=limit, budget=budget)
        from pyx.wire.frames.signal_stream import SignalStream  # as above

        return SignalStream(self._here, there, max_payload_bytes=limit, budget=budget)

    def ended(self) -> None:
        """Follows the end of a connection, which the kernel knows of."""
        if self.is_closing and not self.node_of:
            self.all_ended.wake()


class _PeerReceiver:
    """Hands to the kernel what one connection receives."""

    connection: Connection

    def __init__(self, dispatch: Dispatch, connections: PeerConnections, peer: Peer, node: str) -> None:
        self._dispatch = dispatch
        self._connections = connections
        self._peer = peer
        self._node = node

    def signals_received(self, signals: list[Signal]) -> None:
        """Has the kernel handle the signals of one read."""
        now = time.monotonic()
        with self._dispatch.kernel_call as kernel:
            kernel.signals_received(self._peer, signals, now)
        faults = self._connections.faults
        if faults is not None:
            faults.has_read(self.connection)

    def signal_not_sent(self, reason: str) -> None:
        """Logs why a signal could not be sent."""
        log.error("%s: %s", self._node, reason)

    def connection_lost(self, reason: str) -> None:
        """Has the kernel handle the end of the connection; logs what was not sent."""
        connection = self.connection
        self._connections.node_of.pop(connection, None)
        self._peer.connection = None  # its buffer is free at once
        if connection.is_closing and (unsent := connection.unsent_bytes):
            from pyx.net.connection import CLOSED_HERE  # as above

            why = "it did not take them in time" if reason == CLOSED_HERE else reason
            log.warning("%s bytes for %s are dropped: %s", f"{unsent:,}", self._node, why)
        now = time.monotonic()
        with self._dispatch.kernel_call as kernel:
            kernel.sessions.peer_lost(self._peer, reason, now)
        self._connections.ended()
