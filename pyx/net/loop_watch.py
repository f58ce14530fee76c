"""The watch on a connection's socket by the loop of `async def` processes, while that loop has borrowed it.

The loop watches an epoll object that holds the socket, as the transport's loop does (`watch.py`): events of
the socket are let into the one or into the other, by any thread.
"""

from __future__ import annotations

import contextlib
import contextvars
import select
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


class LoopWatch:
    """The watch of one loop on one socket.  Made on that loop.

    Args:
        loop: the running loop.
        descriptor: of the socket.
        readable: called on the loop when there is data, and the loop has borrowed the watch.

    Raises:
        OSError: no descriptor is left.
    """

    __slots__ = ("_descriptor", "_epoll", "loop")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, descriptor: int, readable: Callable[[], None]
    ) -> None:
        self.loop = loop
        self._descriptor = descriptor
        self._epoll = select.epoll()
        self._epoll.register(descriptor, 0)
        # In a context of its own: the caller's would keep its process alive.
        contextvars.Context().run(loop.add_reader, self._epoll.fileno(), readable)

    def listen(self, events: int) -> None:
        """Lets *events* of the socket in, 0 for none; any thread."""
        with contextlib.suppress(OSError, ValueError):  # the connection has ended
            self._epoll.modify(self._descriptor, events)

    def close(self) -> None:
        """Stops for good; any thread."""
        try:
            self.loop.call_soon_threadsafe(self._close)
        except RuntimeError:  # the loop is closed
            self._epoll.close()

    def close_in_child(self) -> None:
        """See `forks.py`."""
        self._epoll.close()

    def _close(self) -> None:
        if not self._epoll.closed:
            self.loop.remove_reader(self._epoll.fileno())
            self._epoll.close()
