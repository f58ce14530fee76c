"""watch.py, bell.py: The watch on a socket is lent; whatever the borrower does, the loop has it again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from pyx import fast_paths
from pyx.execution.loop_thread import LoopThread
from pyx.net import watch
from pyx.net.bell import Bell
from pyx.net.watch import Watch
from tests.local_nodes import HANG, until, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(
    not (hasattr(select, "epoll") and hasattr(os, "eventfd")), reason="the watch is lent on Linux only"
)


class Watched:
    """A socket that the loop of a thread reads, as a connection is.

    Where `LEASE_SECONDS` is long (as the fixtures make it), the loop does not look for a kept watch
    by itself.
    """

    def __init__(self, thread: LoopThread) -> None:
        self.thread = thread
        self.here, self.there = socket.socketpair()
        self.here.setblocking(False)
        self.read: list[bytes] = []
        self.has_read = threading.Event()
        self.watch = Watch(thread.start(), self.here.fileno(), self.readable)
        thread.call(self.watch.start)

    def readable(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self.read.append(self.here.recv(100))
            self.has_read.set()

    def prepare(self) -> None:
        """The first borrower asks in vain: the loop makes ready for the next."""
        assert not self.watch.lend()
        until(lambda: self.watch.bell is not None)
        self.thread.call(lambda: None)  # the bell is not the last thing that it makes

    def data_came_to_the_loop(self) -> bool:
        self.has_read.clear()
        self.there.send(b"data")
        wait_for(self.has_read)
        return self.read.pop() == b"data"

    def is_lent_after_a_look(self, lends: int | None = None) -> bool:
        """Has the loop look for a watch that is kept since the lend of this number, else since the last."""
        self.thread.call(self.watch._look, self.watch._lends if lends is None else lends)
        return self.watch.is_lent


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    monkeypatch.setattr(fast_paths, "enabled", True)
    monkeypatch.setattr(watch, "LEASE_SECONDS", HANG)  # a thread that is scheduled late would lose the watch
    thread = LoopThread("test-loop")
    watched = Watched(thread)
    yield watched
    thread.call(watched.watch.close)
    thread.stop()
    watched.here.close()
    watched.there.close()


def test_loop_reads_before_and_after_the_watch_was_lent(watched: Watched) -> None:
    assert watched.data_came_to_the_loop()
    watched.prepare()
    assert watched.data_came_to_the_loop()
    assert watched.watch.lend()
    watched.watch.give_back()
    assert watched.data_came_to_the_loop()


def test_borrower_alone_learns_of_data(watched: Watched) -> None:
    watched.prepare()
    assert watched.watch.lend()
    watched.there.send(b"answer")
    assert watched.watch.poll(HANG)
    assert watched.here.recv(100) == b"answer"
    assert watched.read == []
    assert not watched.watch.poll(0)
    watched.watch.give_back()


def test_data_that_the_borrower_leaves_is_read_by_the_loop(watched: Watched) -> None:
    watched.prepare()
    assert watched.watch.lend()
    watched.there.send(b"left")
    assert watched.watch.poll(HANG)
    watched.watch.give_back()
    wait_for(watched.has_read)
    assert watched.read == [b"left"]


def test_one_thread_at_a_time_borrows(watched: Watched) -> None:
    watched.prepare()
    assert watched.watch.lend()
    assert watched.watch.is_lent
    assert not watched.watch.lend()
    watched.watch.give_back()
    assert watched.watch.lend()
    watched.watch.give_back()


def test_borrower_that_asks_again_has_the_loop_watch_at_once(watched: Watched) -> None:
    """As when a signal handler interrupts the thread that waits, and calls the same node."""
    watched.prepare()
    for _ in range(3):
        assert watched.watch.lend()
        assert not watched.watch.lend()
        assert watched.data_came_to_the_loop()
        watched.watch.give_back()


def test_watch_that_is_kept_is_taken_back(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a signal handler of the program blocks the thread that waits."""
    monkeypatch.setattr(watch, "LEASE_SECONDS", 0.01)
    watched.prepare()
    for _ in range(3):
        assert watched.watch.lend()
        assert watched.data_came_to_the_loop()
        watched.watch.give_back()


def test_bell_wakes_the_borrower(watched: Watched) -> None:
    watched.prepare()
    bell = watched.watch.bell
    assert bell is not None
    assert watched.watch.lend()
    ringer = threading.Thread(target=bell.ring)
    ringer.start()
    assert watched.watch.poll(HANG)
    ringer.join()
    assert not watched.watch.poll(0)
    watched.watch.give_back()


def test_thread_that_reads_rings_no_bell_for_itself(watched: Watched) -> None:
    watched.prepare()
    assert watched.watch.lend()
    watched.there.send(b"answer")
    assert watched.watch.poll(HANG)
    watched.here.recv(100)
    watched.watch.ring()
    assert not watched.watch.poll(0)
    watched.watch.give_back()


def test_end_of_the_connection_wakes_the_borrower(watched: Watched) -> None:
    watched.prepare()
    assert watched.watch.lend()
    bell = watched.watch.bell
    assert bell is not None
    watched.thread.call(watched.watch.close)
    assert not watched.watch.poll(HANG) or select.select([bell.descriptor], [], [], 0)[0]
    watched.watch.give_back()
    assert not watched.watch.lend()


def test_stopped_watch_is_not_lent(watched: Watched) -> None:
    watched.prepare()
    watched.thread.call(watched.watch.stop)
    assert not watched.watch.lend()
    watched.thread.call(watched.watch.start)
    assert watched.watch.lend()
    watched.watch.give_back()


def test_bell_keeps_its_descriptor_while_it_may_be_rung() -> None:
    """Else a late ring would write into a file that has got the number since."""
    bell = Bell()
    descriptor = bell.descriptor
    ring = bell.ring
    del bell
    ring()
    assert os.eventfd_read(descriptor) == 1
    del ring
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.eventfd_read(descriptor)


def test_nothing_is_lent_without_fast_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_paths, "enabled", False)
    loop = asyncio.new_event_loop()
    here, there = socket.socketpair()
    with here, there, contextlib.closing(loop):
        unlent = Watch(loop, here.fileno(), lambda: None)
        unlent.start()
        assert not unlent.lend()
        loop.call_soon(loop.stop)
        loop.run_forever()
        assert unlent.bell is None
        unlent.close()
