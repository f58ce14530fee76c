"""An EPMD for hosts without Erlang: `python -m pyx.net.epmd_server`, started by `epmd_client.py`.

An OS process of its own, because no node may serve the names of the others: a suspended shell would stop the
host.  It listens on loopback only, unless started with `--everywhere`; processes of this host alone may
register; it ends 60 s after its last name was withdrawn.  One thread, no asyncio; it stays small under many
connections: unregistered ones are limited to 64, for 5 s each, with one answer each.

Differs from `epmd`: a name with spaces or control characters is refused (it could forge lines in the list of
names), the connection of a refused node is closed, and DUMP and STOP, commands for people, are not answered.
"""

from __future__ import annotations

import argparse
import contextlib
import ipaddress
import itertools
import os
import selectors
import sys
import time
from typing import TYPE_CHECKING, Final, cast

from pyx.errors import ProtocolError, PyxError
from pyx.net.tcp import listen
from pyx.wire.epmd import (
    DEFAULT_PORT,
    Leave,
    ListNames,
    LookUp,
    NodeEntry,
    Register,
    Registered,
    Request,
    RequestReader,
    left_answer,
    listed_answer,
    looked_up_answer,
    registered_answer,
)

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

LINGER_SECONDS: Final = 60.0
PENDING_SECONDS: Final = 5.0
MAX_UNREGISTERED: Final = 64
MAX_NAMES: Final = 512
_MAX_NAME_CHARACTERS: Final = 255
_RETRY_SECONDS: Final = 0.02


class RegisteredNames:
    """The registered names.  A machine: time is an argument (monotonic seconds).

    Args:
        creation: the creation before the first registration; each registration increments it.
        now: the time of this start.
        linger: seconds to stay without a name.
    """

    def __init__(self, creation: int, now: float, linger: float = LINGER_SECONDS) -> None:
        self._creation = creation
        self._linger = linger
        self._entries: dict[str, NodeEntry] = {}
        self.leave_at: float | None = now + LINGER_SECONDS
        """When the server ends; None while there are names.  Before the first name it waits at least
        `LINGER_SECONDS`."""

    @property
    def entries(self) -> list[NodeEntry]:
        """The registered nodes, the latest first, as `epmd` lists them."""
        return list(self._entries.values())[::-1]

    def find(self, name: str) -> NodeEntry | None:
        """Returns the node registered as *name*, if any."""
        return self._entries.get(name)

    def registered(self, entry: NodeEntry) -> Registered:
        """Handles a registration request of a node of this host."""
        name = entry.name
        if (
            name in self._entries
            or not 0 < len(name) <= _MAX_NAME_CHARACTERS
            or not name.isprintable()
            or " " in name
            or len(self._entries) >= MAX_NAMES
        ):
            return Registered(accepted=False, creation=0)
        self._entries[name] = entry
        self._creation = self._creation % 0xFFFFFFFF + 1  # 32 bits, and never 0
        self.leave_at = None
        return Registered(accepted=True, creation=self._creation)

    def left(self, name: str, now: float) -> None:
        """Withdraws *name*: the connection of its node has ended."""
        del self._entries[name]
        if not self._entries:
            self.leave_at = now + self._linger


class _Client:
    """A connection; unregistered until `name` is set."""

    __slots__ = ("answer", "connection", "deadline", "is_local", "name", "reader")

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self.connection = connection
        self.is_local = _is_local(connection)
        self.deadline = deadline
        self.reader = RequestReader()
        self.answer = b""
        self.name: str | None = None


class EpmdServer:
    """Serves until the names say that it is time to end.

    Args:
        listening: non-blocking sockets, closed at the end.
        names: the registered names.
    """

    def __init__(self, listening: Sequence[socket.socket], names: RegisteredNames) -> None:
        self._names = names
        self._listening = listening
        self._port: int = listening[0].getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._pending: dict[_Client, None] = {}  # oldest first
        self._is_leaving = False
        for one in listening:
            self._selector.register(one, selectors.EVENT_READ)

    def run(self) -> None:
        """Serves; returns at the end."""
        try:
            while not self._is_over(now := time.monotonic()):
                for key, events in self._selector.select(self._pause(now)):
                    client: _Client | None = key.data
                    if client is None:
                        self._accept(cast("socket.socket", key.fileobj))
                    elif client.connection.fileno() < 0:
                        pass  # closed a moment ago, for a newer one
                    elif events & selectors.EVENT_WRITE:
                        self._write(client)
                    else:
                        self._read(client)
        finally:
            for key in list(self._selector.get_map().values()):
                cast("socket.socket", key.fileobj).close()
            self._selector.close()

    def _is_over(self, now: float) -> bool:
        while (oldest := next(iter(self._pending), None)) is not None and oldest.deadline <= now:
            self._close(oldest)
        leave_at = self._names.leave_at
        return self._is_leaving or (leave_at is not None and leave_at <= now)

    def _pause(self, now: float) -> float | None:
        times = [client.deadline for client in itertools.islice(self._pending, 1)]
        if self._names.leave_at is not None:
            times.append(self._names.leave_at)
        return max(0.0, min(times) - now) if times else None

    def _accept(self, listening: socket.socket) -> None:
        if len(self._pending) >= MAX_UNREGISTERED:
            self._close(next(iter(self._pending)))
        try:
            connection, _ = listening.accept()
        except OSError:  # the peer is gone, or no descriptor is free: try again later
            time.sleep(_RETRY_SECONDS)
            return
        connection.setblocking(False)
        try:
            client = _Client(connection, time.monotonic() + PENDING_SECONDS)
        except OSError:
            connection.close()
            return
        self._pending[client] = None
        self._selector.register(connection, selectors.EVENT_READ, client)

    def _read(self, client: _Client) -> None:
        try:
            data = client.connection.recv(2048)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data or client.name is not None:  # a registered node sends nothing more
            self._close(client)
            return
        try:
            client.reader.receive_data(data)
            request = client.reader.request()
        except ProtocolError:
            self._close(client)
            return
        if request is not None:
            self._requested(client, request)

    def _requested(self, client: _Client, request: Request) -> None:
        if isinstance(request, (Register, Leave)) and not client.is_local:
            self._close(client)
            return
        match request:
            case Register(entry):
                registered = self._names.registered(entry)
                if registered.accepted:
                    client.name = entry.name
                    del self._pending[client]
                client.answer = registered_answer(registered, entry.highest)
            case LookUp(name):
                client.answer = looked_up_answer(self._names.find(name))
            case ListNames():
                client.answer = listed_answer(self._port, self._names.entries)
            case Leave():
                self._is_leaving = not self._names.entries
                client.answer = left_answer(leaves=self._is_leaving)
        self._write(client)

    def _write(self, client: _Client) -> None:
        try:
            sent = client.connection.send(client.answer)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._close(client)
            return
        client.answer = client.answer[sent:]
        if not client.answer and client.name is None:
            self._close(client)
        else:
            awaited = selectors.EVENT_WRITE if client.answer else selectors.EVENT_READ
            self._selector.modify(client.connection, awaited, client)

    def _close(self, client: _Client) -> None:
        self._selector.unregister(client.connection)
        client.connection.close()
        self._pending.pop(client, None)
        if client.name is not None:
            self._names.left(client.name, time.monotonic())


def _is_local(connection: socket.socket) -> bool:
    """Returns True if the peer is on this host, by `epmd`'s rule: loopback, or one address at both ends."""
    there = connection.getpeername()[0]
    return ipaddress.ip_address(there).is_loopback or there == connection.getsockname()[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program; returns 0, or 1 if the port is taken (usually by another EPMD)."""
    parser = argparse.ArgumentParser(
        prog="python -m pyx.net.epmd_server",
        description="answers which node of this host listens on which port",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=os.environ.get("ERL_EPMD_PORT") or DEFAULT_PORT,
        help="the port of the host's EPMD ($ERL_EPMD_PORT, else %(default)s); 0: any",
    )
    parser.add_argument("--everywhere", action="store_true", help="answer other hosts too")
    parser.add_argument(
        "--linger",
        type=float,
        default=LINGER_SECONDS,
        help="seconds to stay after the last name was withdrawn",
    )
    parser.add_argument("--detach", action="store_true", help="continue in the background, once listening")
    options = parser.parse_args(arguments)
    addresses = ("0.0.0.0", "::") if options.everywhere else ("127.0.0.1", "::1")  # noqa: S104 - asked for
    try:
        listening = [listen(addresses[0], options.port)]
    except PyxError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    with contextlib.suppress(PyxError):  # a host may be without IPv6
        listening.append(listen(addresses[1], listening[0].getsockname()[1]))
    if options.detach:
        if os.fork():
            return 0
        _leave_the_terminal()
    else:
        sys.stdout.write(f"listening on {addresses[0]} port {listening[0].getsockname()[1]}\n")
        sys.stdout.flush()
    # Seeded from the clock, so that a creation rises over a restart of this process too.
    creation = int(time.time())  # noqa: TID251 - a number that is not a duration
    EpmdServer(listening, RegisteredNames(creation, time.monotonic(), options.linger)).run()
    return 0


def _leave_the_terminal() -> None:
    os.setsid()
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)


if __name__ == "__main__":
    sys.exit(main())
