"""TCP sockets: to a host that has a name or an address, and from this one.  Not here: what is said on them.

For links between nodes (`net/tls_stream.py` goes on top) and for EPMD.
"""

from __future__ import annotations

import contextlib
import socket
from typing import Final

from pyx.errors import PyxError
from pyx.net.error_words import in_words

_BACKLOG: Final = 512


class Unreachable(PyxError):
    """No address of a host takes a connection."""


async def connect(host: str, port: int) -> socket.socket:
    """A non-blocking connection to that host, which tries all its addresses in turn.  A time limit is the
    caller's business.

    Raises:
        Unreachable: none of its addresses can be reached; the sentence says why.
        PyxError: it has no address.
    """
    import asyncio  # 8 MB that whoever only listens (`net/epmd_server.py`) does without

    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # UnicodeError: a label that is no label
        msg = f"the host {host!r} has no address: {getattr(error, 'strerror', None) or error}"
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
    """A non-blocking socket that listens on one address of this host; port 0: any free one (ask
    `getsockname`).

    Raises:
        PyxError: the address is not this host's, or the port is taken; the sentence says which.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setblocking(False)
        # A port that a node has just left may be used at once; one that is in use may not.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind((address, port))
        listening.listen(_BACKLOG)
    except (OSError, UnicodeError) as error:
        listening.close()
        msg = f"cannot listen on {address} port {port}: {getattr(error, 'strerror', None) or error}"
        raise PyxError(msg) from error
    return listening
