"""Atoms as they are written into a term."""

from __future__ import annotations

from typing import Any, Final

from pyx.atoms import Atom
from pyx.wire.beam import etf_tags as tags

_KEPT: Final = 4096
written_atoms: Final[dict[str, bytes]] = {}
"""By text: atoms written before.  Emptied when full."""

_WORDS: Final[dict[Any, str]] = {None: "nil", True: "true", False: "false"}


def atom_bytes(text: str) -> bytes:
    """Returns the term of the atom with this text.

    Raises:
        ValueError: the text cannot be an atom.
    """
    known = written_atoms.get(text)
    if known is not None:
        return known
    data = Atom(text).encode()
    if len(data) < 256:
        term = bytes((tags.SMALL_ATOM_UTF8, len(data))) + data
    else:
        term = bytes((tags.ATOM_UTF8,)) + len(data).to_bytes(2, "big") + data
    if len(written_atoms) >= _KEPT:
        written_atoms.clear()
    written_atoms[str(text)] = term
    return term


def bytes_of_value(value: Any) -> bytes:
    """Returns the term of an `Atom`, of None, True or False."""
    return atom_bytes(value if type(value) is Atom else _WORDS[value])
