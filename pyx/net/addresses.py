"""The address that the host part of a node name stands for, and whether it is this host's."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from pyx.errors import PyxError
from pyx.net.error_words import system_text


async def address_of(host: str) -> str:
    """Returns the first address of *host*; an address is its own.

    Raises:
        PyxError: the host has none.
    """
    with contextlib.suppress(OSError, ValueError):  # an address: neither the resolver nor a codec is loaded
        socket.inet_pton(socket.AF_INET, host)
        return host
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        msg = f"the host {host!r} has no address: {system_text(error)}"
        raise PyxError(msg, hint="say where to listen: --listen ADDRESS") from error
    return str(found[0][4][0])


def why_not_own(address: str) -> str:
    """Returns why no socket of this host can have *address*, in the system's words; empty if one can."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
            probe.bind((address, 0))
    except OSError as error:
        return error.strerror or str(error)
    return ""
