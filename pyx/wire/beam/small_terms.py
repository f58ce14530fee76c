"""A small plain message, written in one function: a fast path.

Most messages are numbers, texts, atoms and pids in tuples, lists and dicts, a few of each.  They are written
here without a stack and without the path of an error.  What is rarer, larger, deeper or refused is left to
`term_writer.py`, whose bytes are the same.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any, Final

from pyx.atoms import Atom
from pyx.terms import Pid, Ref
from pyx.wire.beam import etf_tags as tags
from pyx.wire.beam.atom_bytes import atom_bytes, bytes_of_value, written_atoms
from pyx.wire.beam.rare_terms import ref_bytes

if TYPE_CHECKING:
    from pyx.terms import Incarnation

_TAG_U32: Final = Struct(">BI").pack
_TAG_I32: Final = Struct(">Bi").pack
_TAG_F64: Final = Struct(">Bd").pack
_PID_NUMBERS: Final = Struct(">III").pack

_MOST_ITEMS: Final = 255
_DEEPEST: Final = 8
_LONGEST: Final = 16 * 1024
"""Bytes of a container; with the other two, what is written in vain for a message that is too large."""

_LONGEST_KEPT: Final = 64
_KEPT: Final = 4096

_TUPLES: Final = [bytes((tags.SMALL_TUPLE, size)) for size in range(_MOST_ITEMS + 1)]
_LISTS: Final = [_TAG_U32(tags.LIST, size) for size in range(_MOST_ITEMS + 1)]
_MAPS: Final = [_TAG_U32(tags.MAP, size) for size in range(_MOST_ITEMS + 1)]
_CONTAINERS: Final = frozenset((tuple, list, dict))
_BYTE_NUMBERS: Final = [bytes((tags.SMALL_INTEGER, number)) for number in range(256)]
_NIL: Final = bytes((tags.NIL,))
_PID: Final = bytes((tags.NEW_PID,))


class _NotPlain(Exception):
    """The general path has to write the message."""


class _Texts(dict[str, bytes]):
    """Terms of short texts written before, by text.  Emptied when full."""

    def __missing__(self, text: str) -> bytes:
        data = text.encode()
        term = _TAG_U32(tags.BINARY, len(data)) + data
        if len(text) <= _LONGEST_KEPT:
            if len(self) >= _KEPT:
                self.clear()
            self[text] = term
        return term


_texts: Final = _Texts()


def small_term(value: Any, here: Incarnation | None) -> bytes | None:
    """Returns the term of a small plain value; None if the general path has to write it, or to refuse it.

    `("add", {"name": "nike", "n": 3})` takes half the time of the general path, a list of 100 dicts of five
    keys two thirds; a date, given up here and written there, takes a fifth more [measured: CPU time of the
    thread, in turns].
    """
    try:
        return _term(value, here, 0)
    except Exception:  # not plain; a lone surrogate, a pid out of range, a dict that another thread changes
        return None


def _term(value: Any, here: Incarnation | None, depth: int) -> bytes:
    cls = type(value)
    if cls is tuple or cls is list:
        # A copy, because another thread may change a list.
        items = value if cls is tuple else tuple(value)
        size = len(items)
        if size > _MOST_ITEMS or depth >= _DEEPEST:
            raise _NotPlain
        if cls is list and not size:
            return _NIL
        parts = [_TUPLES[size] if cls is tuple else _LISTS[size]]
        add = parts.append
        for each in items:
            # The two most frequent cases of `_leaf`, without its call.
            kind = type(each)
            if kind is str and len(each) <= _LONGEST_KEPT:
                add(_texts[each])
            elif kind is int and 0 <= each < 256:
                add(_BYTE_NUMBERS[each])
            else:
                add(_term(each, here, depth + 1) if kind in _CONTAINERS else _leaf(each, here))
        if cls is list:
            add(_NIL)
    elif cls is dict:
        if len(value) > _MOST_ITEMS or depth >= _DEEPEST:
            raise _NotPlain
        entries = value.copy()  # as above
        parts = [_MAPS[len(entries)]]
        add = parts.append
        for key, each in entries.items():
            # A dict keeps texts, atoms and ints apart as Erlang does; other keys may need a look.
            kind = type(key)
            if kind is str and len(key) <= _LONGEST_KEPT:
                add(_texts[key])
            elif kind is str or kind is int or kind is Atom:
                add(_leaf(key, here))
            else:
                raise _NotPlain
            kind = type(each)
            if kind is str and len(each) <= _LONGEST_KEPT:
                add(_texts[each])
            elif kind is int and 0 <= each < 256:
                add(_BYTE_NUMBERS[each])
            else:
                add(_term(each, here, depth + 1) if kind in _CONTAINERS else _leaf(each, here))
    else:
        return _leaf(value, here)
    term = b"".join(parts)
    if len(term) > _LONGEST:
        raise _NotPlain
    return term


def _leaf(value: Any, here: Incarnation | None) -> bytes:
    cls = type(value)
    if cls is Atom:
        return written_atoms.get(value) or atom_bytes(value)
    if cls is int:
        return _BYTE_NUMBERS[value] if 0 <= value < 256 else _TAG_I32(tags.INTEGER, value)
    if cls is Pid:
        name, creation = (value.node, value.creation) if value.node or here is None else here
        if not name:
            raise _NotPlain
        node = written_atoms.get(name) or atom_bytes(name)
        return _PID + node + _PID_NUMBERS(value.number, value.serial, creation)
    if (cls is str or cls is bytes) and len(value) <= _LONGEST:
        data: bytes = value if cls is bytes else value.encode()
        return _TAG_U32(tags.BINARY, len(data)) + data
    if value is None or cls is bool:
        return bytes_of_value(value)
    if cls is float and value - value == 0:  # neither nan nor infinite
        return _TAG_F64(tags.NEW_FLOAT, value)
    if cls is Ref:
        return ref_bytes(value, here)
    raise _NotPlain
