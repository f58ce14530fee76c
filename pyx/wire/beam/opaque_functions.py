"""Functions that an Erlang node made at run time: copied as bytes, so that they can be sent back.

A function holds its module, its process and the values that it uses.  Atoms among these may be numbers that
mean something in one message alone, and are written out here.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any, Final

from pyx.wire.beam import etf_tags as tags
from pyx.wire.beam.atom_bytes import bytes_of_value
from pyx.wire.messages.format import MalformedPayload

if TYPE_CHECKING:
    from collections.abc import Sequence

_U32: Final = Struct(">I").unpack_from

FUNCTION_HEAD_BYTES: Final = 4 + 1 + 16 + 4 + 4
"""What stands between the tag of a function and the terms in it."""

_TERMS_OF_ITS_OWN: Final = 4
"""Module, old index, old unique number, pid."""

_MOST_INSIDE: Final = 16

_FIXED: Final = {tags.SMALL_INTEGER: 2, tags.INTEGER: 5, tags.NEW_FLOAT: 9, tags.FLOAT: 32, tags.NIL: 1}
"""By tag: the bytes of a term."""

_COUNTED: Final = {
    tags.SMALL_BIG: (1, 3), tags.LARGE_BIG: (4, 6), tags.SMALL_ATOM: (1, 2), tags.SMALL_ATOM_UTF8: (1, 2),
    tags.ATOM: (2, 3), tags.ATOM_UTF8: (2, 3), tags.STRING: (2, 3), tags.BINARY: (4, 5),
    tags.BIT_BINARY: (4, 6),
}  # fmt: skip
"""By tag: the bytes of a term's length, and the bytes that this length does not count."""

_CONTAINERS: Final = {
    tags.SMALL_TUPLE: (1, 1, 0), tags.LARGE_TUPLE: (4, 1, 0), tags.LIST: (4, 1, 1), tags.MAP: (4, 2, 0),
}  # fmt: skip
"""By tag: the bytes of its number, and how many terms follow: number * factor + more."""

_REFERENCES: Final = frozenset((tags.NEWER_REFERENCE, tags.NEW_REFERENCE))

_AFTER_NODE: Final = {
    tags.NEW_PID: 12, tags.PID: 9, tags.REFERENCE: 5, tags.V4_PORT: 12, tags.NEW_PORT: 8, tags.PORT: 5,
}  # fmt: skip
"""By tag: the bytes that follow the node of an address."""


def number_of_terms(data: bytes, at: int) -> int:
    """Returns how many terms follow the head of the function whose tag is before this index."""
    number: int = _U32(data, at + FUNCTION_HEAD_BYTES - 4)[0]
    return number + _TERMS_OF_ITS_OWN


def copied_function(data: bytes, at: int, atoms: Sequence[Any]) -> tuple[bytes, int]:
    """Returns the term of a function without numbers for atoms, and the index behind it in *data*.

    Args:
        data: the bytes.
        at: the index behind the function's tag.
        atoms: the values of the atoms that are numbers in it.

    Raises:
        MalformedPayload, IndexError, struct.error: it is not the term of a function.
    """
    return _function(data, at, atoms, 0)


def _function(data: bytes, at: int, atoms: Sequence[Any], inside: int) -> tuple[bytes, int]:
    if inside > _MOST_INSIDE:
        raise MalformedPayload("functions inside functions")
    out = bytearray(data[at + 4 : at + FUNCTION_HEAD_BYTES])
    end = _terms(data, at + FUNCTION_HEAD_BYTES, number_of_terms(data, at), atoms, out, inside)
    if end - at != _U32(data, at)[0]:
        raise MalformedPayload("a function has another length than it says")
    return b"".join((bytes((tags.NEW_FUN,)), (len(out) + 4).to_bytes(4, "big"), out)), end


def _terms(data: bytes, at: int, left: int, atoms: Sequence[Any], out: bytearray, inside: int) -> int:
    """Copies that number of terms to *out*; returns the index behind them."""
    while left:
        left -= 1
        tag = data[at]
        start = at
        if tag == tags.ATOM_CACHE_REF:
            out += bytes_of_value(atoms[data[at + 1]])
            at += 2
            continue
        if tag in _FIXED:
            at += _FIXED[tag]
        elif tag in _COUNTED:
            width, more = _COUNTED[tag]
            at += more + _number(data, at + 1, width)
        elif tag in _CONTAINERS:
            width, factor, more = _CONTAINERS[tag]
            left += factor * _number(data, at + 1, width) + more
            at += 1 + width
        elif tag in _AFTER_NODE:
            out.append(tag)
            start = _terms(data, at + 1, 1, atoms, out, inside)
            at = start + _AFTER_NODE[tag]
        elif tag in _REFERENCES:
            out += data[at : at + 3]
            start = _terms(data, at + 3, 1, atoms, out, inside)
            at = start + (4 if tag == tags.NEWER_REFERENCE else 1) + 4 * _number(data, at + 1, 2)
        elif tag == tags.EXPORT:
            left += 3
            at += 1
        elif tag == tags.NEW_FUN:
            copied, at = _function(data, at + 1, atoms, inside + 1)
            out += copied
            continue
        else:
            raise MalformedPayload(f"it has the tag {tag}")
        if at > len(data):
            raise MalformedPayload("it is cut short")
        out += data[start:at]
    return at


def _number(data: bytes, at: int, width: int) -> int:
    return int.from_bytes(data[at : at + width], "big")
