"""Where the code of a process is: its innermost function, and its stack, with the user's frames only."""

from __future__ import annotations

import _thread
import sys
from itertools import takewhile
from typing import TYPE_CHECKING, TypeAlias

from pyx.execution import tracebacks
from pyx.execution.stacks import callers, current_frames

if TYPE_CHECKING:
    from types import FrameType

    from pyx.core.processes import ProcessRecord
    from pyx.execution.runner import Runner

    Place: TypeAlias = tuple[str, str, int]
    """(module, function, line)."""


def current_function(process: ProcessRecord, initial_call: tuple[str, str, int]) -> Place | None:
    """Returns the place of the innermost frame that is the user's; None where no code runs.

    A process whose function is itself a builtin has no frame: it is named, with line 0.
    """
    runner: Runner | None = process.runner
    if runner is None:
        return None
    if (task := runner.task) is not None:
        frame = tracebacks.innermost_frame(task.get_coro())
        return None if frame is None else _place(frame)
    if runner.gate.thread_ident is None:
        return None
    outer = (one for one in _thread_frames(runner) if not tracebacks.is_ours(one.f_code.co_filename))
    frame = next(outer, None)
    # Below pyx's own frames a thread has only those of `threading`.
    if frame is not None and _starts_thread(frame):
        return (*initial_call[:2], 0)
    return None if frame is None else _place(frame)


def stacktrace(process: ProcessRecord) -> list[Place]:
    """Returns the places of all frames that are the user's or a library's, the innermost first."""
    runner: Runner | None = process.runner
    if runner is None:
        return []
    if (task := runner.task) is not None:
        frames = tracebacks.awaited_frames(task.get_coro())[::-1]
    else:
        frames = list(takewhile(lambda one: not _starts_thread(one), _thread_frames(runner)))
    return [_place(frame) for frame in frames if not tracebacks.is_ours(frame.f_code.co_filename)]


def _thread_frames(runner: Runner) -> list[FrameType]:
    ident = runner.gate.thread_ident
    if ident == _thread.get_ident():
        return callers(sys._getframe())  # noqa: SLF001 - its documented use
    return [] if ident is None else callers(current_frames().get(ident))


def _starts_thread(frame: FrameType) -> bool:
    return frame.f_code.co_name in {"_bootstrap_inner", "_bootstrap"}


def _place(frame: FrameType) -> Place:
    return str(frame.f_globals.get("__name__", "?")), frame.f_code.co_qualname, frame.f_lineno
