"""A bad network between two ends of TCP, without root: a proxy that damages a stream of bytes.

It can hold bytes back, one way or both, pass them on late or one at a time, change one, and cut the
connection at any byte.  It cannot lose or reorder them: TCP hides that.  Loss of packets is tested in
`tests/partition/test_namespaces.py`.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable

HANG = 30.0

NEVER: Final = 1 << 60


class Way:
    """One direction through a proxy, for all its connections.  Set its faults at any time."""

    def __init__(self) -> None:
        self.is_open = threading.Event()
        """Cleared: received bytes are held back until it is set again."""
        self.is_open.set()
        self.in_single_bytes = False
        self.delay: Callable[[], float] = float
        """Returns the delay of each piece in seconds; the order stays."""
        self.passed = 0
        """The number of bytes passed on."""
        self._flip_at = self._cut_at = NEVER

    def flips(self, bytes_from_now: int = 0) -> None:
        """Changes one bit of the byte *bytes_from_now*."""
        self._flip_at = self.passed + bytes_from_now

    def cuts(self, bytes_from_now: int = 0) -> None:
        """Cuts the connection, both ways, after *bytes_from_now* more bytes."""
        self._cut_at = self.passed + bytes_from_now

    def is_cut(self) -> bool:
        """Returns True once, when the place of the cut is reached."""
        if self.passed < self._cut_at:
            return False
        self._cut_at = NEVER
        return True

    def take(self, data: bytes) -> bytes:
        """Applies the faults to bytes that are passed on now; returns the result."""
        data = data[: self._cut_at - self.passed]
        place = self._flip_at - self.passed
        if 0 <= place < len(data):
            data = data[:place] + bytes((data[place] ^ 0x10,)) + data[place + 1 :]
            self._flip_at = NEVER
        self.passed += len(data)
        return data


class FaultProxy:
    """Listens at *entrance* and connects to *real*; a context manager, which leaves no thread and no socket.

    Args:
        entrance: an address and port of this host.
        real: the address of the real listener, now or later.
    """

    def __init__(self, entrance: tuple[str, int], real: tuple[str, int]) -> None:
        self.there = Way()
        """The direction from the dialling end to the accepting one."""
        self.back = Way()
        self._real = real
        self._listening = socket.create_server(entrance)
        self._ends: list[socket.socket] = []
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._run)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for way in (self.there, self.back):
            way.is_open.set()
        self._listening.shutdown(socket.SHUT_RDWR)  # wakes the thread in accept
        self._threads[0].join(HANG)
        self.cuts()
        for thread in self._threads:
            thread.join(HANG)
            assert not thread.is_alive()
        for end in (*self._ends, self._listening):
            end.close()

    def cuts(self) -> None:
        """Cuts all connections now."""
        for end in self._ends:
            _shut_down(end)

    def _run(self) -> None:
        while True:
            try:
                dialler, _ = self._listening.accept()
            except OSError:
                return
            try:
                real = socket.create_connection(self._real, HANG)
            except OSError:
                dialler.close()
                continue
            real.settimeout(None)
            self._ends += [dialler, real]
            for source, target, way in ((dialler, real, self.there), (real, dialler, self.back)):
                target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                thread = threading.Thread(target=self._pass, args=(source, target, way))
                self._threads.append(thread)
                thread.start()

    def _pass(self, source: socket.socket, target: socket.socket, way: Way) -> None:
        try:
            while data := source.recv(16 * 1024):
                self._wait(way)
                step = 1 if way.in_single_bytes else len(data)
                for at in range(0, len(data), step):
                    target.sendall(way.take(data[at : at + step]))
                    if way.is_cut():
                        raise ConnectionResetError
            self._wait(way)
            target.shutdown(socket.SHUT_WR)
        except OSError:  # cut here, or by one of the two ends: both see it
            _shut_down(source)
            _shut_down(target)

    def _wait(self, way: Way) -> None:
        way.is_open.wait()
        self._is_over.wait(way.delay())


def _shut_down(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
