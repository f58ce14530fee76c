"""Accepts and dials connections for one node, up to the end of their handshakes.

Everything here runs on the transport's loop.  An unauthenticated connection costs a socket for at most 5 s,
TLS included; `pending_connections.py` bounds their number.  TLS is computed on the same loop, for a few
handshakes in one iteration (`tls_stream.py`), so that the sessions have their turn in between.
See `carrier.py` for sockets, `authentication.py` for handshakes, which a start does without, and
`connection.py` for what follows.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple

from pyx.errors import PyxError
from pyx.net.arrivals import Arrival, DialFailed
from pyx.net.error_words import connection_broke, in_words
from pyx.net.forks import close_in_children
from pyx.net.pending_connections import HANDSHAKE_SECONDS, PendingConnection, PendingConnections

if TYPE_CHECKING:
    import socket

    from pyx.net.arrivals import Owner
    from pyx.net.authentication import Authentication
    from pyx.net.beam_carrier import BeamCarrier
    from pyx.net.carrier import Carrier
    from pyx.terms import Incarnation

_RETRY_SECONDS: Final = 0.02
"""Seconds until a system without free descriptors is tried again."""


class _Dialling(NamedTuple):
    """A dial in progress."""

    number: int
    task: asyncio.Task[None]


class Endpoint:
    """Accepts and dials for one node, until `close`.  Made on the transport's loop.

    Args:
        incarnation: the node's name and creation.
        hidden: True for a hidden node.
        owner: decides and takes over, see `Owner`.
        carrier: makes the sockets, see `Carrier`.
        beam: the carrier and the dialect of Erlang nodes, for a node that speaks with these.
    """

    def __init__(
        self,
        incarnation: Incarnation,
        *,
        hidden: bool,
        owner: Owner,
        carrier: Carrier,
        beam: BeamCarrier | None = None,
    ) -> None:
        self._incarnation = incarnation
        self._hidden = hidden
        self._owner = owner
        self._carrier = carrier
        self._beam = beam
        self._authentication: Authentication | None = None
        self._listening_for_beam: socket.socket | None = None
        self._loop = asyncio.get_running_loop()
        self._listening: socket.socket | None = None
        self._retry: asyncio.TimerHandle | None = None
        """The timer of a pause in accepting."""
        self._pending = PendingConnections()
        self._dials: dict[str, _Dialling] = {}
        self.unreachable: frozenset[str] = frozenset()
        """Nodes to which dials hang, until removed from here or timed out; for scenarios."""
        close_in_children(self)

    async def listen(self) -> None:
        """Listens, without accepting yet.  Raises PyxError as `Carrier.open`."""
        self._listening = await self._carrier.open()
        if self._beam is not None:
            self._listening_for_beam = await self._beam.open()

    def accept(self) -> None:
        """Accepts connections from now on."""
        assert self._listening is not None
        self._retry = None
        self._loop.add_reader(self._listening, self._accept, self._listening, self._carrier)
        if self._beam is not None and self._listening_for_beam is not None:
            beam: Carrier = self._beam
            self._loop.add_reader(self._listening_for_beam, self._accept, self._listening_for_beam, beam)

    def listen_on(self, listening: socket.socket) -> None:
        """Accepts on another socket from now on, after `accept` and until `close`; closes the old one."""
        old = self._listening
        if old is None:
            listening.close()
            return
        self._cancel_retry()
        self._loop.remove_reader(old)
        old.close()
        self._listening = listening
        self.accept()

    def _cancel_retry(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    async def close(self) -> None:
        """Stops listening, and drops every connection whose handshake is not over."""
        listening = [one for one in (self._listening, self._listening_for_beam) if one is not None]
        self._listening = self._listening_for_beam = None
        for one in listening:
            self._loop.remove_reader(one)
        self._cancel_retry()
        tasks = [*self._pending, *(dialling.task for dialling in self._dials.values())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for one in listening:
            one.close()
        await self._carrier.close()
        if self._beam is not None:
            await self._beam.close()

    def close_in_child(self) -> None:
        """See `net/forks.py`."""
        self._pending.close_all()
        for listening in (self._listening, self._listening_for_beam):
            if listening is not None:
                listening.close()

    # ------------------------------------------------------------ dialling

    def dial(self, name: str, number: int | None) -> None:
        """Dials a node; `established` or `dial_failed` follows.

        Args:
            name: the full name of the node.
            number: the number of the dial that is wanted now; None for no dial.  A dial in progress with
                another number is cancelled without a report.
        """
        dialling = self._dials.get(name)
        if dialling is not None and dialling.number != number:
            del self._dials[name]
            dialling.task.cancel()
        if number is not None and name not in self._dials:
            self._dials[name] = _Dialling(number, self._loop.create_task(self._dial(name)))

    async def _dial(self, name: str) -> None:
        late = f"it did not answer within {HANDSHAKE_SECONDS:g} s"
        outcome: Arrival | DialFailed | None
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                while name in self.unreachable:  # noqa: ASYNC110 - for scenarios alone
                    await asyncio.sleep(_RETRY_SECONDS)
                outcome = await self._handshakes().dial(name)
                if outcome is None:
                    # The peer's own dial is in progress and cancels this one; if it never arrives, this one
                    # has failed.
                    late = "it was dialling this node itself at the same time, and did not get through"
                    await self._loop.create_future()
        except TimeoutError:
            outcome = DialFailed(late)
        except Exception as error:  # any error is reported to the waiters of this dial
            outcome = DialFailed(f"the dial failed ({in_words(error)})")
        # A cancelled dial has left the table already, and its name may be dialled again by now.
        dialling = self._dials.get(name)
        if dialling is None or dialling.task is not asyncio.current_task():
            if isinstance(outcome, Arrival):
                outcome.stream.close()
            return
        del self._dials[name]
        match outcome:
            case Arrival():
                self._owner.established(outcome)
            case DialFailed(reason, hint):
                self._owner.dial_failed(name, reason, hint)

    def _handshakes(self) -> Authentication:
        if self._authentication is None:
            # With all that handshakes need, 40 KB of code, which many a node never does.
            from pyx.net.authentication import Authentication

            self._authentication = Authentication(
                self._incarnation,
                hidden=self._hidden,
                owner=self._owner,
                carrier=self._carrier,
                beam=self._beam,
                pending=self._pending,
            )
        return self._authentication

    # ------------------------------------------------------------ accepting

    def _accept(self, listening: socket.socket, carrier: Carrier) -> None:
        # Not by `sock_accept`, which drops a connection that arrives while it is cancelled; and one at a
        # time, as many connections at once must not stop the sessions.
        try:
            connection, address = listening.accept()
        except (BlockingIOError, InterruptedError):  # the peer is gone
            return
        except OSError as error:  # no descriptor is free: try again later
            self._owner.cannot_accept(error.errno or 0)
            for one in (self._listening, self._listening_for_beam):
                if one is not None:
                    self._loop.remove_reader(one)
            self._cancel_retry()
            self._retry = self._loop.call_later(_RETRY_SECONDS, self.accept)
            return
        connection.setblocking(False)
        self._pending.drop_one_if_full()
        task = self._loop.create_task(self._accept_peer(connection, carrier))
        self._pending.add(task, PendingConnection(connection, address[0] if address else ""))

    async def _accept_peer(self, connection: socket.socket, carrier: Carrier) -> None:
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                refused = await self._handshakes().accept(connection, carrier)
        except TimeoutError:
            refused = f"a connection did not authenticate within {HANDSHAKE_SECONDS:g} s"
        except PyxError as error:
            refused = str(error)
        except OSError as error:
            refused = connection_broke(error)
        if refused is not None:
            self._owner.connection_refused(refused)
