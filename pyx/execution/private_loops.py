"""Ends the event loop that a killed `def` process runs itself, by `asyncio.run`: cancels its tasks.

An exception raised in one of those tasks would stay in that task, and the loop would go on.  See `tasks.py`
for the loop of `async def` processes.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from pyx.execution.stacks import callers, locals_of

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
    loop = loop_below(frame)
    if loop is None:
        return False
    cancel_tasks(loop)
    return True


def cancel_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Cancels the tasks of a loop, or stops it if it has none; callable from any thread."""
    with contextlib.suppress(RuntimeError):  # it has just been closed
        loop.call_soon_threadsafe(_cancel_tasks, loop)


def loop_below(frame: FrameType) -> asyncio.AbstractEventLoop | None:
    """Returns the event loop that runs on the thread whose innermost frame is *frame*; None without one."""
    for one in callers(frame):
        place = _RUNS.get((one.f_globals.get("__name__", ""), one.f_code.co_name))
        if place is not None:
            owner, _, attribute = place.partition(".")
            found = locals_of(one).get(owner)
            # `asyncio.run` itself has the name of the method that it calls, and no `self`.
            loop: asyncio.AbstractEventLoop | None = getattr(found, attribute, None) if attribute else found
            return loop
    return None


def _cancel_tasks(loop: asyncio.AbstractEventLoop) -> None:
    import asyncio

    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if not tasks:
        loop.stop()
