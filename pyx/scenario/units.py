"""What a screen shows in one piece, and how much a comparison may cost.

See `match_block.py` and `unordered.py` for comparing, and `screen_lines.py` for how units come about.
"""

from __future__ import annotations

from typing import Final, NamedTuple

EVAL: Final = "eval"
"""The source of what an evaluation itself showed."""

_LEAST_TRIES: Final = 50_000
_TRIES_PER_LINE: Final = 20


class Unit(NamedTuple):
    """What one echo, print, error or notice showed: `kind` is one of these words."""

    source: str
    kind: str
    lines: tuple[str, ...]
    at: float = 0.0
    """When it came, in seconds since the start of the scenario."""


class Budget:
    """How often lines may be compared in one search, in which so many *lines* take part.

    A block that fits in more ways than that is not a test, and does not match.
    """

    def __init__(self, lines: int) -> None:
        self._left = _LEAST_TRIES + _TRIES_PER_LINE * lines

    @property
    def is_spent(self) -> bool:
        """True once nothing is left."""
        return self._left <= 0

    def spend(self) -> bool:
        """Takes one comparison off; False if there was none left."""
        self._left -= 1
        return self._left >= 0
