"""Erlang's external term format to values: the messages that Erlang nodes send.

One loop reads a term, with a stack of its own, so no depth of nesting uses Python's.  Every length is checked
against the bytes that are there, and nothing is made for what did not come.  Decoding runs no code of a
user's class, and makes atoms that nothing keeps but a bounded cache.
"""

# ruff: noqa: PLR1714, SIM109 - two comparisons of ints take half the time of a look into a set

from __future__ import annotations

import struct
from struct import Struct
from typing import TYPE_CHECKING, Any, Final

from pyx.atoms import Atom
from pyx.erlang_terms import BeamFunction, ImproperList, Map
from pyx.errors import DecodeError
from pyx.terms import Pid, Ref
from pyx.wire.beam.elixir_structs import struct_value
from pyx.wire.beam.etf_tags import (  # globals: the loop reads them for every term
    ATOM_CACHE_REF,
    BINARY,
    INTEGER,
    LARGE_TUPLE,
    LIST,
    MAP,
    MAX_DEPTH,
    NEW_FUN,
    NIL,
    SMALL_ATOM_UTF8,
    SMALL_INTEGER,
    SMALL_TUPLE,
)
from pyx.wire.beam.leaf_terms import LEAF_READERS, TermContext, cut_short
from pyx.wire.beam.opaque_functions import FUNCTION_HEAD_BYTES, copied_function, number_of_terms
from pyx.wire.beam.received_atoms import NEW, kept, malformed, received_atom
from pyx.wire.fresh_memory import keep_large_buffers
from pyx.wire.messages.decode import check_collisions
from pyx.wire.messages.format import MalformedPayload
from pyx.wire.messages.names import Unsendable
from pyx.wire.messages.safe_keys import check_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyx.terms import Incarnation

__all__ = ["decode_term", "received_atom"]

_U32: Final = Struct(">I").unpack_from
_I32: Final = Struct(">i").unpack_from

_LARGE: Final = 64 * 1024

_PLAIN_KEYS: Final = frozenset((type(None), bool, int, float, str, bytes, Atom, Pid, Ref))
"""Classes whose objects are hashed in C, whatever they hold."""


def decode_term(
    data: bytes, at: int, atoms: Sequence[Any], here: Incarnation | None, *, binaries: str = "str"
) -> tuple[Any, int]:
    """Decodes the term at an index; returns its value and the index behind it.

    Args:
        data: the bytes; no 131 stands before the term.
        at: where the term begins.
        atoms: the values of the atoms that the term refers to by number (`received_atom`).
        here: this node's incarnation, whose pids and references become local; None if it has no name.
        binaries: `"str"` makes a str of a binary that is UTF-8, and bytes of any other; `"bytes"` makes bytes
            of all.

    Raises:
        DecodeError: the bytes are not a term, or nest too deep, or are of a kind that is never read: what is
            compressed, or means something in one node alone.
    """
    try:
        return _read(data, at, TermContext(atoms, here, texts=binaries != "bytes"))
    except DecodeError:
        raise
    except (IndexError, struct.error):
        raise malformed("it is cut short") from None
    except (ArithmeticError, MalformedPayload, RecursionError, TypeError, ValueError) as cause:
        raise malformed(str(cause)) from None


def _read(data: bytes, at: int, context: TermContext) -> tuple[Any, int]:
    size = len(data)
    if size > _LARGE:
        keep_large_buffers()
    atoms, texts = context.atoms, context.texts
    # The container being read: its tag, how many items it has, and those read so far; and the ones around it.
    kind, count = 0, 1
    items: list[Any] = []
    outer: list[tuple[int, int, list[Any]]] = []
    value: Any
    while True:
        tag = data[at]
        if tag == SMALL_INTEGER:
            value = data[at + 1]
            at += 2
        elif tag == BINARY:
            start = at + 5
            at = start + _U32(data, at + 1)[0]
            if at > size:
                cut_short()
            value = data[start:at]
            if texts:
                try:  # noqa: SIM105 - `suppress` takes a fifth of the time of a message
                    value = value.decode()
                except UnicodeDecodeError:
                    pass  # bytes
        elif tag == SMALL_ATOM_UTF8:
            start = at + 2
            at = start + data[at + 1]
            if at > size:
                cut_short()
            name = data[start:at]
            value = kept.get(name, NEW)
            if value is NEW:
                value = received_atom(name)
        elif tag == ATOM_CACHE_REF:
            value = atoms[data[at + 1]]
            at += 2
        elif tag == INTEGER:
            value = _I32(data, at + 1)[0]
            at += 5
        elif tag == NIL:
            value = []
            at += 1
        elif tag == SMALL_TUPLE or tag == LIST or tag == MAP or tag == LARGE_TUPLE:
            if tag == SMALL_TUPLE:
                number = data[at + 1]
                at += 2
            else:
                number = _U32(data, at + 1)[0]
                at += 5
                if tag == MAP:
                    number *= 2
                elif tag == LIST:
                    number += 1  # the tail
            if number > size - at:
                cut_short()
            if number:
                if len(outer) >= MAX_DEPTH:
                    raise malformed(f"it nests deeper than {MAX_DEPTH} containers")
                outer.append((kind, count, items))
                kind, count, items = tag, number, []
                continue
            value = {} if tag == MAP else ()
        else:
            read = LEAF_READERS.get(tag)
            if read is not None:
                value, at = read(data, at + 1, context)
            elif tag == NEW_FUN:
                value, at = _function(data, at + 1, context)
            else:
                raise malformed(f"it has the tag {tag}")
        items.append(value)
        while len(items) == count:
            if kind == SMALL_TUPLE or kind == LARGE_TUPLE:
                value = tuple(items)
            elif kind == LIST:
                tail = items.pop()
                value = items if type(tail) is list and not tail else _with_tail(items, tail)
            elif kind == MAP:
                value = _map(items)
            else:
                return items[0], at
            kind, count, items = outer.pop()
            items.append(value)


# ---------------------------------------------------------------- containers


def _with_tail(items: list[Any], tail: Any) -> Any:
    """The list of these items whose last tail is not the empty list."""
    if not items:
        return tail
    if type(tail) is list:
        return items + tail
    if type(tail) is ImproperList:
        return ImproperList([*items, *tail.items], tail.tail)
    return ImproperList(items, tail)


def _map(items: list[Any]) -> Any:
    keys, values = items[::2], items[1::2]
    try:
        if not _PLAIN_KEYS.issuperset(map(type, keys)):
            for key in keys:
                if type(key) not in _PLAIN_KEYS:
                    check_key(key)
        check_collisions(keys)
        found = dict(zip(keys, values, strict=True))
    except (TypeError, Unsendable):  # a key that cannot be hashed, or only by a user's code
        return Map(zip(keys, values, strict=True))
    if len(found) != len(keys):
        return Map(zip(keys, values, strict=True))
    if "__struct__" in found and type(found["__struct__"]) is Atom:
        return struct_value(found)
    return found


# ---------------------------------------------------------------- functions


_MOST_FUNCTIONS: Final = 16


def _function(data: bytes, at: int, context: TermContext) -> tuple[BeamFunction, int]:
    copied, end = copied_function(data, at, context.atoms)
    inside = at + FUNCTION_HEAD_BYTES
    context.functions += 1
    if context.functions > _MOST_FUNCTIONS:
        raise malformed("functions inside functions")
    for _ in range(number_of_terms(data, at)):  # read, so that nothing is sent back that is not a term
        inside = _read(data, inside, context)[1]
    context.functions -= 1
    return BeamFunction(copied), end
