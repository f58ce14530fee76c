r"""Two lines that differ and look the same, so that a report can show where they do.

They look the same if what is left of both is equal once blanks, marks and characters without a shape are
gone: a tab and blanks, a no-break space, `é` in one piece and in two, a zero-width space.
See `characters.py` for control characters in what a program shows.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_UNSEEN: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Mn", "Me", "Zl", "Zp", "Zs"})
"""Categories of Unicode: controls, formats, marks that stand on other characters, separators."""
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")


def look_alike(one: str, other: str) -> bool:
    """True for two texts that differ in nothing that the eye sees."""
    return one != other and _seen(one) == _seen(other)


def _seen(text: str) -> str:
    return "".join(
        char for char in unicodedata.normalize("NFKD", text) if unicodedata.category(char) not in _UNSEEN
    )


def with_escapes(text: str) -> str:
    """*text* with Python's escapes for all that is not a plain character of ASCII."""
    return text.encode("unicode_escape").decode("ascii").replace("\\\\", "\\")


def without_controls(text: str) -> str:
    """*text* with escapes for what a terminal would obey."""
    return _CONTROL.sub(lambda found: with_escapes(found.group()), text)
