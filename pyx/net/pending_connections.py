"""Connections that are not authenticated yet, and which one is dropped when the table is full.

At most 64; then the oldest is dropped for a new one, first of all the oldest from an address that holds more
than its share of 8: many connections from one address cost a peer at another address nothing.  This host's
own addresses have no share, as all users of the host have the same address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pyx.core.peers import LONGEST_HANDSHAKE_SECONDS

if TYPE_CHECKING:
    import asyncio
    import socket
    from collections.abc import Iterator

HANDSHAKE_SECONDS: Final = LONGEST_HANDSHAKE_SECONDS
"""A connection that is not authenticated after this time is closed, accepted or dialled, TLS included."""

MAX_PENDING: Final = 64
FAIR_SHARE: Final = 8


class PendingConnection(NamedTuple):
    """An accepted connection before the end of its handshake; `address` is "" for a unix socket."""

    connection: socket.socket
    address: str


class PendingConnections:
    """The connections that are not authenticated yet, by the task of each handshake."""

    def __init__(self) -> None:
        self._by_task: dict[asyncio.Task[None], PendingConnection] = {}  # oldest first

    def __iter__(self) -> Iterator[asyncio.Task[None]]:
        return iter(list(self._by_task))

    def add(self, task: asyncio.Task[None], pending: PendingConnection) -> None:
        """Registers the *task* of a handshake, whose end closes the connection unless `authenticated`."""
        self._by_task[task] = pending
        task.add_done_callback(self._forget)

    def authenticated(self, task: asyncio.Task[None]) -> None:
        """Removes an authenticated connection, which stays open."""
        del self._by_task[task]

    def drop_one_if_full(self) -> None:
        """Drops a connection if the table is full; called before `add`."""
        staying = [(task, one.address) for task, one in self._by_task.items() if not task.cancelling()]
        if len(staying) < MAX_PENDING:
            return
        held: dict[str, int] = {}
        for _, address in staying:
            held[address] = held.get(address, 0) + 1
        greedy = [task for task, address in staying if held[address] > FAIR_SHARE and not is_here(address)]
        (greedy[0] if greedy else staying[0][0]).cancel()

    def close_all(self) -> None:
        """Closes the connections, and ends no task (in a forked child)."""
        for pending in self._by_task.values():
            pending.connection.close()

    def _forget(self, task: asyncio.Task[None]) -> None:
        # The connection is closed here, as a task cancelled before its first step runs no `finally`.  An
        # authenticated connection is not in the table any more.
        pending = self._by_task.pop(task, None)
        if pending is not None:
            pending.connection.close()


def is_here(address: str) -> bool:
    """Returns True for an address of this host: "" (a unix socket) or loopback; False for a host name."""
    if not address:
        return True
    import ipaddress  # not loaded by a node on unix sockets

    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False
