"""The network of the simulator: connections as TCP and unix sockets behave, in virtual time.

Each direction of a connection keeps its order; two connections have no common order.  Bytes arrive in pieces
of any size.  A broken connection loses the tail of what was under way, and its two ends notice at different
times; a silent one (a router that drops) delivers late, perhaps after the end has been closed.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tests.simulation.host import Host
    from tests.simulation.world import World


class Reader(Protocol):
    """The owner of one end of a connection."""

    def readable(self, data: bytes) -> None:
        """Takes bytes that came."""

    def ended(self, reason: str) -> None:
        """Notes that nothing more will come."""


class End:
    """One end of a connection, on one host."""

    def __init__(self, connection: Connection, host: Host) -> None:
        self.connection = connection
        self.host = host
        self.other: End
        self.reader: Reader | None = None
        self.closed = False
        self.shut = False
        """True when the writing half is closed."""
        self._inbox: deque[bytes | str] = deque()
        """Bytes that have arrived and wait for the host, or the reason of the end."""
        self._due = 0.0
        """The arrival of the last piece that was written to this end; the next comes no earlier."""

    # ------------------------------------------------------------ writing

    def write(self, data: bytes) -> None:
        """Sends bytes; they are lost if the connection is broken already."""
        if self.closed or self.shut or self.connection.broken:
            return
        random = self.connection.world.random
        while data:
            size = len(data) if random.random() < 0.7 else random.randint(1, len(data))
            self.other._comes(data[:size])
            data = data[size:]

    def shut_writing(self) -> None:
        """Ends the stream for the other end, behind all that was written."""
        if not (self.closed or self.shut or self.connection.broken):
            self.shut = True
            self.other._comes("it closed the connection")

    def close(self) -> None:
        """Closes this end; bytes to it are lost from now on, and a tail of its own may be."""
        if self.closed:
            return
        if self.connection.world.random.random() < 0.2:
            self.connection.broken = True
            self.other.notices(self.connection.latency(), "the connection was reset")
        else:
            self.shut_writing()
        self.closed = True
        self.host.ends.discard(self)

    # ------------------------------------------------------------ arriving

    def _comes(self, what: bytes | str) -> None:
        world = self.connection.world
        self._due = max(self._due, world.now + self.connection.latency())
        world.at_time(self._due, None, self._arrived, what)

    def _arrived(self, what: bytes | str) -> None:
        if not self.closed:
            self._inbox.append(what)
            self.connection.world.soon(self.host, self._look)

    def hand_to(self, reader: Reader) -> None:
        """Sets the owner of this end; what has come already waits for it."""
        self.reader = reader
        if self._inbox:
            self.connection.world.soon(self.host, self._look)

    def _look(self) -> None:
        """Reads everything that has come, as the loop of the host would."""
        data = b""
        while self._inbox and not self.closed and self.reader is not None:
            what = self._inbox.popleft()
            if isinstance(what, bytes):
                data += what
                continue
            if data:
                self.reader.readable(data)
            data = b""
            self._end(what)
        if data and self.reader is not None:
            self.reader.readable(data)

    def notices(self, delay: float, reason: str) -> None:
        """Reports the connection as broken after *delay*; what has not arrived by then is lost."""
        self.connection.world.at(delay, self.host, self._end, reason)

    def _end(self, reason: str) -> None:
        if not self.closed and self.reader is not None:
            self.reader.ended(reason)

    def silence(self, seconds: float) -> None:
        """Delays what is written to this end from now on by *seconds*."""
        self._due = max(self._due, self.connection.world.now + seconds)


class Connection:
    """A connection of two ends."""

    def __init__(self, world: World, one: Host, other: Host, *, number: int) -> None:
        self.number = number
        self.world = world
        self.broken = False
        self.distance = world.random.choice((0.0005, 0.002, 0.02, 0.1))
        """Seconds one way; it varies."""
        self.ends = End(self, one), End(self, other)
        for end, opposite in (self.ends, self.ends[::-1]):
            end.other = opposite
            end.host.ends.add(end)

    def __repr__(self) -> str:
        return f"<connection {self.number} {self.ends[0].host.name}-{self.ends[1].host.name}>"

    def latency(self) -> float:
        """The seconds that a piece that is written now needs."""
        random = self.world.random
        return self.distance * (0.5 + random.random()) if random.random() < 0.95 else random.random() * 0.2

    def cut(self) -> None:
        """Breaks the connection; each end notices at a time of its own."""
        self.broken = True
        for end in self.ends:
            end.notices(self.world.random.choice((0.0, 0.01, 0.3, 1.5)), "the connection broke")

    @property
    def open_ends(self) -> int:
        """The number of ends that are not closed."""
        return sum(not end.closed for end in self.ends)
