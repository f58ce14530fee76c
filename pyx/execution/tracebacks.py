"""Tracebacks of user code, without the frames of pyx and the importer: as text, and as a `Raised` value."""

from __future__ import annotations

import importlib
import os
import re
import traceback
from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from pyx.execution.stacks import frame_of
from pyx.execution.user_code import PYX, filename_of, is_standard_library
from pyx.introspection import class_module, class_qualname
from pyx.printable import on_one_line
from pyx.terms import Raised

if TYPE_CHECKING:
    from types import FrameType

_IMPORTER: Final = ("<frozen importlib", os.path.join(os.path.dirname(importlib.__file__), ""))  # noqa: PTH118, PTH120
_CAUSE: Final = "\nThe above exception was the direct cause of the following exception:\n\n"
_SUGGESTED_FOR: Final = frozenset([NameError, AttributeError, SyntaxError, ImportError])
_CONTEXT: Final = "\nDuring handling of the above exception, another exception occurred:\n\n"

_PYX_CLASS: Final = r"(?m)^pyx\.(?:\w+\.)+(?=[A-Z]\w*(:|$))"
"""What stands before the name of one of pyx's own errors; its users know it without."""

LONGEST_SENTENCE: Final = 300
"""Characters of an exception that is one line."""

_MAX_CHARACTERS: Final = 20_000
_MAX_FRAMES: Final = 20
"""Of a report that is logged or travels: enough to read, too little to hurt."""


traceback_of: Final = BaseException.__dict__["__traceback__"].__get__
"""Returns the traceback of an exception; runs no `__getattribute__` of its class."""


def type_name(error_type: type[BaseException]) -> str:
    """`"ValueError"`, or `"product_stock.Empty"`: as the last line of a traceback has it."""
    module = class_module(error_type)  # a class may say anything there
    name: str = class_qualname(error_type)
    if type(module) is str and (module in {"builtins", "__main__"} or module.startswith("pyx.")):
        return name
    return f"{module if type(module) is str else '<unknown>'}.{name}"


def message_of(error: BaseException) -> str:
    """`str(error)`, and never a second error: a `__str__` is user code."""
    try:
        return f"{error!s}"  # also where an input has replaced `builtins.str`
    except KeyboardInterrupt:
        raise
    except BaseException:
        return f"<{type(error).__name__} whose text cannot be made>"


def sentence_of(error: BaseException) -> str:
    """Returns an exception as one line: its class, and its text if it has one."""
    text = f"{type(error).__name__}: {message_of(error)}".removesuffix(": ")
    return on_one_line(text, LONGEST_SENTENCE)


def is_ours(filename: str) -> bool:
    """True for a file of pyx itself, or of Python's importer on its way to the user's module."""
    return filename.startswith((PYX, *_IMPORTER))


def innermost_frame(awaited: Any) -> FrameType | None:
    """Returns the user's frame deepest in a chain of coroutines, each awaiting the next."""
    frames = awaited_frames(awaited)
    return frames[-1] if frames else None


def awaited_frames(awaited: Any) -> list[FrameType]:
    """Returns the user's frames in a chain of coroutines, each awaiting the next; the outermost first."""
    found: list[FrameType] = []
    while awaited is not None:
        frame = frame_of(awaited)
        if frame is not None and not is_ours(frame.f_code.co_filename):
            found.append(frame)
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None)
    return found


def user_frames(frames: TracebackType | None, *, keep_library: bool) -> TracebackType | None:
    """Returns a traceback without the frames of pyx and of the importer; None if no other is left.

    Args:
        frames: the traceback of an exception.
        keep_library: keep the frames of the standard library that pyx itself called, as in a process whose
            function is one of that library.  Those that the user's code called are always kept.
    """
    kept: list[TracebackType] = []
    called_by_pyx = True  # each evaluation and each process starts in pyx
    while frames is not None:
        code = frames.tb_frame.f_code
        # A dataclass makes its methods from text.  Text that the user gives to `eval` is not a method.
        is_method = code.co_name.startswith("__")
        if is_ours(filename_of(frames.tb_frame) if is_method else code.co_filename):
            called_by_pyx = True
        else:
            # A file of the standard library may be the program itself.
            is_main = frames.tb_frame.f_globals.get("__name__") == "__main__"
            if keep_library or is_main or not is_standard_library(frames.tb_frame):
                called_by_pyx = False
            if not called_by_pyx:
                kept.append(frames)
        frames = frames.tb_next
    below: TracebackType | None = None
    for frame in reversed(kept):
        below = TracebackType(below, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return below


def trim(error: BaseException, *, keep_library: bool = False) -> BaseException:
    """Reduces the tracebacks of *error* and of all exceptions chained to it to `user_frames`; returns it.

    A chained exception that has no frame of the user's was raised and handled by pyx: it is removed from the
    chain.
    """
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        current.__traceback__ = user_frames(current.__traceback__, keep_library=keep_library)
        for link in ("__cause__", "__context__"):
            other: BaseException | None = getattr(current, link)
            if other is None:
                continue
            frames = other.__traceback__
            if frames is not None and user_frames(frames, keep_library=keep_library) is None:
                suppressed = current.__suppress_context__
                setattr(current, link, None)
                current.__suppress_context__ = suppressed
            else:
                waiting.append(other)
        if isinstance(current, BaseExceptionGroup):
            waiting.extend(current.exceptions)
    return error


def text_of(error: BaseException, *, typed: str | None = None) -> str:
    """Returns the text of a trimmed *error* and of its causes, as Python shows it, with a newline at the end.

    Args:
        error: an exception; one without frames is its last line alone.
        typed: the file name of a prompt's input of one line: the only frame is left out if it is that line.
    """
    chain = _chain(traceback.TracebackException.from_exception(error, compact=True))
    lines: list[str] = []
    for one, sentence in chain:
        if one.exceptions is not None:  # of a group
            lines += one.format(chain=False)
        else:
            stack = one.stack
            is_typed = len(stack) == 1 and stack[0].filename == typed and stack[0].name == "<module>"
            if stack and not (is_typed and len(chain) == 1):
                lines += ["Traceback (most recent call last):\n", *stack.format()]
            said = list(one.format_exception_only())
            if not sentence and type(error) in _SUGGESTED_FOR:
                from pyx.execution.suggestions import with_suggestion  # for the first of them

                message = next(at for at, line in enumerate(said) if line.startswith(type(error).__name__))
                said[message] = with_suggestion(error, said[message].removesuffix("\n")) + "\n"
            lines += said
        lines.append(sentence)
    return re.sub(_PYX_CLASS, "", "".join(lines))


def _chain(last: traceback.TracebackException) -> list[tuple[traceback.TracebackException, str]]:
    """Returns the causes of an exception, the first one first, and itself; each with the text behind it."""
    chain = [(last, "")]
    while True:
        if last.__cause__ is not None:
            last, sentence = last.__cause__, _CAUSE
        elif last.__context__ is not None and not last.__suppress_context__:
            last, sentence = last.__context__, _CONTEXT
        else:
            return chain[::-1]
        chain.append((last, sentence))


def traceback_text(error: BaseException) -> str:
    """Trims *error* and returns its text, of at most 20,000 characters and a little; never raises.

    (The notes of an exception, its `__str__`, and the names of its class are the user's code.)
    """
    try:
        return _shortened(text_of(trim(error, keep_library=True)))
    except (Exception, SystemExit) as second:
        return _without_its_code(error, second)


def shown_text(error: BaseException, *, typed: str | None = None) -> str:
    """Trims *error* and returns its whole text, see `text_of`; raises nothing but KeyboardInterrupt."""
    try:
        return text_of(trim(error), typed=typed)
    except (Exception, SystemExit) as second:
        return _without_its_code(error, second)


def _without_its_code(error: BaseException, second: BaseException) -> str:
    """Returns the text about an error whose own text, by the user's code, could not be made."""
    return f"{type_name(type(error))}: (its traceback cannot be made: {type_name(type(second))})\n"


def as_value(error: BaseException) -> Raised:
    """Returns the exception as data, for links, monitors and callers on any node."""
    text = traceback_text(error)
    return Raised(type_name(type(error)), _shortened(message_of(error)), text, frames=_innermost(error))


def _innermost(error: BaseException) -> tuple[tuple[str, int, str, int], ...]:
    """Returns the innermost frames of a trimmed *error*, as `Raised` has them."""
    frames: deque[tuple[str, int, str, int]] = deque(maxlen=_MAX_FRAMES)
    entry = error.__traceback__
    while entry is not None:
        code = entry.tb_frame.f_code
        parameters = code.co_argcount + code.co_kwonlyargcount
        frames.append((code.co_filename, entry.tb_lineno or 0, code.co_name, parameters))
        entry = entry.tb_next
    return tuple(frames)


def _shortened(text: str) -> str:
    if len(text) <= _MAX_CHARACTERS:
        return text
    half = _MAX_CHARACTERS // 2
    return f"{text[:half]}\n... {len(text) - 2 * half} characters left out ...\n{text[-half:]}"
