"""Which `try` and `with` blocks protect an instruction: read from the exception table of its code.

Where a `with` block is left, and in a `finally` block, the clean-up itself is not protected by that block any
more: an exception that is raised there from outside leaves a lock taken for ever.
See `thread_kill.py` for when such exceptions are raised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

_MORE = 64
"""In a byte of the table: another one of the same number follows."""


def is_still_protected(code: CodeType, call: int, now: int) -> bool:
    """True if the innermost block around the instruction at *call* is around the one at *now* too.

    Both are byte offsets, as `f_lasti` is.  True where no block is around the one at *call*.
    """
    table = list(_handlers(code.co_exceptiontable))
    block = _handler_of(table, call)
    handler = block
    if block is not None:
        handler = _handler_of(table, now)
        for _ in table:  # outwards: a handler stands in the blocks around its own
            if handler is None or handler == block:
                break
            handler = _handler_of(table, handler)
    return handler == block


def _handler_of(table: list[tuple[int, int, int]], offset: int) -> int | None:
    """Where an exception goes on that is raised at *offset*; None: to the caller."""
    for start, end, handler in table:
        if start <= offset < end:
            return handler
    return None


def _handlers(table: bytes) -> Iterator[tuple[int, int, int]]:
    """Each start, end (exclusive) and handler, in bytes of code.

    The format is that of CPython's `Objects/exception_handling_notes.txt`.
    """
    numbers = _numbers(table)
    for start in numbers:
        length, handler, _ = next(numbers), next(numbers), next(numbers)
        yield 2 * start, 2 * (start + length), 2 * handler


def _numbers(table: bytes) -> Iterator[int]:
    value = 0
    for byte in table:
        value = value << 6 | byte & (_MORE - 1)
        if not byte & _MORE:
            yield value
            value = 0
