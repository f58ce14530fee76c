"""Asks the nodes that run on this host, and its EPMD: what they are called, and which protocol they speak.

A node answers the first frame of a handshake before any proof, with its versions (`wire/handshake/hello.py`).
The connection is closed then, and the node notes no more than that a connection was given up.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
import socket
import time
from typing import TYPE_CHECKING, Final

from pyx.doctor.host_facts import EpmdFacts, RunningNode
from pyx.errors import HandshakeFailed, PyxError
from pyx.net import epmd_client
from pyx.net.directory import HostDirectory
from pyx.net.error_words import in_words
from pyx.net.name_locks import socket_path
from pyx.net.pending_connections import is_here
from pyx.net.tcp import Unreachable, connect
from pyx.terms import Incarnation, host_of, short_host
from pyx.wire.handshake.hello import NONCE_BYTES, dialler_hello, pack_hello, read_hello

if TYPE_CHECKING:
    from pyx.net.name_locks import LockEntry

_ANSWER_SECONDS: Final = 2.0
_MOST_AT_ONCE: Final = 32


def asker(host: str) -> Incarnation:
    """Returns a new name for this check, and a creation; neither is claimed."""
    return Incarnation(f"doctor-{secrets.token_hex(3)}@{host}", secrets.randbits(32) | 1)


def running_nodes() -> list[RunningNode]:
    """Returns the nodes of this user on this host, each with what it says of itself."""
    directory = HostDirectory.as_it_is()
    entries = directory.entries()
    return asyncio.run(_all_greeted(directory.path, entries)) if entries else []


async def _all_greeted(directory: str, entries: list[LockEntry]) -> list[RunningNode]:
    turns = asyncio.Semaphore(_MOST_AT_ONCE)

    async def in_turn(entry: LockEntry) -> RunningNode:
        async with turns:
            return await _greeted(socket_path(directory, entry.name), entry)

    return list(await asyncio.gather(*map(in_turn, entries)))


async def _greeted(path: str, entry: LockEntry) -> RunningNode:
    node = RunningNode(entry.name, entry.os_pid)
    mine = dialler_hello(
        asker(host_of(entry.name)), entry.name, secrets.token_bytes(NONCE_BYTES), hidden=True
    )
    begun = time.monotonic()
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                body = pack_hello(mine)
                writer.write(len(body).to_bytes(2) + body)
                answer = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
            finally:
                writer.close()
        theirs = read_hello(answer, mine)
    except TimeoutError:
        return node._replace(problem=f"it does not answer within {_ANSWER_SECONDS:g} s")
    except HandshakeFailed as failure:
        return node._replace(problem=failure.reason)
    except EOFError:  # asyncio's, of a connection that ended early
        return node._replace(problem="it closed the connection without a word")
    except OSError as error:
        return node._replace(problem=f"its socket cannot be reached: {in_words(error)}")
    milliseconds = (time.monotonic() - begun) * 1000
    return node._replace(lowest=theirs.lowest, highest=theirs.highest, milliseconds=milliseconds)


def epmd_facts() -> EpmdFacts:
    """Returns what answers at EPMD's port, at loopback and at the address of this host's name."""
    installed = shutil.which("epmd")
    try:
        port = epmd_client.epmd_port()
    except PyxError as error:
        return EpmdFacts(0, installed, problem=str(error))
    return asyncio.run(_asked(EpmdFacts(port, installed)))


async def _asked(facts: EpmdFacts) -> EpmdFacts:
    outside = await _outside_address()
    facts = facts._replace(outside=outside)
    if outside:
        facts = facts._replace(outside_names=await _names_at(outside, facts.port))
    try:
        known = tuple(await epmd_client.kinds(epmd_client.HOME))
    except Unreachable:
        return facts
    except PyxError as error:
        return facts._replace(problem=str(error))
    return facts._replace(answers=True, names=known)


async def _outside_address() -> str:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            found = await loop.getaddrinfo(socket.gethostname(), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # a TimeoutError is an OSError
        return ""
    address = str(found[0][4][0])
    return "" if is_here(address) else address


async def _names_at(address: str, port: int) -> tuple[str, ...] | None:
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            (await connect(address, port)).close()
            return tuple(name for name, _ in await epmd_client.names(address))
    except (PyxError, OSError):
        return None


def own_short_host() -> str:
    """Returns the host part of short names on this host."""
    return short_host(socket.gethostname())
