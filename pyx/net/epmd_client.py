"""The client of EPMD, the Erlang port mapper daemon: registers with this host's, and asks any host's.

EPMD's answer is a hint: the handshake compares the dialled name.  Where no EPMD answers on this host,
`register` starts one: `epmd -daemon` where that is installed, as `erl` does, else `epmd_server.py`.  The
port is 4369, or $ERL_EPMD_PORT.  See `wire/epmd.py` for the bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from pyx.core.backoff import Backoff
from pyx.errors import NameTaken, ProtocolError, PyxError
from pyx.net.error_words import in_words
from pyx.net.forks import close_in_children
from pyx.net.tcp import connect
from pyx.wire.epmd import (
    DEFAULT_PORT,
    LIST_REQUEST,
    NodeEntry,
    look_up_request,
    read_listed,
    read_looked_up,
    read_registered,
    register_request,
)

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

T = TypeVar("T")

HOME: Final = "127.0.0.1"
"""Address of this host's EPMD, which accepts registrations from its own host only."""

DETECTION_SECONDS: Final = 0.5
"""Seconds without an answer after which this host counts as having no EPMD."""

_QUESTION_SECONDS: Final = 2.0
"""Seconds for the answer of another host's EPMD, connecting included: the whole dial has 5 s."""

RELEASE_SECONDS: Final = 1.0
"""Seconds for which a name in use is requested again: a busy EPMD notices the end of a node late."""

_WITHOUT_EPMD: Final = "with --port N, the same on all nodes, none is needed"

_START_SECONDS: Final = 10.0
"""Seconds in which an EPMD that was started has to answer: on a busy host a Python starts slowly."""

_LOOK_SECONDS: Final = 2.0
_RETRY_SECONDS: Final = 0.02
_MAX_ANSWER_BYTES: Final = 1 << 20


def epmd_port() -> int:
    """Returns the port of EPMD on every host: $ERL_EPMD_PORT, else 4369.

    Raises:
        PyxError: the variable is not a port.
    """
    given = os.environ.get("ERL_EPMD_PORT") or str(DEFAULT_PORT)
    if not given.isdecimal() or not 0 < int(given) < 65536:
        msg = f"ERL_EPMD_PORT is {given!r}, which is not a port from 1 to 65535"
        raise PyxError(msg)
    return int(given)


# ---------------------------------------------------------------- questions


async def port_of(name: str, host: str) -> int | None:
    """Returns the port of the node *name* (the part before the @) on *host*; None if EPMD does not know it.

    Raises:
        PyxError: no EPMD answers there; the sentence has the reason.
    """
    entry = await look_up(name, host)
    return None if entry is None else entry.port


async def look_up(name: str, host: str) -> NodeEntry | None:
    """Returns what EPMD on *host* knows of the node *name*; None if nothing.  Raises as `port_of`."""
    return await _ask(host, look_up_request(name), read_looked_up)


async def names(host: str) -> list[tuple[str, int]]:
    """Returns (name, port) of each node that EPMD on *host* knows, sorted.

    Raises:
        PyxError: no EPMD answers there; the sentence has the reason.
    """
    return await _ask(host, LIST_REQUEST, read_listed)


async def kinds(host: str) -> list[tuple[str, int, bool]]:
    """Returns (name, port, is Erlang) of each node that EPMD on *host* knows; raises as `names`."""
    found = []
    for name, port in await names(host):
        is_erlang = False
        with contextlib.suppress(PyxError):  # it has left meanwhile
            entry = await look_up(name, host)
            is_erlang = entry is not None and not entry.is_pyx
        found.append((name, port, is_erlang))
    return found


async def _ask(host: str, request: bytes, read: Callable[[bytes], T]) -> T:
    """Sends *request*, and returns the result of *read* for the whole answer."""
    try:
        async with asyncio.timeout(_QUESTION_SECONDS):
            with await connect(host, epmd_port()) as connection:
                return read(await _exchange(connection, request))
    except TimeoutError:
        msg = f"EPMD on {host} did not answer within {_QUESTION_SECONDS:g} s"
        raise PyxError(msg) from None
    except (OSError, ProtocolError) as error:
        raise _not_epmd(host, error) from error


def _not_epmd(host: str, error: Exception, *, hint: str | None = None) -> PyxError:
    """Returns the error for a listener that does not behave like EPMD."""
    problem = str(error) if isinstance(error, PyxError) else in_words(error)
    msg = f"{host} port {epmd_port()} does not answer like EPMD: {problem or 'no answer'}"
    return PyxError(msg, hint=hint)


async def _exchange(connection: socket.socket, request: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(connection, request)
    answer = bytearray()
    while data := await loop.sock_recv(connection, 65536):
        answer += data
        if len(answer) > _MAX_ANSWER_BYTES:
            msg = f"it answers with more than {_MAX_ANSWER_BYTES} bytes"
            raise ProtocolError(msg)
    return bytes(answer)


# ---------------------------------------------------------------- registration


class Registration:
    """A name registered with the EPMD of this host, for the life of this node; made by `register`.

    When EPMD ends (killed, out of memory), the node registers again, with back-off, and starts an EPMD itself
    if needed.
    """

    def __init__(
        self, entry: NodeEntry, *, beyond: str | None, address: str, trouble: Callable[[str], None]
    ) -> None:
        self.creation = 0
        """The creation that EPMD assigns (another number than the node's own creation)."""
        self._entry = entry
        self._beyond = beyond
        self._address = address
        self._trouble = trouble
        self._connection: socket.socket | None = None
        self._keeping: asyncio.Task[None] | None = None
        close_in_children(self)

    async def open(self) -> None:
        """Registers, and keeps the name registered; raises as `register`."""
        await self._register_soon()
        self._keeping = asyncio.get_running_loop().create_task(self._keep())

    async def _register_soon(self) -> None:
        """Registers; EPMD may notice late that the node which had the name has ended."""
        give_up = time.monotonic() + RELEASE_SECONDS
        while True:
            try:
                await self._register()
            except NameTaken:
                if time.monotonic() >= give_up:
                    raise
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return

    async def close(self) -> None:
        """Withdraws the name."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        self.close_in_child()

    def close_in_child(self) -> None:
        """See `forks.py`: a child that outlives its node must not keep the name."""
        if self._connection is not None:
            self._connection.close()

    async def _register(self) -> None:
        connection = await _reach_home(everywhere=self._beyond is not None, address=self._address)
        try:
            async with asyncio.timeout(_QUESTION_SECONDS):
                self.creation = await _register_on(connection, self._entry)
        except BaseException as error:
            connection.close()
            if isinstance(error, (TimeoutError, OSError, ProtocolError)):
                raise _not_epmd(HOME, error, hint=_WITHOUT_EPMD) from error
            raise
        self._connection = connection

    async def _keep(self) -> None:
        backoff = Backoff()
        name = self._entry.name
        while True:
            await self._look_from_beyond()
            await self._lost()
            self._trouble(f"EPMD has closed the registration of {name}: registering again")
            said, reason = "", "it has just ended"
            while True:
                # All nodes of the host notice at once: the jitter decides which one starts the next EPMD.
                now = time.monotonic()
                jitter = random.random()  # noqa: S311 - spreads retries
                await asyncio.sleep(backoff.failed(name, reason, now, jitter) - now)
                try:
                    await self._register()
                except PyxError as error:
                    reason = str(error)
                    if reason != said:
                        self._trouble(f"{name} is not registered with EPMD: {reason}")
                    said = reason
                else:
                    break
            backoff.clear()

    async def _look_from_beyond(self) -> None:
        """Warns if other hosts cannot ask the EPMD of this host, which may serve loopback only."""
        address = self._beyond
        if address is None:
            return
        if (connection := await _reach(address, _LOOK_SECONDS)) is not None:
            connection.close()
        else:
            self._trouble(
                f"other hosts cannot find {self._entry.name}: EPMD does not answer at {address} port "
                f"{epmd_port()}; it may serve this host alone (hint: {_WITHOUT_EPMD})"
            )

    async def _lost(self) -> None:
        """Returns when the connection has ended; EPMD sends nothing on it."""
        connection = self._connection
        assert connection is not None
        with contextlib.suppress(OSError):
            await asyncio.get_running_loop().sock_recv(connection, 1)
        connection.close()


async def register(
    name: str,
    port: int,
    *,
    hidden: bool = False,
    beyond: str | None = None,
    address: str = HOME,
    extra: bytes = b"",
    trouble: Callable[[str], None],
) -> Registration:
    """Registers a node with the EPMD of this host.

    Args:
        name: the part of the node name before the @.
        port: the port on which the node listens.
        hidden: True for a hidden node.
        beyond: the host name at which other hosts ask; an EPMD that has to be started answers them too.
            None: other hosts do not need to find the node.
        address: of this host, at which its nodes ask; an EPMD that has to be started answers there too.
        extra: what EPMD tells with the port; see `wire/epmd.py`.
        trouble: takes a sentence when the registration is lost, when it cannot be renewed, and when EPMD does
            not answer at *beyond*.

    Raises:
        NameTaken: a running node of this host has that name, for longer than a second.
        PyxError: no EPMD answers, and none could be started.
    """
    entry = NodeEntry(name, port, hidden, extra=extra)
    registration = Registration(entry, beyond=beyond, address=address, trouble=trouble)
    await registration.open()
    return registration


async def _register_on(connection: socket.socket, entry: NodeEntry) -> int:
    """Registers on an open connection; returns the creation that EPMD assigns."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(connection, register_request(entry))
    answer = b""
    while (registered := read_registered(answer)) is None:
        data = await loop.sock_recv(connection, 64)
        if not data:
            raise ProtocolError("it closed the connection")
        answer += data
    if not registered.accepted:
        raise NameTaken(entry.name, None)
    return registered.creation


# ---------------------------------------------------------------- an EPMD for this host


async def _reach_home(*, everywhere: bool, address: str) -> socket.socket:
    """Returns a connection to the EPMD of this host, which is started if needed."""
    try:
        async with asyncio.timeout(DETECTION_SECONDS):
            return await connect(HOME, epmd_port())
    except (PyxError, TimeoutError):
        pass
    for command in _commands(everywhere=everywhere, address=address):
        await asyncio.to_thread(_start, command)
        if (connection := await _reach(HOME, _START_SECONDS)) is not None:
            return connection
    msg = f"no EPMD answers on {HOME} port {epmd_port()}, and none could be started"
    raise PyxError(msg, hint=_WITHOUT_EPMD)


async def _reach(host: str, seconds: float) -> socket.socket | None:
    """Returns a connection to an EPMD that may be starting; None if there is none after *seconds*."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                with contextlib.suppress(PyxError):
                    return await connect(host, epmd_port())
                await asyncio.sleep(_RETRY_SECONDS)
    return None


def _commands(*, everywhere: bool, address: str) -> list[list[str]]:
    """Returns the commands that start an EPMD, the preferred one first; each returns at once."""
    commands = []
    if (installed := shutil.which("epmd")) is not None:
        # It answers all hosts by default.
        addresses = HOME if address == HOME else f"{HOME},{address}"
        at_home = not everywhere and "ERL_EPMD_ADDRESS" not in os.environ
        commands.append([installed, "-daemon", *(("-address", addresses) if at_home else ())])
    # -P: modules in the working directory are not for the server.
    own = [sys.executable, "-P", "-m", "pyx.net.epmd_server", "--detach", "--port", str(epmd_port())]
    commands.append([*own, "--everywhere"] if everywhere else own)
    return commands


def _start(command: list[str]) -> None:
    """Runs a command that leaves a daemon behind; only a connection shows whether it did."""
    pyx_is_in = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, (pyx_is_in, os.environ.get("PYTHONPATH"))))
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        subprocess.run(  # noqa: S603 - the command is one of the above
            command,
            check=False,
            cwd="/",
            env=os.environ | {"PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_START_SECONDS,
        )
