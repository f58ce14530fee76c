"""Tracebacks of user code: without the frames of pyx and the importer, as text or as a `Raised` value."""

from __future__ import annotations

import importlib
import os
import re
import traceback
from typing import TYPE_CHECKING, Any, Final

from pyx.execution.user_code import PYX
from pyx.terms import Raised

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType

_IMPORTER: Final = ("<frozen importlib", os.path.join(os.path.dirname(importlib.__file__), ""))  # noqa: PTH118, PTH120
_PYX_CLASS: Final = re.compile(r"^pyx\.\w+\.(?=[A-Z]\w*(:|$))", re.MULTILINE)
"""What stands before the name of one of pyx's own errors; its users know it without."""

_MAX_CHARACTERS: Final = 20_000
"""Of a report that is logged or travels: enough to read, too little to hurt."""


def type_name(error_type: type[BaseException]) -> str:
    """`"ValueError"`, or `"product_stock.Empty"`: as the last line of a traceback has it."""
    module = str(error_type.__module__)  # a class may say anything there
    if module in {"builtins", "__main__"} or module.startswith("pyx."):
        return error_type.__qualname__
    return f"{module}.{error_type.__qualname__}"


def message_of(error: BaseException) -> str:
    """`str(error)`, and never a second error: a `__str__` is user code."""
    try:
        return str(error)
    except KeyboardInterrupt:
        raise
    except BaseException:
        return f"<{type(error).__name__} whose text cannot be made>"


def without_our_frames(error: BaseException) -> traceback.TracebackException:
    """The standard library's account of *error* and its causes, less the frames of pyx and the importer."""
    account = traceback.TracebackException.from_exception(error, compact=True)
    seen: set[int] = set()
    waiting: list[traceback.TracebackException | None] = [account]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        one.stack = traceback.StackSummary.from_list(_users(one.stack))
        waiting += [one.__cause__, one.__context__, *(one.exceptions or ())]
    return account


def is_ours(filename: str) -> bool:
    """True for a file of pyx itself, or of Python's importer on its way to the user's module."""
    return filename.startswith((PYX, *_IMPORTER))


def _users(frames: Iterable[traceback.FrameSummary]) -> list[traceback.FrameSummary]:
    return [frame for frame in frames if not is_ours(frame.filename)]


def innermost_frame(awaited: Any) -> FrameType | None:
    """The user's frame deepest in a chain of coroutines, each awaiting the next."""
    found: FrameType | None = None
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None)
        if frame is not None and not is_ours(frame.f_code.co_filename):
            found = frame
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None)
    return found


def traceback_text(error: BaseException) -> str:
    """The frames and the last line, ending in a newline; just the last line where no user frame is left.

    Never a second error: what belongs to an exception (its notes, its class's names) is the user's.
    """
    try:
        return _shortened(_traceback_text(error))
    except Exception as second:
        return f"{type_name(type(error))}: (its traceback cannot be made: {type_name(type(second))})\n"


def _traceback_text(error: BaseException) -> str:
    account = without_our_frames(error)
    alone = account.__cause__ is None and account.__context__ is None and not account.exceptions
    lines = account.format_exception_only() if alone and not account.stack else account.format(chain=True)
    return _PYX_CLASS.sub("", "".join(lines))


def as_value(error: BaseException) -> Raised:
    """The exception as data, for links, monitors and callers on any node."""
    return Raised(type_name(type(error)), _shortened(message_of(error)), traceback_text(error))


def _shortened(text: str) -> str:
    if len(text) <= _MAX_CHARACTERS:
        return text
    half = _MAX_CHARACTERS // 2
    return f"{text[:half]}\n... {len(text) - 2 * half} characters left out ...\n{text[-half:]}"
