"""A bad network for scenarios: nodes are cut off, and reads are delayed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.execution.loop_thread import LoopThread
    from pyx.net.connection import Connection
    from pyx.net.endpoint import Endpoint
    from pyx.runtime.peer_connections import PeerConnections


class FaultInjection:
    """The faults of one node's network; without one of these the network is as it is.

    Args:
        transport_loop: where connections live.
        connections: of the node.
        endpoint: of the node.
    """

    def __init__(self, transport_loop: LoopThread, connections: PeerConnections, endpoint: Endpoint) -> None:
        self._transport_loop = transport_loop
        self._connections = connections
        self._endpoint = endpoint
        self._cut_off: frozenset[str] = frozenset()
        self._delay: Callable[[], float] | None = None

    def cut_off(self, names: frozenset[str]) -> None:
        """Lets nothing pass between this node and *names* until the next call: connections and dials hang.

        What was under way arrives when the cut is over, unless the silence has ended the connection by then:
        as over TCP.
        """
        self._transport_loop.call(self._cut, names)

    def _cut(self, names: frozenset[str]) -> None:
        self._cut_off = self._endpoint.unreachable = names
        for connection, name in self._connections.node_of.items():
            if name in names:
                connection.hold()
            else:
                connection.release()

    def delay_frames(self, delay: Callable[[], float]) -> None:
        """Stops each connection after each read, for the seconds that *delay* returns."""
        self._delay = delay

    # ------------------------------------------------------------ from the connections, on the loop

    def attached(self, connection: Connection, node: str) -> None:
        """Stops a new connection to a node that is cut off."""
        if node in self._cut_off:
            connection.hold()

    def has_read(self, connection: Connection) -> None:
        """Stops a connection for the delay after a read."""
        if self._delay is not None:
            connection.hold()
            asyncio.get_running_loop().call_later(self._delay(), self._go_on, connection)

    def _go_on(self, connection: Connection) -> None:
        if self._connections.node_of.get(connection) not in self._cut_off:
            connection.release()
