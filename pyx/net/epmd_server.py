"""A small EPMD for hosts without Erlang: `python -m pyx.net.epmd_server`.  Not here: the bytes
(`wire/epmd.py`), and who starts it (`net/epmd_client.py`).

A process of its own, because no node may serve the others' names: a stopped shell would stop the host.  It
listens on loopback alone unless told otherwise (`--everywhere`), lets only this host's processes register,
and leaves 60 s after its last name went.  One thread, no asyncio: it is small, and it stays small under
strangers, of whom it keeps 64 for 5 s each and gives nobody more than one answer.

Differs from `epmd`: a name with spaces or control characters is refused (it could forge lines in the list of
names), a refused node is hung up on, and DUMP and STOP, which are for people, are not answered.
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
STRANGER_SECONDS: Final = 5.0
MAX_STRANGERS: Final = 64
MAX_NAMES: Final = 512
_MAX_NAME_CHARACTERS: Final = 255
_RETRY_SECONDS: Final = 0.02


class RegisteredNames:
    """Who has which name, and since which registration.  Time is an argument (monotonic seconds).

    Args:
        creation: the number of the last registration before this start; each one counts it up by one.
        now: the time of this start.
        linger: how long to stay without a name.
    """

    def __init__(self, creation: int, now: float, linger: float = LINGER_SECONDS) -> None:
        self._creation = creation
        self._linger = linger
        self._entries: dict[str, NodeEntry] = {}
        self.leave_at: float | None = now + LINGER_SECONDS
        """When it is time to go; None while there are names.  The first name is waited for longer, if need
        be, than `linger`."""

    @property
    def entries(self) -> list[NodeEntry]:
        """Who is there, the latest first, as `epmd` lists them."""
        return list(self._entries.values())[::-1]

    def find(self, name: str) -> NodeEntry | None:
        """The node of that name."""
        return self._entries.get(name)

    def registered(self, entry: NodeEntry) -> Registered:
        """A node of this host asks for a name."""
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
        """The connection of that name's node has ended."""
        del self._entries[name]
        if not self._entries:
            self.leave_at = now + self._linger


class _Visitor:
    """A connection: a stranger's, until `name` is set."""

    __slots__ = ("answer", "connection", "deadline", "is_local", "name", "reader")

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self.connection = connection
        self.is_local = _is_local(connection)
        self.deadline = deadline
        self.reader = RequestReader()
        self.answer = b""
        self.name: str | None = None


class EpmdServer:
    """Serves until it is time to leave.

    Args:
        listening: non-blocking sockets; they are closed at the end.
        names: who is there.
    """

    def __init__(self, listening: Sequence[socket.socket], names: RegisteredNames) -> None:
        self._names = names
        self._listening = listening
        self._port: int = listening[0].getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._pending: dict[_Visitor, None] = {}  # the oldest first
        self._is_leaving = False
        for one in listening:
            self._selector.register(one, selectors.EVENT_READ)

    def run(self) -> None:
        """Returns when it has left."""
        try:
            while not self._is_over(now := time.monotonic()):
                for key, events in self._selector.select(self._pause(now)):
                    visitor: _Visitor | None = key.data
                    if visitor is None:
                        self._accept(cast("socket.socket", key.fileobj))
                    elif visitor.connection.fileno() < 0:
                        pass  # hung up on a moment ago, to make room
                    elif events & selectors.EVENT_WRITE:
                        self._write(visitor)
                    else:
                        self._read(visitor)
        finally:
            for key in list(self._selector.get_map().values()):
                cast("socket.socket", key.fileobj).close()
            self._selector.close()

    def _is_over(self, now: float) -> bool:
        while (oldest := next(iter(self._pending), None)) is not None and oldest.deadline <= now:
            self._hang_up(oldest)
        leave_at = self._names.leave_at
        return self._is_leaving or (leave_at is not None and leave_at <= now)

    def _pause(self, now: float) -> float | None:
        times = [visitor.deadline for visitor in itertools.islice(self._pending, 1)]
        if self._names.leave_at is not None:
            times.append(self._names.leave_at)
        return max(0.0, min(times) - now) if times else None

    def _accept(self, listening: socket.socket) -> None:
        if len(self._pending) >= MAX_STRANGERS:
            self._hang_up(next(iter(self._pending)))
        try:
            connection, _ = listening.accept()
        except OSError:  # the stranger is gone again, or no descriptor is left: not worth spinning for
            time.sleep(_RETRY_SECONDS)
            return
        connection.setblocking(False)
        try:
            visitor = _Visitor(connection, time.monotonic() + STRANGER_SECONDS)
        except OSError:
            connection.close()
            return
        self._pending[visitor] = None
        self._selector.register(connection, selectors.EVENT_READ, visitor)

    def _read(self, visitor: _Visitor) -> None:
        try:
            data = visitor.connection.recv(2048)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data or visitor.name is not None:  # whoever is registered has nothing more to say
            self._hang_up(visitor)
            return
        try:
            visitor.reader.receive_data(data)
            request = visitor.reader.request()
        except ProtocolError:
            self._hang_up(visitor)
            return
        if request is not None:
            self._requested(visitor, request)

    def _requested(self, visitor: _Visitor, request: Request) -> None:
        if isinstance(request, (Register, Leave)) and not visitor.is_local:
            self._hang_up(visitor)
            return
        match request:
            case Register(entry):
                registered = self._names.registered(entry)
                if registered.accepted:
                    visitor.name = entry.name
                    del self._pending[visitor]
                visitor.answer = registered_answer(registered, entry.highest)
            case LookUp(name):
                visitor.answer = looked_up_answer(self._names.find(name))
            case ListNames():
                visitor.answer = listed_answer(self._port, self._names.entries)
            case Leave():
                self._is_leaving = not self._names.entries
                visitor.answer = left_answer(leaves=self._is_leaving)
        self._write(visitor)

    def _write(self, visitor: _Visitor) -> None:
        try:
            sent = visitor.connection.send(visitor.answer)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._hang_up(visitor)
            return
        visitor.answer = visitor.answer[sent:]
        if not visitor.answer and visitor.name is None:
            self._hang_up(visitor)
        else:
            awaited = selectors.EVENT_WRITE if visitor.answer else selectors.EVENT_READ
            self._selector.modify(visitor.connection, awaited, visitor)

    def _hang_up(self, visitor: _Visitor) -> None:
        self._selector.unregister(visitor.connection)
        visitor.connection.close()
        self._pending.pop(visitor, None)
        if visitor.name is not None:
            self._names.left(visitor.name, time.monotonic())


def _is_local(connection: socket.socket) -> bool:
    """The other end is on this host: as `epmd` sees it, by loopback, or by one address at both ends."""
    there = connection.getpeername()[0]
    return ipaddress.ip_address(there).is_loopback or there == connection.getsockname()[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """The program: 0, or 1 where the port is taken (by another EPMD, as a rule)."""
    parser = argparse.ArgumentParser(
        prog="python -m pyx.net.epmd_server", description="tells which node of this host is at which port"
    )
    parser.add_argument(
        "--port",
        type=int,
        default=os.environ.get("ERL_EPMD_PORT") or DEFAULT_PORT,
        help="the port of the host's EPMD ($ERL_EPMD_PORT, else %(default)s); 0: any",
    )
    parser.add_argument("--everywhere", action="store_true", help="answer other hosts too")
    parser.add_argument(
        "--linger", type=float, default=LINGER_SECONDS, help="seconds to stay after the last name went"
    )
    parser.add_argument("--detach", action="store_true", help="go on in the background, once listening")
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
    # Seeded from the clock, so that a name's creation rises over a restart of this process too.
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
