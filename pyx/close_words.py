"""Which of some known words a wrong one is most like: the word behind each "did you mean"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

CLOSE: Final = 0.7
"""The likeness, of 1 for the same word, from which a word is suggested; `spwan` and `spawn` have 0.8."""


def close_word(wrong: str, words: Iterable[str], likeness: float = CLOSE) -> str | None:
    """Returns the one of *words* that *wrong* is most like; None if none is alike.

    Args:
        wrong: the word that means nothing.
        words: the known ones.
        likeness: as `difflib.get_close_matches` has it, from 0 to 1.
    """
    return next(iter(close_words(wrong, words, 1, likeness)), None)


def close_words(wrong: str, words: Iterable[str], most: int, likeness: float = CLOSE) -> list[str]:
    """Returns up to *most* of *words* that *wrong* is like, the most similar one first; see `close_word`."""
    from difflib import get_close_matches  # loaded for the first wrong word

    return get_close_matches(wrong, [*words], most, likeness)
