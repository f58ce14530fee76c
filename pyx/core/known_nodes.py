"""The names of nodes that were mentioned lately, connected or not.

A peer may mention any name, so their number is bounded: the name mentioned longest ago is dropped first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_KNOWN: Final = 4096
"""Far more than the nodes of a mesh."""


class KnownNodes:
    """A set of names, in the order in which they were last mentioned."""

    __slots__ = ("_names",)

    def __init__(self) -> None:
        self._names: dict[str, None] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def add(self, name: str) -> None:
        """Notes a mention of *name*; may forget the oldest."""
        self._names.pop(name, None)
        self._names[name] = None
        if len(self._names) > MAX_KNOWN:
            del self._names[next(iter(self._names))]
