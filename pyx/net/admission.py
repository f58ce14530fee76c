"""Who stands at the door and has proven nothing yet, and who has to go when it is crowded.  Not here: the
conversation with them (`net/endpoint.py`).

At most 64 stand there; then the oldest goes for the newest.  While it is full, an address that holds more
than its share of 8 is the first to give: many strangers from one place cost a peer from another nothing.
This host's own addresses have no share: all its users have the same.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    import asyncio
    import socket
    from collections.abc import Iterator

MAX_UNPROVEN: Final = 64
FAIR_SHARE: Final = 8


class PendingConnection(NamedTuple):
    """Somebody who came in; `address` is empty for a unix socket."""

    connection: socket.socket
    address: str


class PendingConnections:
    """The table of them, by the task that talks to each."""

    def __init__(self) -> None:
        self._standing: dict[asyncio.Task[None], PendingConnection] = {}  # the oldest first

    def __iter__(self) -> Iterator[asyncio.Task[None]]:
        return iter(list(self._standing))

    def came(self, task: asyncio.Task[None], stranger: PendingConnection) -> None:
        """*task* talks to him from now on; when it is over he is hung up on, unless he was `admitted`."""
        self._standing[task] = stranger
        task.add_done_callback(self._forget)

    def admitted(self, task: asyncio.Task[None]) -> None:
        """He has proven himself: the connection is no stranger's any more."""
        del self._standing[task]

    def make_room(self) -> None:
        """Before one more comes: if it is full, somebody has to go."""
        staying = [(task, one.address) for task, one in self._standing.items() if not task.cancelling()]
        if len(staying) < MAX_UNPROVEN:
            return
        held: dict[str, int] = {}
        for _, address in staying:
            held[address] = held.get(address, 0) + 1
        greedy = [task for task, address in staying if held[address] > FAIR_SHARE and not is_here(address)]
        (greedy[0] if greedy else staying[0][0]).cancel()

    def close_all(self) -> None:
        """Closes the connections and tells nobody."""
        for stranger in self._standing.values():
            stranger.connection.close()

    def _forget(self, task: asyncio.Task[None]) -> None:
        # The connection is closed here, because a task that is cancelled before its first step runs no
        # `finally`.  One that was handed on is not in the table any more.
        stranger = self._standing.pop(task, None)
        if stranger is not None:
            stranger.connection.close()


def is_here(address: str) -> bool:
    """True for this host's own: a unix socket's (""), or a loopback address; False for a name."""
    if not address:
        return True
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False
