"""Atoms that Erlang nodes send, by their UTF-8; a bounded number of them is kept."""

from __future__ import annotations

from typing import Any, Final

from pyx.atoms import Atom
from pyx.errors import DecodeError

MOST_KEPT: Final = 4096
_WORDS: Final = {b"nil": None, b"true": True, b"false": False}

NEW: Final = object()
"""Stands for an atom that is not kept: None is the value of one."""

kept: dict[bytes, Any] = dict(_WORDS)
"""By their UTF-8: the values of atoms read before.  Emptied when full."""


def received_atom(data: bytes) -> Any:
    """Returns the value of an atom by its UTF-8: an `Atom`; None, True or False for those three.

    Raises:
        DecodeError: the bytes are not UTF-8, or too many characters.
    """
    known = _WORDS.get(data, NEW)
    if known is not NEW:
        return known
    try:
        value = Atom(data.decode())
    except ValueError as cause:
        raise malformed(f"an atom: {cause}") from None
    if len(kept) >= MOST_KEPT:
        kept.clear()
        kept.update(_WORDS)
    kept[data] = value
    return value


def malformed(problem: str) -> DecodeError:
    """Returns the error for a term that cannot be read."""
    return DecodeError(f"malformed term of an Erlang node: {problem}")
