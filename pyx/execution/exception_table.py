"""Reads from a code object's exception table which `try` and `with` blocks protect an instruction.

The clean-up at the end of a `with` block, and the code of a `finally` block, are not protected by that block
itself: an asynchronous exception raised there would leave a lock taken for ever.  See `thread_kill.py` for
when such exceptions are raised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

_MORE = 64
"""Bit of a table byte: another byte of the same number follows."""


def is_still_protected(code: CodeType, call: int, now: int) -> bool:
    """Returns True if the innermost block around the instruction at *call* is also around the one at *now*.

    Both are byte offsets, as `f_lasti` is.  Also True where no block is around *call*.
    """
    table = list(_handlers(code.co_exceptiontable))
    block = _handler_of(table, call)
    handler = block
    if block is not None:
        handler = _handler_of(table, now)
        for _ in table:  # outwards: a handler lies in the blocks around its own
            if handler is None or handler == block:
                break
            handler = _handler_of(table, handler)
    return handler == block


def _handler_of(table: list[tuple[int, int, int]], offset: int) -> int | None:
    """Returns the offset of the handler of an exception raised at *offset*; None: the caller handles it."""
    for start, end, handler in table:
        if start <= offset < end:
            return handler
    return None


def _handlers(table: bytes) -> Iterator[tuple[int, int, int]]:
    """Yields (start, end, handler) of each block, in bytes of code, the end exclusive.

    The format is described in CPython's `Objects/exception_handling_notes.txt`.
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
