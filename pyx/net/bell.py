"""The bell of a thread that polls for data: rung by any other thread, it ends the poll.  See `watch.py`."""

from __future__ import annotations

import _thread
import contextlib
import os
from typing import Final


class Bell:
    """Wakes the thread that polls: a file descriptor that is readable once `ring` was called.

    The descriptor is closed with the last reference, so `ring` never writes to another file.
    """

    __slots__ = ("descriptor", "holder")

    def __init__(self) -> None:
        self.descriptor: Final = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.holder: int | None = None
        """The thread that has polled, and reads now; it looks again before it polls, so it needs no ring."""

    def ring(self) -> None:
        """Wakes the thread that polls, or the next one; any thread."""
        if self.holder != _thread.get_ident():
            with contextlib.suppress(BlockingIOError):  # rung 2**64 times
                os.eventfd_write(self.descriptor, 1)

    def silence(self) -> None:
        """Forgets all rings."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self.descriptor)

    def __del__(self) -> None:
        os.close(self.descriptor)
