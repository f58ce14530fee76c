"""Free TCP ports of this host, which no other test takes meanwhile."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIRST: Final = 20_000
"""The ports are below those that the system gives to outgoing connections, and to listeners without one."""

_EACH: Final = 400
_SHARES: Final = 25


def free_port() -> int:
    """Returns a port that is free on all addresses; each call returns another, until all had their turn."""
    ports = _ports_of(os.getpid())
    while True:
        port = next(ports)
        with contextlib.suppress(OSError), socket.create_server(("0.0.0.0", port)):
            return port


@functools.cache
def _ports_of(os_pid: int) -> Iterator[int]:
    """The ports of one OS process: of a share that it holds by listening at its first port."""
    shares = [_FIRST + _EACH * ((os_pid + at) % _SHARES) for at in range(_SHARES)]
    for first in shares:
        with contextlib.suppress(OSError):
            socket.create_server(("127.0.0.1", first)).detach()  # open until the process ends
            return itertools.cycle(range(first + 1, first + _EACH))
    return itertools.cycle(range(shares[0] + 1, shares[0] + _EACH))  # more runs of tests than shares
