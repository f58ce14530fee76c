"""The addresses of a host name, asked on a thread of its own, which nothing waits for at the end.

Event loops ask on a pool of threads, which uvloop and asyncio join at the end of the OS process.  A name
server that is silent has the C library wait for 10 s and more [measured: `exit` took 8 s longer].
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import threading
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

MOST_THREADS: Final = 16
"""Questions that are open; a silent name server has the C library keep each for a minute at most."""

_THREADS: Final = threading.BoundedSemaphore(MOST_THREADS)

Found: TypeAlias = Sequence[tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]]


async def resolve(host: str, port: int | None, family: int = socket.AF_UNSPEC) -> Found:
    """Returns what `socket.getaddrinfo` does for a stream to *host*; an address is its own.

    Raises:
        OSError: the host has no address, or the resolver does not know.
        UnicodeError: it cannot be the name of a host.
    """
    name = host.encode("ascii")  # bytes: of a text the codec for international names is loaded
    try:
        return socket.getaddrinfo(name, port, family, socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except OSError:  # not an address
        pass
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Found] = loop.create_future()

    def tell(found: Found | Exception) -> None:
        if answer.done():  # it took too long
            return
        if isinstance(found, Exception):
            answer.set_exception(found)
        else:
            answer.set_result(found)

    def ask() -> None:
        found: Found | Exception
        try:
            found = socket.getaddrinfo(name, port, family, socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            found = error
        _THREADS.release()
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(tell, found)

    if not _THREADS.acquire(blocking=False):
        raise OSError(
            errno.EAGAIN, f"{MOST_THREADS} names are being asked for, and the name server is silent"
        )
    try:
        threading.Thread(target=ask, name="pyx-resolver", daemon=True).start()
    except RuntimeError:  # the system has no thread left
        _THREADS.release()
        raise OSError(errno.EAGAIN, "there is no thread left to ask for it") from None
    return await answer
