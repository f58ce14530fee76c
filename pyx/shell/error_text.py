"""An exception as its author should see it: the user's frames, the last line, a hint.

Not here: how exceptions are caught (`evaluate`), nor crash reports of processes (the runtime writes those).
"""

from __future__ import annotations

import os
import sysconfig
import traceback
from types import TracebackType
from typing import Final

from pyx import errors
from pyx.execution.tracebacks import is_ours
from pyx.printable import filter_foreign

_STANDARD: Final = tuple(
    {sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib")} - {os.sep},
)
_SITE: Final = tuple({sysconfig.get_path(name) + os.sep for name in ("purelib", "platlib")} - {os.sep})

_CAUSE: Final = "\nThe above exception was the direct cause of the following exception:\n\n"
_CONTEXT: Final = "\nDuring handling of the above exception, another exception occurred:\n\n"


def user_frames(frames: TracebackType | None) -> TracebackType | None:
    """The frames without pyx's own, and without those of the standard library that pyx called.

    Frames of the standard library that the user called stay, as Python shows them.
    """
    kept: list[TracebackType] = []
    called_by_pyx = True  # every evaluation starts inside pyx
    while frames is not None:
        filename = frames.tb_frame.f_code.co_filename
        if is_ours(filename):
            called_by_pyx = True
        elif not _is_standard(filename) or frames.tb_frame.f_globals.get("__name__") == "__main__":
            called_by_pyx = False  # a file of the standard library may be the program itself
        if not called_by_pyx:
            kept.append(frames)
        frames = frames.tb_next
    below: TracebackType | None = None
    for frame in reversed(kept):
        below = TracebackType(below, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return below


def trim(error: BaseException) -> BaseException:
    """Gives *error*, and everything it is chained to, `user_frames` only; returns it.

    Something chained that had no user frame at all (pyx's own doing) is unchained.
    """
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        current.__traceback__ = user_frames(current.__traceback__)
        for link in ("__cause__", "__context__"):
            other: BaseException | None = getattr(current, link)
            if other is None:
                continue
            if other.__traceback__ is not None and user_frames(other.__traceback__) is None:
                suppressed = current.__suppress_context__
                setattr(current, link, None)
                current.__suppress_context__ = suppressed
            else:
                waiting.append(other)
        if isinstance(current, BaseExceptionGroup):
            waiting.extend(current.exceptions)
    return error


def describe(error: BaseException, *, typed: str | None = None) -> str:
    """The text for a trimmed *error*, ending with a newline.

    Args:
        error: the exception, after `trim`.
        typed: the file name of an input of one line; where that line is the only frame it is not repeated.
    """
    if isinstance(error, KeyboardInterrupt):
        return "KeyboardInterrupt\n"
    return filter_foreign("".join(_parts(error, typed, set())))  # what a peer said may be in it


def _parts(error: BaseException, typed: str | None, seen: set[int]) -> list[str]:
    seen.add(id(error))
    before: list[str] = []
    cause, context = error.__cause__, error.__context__
    if cause is not None and id(cause) not in seen:
        before = [*_parts(cause, None, seen), _CAUSE]
    elif context is not None and not error.__suppress_context__ and id(context) not in seen:
        before = [*_parts(context, None, seen), _CONTEXT]
    if isinstance(error, BaseExceptionGroup):
        return [*before, *traceback.format_exception(type(error), error, error.__traceback__, chain=False)]
    stack = traceback.extract_tb(error.__traceback__)
    alone = not before and len(stack) == 1 and stack[0].filename == typed and stack[0].name == "<module>"
    lines = list(before)
    if stack and not alone:
        lines += ["Traceback (most recent call last):\n", *stack.format()]
    return lines + _last_lines(error)


def _last_lines(error: BaseException) -> list[str]:
    lines = traceback.format_exception_only(type(error), error)
    if isinstance(error, (errors.PyxError, errors.Exit, errors.ProcessKilled)):
        full = f"{type(error).__module__}.{type(error).__qualname__}"
        lines[0] = lines[0].replace(full, type(error).__qualname__, 1)
    return lines


def _is_standard(filename: str) -> bool:
    return filename.startswith(_STANDARD) and not filename.startswith(_SITE)
