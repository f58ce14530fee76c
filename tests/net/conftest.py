"""A running event loop on a thread, of asyncio or uvloop, a directory for sockets, and a child Python."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile
import textwrap
import threading
from typing import TYPE_CHECKING, TypeVar

import pytest
import uvloop

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

T = TypeVar("T")

HANG = 30.0
"""Seconds after which a test that waits in vain gives up; never waited for when all is well."""


class LoopThread:
    """An event loop that runs on a thread of its own; `run` and `call` use it from outside."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.errors: list[str] = []
        loop.set_exception_handler(lambda _, context: self.errors.append(str(context)))
        self._thread = threading.Thread(target=loop.run_forever)
        self._thread.start()

    def run(self, coroutine: Coroutine[object, object, T]) -> T:
        """Runs *coroutine* on the loop; returns its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(HANG)

    def call(self, function: Callable[[], T]) -> T:
        """Calls *function* on the loop; returns its result."""

        async def on_the_loop() -> T:
            return function()

        return self.run(on_the_loop())

    def settle(self) -> None:
        """Returns when all ready callbacks have run, and those that they have made ready."""
        for _ in range(5):
            self.call(lambda: None)

    def stop(self) -> None:
        """Ends the thread; fails if a task or an unhandled error is left on the loop."""
        tasks = self.call(
            lambda: [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        )
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(HANG)
        self.loop.close()
        assert tasks == []
        assert self.errors == []


@pytest.fixture(params=["asyncio", "uvloop"])
def loop_thread(request: pytest.FixtureRequest) -> Iterator[LoopThread]:
    thread = LoopThread(uvloop.new_event_loop() if request.param == "uvloop" else asyncio.new_event_loop())
    yield thread
    thread.stop()


@pytest.fixture
def short_directory() -> Iterator[str]:
    """A private directory whose path is short enough for a unix socket in it."""
    path = tempfile.mkdtemp(prefix="pyx-", dir="/tmp")
    yield path
    shutil.rmtree(path)


def run(script: str, *arguments: str) -> str:
    """Runs *script* in a child Python; returns its output.  Forks belong there: no other thread runs."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
