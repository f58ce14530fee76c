"""private_loops.py: Tasks of a loop on a thread of the program are cancelled from another thread."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from pyx.execution.private_loops import cancel_tasks_of
from pyx.execution.stacks import current_frames
from tests.local_nodes import HANG, until, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable


class OnAThread:
    """Calls *body* on a new thread, whose tasks another thread can cancel."""

    def __init__(self, body: Callable[[], object]) -> None:
        self._thread = threading.Thread(target=body)
        self._thread.start()

    def cancel(self) -> bool:
        assert self._thread.ident is not None
        frame = current_frames().get(self._thread.ident)
        return frame is not None and cancel_tasks_of(frame)

    def ends(self) -> None:
        self._thread.join(HANG)
        assert not self._thread.is_alive()


def test_each_task_of_the_loop_is_cancelled() -> None:
    begun = threading.Event()
    ended: list[str] = []

    async def task(name: str) -> None:
        try:
            await asyncio.sleep(60 * HANG)
        except asyncio.CancelledError:
            ended.append(name)

    async def main() -> None:
        tasks = [asyncio.create_task(task(name)) for name in "abc"]
        await asyncio.sleep(0)
        begun.set()
        await asyncio.wait(tasks)

    def runs_a_loop() -> None:
        try:
            asyncio.run(main())
        except asyncio.CancelledError:
            ended.append("main")

    thread = OnAThread(runs_a_loop)
    wait_for(begun)
    assert thread.cancel()
    thread.ends()
    assert sorted(ended) == ["a", "b", "c", "main"]


def test_loop_without_tasks_is_stopped() -> None:
    loop = asyncio.new_event_loop()
    thread = OnAThread(loop.run_forever)
    until(loop.is_running)
    assert thread.cancel()
    thread.ends()
    loop.close()


def test_thread_without_a_loop_is_left_alone() -> None:
    go_on = threading.Event()
    thread = OnAThread(go_on.wait)
    assert not thread.cancel()
    go_on.set()
    thread.ends()
