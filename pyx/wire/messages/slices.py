"""A large payload a piece at a time: one call into C for all of it would keep every other thread waiting (the
GIL), and with them the node.  Not here: pieces on the wire (`fragments.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

SLICE_BYTES: Final = 1024 * 1024
"""Copied in about a millisecond."""


def slices(data: bytes) -> Iterator[bytes | memoryview]:
    """*data* itself, or if it is large its pieces in order."""
    if len(data) <= SLICE_BYTES:
        yield data
        return
    view = memoryview(data)
    for start in range(0, len(data), SLICE_BYTES):
        yield view[start : start + SLICE_BYTES]
