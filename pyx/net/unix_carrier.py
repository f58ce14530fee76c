"""The carrier of `--sname`: a unix socket in the directory of names, for nodes of one user on one host."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import TYPE_CHECKING, Final

from pyx.errors import PyxError
from pyx.net.credentials import uid_of
from pyx.terms import host_of, is_long

if TYPE_CHECKING:
    from pyx.net.carrier import PlainHandshakeStream
    from pyx.net.directory import HostDirectory
    from pyx.net.name_claim import NameClaim

_RETRY_SECONDS: Final = 0.02
"""Seconds until a full backlog is tried again."""


class UnixCarrier:
    """The carrier of `--sname`: unix sockets in the directory of names.

    Args:
        directory: the names of this host's nodes.
        claim: this node's claim of its name.
        hosts_are_one: True if nodes with other host parts are found here as well.
    """

    def __init__(self, directory: HostDirectory, claim: NameClaim, *, hosts_are_one: bool = False) -> None:
        self._directory = directory
        self._claim = claim
        self._hosts_are_one = hosts_are_one

    async def open(self) -> socket.socket:
        """Binds the socket of the claim; raises PyxError as `NameClaim.listen`."""
        return self._claim.listen()

    async def close(self) -> None:
        """Releases the name."""
        self._claim.release()

    @staticmethod
    async def accepted(connection: socket.socket) -> PlainHandshakeStream:
        """See `Carrier`; refuses connections of other users."""
        if (uid := uid_of(connection)) != os.geteuid():
            msg = f"a connection of user {uid} was refused: this node belongs to user {os.geteuid()}"
            raise PyxError(msg)
        return _plain(connection)

    async def connect(self, name: str) -> socket.socket:
        """Returns a connection to the running node *name*; raises PyxError with the reason."""
        if host_of(name) != host_of(self._claim.name) and not self._hosts_are_one:
            if is_long(host_of(name)):
                raise PyxError("it has a long name, and this node a short one (--sname): the two do not mix")
            raise PyxError("its host is not this one, and this node is not started with --name")
        while (path := self._directory.lookup(name)) is not None:
            try:
                connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            except OSError as error:
                msg = f"no socket can be made: {error.strerror}"
                raise PyxError(msg) from error
            connection.setblocking(False)
            try:
                # Not `sock_connect`: a unix socket connects at once or says EAGAIN for a full backlog, which
                # asyncio takes for a connection under way.
                connection.connect(path)
            except (BlockingIOError, FileNotFoundError, ConnectionRefusedError):
                connection.close()  # the node is running, and just starting, leaving, or overloaded
                await asyncio.sleep(_RETRY_SECONDS)
            except BaseException as error:
                connection.close()
                if isinstance(error, OSError):
                    msg = f"its socket cannot be reached: {error.strerror or error}"
                    raise PyxError(msg) from error
                raise
            else:
                return connection
        if await _is_erlang(name):
            raise PyxError("it is an Erlang node", hint="start this one with --beam")
        raise PyxError(f"no node of that name runs on this host{self._meant_by(name)}")

    def _meant_by(self, name: str) -> str:
        """Returns the question about the running node of this host whose name is like *name*."""
        from pyx.net.close_names import close_name, question  # only where a node is not found

        first, _, host = name.partition("@")
        others = [one for one in self._directory.names() if one != self._claim.name]
        meant = close_name(first, [one.partition("@")[0] for one in others if host_of(one) == host])
        is_running = meant is not None and self._directory.lookup(f"{meant}@{host}") is not None
        return question(meant) if is_running else ""

    @staticmethod
    def dialled(connection: socket.socket) -> PlainHandshakeStream:
        """See `Carrier`."""
        return _plain(connection)


def _plain(connection: socket.socket) -> PlainHandshakeStream:
    from pyx.net.carrier import PlainHandshakeStream  # loaded with the first connection

    return PlainHandshakeStream(connection)


async def _is_erlang(name: str) -> bool:
    """Returns True if EPMD of this host knows an Erlang node of that name."""
    from pyx.net import epmd_client  # only where a node is not found

    try:
        entry = await epmd_client.look_up(name.partition("@")[0], epmd_client.HOME)
    except PyxError:
        return False
    return entry is not None and not entry.is_pyx
