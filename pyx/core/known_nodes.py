"""The names of nodes that were mentioned, the latest ones.  See `peers.py` for those that are connected.

Any name may be mentioned, so only so many are kept: of the others the one mentioned longest ago goes first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_KNOWN: Final = 4096
"""A mesh is far smaller."""


class KnownNodes:
    """See the file."""

    __slots__ = ("_names",)

    def __init__(self) -> None:
        self._names: dict[str, None] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def add(self, name: str) -> None:
        """A node is mentioned."""
        self._names.pop(name, None)
        self._names[name] = None
        if len(self._names) > MOST_KNOWN:
            del self._names[next(iter(self._names))]
