"""The doors of a node: who comes in by its socket, and whom it dials, up to the moment when both have proven
themselves.  Not here: where the socket is and who may knock (`unix_carrier.py`, `tcp_carrier.py`), the proof
(`wire/handshake/machine.py`), who is welcome (`core`), the session after it (`net/connection.py`).

Everything here runs on the transport's loop.  A stranger costs a socket for 5 s, TLS and all, and disturbs
nobody; who has to go when they are many says `admission.py`.  TLS is computed on this one loop too, of a few
handshakes in a turn (`tls_stream.py`), with the sessions' turn in between.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from pyx.errors import ProtocolError, PyxError
from pyx.net.admission import PendingConnection, PendingConnections
from pyx.net.carrier import converse
from pyx.net.error_words import in_words
from pyx.net.forks import close_in_children
from pyx.wire.handshake.machine import (
    NONCE_BYTES,
    Acceptor,
    Dialler,
    Established,
    Failed,
    Postponed,
    Proven,
    Status,
    Transmit,
)

if TYPE_CHECKING:
    import socket

    from pyx.net.carrier import Opening
    from pyx.net.stream import Stream
    from pyx.terms import Incarnation

HANDSHAKE_SECONDS: Final = 5.0

_BREATH_SECONDS: Final = 0.02
"""Until a full table of descriptors is tried again."""


class Arrival(NamedTuple):
    """Two nodes have proven themselves to each other over `stream`, which belongs to the receiver now."""

    name: str
    creation: int
    hidden: bool
    dialled: bool
    """True: this node dialled; False: it was dialled, and has said "ok"."""
    stream: Stream
    first: bytes
    """To be written before any signal (the verdict, on the accepting side)."""
    trailing: bytes
    """What the peer has sent already behind its handshake."""
    handle: object
    """What `claimed` gave with its "ok"; None where this node dialled."""


class Carrier(Protocol):
    """Where a node is reached, and how it reaches others.  Used on the loop."""

    async def open(self) -> socket.socket:
        """A socket that listens; raises PyxError."""

    async def close(self) -> None:
        """Others cannot find this node any more."""

    def admit(self, connection: socket.socket) -> Opening:
        """Somebody came in; raises PyxError, the reason for the log, where he is not even talked to."""

    async def connect(self, name: str) -> socket.socket:
        """A connection to where the node of that full name should be; raises PyxError, saying why not."""

    def dialling(self, connection: socket.socket) -> Opening:
        """The conversation on a connection that `connect` gave."""


class Owner(Protocol):
    """Whom the doors belong to.  Called on the transport's loop, one call at a time; no call may wait."""

    def key_for(self, name: str) -> bytes:
        """The key of the cookie for the node *name* (unproven)."""

    def claimed(self, name: str, creation: int, *, hidden: bool) -> tuple[Status, object]:
        """A proven node dials: is it welcome?  After "ok" `established` follows at once, with that handle."""

    def established(self, arrival: Arrival) -> None:
        """A session stands, or nearly (see `Arrival.first`)."""

    def dial_failed(self, name: str, reason: str, hint: str | None) -> None:
        """The dial to *name* has come to nothing; never called for one that was given up."""

    def stranger_refused(self, reason: str) -> None:
        """Somebody who came in did not get through; for a log with a limit."""

    def cannot_accept(self, number: int) -> None:
        """The system refused a connection that waits (its `errno`); told again and again while it does."""


class _Dialling(NamedTuple):
    """A dial under way."""

    number: int
    task: asyncio.Task[None]


class Endpoint:
    """Accepts and dials for one node, until `close`.  Made on the transport's loop.

    Args:
        life: the node's name and creation.
        hidden: whether it is a hidden node.
        owner: see `Owner`.
        door: see `Carrier`.
    """

    def __init__(self, incarnation: Incarnation, *, hidden: bool, owner: Owner, door: Carrier) -> None:
        self._incarnation = incarnation
        self._hidden = hidden
        self._owner = owner
        self._door = door
        self._loop = asyncio.get_running_loop()
        self._listening: socket.socket | None = None
        self._breath: asyncio.TimerHandle | None = None
        """While accepting rests."""
        self._strangers = PendingConnections()
        self._dials: dict[str, _Dialling] = {}
        self.unreachable: frozenset[str] = frozenset()
        """Dials to these nodes hang until they are taken out, or for as long as a dial may last."""
        close_in_children(self)

    async def listen(self) -> None:
        """Opens the door; nobody is let in before `accept`.  Raises PyxError as the door does."""
        self._listening = await self._door.open()

    def accept(self) -> None:
        """Lets others in from now on."""
        assert self._listening is not None
        self._breath = None
        self._loop.add_reader(self._listening, self._accept, self._listening)

    def listen_on(self, listening: socket.socket) -> None:
        """Accepts on another socket from now on, after `accept` and until `close`; the old one is closed."""
        old = self._listening
        if old is None:
            listening.close()
            return
        self._rest_no_longer()
        self._loop.remove_reader(old)
        old.close()
        self._listening = listening
        self.accept()

    def _rest_no_longer(self) -> None:
        if self._breath is not None:
            self._breath.cancel()
            self._breath = None

    async def close(self) -> None:
        """Closes the door, and drops every conversation that is no session yet."""
        listening, self._listening = self._listening, None
        if listening is not None:
            self._loop.remove_reader(listening)
        self._rest_no_longer()
        tasks = [*self._strangers, *(dialling.task for dialling in self._dials.values())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if listening is not None:
            listening.close()
        await self._door.close()

    def close_in_child(self) -> None:
        """See `net/forks.py`."""
        self._strangers.close_all()
        if self._listening is not None:
            self._listening.close()

    # ------------------------------------------------------------ dialling

    def dial(self, name: str, number: int | None) -> None:
        """Tries to reach a node; `established` or `dial_failed` follows.

        Args:
            name: its full name.
            number: of the dial that is wanted now, None for none.  One that is under way by another number is
                given up without a word.
        """
        dialling = self._dials.get(name)
        if dialling is not None and dialling.number != number:
            del self._dials[name]
            dialling.task.cancel()
        if number is not None and name not in self._dials:
            self._dials[name] = _Dialling(number, self._loop.create_task(self._dial(name)))

    async def _dial(self, name: str) -> None:
        late = f"it did not answer within {HANDSHAKE_SECONDS:g} s"
        outcome: Arrival | Postponed | Failed
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                outcome = await self._reach(name)
                if isinstance(outcome, Postponed):
                    # Its own dial is under way and will cancel this one; if it never comes, this one has
                    # failed.
                    late = "it was dialling this node itself at the same time, and did not get through"
                    await self._loop.create_future()
        except TimeoutError:
            outcome = Failed(late)
        except Exception as error:  # whatever it is, those who wait for this dial are told
            outcome = Failed(f"the dial failed ({in_words(error)})")
        # One that was given up has left the table already, and its name may be dialled anew by now.
        dialling = self._dials.get(name)
        if dialling is None or dialling.task is not asyncio.current_task():
            if isinstance(outcome, Arrival):
                outcome.stream.close()
            return
        del self._dials[name]
        match outcome:
            case Arrival():
                self._owner.established(outcome)
            case Failed(reason, hint):
                self._owner.dial_failed(name, reason, hint)

    async def _reach(self, name: str) -> Arrival | Postponed | Failed:
        while name in self.unreachable:  # noqa: ASYNC110 - for scenarios alone
            await asyncio.sleep(_BREATH_SECONDS)
        try:
            connection = await self._door.connect(name)
        except PyxError as error:
            return Failed(str(error), error.hint)
        try:
            outcome = await self._prove(name, connection)
        except BaseException:
            connection.close()
            raise
        if not isinstance(outcome, Arrival):
            connection.close()
        return outcome

    async def _prove(self, name: str, connection: socket.socket) -> Arrival | Postponed | Failed:
        opening = self._door.dialling(connection)
        try:
            channel = await opening.shake_hands()
        except ProtocolError as error:
            return Failed(str(error))
        except OSError as error:
            return Failed(f"the connection broke ({error.strerror or error})")
        machine = Dialler(
            *self._incarnation,
            hidden=self._hidden,
            nonce=secrets.token_bytes(NONCE_BYTES),
            channel=channel,
            dialled=name,
        )
        outcome = await converse(opening, machine, self._owner.key_for)
        if not isinstance(outcome, Established):
            assert isinstance(outcome, (Postponed, Failed))
            return outcome
        try:
            stream, further = opening.stream()
        except ProtocolError as error:
            return Failed(str(error))
        return Arrival(*outcome, True, stream, b"", machine.trailing_data + further, None)

    # ------------------------------------------------------------ accepting

    def _accept(self, listening: socket.socket) -> None:
        # By hand, for `sock_accept` drops a connection that comes while it is cancelled; and one at a time,
        # for a crowd at the door must not stop the sessions.
        try:
            connection, address = listening.accept()
        except (BlockingIOError, InterruptedError):  # the stranger is gone
            return
        except OSError as error:  # no descriptor is left: not worth spinning for
            self._owner.cannot_accept(error.errno or 0)
            self._loop.remove_reader(listening)
            self._breath = self._loop.call_later(_BREATH_SECONDS, self.accept)
            return
        connection.setblocking(False)
        try:
            opening = self._door.admit(connection)
        except (PyxError, OSError) as error:
            connection.close()
            self._owner.stranger_refused(str(error))
            return
        self._strangers.make_room()
        task = self._loop.create_task(self._admit(opening))
        self._strangers.came(task, PendingConnection(connection, address[0] if address else ""))

    async def _admit(self, opening: Opening) -> None:
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                refused = await self._judge(opening)
        except TimeoutError:
            refused = f"a stranger did not prove itself within {HANDSHAKE_SECONDS:g} s"
        except ProtocolError as error:
            refused = str(error)
        except OSError as error:
            refused = f"the connection broke ({error.strerror or error})"
        if refused is not None:
            self._owner.stranger_refused(refused)

    async def _judge(self, opening: Opening) -> str | None:
        """Why he did not get through; None: he is no stranger any more, or has been told."""
        channel = await opening.shake_hands()
        machine = Acceptor(
            *self._incarnation, hidden=self._hidden, nonce=secrets.token_bytes(NONCE_BYTES), channel=channel
        )
        outcome = await converse(opening, machine, self._owner.key_for)
        if isinstance(outcome, Failed):
            return outcome.reason
        assert isinstance(outcome, Proven)
        stream, further = opening.stream()
        # From here to `established` nothing is awaited: the kernel takes the peer for connected, so its link
        # has to exist before anybody else's turn.  The verdict leaves as the first bytes of that link.
        status, handle = self._owner.claimed(outcome.name, outcome.creation, hidden=outcome.hidden)
        machine.verdict(status)
        verdict = b"".join(event.data for event in machine.events() if isinstance(event, Transmit))
        if status == "ok":
            task = asyncio.current_task()
            assert task is not None
            self._strangers.admitted(task)
            self._owner.established(
                Arrival(*outcome, False, stream, verdict, machine.trailing_data + further, handle)
            )
        else:
            with contextlib.suppress(OSError):
                stream.send(verdict)
        return None
