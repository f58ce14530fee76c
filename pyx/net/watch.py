"""The watch on a connection's socket: the loop's, and for moments that of a thread that waits for an answer.

Where the loop's thread reads an answer and wakes the thread that waits for it, most of the time goes into
the change of threads.  So a thread that is about to wait may borrow the watch, reads itself, and gives the
watch back.  The loop watches an epoll object that holds the socket (epoll is nested); lending takes the
socket's events out of that object by one system call, from any thread.

    if watch.lend():                     # the loop does not look for data now
        try:
            send the question, then watch.poll(seconds) and read, until the answer is there
        finally:
            watch.give_back()

Why nothing stays unread, whatever the borrower does:

1. One thread at a time borrows, under a lock that is only tried; all others wait as if this did not exist.
2. Each `lend` is followed by `give_back`, which has the loop watch again.
3. The loop takes the watch back from a borrower that keeps it (in a signal handler of the program, say)
   after two looks, `LEASE_SECONDS` apart.  Both may watch at a time: reading has a lock of its own
   (`connection.py`), and the one that finds no data goes on.
4. Whatever else would have woken the borrower rings the bell, which `poll` watches too.

A loop that runs `async def` processes borrows too (`lend_to_loop`), and keeps the watch as long as it goes on
to borrow: a coroutine that blocks it stops nothing, by rule 3.

Only where the system has epoll and eventfd (Linux); elsewhere `lend` returns False.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import select
import time
from typing import TYPE_CHECKING, Final

from pyx import fast_paths
from pyx.net.bell import Bell

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from pyx.net.loop_watch import LoopWatch

_REST_SECONDS: Final = 1.0
"""A loop that was blocked while data came for it borrows nothing for this long."""

LEASE_SECONDS: Final = 0.01
"""A borrower waits at most this long for data before it gives the watch back."""

_CAN_LEND: Final = hasattr(select, "epoll") and hasattr(os, "eventfd")
_EPOLLIN: Final = 1


class Watch:
    """The watch on one socket.

    Args:
        loop: the loop of the connection.
        descriptor: of the socket.
        readable: called on the loop when there is data.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, descriptor: int, readable: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._descriptor = descriptor
        self._readable = readable
        self._lease = _thread.allocate_lock()
        """Held by the borrower."""
        self._borrower: int | None = None
        """The thread that has, or had last, the lease."""
        self._can_lend = _CAN_LEND and fast_paths.enabled
        self._epoll: select.epoll | None = None
        """Holds the socket for the loop; made for the first borrower."""
        self._poll: select.poll | None = None
        """Holds the socket and the bell for the borrower."""
        self.bell: Bell | None = None
        self._lends = 0
        self._is_looking = False
        self._loop_watch: LoopWatch | None = None
        """Of the loop that may borrow."""
        self._lent_to_loop: list[None] = []
        """Has one item while that loop is the borrower; the thread that takes it out gives the watch back."""
        self._rests_until = 0.0
        # written on the loop only
        self._watches = False

    # ------------------------------------------------------------ on the loop

    def start(self) -> None:
        """Calls `readable` whenever there is data."""
        if not self._watches:
            self._watches = True
            self._loop.add_reader(self._epoll or self._descriptor, self._readable)

    def stop(self) -> None:
        """Calls nothing any more, and lends nothing; a borrower leaves."""
        if self._watches:
            self._watches = False
            self._loop.remove_reader(self._epoll or self._descriptor)
        self.ring()
        self._take_back_from_loop()

    def close(self) -> None:
        """Stops for good."""
        self._can_lend = False
        self.stop()
        loop_watch, self._loop_watch = self._loop_watch, None
        if loop_watch is not None:
            loop_watch.close()
        if self._epoll is not None:
            self._epoll.close()
        self.bell = None
        self._readable = _nothing  # a reference cycle with the connection

    def close_in_child(self) -> None:
        """Lends nothing in a forked child: its epoll objects are those of its parent, and changes too."""
        self._can_lend = self._watches = False
        epoll, self._epoll = self._epoll, None
        if epoll is not None:
            epoll.close()
        loop_watch, self._loop_watch = self._loop_watch, None
        if loop_watch is not None:
            loop_watch.close_in_child()
        self.bell = None

    @property
    def is_lent(self) -> bool:
        """True while a thread has the watch."""
        return self._lease.locked()

    def _prepare(self) -> None:
        if not self._can_lend or self._epoll is not None:
            return
        try:
            epoll = select.epoll()
            epoll.register(self._descriptor, _EPOLLIN)
            bell = Bell()
        except OSError:  # no descriptor is left for a fast path
            self._can_lend = False
            return
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        poll.register(bell.descriptor, select.POLLIN)
        watched, self._watches = self._watches, False
        if watched:
            self._loop.remove_reader(self._descriptor)
        self._poll, self.bell = poll, bell
        self._epoll = epoll
        if watched:
            self.start()

    def _look(self, lends: int) -> None:
        """Takes the watch back from a borrower that has kept it since the last look."""
        self._is_looking = False
        if self._lends != lends:
            if not self._is_looking:  # else a new borrower has just asked for the next look
                self._look_later()
        elif self._lent_to_loop:
            if self._poll is not None and self._poll.poll(0):  # it is blocked
                self._rests_until = time.monotonic() + _REST_SECONDS
            self._take_back_from_loop()
        elif self._lease.locked():
            self._watch_again()

    def _look_later(self) -> None:
        self._is_looking = True
        self._loop.call_later(LEASE_SECONDS, self._look, self._lends)

    # ------------------------------------------------------------ the borrower, on any thread

    def lend(self) -> bool:
        """Returns True if the calling thread has the watch now; it must `give_back`, whatever happens."""
        epoll = self._epoll
        if epoll is None:
            if self._can_lend:
                self._on_loop(self._prepare)
            return False
        if not self._watches:
            return False
        if not self._lease.acquire(False):
            # A signal handler, or a finalizer, has interrupted the borrower and may wait for an answer.
            if self._borrower == _thread.get_ident():
                self._watch_again()
            return False
        try:
            self._borrower = _thread.get_ident()
            self._lends += 1
            epoll.modify(self._descriptor, 0)
            if not self._is_looking:
                self._is_looking = True
                self._on_loop(self._look_later)
        except (OSError, ValueError):  # the connection has just ended
            self._lease.release()
            return False
        return True

    def lend_to_loop(self, loop: asyncio.AbstractEventLoop, readable: Callable[[], None]) -> None:
        """Has *loop*, which runs on the calling thread, watch from now on, while it goes on to call this.

        Args:
            loop: one for each connection; others borrow nothing until it is closed.
            readable: called on *loop* when there is data; the same each time.
        """
        loop_watch = self._loop_watch
        if self._lent_to_loop:
            if loop_watch is not None and loop_watch.loop is loop:
                self._lends += 1
            return
        if loop_watch is not None and loop_watch.loop is not loop and loop_watch.loop.is_closed():
            loop_watch.close()
            self._loop_watch = loop_watch = None
        if loop_watch is None:
            if self._epoll is None:
                if self._can_lend:
                    self._on_loop(self._prepare)
                return
            if loop is self._loop:
                return
            from pyx.net.loop_watch import LoopWatch  # not before the first prompt

            try:
                loop_watch = LoopWatch(loop, self._descriptor, readable)
            except OSError:
                return
            self._loop_watch = loop_watch
            if not self._can_lend:  # the connection has just ended
                loop_watch.close()
                return
        if loop_watch.loop is loop and time.monotonic() >= self._rests_until and self.lend():
            loop_watch.listen(_EPOLLIN)
            self._lent_to_loop.append(None)
            if not self._watches:  # stopped meanwhile
                self._take_back_from_loop()

    def _take_back_from_loop(self) -> None:
        try:
            self._lent_to_loop.pop()
        except IndexError:
            return
        if self._loop_watch is not None:
            self._loop_watch.listen(0)
        self.give_back()

    def poll(self, seconds: float) -> bool:
        """Waits for data or the bell; returns False after *seconds*.  A signal handler may raise here."""
        poll, bell = self._poll, self.bell
        if poll is None or bell is None:
            return False
        bell.holder = None  # a signal handler on this thread may ring
        ready = poll.poll(max(seconds, 0.0) * 1000)
        bell.holder = _thread.get_ident()
        for descriptor, _ in ready:
            if descriptor == bell.descriptor:
                bell.silence()
        return bool(ready)

    def give_back(self) -> None:
        """Has the loop watch again."""
        bell, epoll = self.bell, self._epoll
        if bell is not None:
            bell.holder = None
        try:
            if epoll is not None:
                epoll.modify(self._descriptor, _EPOLLIN)
        except (OSError, ValueError):  # the connection has ended
            pass
        finally:
            self._lease.release()

    def ring(self) -> None:
        """Wakes the borrower, if there is one."""
        if self.bell is not None:
            self.bell.ring()

    def _watch_again(self) -> None:
        epoll = self._epoll
        if epoll is not None:
            with contextlib.suppress(OSError, ValueError):  # the connection has ended
                epoll.modify(self._descriptor, _EPOLLIN)

    def _on_loop(self, step: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the node has stopped
            self._loop.call_soon_threadsafe(step)


def _nothing() -> None:
    """Takes the place of a connection that has ended."""
