"""TCP sockets, connecting and listening: for connections between nodes (`tls_stream.py`) and for EPMD."""

from __future__ import annotations

import contextlib
import socket
from typing import Final

from pyx.errors import PyxError
from pyx.net.error_words import in_words, system_text

_BACKLOG: Final = 512


class Unreachable(PyxError):
    """No address of a host accepts a connection."""


async def connect(host: str, port: int) -> socket.socket:
    """Returns a non-blocking connection to *host*; tries all its addresses in turn, without a time limit.

    Raises:
        Unreachable: no address of the host can be reached; the sentence has the reason.
        PyxError: the host has no address.
    """
    import asyncio  # 8 MB that `epmd_server.py`, which only listens, does not need

    from pyx.net.resolver import resolve

    loop = asyncio.get_running_loop()
    try:
        found = await resolve(host, port)
    except (OSError, UnicodeError) as error:  # UnicodeError: an invalid label
        msg = f"the host {host!r} has no address: {system_text(error)}"
        raise PyxError(msg) from error
    reason = "no address"
    for family, kind, protocol, _, address in found:
        with contextlib.ExitStack() as failed:
            try:
                connection = failed.enter_context(socket.socket(family, kind, protocol))
                connection.setblocking(False)
                await loop.sock_connect(connection, address)
            except OSError as error:
                reason = in_words(error)
                continue
            failed.pop_all()
            return connection
    msg = f"cannot connect to {host} port {port}: {reason}"
    raise Unreachable(msg)


def listen(address: str, port: int) -> socket.socket:
    """Returns a non-blocking socket that listens on one address of this host; port 0: any free port.

    Raises:
        PyxError: the address is not this host's, or the port is taken; the sentence says which.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setblocking(False)
        # A port that was in use a moment ago may be used at once; a port in use may not.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind((address, port))
        listening.listen(_BACKLOG)
    except (OSError, UnicodeError) as error:
        listening.close()
        msg = f"cannot listen on {address} port {port}: {system_text(error)}"
        raise PyxError(msg) from error
    return listening
