"""Which running node was meant by a name that no node has: `gus` for `gsu`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyx.close_words import close_word

if TYPE_CHECKING:
    from collections.abc import Iterable

_CLOSE: Final = 0.75


def close_name(wrong: str, names: Iterable[str]) -> str | None:
    """Returns the one of *names* that is closest to *wrong*; None if none is close.

    Two names of the same letters are close.  Names that differ in digits are those of different nodes
    (`store1`, `store2`).

    Args:
        wrong: the part of a node's name before the `@`.
        names: such parts.
    """
    alike = sorted(name for name in names if name != wrong and _digits(name) == _digits(wrong))
    swapped = [name for name in alike if sorted(name.lower()) == sorted(wrong.lower())]
    return swapped[0] if swapped else close_word(wrong, alike, _CLOSE)


def question(meant: str | None) -> str:
    """Returns what follows the sentence about a node that was not found; empty if none was meant."""
    return "" if meant is None else f" (did you mean {meant}?)"


def _digits(name: str) -> str:
    return "".join(filter(str.isdigit, name))
