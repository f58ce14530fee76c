"""The doors of a node: who comes in by its socket, and whom it dials, up to the moment when both have proven
themselves.  Not here: the proof (`wire/handshake.py`), who is welcome (`core`), the session after it
(`net/peer.py`).

Everything but `dial` and `cancel_dial` runs on the transport's loop.  A stranger costs a socket for 5 s and
disturbs nobody; of at most 64 unproven ones the oldest has to go.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
import struct
import sys
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from pyx.errors import PyxError
from pyx.net.forks import close_in_children
from pyx.terms import Life, host_of
from pyx.wire.handshake import (
    MAX_FRAME_BYTES,
    NONCE_BYTES,
    Acceptor,
    Dialler,
    Established,
    Failed,
    NeedKey,
    Postponed,
    Proven,
    Status,
    Transmit,
)

if TYPE_CHECKING:
    from pyx.net.directory import Claim, HostDirectory

HANDSHAKE_SECONDS: Final = 5.0
MAX_UNPROVEN: Final = 64

_UNIX: Final = b"unix"
_BREATH_SECONDS: Final = 0.02
"""Until a full backlog, or a full table of descriptors, is tried again."""


class Arrival(NamedTuple):
    """Two nodes have proven themselves to each other over `connection`, which belongs to the receiver now."""

    name: str
    creation: int
    hidden: bool
    dialled: bool
    """True: this node dialled; False: it was dialled, and has said "ok"."""
    connection: socket.socket
    first: bytes
    """To be written before any signal (the verdict, on the accepting side)."""
    trailing: bytes
    """What the peer has sent already behind its handshake."""
    handle: object
    """What `claimed` gave with its "ok"; None where this node dialled."""


class Owner(Protocol):
    """Whom the doors belong to.  Called on the transport's loop, one call at a time; no call may wait."""

    def key_for(self, name: str) -> bytes:
        """The key of the cookie for the node *name* (unproven)."""

    def claimed(self, name: str, creation: int, *, hidden: bool) -> tuple[Status, object]:
        """A proven node dials: is it welcome?  After "ok" `established` follows at once, with that handle."""

    def established(self, arrival: Arrival) -> None:
        """A session stands, or nearly (see `Arrival.first`)."""

    def dial_failed(self, name: str, reason: str, hint: str | None) -> None:
        """The dial to *name* has come to nothing; never called for a dial that was cancelled."""

    def stranger_refused(self, reason: str) -> None:
        """Somebody who came in did not get through; for a log with a limit."""


class Transport:
    """Accepts and dials for one node, until `close`.  Made on the transport's loop.

    Args:
        life: the node's name and creation.
        hidden: whether it is a hidden node.
        owner: see `Owner`.
        directory: where this host's nodes are found.
    """

    def __init__(self, life: Life, *, hidden: bool, owner: Owner, directory: HostDirectory) -> None:
        self._life = life
        self._hidden = hidden
        self._owner = owner
        self._directory = directory
        self._loop = asyncio.get_running_loop()
        self._listening: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._unproven: dict[asyncio.Task[None], socket.socket] = {}  # the oldest first
        self._dials: dict[str, asyncio.Task[None]] = {}
        self.unreachable: frozenset[str] = frozenset()
        """Dials to these nodes hang until they are taken out, or for as long as a dial may last."""
        close_in_children(self)

    def listen(self, claim: Claim) -> None:
        """Opens the socket of *claim*; raises PyxError as `Claim.listen`."""
        self._listening = claim.listen()
        self._accepting = self._loop.create_task(self._accept(self._listening))

    async def close(self) -> None:
        """Closes the socket, and drops every conversation that is no session yet."""
        tasks = [*self._unproven, *self._dials.values()]
        if self._accepting is not None:
            tasks.append(self._accepting)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._listening is not None:
            self._listening.close()

    def close_in_child(self) -> None:
        """See `net/forks.py`."""
        for connection in self._unproven.values():
            connection.close()
        if self._listening is not None:
            self._listening.close()

    # ------------------------------------------------------------ dialling

    def dial(self, name: str) -> None:
        """Tries to reach the node of that full name; `established` or `dial_failed` follows.  Any thread."""
        self._loop.call_soon_threadsafe(self._start_dial, name)

    def cancel_dial(self, name: str) -> None:
        """Gives a dial up without a word; any thread."""
        self._loop.call_soon_threadsafe(self._cancel_dial, name)

    def _start_dial(self, name: str) -> None:
        if name not in self._dials:
            self._dials[name] = self._loop.create_task(self._dial(name))

    def _cancel_dial(self, name: str) -> None:
        task = self._dials.pop(name, None)
        if task is not None:
            task.cancel()

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
        # A cancelled dial has left the table already, and its name may be dialled anew by now.
        if self._dials.get(name) is not asyncio.current_task():
            if isinstance(outcome, Arrival):
                outcome.connection.close()
            return
        del self._dials[name]
        match outcome:
            case Arrival():
                self._owner.established(outcome)
            case Failed(reason, hint):
                self._owner.dial_failed(name, reason, hint)

    async def _reach(self, name: str) -> Arrival | Postponed | Failed:
        if host_of(name) != host_of(self._life.name):
            return Failed("its host is not this one, and this node is not started with --name")
        while name in self.unreachable:  # noqa: ASYNC110 - for scenarios alone
            await asyncio.sleep(_BREATH_SECONDS)
        try:
            connection = await self._connect(name)
        except PyxError as error:
            return Failed(str(error), error.hint)
        if connection is None:
            return Failed("no node of that name runs on this host")
        machine = Dialler(
            *self._life,
            hidden=self._hidden,
            nonce=secrets.token_bytes(NONCE_BYTES),
            channel=_UNIX,
            dialled=name,
        )
        try:
            outcome = await self._converse(connection, machine)
        except BaseException:
            connection.close()
            raise
        if isinstance(outcome, Established):
            return Arrival(*outcome, True, connection, b"", machine.trailing_data, None)
        connection.close()
        assert isinstance(outcome, (Postponed, Failed))
        return outcome

    async def _connect(self, name: str) -> socket.socket | None:
        """A connection to the live node of that name on this host; None where there is none."""
        while (path := self._directory.lookup(name)) is not None:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.setblocking(False)
            try:
                # Not `sock_connect`: a unix socket connects at once or says EAGAIN for a full backlog, which
                # asyncio takes for a connection under way.
                connection.connect(path)
            except (BlockingIOError, FileNotFoundError, ConnectionRefusedError):
                connection.close()  # it is alive, and just starting, leaving, or crowded
                await asyncio.sleep(_BREATH_SECONDS)
            except BaseException as error:
                connection.close()
                if isinstance(error, OSError):
                    msg = f"its socket cannot be reached: {error.strerror or error}"
                    raise PyxError(msg) from error
                raise
            else:
                return connection
        return None

    # ------------------------------------------------------------ accepting

    async def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = await self._loop.sock_accept(listening)
            except OSError:  # no descriptor is left, or the stranger is gone: neither is worth spinning for
                await asyncio.sleep(_BREATH_SECONDS)
                continue
            connection.setblocking(False)
            if (uid := _uid_of(connection)) != os.geteuid():
                connection.close()
                self._owner.stranger_refused(f"user {uid} knocked, who is not the user of this node")
                continue
            staying = [task for task in self._unproven if not task.cancelling()]
            if len(staying) >= MAX_UNPROVEN:
                staying[0].cancel()
            task = self._loop.create_task(self._admit(connection))
            self._unproven[task] = connection
            task.add_done_callback(self._forget)
            await asyncio.sleep(0)  # a crowd at the door must not stop the sessions

    def _forget(self, task: asyncio.Task[None]) -> None:
        # The connection is closed here, because a task that is cancelled before its first step runs no
        # `finally`.  One that was handed on is not in the table any more.
        connection = self._unproven.pop(task, None)
        if connection is not None:
            connection.close()

    async def _admit(self, connection: socket.socket) -> None:
        machine = Acceptor(
            *self._life, hidden=self._hidden, nonce=secrets.token_bytes(NONCE_BYTES), channel=_UNIX
        )
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                outcome = await self._converse(connection, machine)
        except TimeoutError:
            outcome = Failed(f"a stranger did not prove itself within {HANDSHAKE_SECONDS:g} s")
        if isinstance(outcome, Failed):
            self._owner.stranger_refused(outcome.reason)
            return
        assert isinstance(outcome, Proven)
        # From here to `established` nothing is awaited: the kernel takes the peer for connected, so its link
        # has to exist before anybody else's turn.  The verdict leaves as the first bytes of that link.
        status, handle = self._owner.claimed(outcome.name, outcome.creation, hidden=outcome.hidden)
        machine.verdict(status)
        verdict = b"".join(event.data for event in machine.events() if isinstance(event, Transmit))
        if status == "ok":
            task = asyncio.current_task()
            assert task is not None
            del self._unproven[task]
            self._owner.established(
                Arrival(*outcome, False, connection, verdict, machine.trailing_data, handle)
            )
        else:
            with contextlib.suppress(OSError):
                connection.send(verdict)

    # ------------------------------------------------------------ the conversation

    async def _converse(
        self, connection: socket.socket, machine: Dialler | Acceptor
    ) -> Proven | Established | Postponed | Failed:
        """Carries bytes between *machine* and the connection until there is an outcome."""
        while True:
            events = machine.events()
            for event in events:
                if isinstance(event, Transmit):
                    # If the other is gone, its last words may still be unread: reading will tell.
                    with contextlib.suppress(OSError):
                        await self._loop.sock_sendall(connection, event.data)
                elif isinstance(event, NeedKey):
                    machine.key_chosen(self._owner.key_for(event.name))
                else:
                    return event
            if not events:
                try:
                    data = await self._loop.sock_recv(connection, MAX_FRAME_BYTES)
                except OSError:
                    data = b""
                if data:
                    machine.receive_data(data)
                else:
                    machine.connection_lost()


def _uid_of(connection: socket.socket) -> int:
    """The user who runs the process at the other end of a unix socket."""
    if sys.platform == "linux":
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        return int(struct.unpack("=iII", credentials)[1])
    else:  # noqa: RET505 - mypy leaves the other platform's branch alone only as a branch
        # LOCAL_PEERCRED of SOL_LOCAL (macOS, FreeBSD): struct xucred opens with its version and the uid.
        return int(struct.unpack_from("=II", connection.getsockopt(0, 1, 76))[1])
