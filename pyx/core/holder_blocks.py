"""The entries of one key that many processes hold, in blocks: so a broadcast to all of them copies no list.

A key of few holders has a dict of entries by their numbers; one of more than `BLOCK` has `HolderBlocks`, with
the methods of a dict that the kernel calls.  Numbers only grow, so each block is a range of them,
and a reader that has come to a number goes on behind it, whatever has come or gone meanwhile.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")

BLOCK: Final = 256
"""Entries of a full block."""


class HolderBlocks(Generic[T]):
    """Entries by their numbers, oldest first.

    Args:
        first: the entries that there are, at least one, `BLOCK` at most; they become the first block.
    """

    __slots__ = ("_blocks", "_firsts", "_size")

    def __init__(self, first: dict[int, T]) -> None:
        self._blocks: Final = [first]
        self._firsts: Final = [next(iter(first))]
        """Of each block the lowest number that it has had."""
        self._size = len(first)

    def __len__(self) -> int:
        return self._size

    def __setitem__(self, number: int, entry: T) -> None:
        """Adds an entry whose number is higher than that of any before it."""
        if not self._blocks or len(self._blocks[-1]) >= BLOCK:
            self._blocks.append({})
            self._firsts.append(number)
        self._blocks[-1][number] = entry
        self._size += 1

    def pop(self, number: int, default: None = None) -> T | None:
        """Removes and returns the entry of a number; *default* if there is none."""
        at = bisect_right(self._firsts, number) - 1
        entry = self._blocks[at].pop(number, None) if at >= 0 else None
        if entry is None:
            return default
        self._size -= 1
        if not self._blocks[at]:
            del self._blocks[at], self._firsts[at]
        return entry

    def values(self) -> Iterator[T]:
        """Returns the entries, oldest first."""
        return itertools.chain.from_iterable(block.values() for block in self._blocks)

    def __reversed__(self) -> Iterator[int]:
        """Yields their numbers, newest first."""
        for block in reversed(self._blocks):
            yield from reversed(block)

    def from_number(self, number: int) -> Iterator[dict[int, T]]:
        """Returns the blocks from that of *number* on."""
        at = max(0, bisect_right(self._firsts, number) - 1)
        return itertools.islice(self._blocks, at, None)
