"""Ends the event loop that a killed `def` process runs itself, by `asyncio.run`: cancels its tasks.

An exception raised in one of those tasks would stay in that task, and the loop would go on.  See `tasks.py`
for the loop of `async def` processes.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio
    from types import FrameType

_RUNS: Final = {
    ("asyncio.base_events", "run_forever"): "self",
    ("asyncio.runners", "run"): "self._loop",  # uvloop's frames are not Python's
}
"""The expression that is the loop in a frame, by the module and name of the frame's function."""


def cancel_tasks_of(frame: FrameType) -> bool:
    """Cancels the tasks of the event loop that runs on the thread whose innermost frame is *frame*.

    Callable from any thread.  A loop without tasks is stopped.  Returns False where no loop runs.
    """
    loop = _loop_below(frame)
    if loop is None:
        return False
    with contextlib.suppress(RuntimeError):  # it has just been closed
        loop.call_soon_threadsafe(_cancel_tasks, loop)
    return True


def _loop_below(frame: FrameType | None) -> asyncio.AbstractEventLoop | None:
    while frame is not None:
        place = _RUNS.get((frame.f_globals.get("__name__", ""), frame.f_code.co_name))
        if place is not None:
            owner, _, attribute = place.partition(".")
            found = frame.f_locals.get(owner)
            loop: asyncio.AbstractEventLoop | None = getattr(found, attribute) if attribute else found
            return loop
        frame = frame.f_back
    return None


def _cancel_tasks(loop: asyncio.AbstractEventLoop) -> None:
    import asyncio

    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if not tasks:
        loop.stop()
