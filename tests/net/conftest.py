"""The transport's loop as the tests need it (in a thread, of either make), and places to try things."""

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

HANG = 10.0
"""Seconds after which a test that waits in vain gives up; never waited for when all is well."""


class LoopThread:
    """A running loop, and the way onto it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.complaints: list[str] = []
        loop.set_exception_handler(lambda _, context: self.complaints.append(str(context)))
        self._thread = threading.Thread(target=loop.run_forever)
        self._thread.start()

    def run(self, coroutine: Coroutine[object, object, T]) -> T:
        """The coroutine's result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(HANG)

    def call(self, function: Callable[[], T]) -> T:
        """The function's result, computed on the loop."""

        async def on_the_loop() -> T:
            return function()

        return self.run(on_the_loop())

    def settle(self) -> None:
        """Returns when everything has run that was ready, and what that made ready."""
        for _ in range(5):
            self.call(lambda: None)

    def stop(self) -> None:
        """Ends the thread; nothing may be left behind on the loop."""
        tasks = self.call(
            lambda: [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        )
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(HANG)
        self.loop.close()
        assert tasks == []
        assert self.complaints == []


@pytest.fixture(params=["asyncio", "uvloop"])
def loop_thread(request: pytest.FixtureRequest) -> Iterator[LoopThread]:
    thread = LoopThread(uvloop.new_event_loop() if request.param == "uvloop" else asyncio.new_event_loop())
    yield thread
    thread.stop()


@pytest.fixture
def short_directory() -> Iterator[str]:
    """A directory of mine alone whose path leaves room for a socket's name."""
    path = tempfile.mkdtemp(prefix="pyx-", dir="/tmp")
    yield path
    shutil.rmtree(path)


def run(script: str, *arguments: str) -> str:
    """What a Python of its own prints; forks belong there, where no thread runs beside."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
