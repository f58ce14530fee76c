"""loop_watch.py, watch.py: The loop of `async def` processes borrows the watch; a blocked one loses it."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pyx import fast_paths
from pyx.execution.loop_thread import LoopThread
from pyx.net import watch
from tests.local_nodes import HANG, until, wait_for
from tests.net.test_watch import Watched

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(
    not (hasattr(select, "epoll") and hasattr(os, "eventfd")), reason="the watch is lent on Linux only"
)


class Shared(Watched):
    """A socket whose watch two loops share."""

    def __init__(self, thread: LoopThread, borrower: LoopThread) -> None:
        super().__init__(thread)
        self.borrower = borrower
        self.read_by_borrower: list[bytes] = []
        self.borrower_has_read = threading.Event()

    def readable_by_borrower(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self.read_by_borrower.append(self.here.recv(100))
            self.borrower_has_read.set()

    def borrow(self) -> None:
        loop = self.borrower.start()
        self.borrower.call(self.watch.lend_to_loop, loop, self.readable_by_borrower)

    def data_comes_to_the_borrower(self) -> bool:
        self.borrower_has_read.clear()
        self.there.send(b"data")
        wait_for(self.borrower_has_read)
        return self.read_by_borrower.pop() == b"data"


@pytest.fixture
def long_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop that is scheduled late does not lose the watch, and one that was blocked rests on."""
    monkeypatch.setattr(fast_paths, "enabled", True)
    monkeypatch.setattr(watch, "LEASE_SECONDS", HANG)
    monkeypatch.setattr(watch, "_REST_SECONDS", HANG)


@pytest.fixture
def shared(long_lease: None) -> Iterator[Shared]:
    thread, borrower = LoopThread("test-loop"), LoopThread("test-borrower")
    shared = Shared(thread, borrower)
    shared.prepare()
    yield shared
    thread.call(shared.watch.close)
    shared.borrower.call(lambda: None)
    thread.stop()
    shared.borrower.stop()
    shared.here.close()
    shared.there.close()


def test_loop_that_borrows_reads_until_it_borrows_no_more(shared: Shared) -> None:
    shared.borrow()
    assert shared.watch.is_lent
    assert shared.data_comes_to_the_borrower()
    assert shared.read == []
    assert not shared.is_lent_after_a_look()
    assert shared.data_came_to_the_loop()
    assert shared.read_by_borrower == []


def test_loop_keeps_the_watch_while_it_goes_on_to_borrow(shared: Shared) -> None:
    for _ in range(30):
        before = shared.watch._lends
        shared.borrow()
        assert shared.is_lent_after_a_look(before)
        assert shared.data_comes_to_the_borrower()


def test_thread_does_not_borrow_what_a_loop_has(shared: Shared) -> None:
    shared.borrow()
    assert not shared.watch.lend()
    assert not shared.is_lent_after_a_look()
    assert shared.watch.lend()
    shared.borrow()
    shared.watch.give_back()
    assert shared.data_came_to_the_loop()


def test_blocked_loop_loses_the_watch_and_rests(shared: Shared) -> None:
    shared.borrow()
    is_blocked, goes_on = threading.Event(), threading.Event()
    shared.borrower.soon(lambda: (is_blocked.set(), wait_for(goes_on)))
    wait_for(is_blocked)
    shared.there.send(b"waits")
    assert not shared.is_lent_after_a_look()
    wait_for(shared.has_read)
    assert shared.read == [b"waits"]
    goes_on.set()
    shared.borrow()
    assert not shared.watch.is_lent
    assert shared.data_came_to_the_loop()


def test_third_loop_borrows_nothing(shared: Shared) -> None:
    shared.borrow()
    assert not shared.is_lent_after_a_look()
    third = LoopThread("test-third")
    third.call(shared.watch.lend_to_loop, third.start(), lambda: None)
    assert not shared.watch.is_lent
    third.stop()


def test_closed_loop_loses_the_watch_and_the_next_loop_borrows_it(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_REST_SECONDS", 0.0)  # data waits for the closed loop
    shared.borrow()
    loop = shared.borrower.start()
    shared.borrower.stop()
    until(loop.is_closed)
    shared.there.send(b"waits")
    assert not shared.is_lent_after_a_look()
    wait_for(shared.has_read)
    shared.borrower = LoopThread("test-next")
    shared.borrow()
    assert shared.watch.is_lent
    assert shared.data_comes_to_the_borrower()


def test_stopped_watch_is_taken_from_the_loop_at_once(shared: Shared) -> None:
    shared.borrow()
    shared.thread.call(shared.watch.stop)
    assert not shared.watch.is_lent
    shared.borrow()
    assert not shared.watch.is_lent
    shared.thread.call(shared.watch.start)
    assert shared.data_came_to_the_loop()


@pytest.mark.usefixtures("long_lease")
def test_end_of_the_connection_frees_all_descriptors() -> None:
    thread, borrower = LoopThread("test-loop"), LoopThread("test-borrower")
    thread.start()
    borrower.start()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(10):
        shared = Shared(thread, borrower)
        shared.prepare()
        shared.borrow()
        assert shared.data_comes_to_the_borrower()
        thread.call(shared.watch.close)
        borrower.call(lambda: None)
        shared.here.close()
        shared.there.close()
        del shared
    assert len(os.listdir("/proc/self/fd")) <= before
    thread.stop()
    borrower.stop()


FORKS = """
import os, sys
from pyx.execution.loop_thread import LoopThread
from tests.net.test_loop_watch import Shared

shared = Shared(LoopThread("loop"), LoopThread("borrower"))
shared.prepare()
shared.borrow()
if sys.argv[1] == "lent to a thread":
    while shared.watch.is_lent: pass
    assert shared.watch.lend()
child = os.fork()
if child == 0:
    shared.watch.close_in_child()
    assert not shared.watch.lend()
    shared.watch.lend_to_loop(shared.borrower.loop, shared.readable_by_borrower)
    shared.watch.give_back() if sys.argv[1] == "lent to a thread" else None
    os._exit(shared.watch.bell is not None)
assert os.waitpid(child, 0)[1] == 0
if sys.argv[1] == "lent to a thread":
    shared.watch.give_back()
else:
    while shared.watch.is_lent: pass
assert shared.data_came_to_the_loop()
os._exit(0)
"""


@pytest.mark.parametrize("borrower", ["lent to a thread", "lent to a loop"])
def test_forked_child_leaves_the_watch_of_its_parent_as_it_is(borrower: str) -> None:
    root = Path(__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, "-c", FORKS, borrower],
        cwd=root,
        env=os.environ | {"PYX_FAST_PATHS": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
