"""The handshakes of one endpoint's connections, dialled and accepted, from the socket to their outcome.

An endpoint loads this file, with the handshake's machine, at the first connection: see `Endpoint`, and
`wire/handshake/machine.py` for the proof.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from pyx.errors import ProtocolError, PyxError
from pyx.net.arrivals import Arrival, DialFailed
from pyx.net.dialects import PyxDialect
from pyx.net.error_words import connection_broke
from pyx.wire.handshake.events import Authenticated, Established, Failed, Postponed, Transmit

if TYPE_CHECKING:
    import socket

    from pyx.net.arrivals import Owner
    from pyx.net.beam_carrier import BeamCarrier
    from pyx.net.carrier import Carrier, HandshakeStream
    from pyx.net.dialects import Dialect
    from pyx.net.pending_connections import PendingConnections
    from pyx.terms import Incarnation


class Authentication:
    """Runs handshakes for an endpoint; see there for the arguments."""

    def __init__(
        self,
        incarnation: Incarnation,
        *,
        hidden: bool,
        owner: Owner,
        carrier: Carrier,
        beam: BeamCarrier | None,
        pending: PendingConnections,
    ) -> None:
        self._owner = owner
        self._carrier = carrier
        self._dialect: Dialect = PyxDialect(incarnation, hidden=hidden)
        self._beam = beam
        self._pending = pending

    # ------------------------------------------------------------ dialling

    async def dial(self, name: str) -> Arrival | DialFailed | None:
        """Connects to a node and runs the handshake.

        Returns:
            None if that node is dialling this one at the same time, and its dial counts.
        """
        carrier: Carrier = self._carrier
        dialect = self._dialect
        try:
            try:
                connection = await carrier.connect(name)
            except PyxError:
                if self._beam is None or not await self._beam.knows(name):
                    raise
                carrier = dialect = self._beam
                connection = await self._beam.connect(name)
        except PyxError as error:
            return DialFailed(str(error), error.hint)
        try:
            outcome = await self._prove(name, connection, carrier, dialect)
        except BaseException:
            connection.close()
            raise
        if not isinstance(outcome, Arrival):
            connection.close()
        return outcome

    async def _prove(
        self, name: str, connection: socket.socket, carrier: Carrier, dialect: Dialect
    ) -> Arrival | DialFailed | None:
        handshake = carrier.dialled(connection)
        try:
            outcome, machine, flags = await dialect.prove(name, handshake, self._owner)
        except ProtocolError as error:
            return DialFailed(str(error))
        except OSError as error:
            return DialFailed(connection_broke(error))
        if isinstance(outcome, Failed):
            return DialFailed(*outcome)
        if not isinstance(outcome, Established):
            assert isinstance(outcome, Postponed)
            return None
        try:
            stream, further = handshake.stream()
        except ProtocolError as error:
            return DialFailed(str(error))
        trailing = machine.trailing_data + further
        return Arrival(*outcome, True, stream, b"", trailing, None, dialect.dialect, flags)

    # ------------------------------------------------------------ accepting

    async def accept(self, connection: socket.socket, carrier: Carrier) -> str | None:
        """Runs the handshake of a connection that *carrier* has accepted.

        Returns:
            The reason of a refusal, for the log; None if it was accepted, or answered with a status.

        Raises:
            PyxError, OSError: it was refused without a handshake, or is broken.
        """
        dialect: Dialect = self._beam if self._beam is not None and carrier is self._beam else self._dialect
        return await self._check(await carrier.accepted(connection), dialect)

    async def _check(self, handshake: HandshakeStream, dialect: Dialect) -> str | None:
        outcome, machine, flags = await dialect.check(handshake, self._owner)
        if isinstance(outcome, Failed):
            return outcome.reason
        assert isinstance(outcome, Authenticated)
        stream, further = handshake.stream()
        # Nothing is awaited from here to `established`: the kernel counts the peer as connected, so its
        # connection must exist before other callbacks run.  The status is its first bytes.
        status, handle = self._owner.claimed(
            outcome.name, outcome.creation, hidden=outcome.hidden, dialect=dialect.dialect
        )
        machine.decide(status)
        first = b"".join(event.data for event in machine.events() if isinstance(event, Transmit))
        if status == "ok":
            task = asyncio.current_task()
            assert task is not None
            self._pending.authenticated(task)
            self._owner.established(
                Arrival(
                    *outcome, False, stream, first, machine.trailing_data + further, handle,
                    dialect.dialect, flags,
                )
            )  # fmt: skip
        elif first:
            with contextlib.suppress(OSError):
                stream.send(first)
        return None
