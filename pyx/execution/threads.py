"""Runs a `def` process on a thread of the pool, which survives the kill of the process.

See `core` for when a process is killed, and `thread_kill.py` for how the exception is raised in its thread.
"""

from __future__ import annotations

import contextvars
import sys
from typing import TYPE_CHECKING, Any

from pyx.errors import ProcessKilled
from pyx.execution.context import current
from pyx.execution.thread_kill import receive_what_is_due, stop_tracing
from pyx.execution.thread_state import thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.execution.runner import Finished, Runner


def run_process(runner: Runner, body: Callable[[], Any], finished: Finished) -> None:
    """Runs *body* as the process of *runner* on this thread; then calls `finished(runner, error, value)`.

    A ProcessKilled that another thread raised during the last instruction of *body* arrives before the last
    line of `try`.
    """
    error: BaseException | None = None
    value: Any = None
    try:
        try:
            runner.gate.begin()
            context = contextvars.Context()
            context.run(current.set, runner)
            value = context.run(body)
        except BaseException as raised:
            error = raised
        runner.gate.end()
        if runner.gate.closed:
            receive_what_is_due()
    except ProcessKilled as killed:
        error = killed
    if sys.gettrace() is not None or thread.state.tracer is not None:  # else there is nothing to stop
        stop_tracing()
    try:
        finished(runner, error, value)
    finally:
        error = value = None  # its traceback holds this frame
