"""Erlang's external term format to values: the messages that Erlang nodes send.

One loop reads a term, with a stack of its own, so no depth of nesting uses Python's.  Every length is checked
against the bytes that are there, and nothing is made for what did not come.  Decoding runs no code of a
user's class, and makes atoms that nothing keeps but a bounded cache.
"""

# ruff: noqa: PLR1714, SIM109 - two comparisons of ints take half the time of a look into a set

from __future__ import annotations

import functools
import math
import struct
from struct import Struct
from typing import TYPE_CHECKING, Any, Final, NoReturn

from pyx.atoms import Atom
from pyx.erlang_terms import BeamFunction, BitString, ImproperList, Map, Port
from pyx.errors import DecodeError
from pyx.terms import FunctionName, Pid, Ref, is_full_name
from pyx.wire.beam import etf_tags as tags
from pyx.wire.beam.elixir_structs import struct_value
from pyx.wire.beam.etf_tags import (  # globals: the loop reads them for every term
    ATOM_CACHE_REF,
    BINARY,
    INTEGER,
    LARGE_TUPLE,
    LIST,
    MAP,
    MAX_DEPTH,
    NIL,
    SMALL_ATOM_UTF8,
    SMALL_INTEGER,
    SMALL_TUPLE,
)
from pyx.wire.beam.opaque_functions import FUNCTION_HEAD_BYTES, copied_function, number_of_terms
from pyx.wire.fresh_memory import keep_large_buffers
from pyx.wire.messages.decode import check_collisions
from pyx.wire.messages.format import MalformedPayload
from pyx.wire.messages.names import Unsendable
from pyx.wire.messages.safe_keys import check_key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyx.terms import Incarnation

_U16: Final = Struct(">H").unpack_from
_U32: Final = Struct(">I").unpack_from
_I32: Final = Struct(">i").unpack_from
_F64: Final = Struct(">d").unpack_from
_PID_NUMBERS: Final = Struct(">III").unpack_from
_PORT_NUMBERS: Final = Struct(">QI").unpack_from

_KEPT_ATOMS: Final = 4096
_ATOM_VALUES: Final = {b"nil": None, b"true": True, b"false": False}
_atoms: dict[bytes, Any] = dict(_ATOM_VALUES)
"""By their UTF-8: the values of atoms read before.  Emptied when full."""

_LARGE: Final = 64 * 1024
_NEW: Final = object()

_PLAIN_KEYS: Final = frozenset((type(None), bool, int, float, str, bytes, Atom, Pid, Ref))
"""Classes whose objects are hashed in C, whatever they hold."""


class _Context:
    """What the readers of rare terms need beside the bytes."""

    __slots__ = ("atoms", "functions", "here", "texts")

    def __init__(self, atoms: Sequence[Any], here: Incarnation | None, *, texts: bool) -> None:
        self.atoms = atoms
        self.here = here
        self.texts = texts
        self.functions = 0
        """How many functions the term being read is inside of."""


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
        return _read(data, at, _Context(atoms, here, texts=binaries != "bytes"))
    except DecodeError:
        raise
    except (IndexError, struct.error):
        raise _malformed("it is cut short") from None
    except (ArithmeticError, MalformedPayload, TypeError, UnicodeError, ValueError) as cause:
        raise _malformed(str(cause)) from None


def received_atom(data: bytes) -> Any:
    """Returns the value of an atom by its UTF-8: an `Atom`; None, True or False for those three.

    Raises:
        DecodeError: the bytes are not UTF-8, or too many characters.
    """
    known = _ATOM_VALUES.get(data, _NEW)
    if known is not _NEW:
        return known
    try:
        value = Atom(data.decode())
    except ValueError as cause:
        raise _malformed(f"an atom: {cause}") from None
    if len(_atoms) >= _KEPT_ATOMS:
        _atoms.clear()
        _atoms.update(_ATOM_VALUES)
    _atoms[data] = value
    return value


def _malformed(problem: str) -> DecodeError:
    return DecodeError(f"malformed term of an Erlang node: {problem}")


def _cut_short() -> NoReturn:
    raise IndexError


def _read(data: bytes, at: int, context: _Context) -> tuple[Any, int]:
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
                _cut_short()
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
                _cut_short()
            name = data[start:at]
            value = _atoms.get(name, _NEW)
            if value is _NEW:
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
                _cut_short()
            if number:
                if len(outer) >= MAX_DEPTH:
                    raise _malformed(f"it nests deeper than {MAX_DEPTH} containers")
                outer.append((kind, count, items))
                kind, count, items = tag, number, []
                continue
            value = {} if tag == MAP else ()
        else:
            read = _READERS.get(tag)
            if read is None:
                raise _malformed(f"it has the tag {tag}")
            value, at = read(data, at + 1, context)
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


# ---------------------------------------------------------------- values without items


def _small_big(data: bytes, at: int, _: _Context) -> tuple[int, int]:
    return _big(data, at + 1, data[at])


def _large_big(data: bytes, at: int, _: _Context) -> tuple[int, int]:
    return _big(data, at + 4, _U32(data, at)[0])


def _big(data: bytes, at: int, length: int) -> tuple[int, int]:
    is_negative = data[at]
    number = int.from_bytes(_bytes(data, at + 1, length), "little")
    return -number if is_negative else number, at + 1 + length


def _bytes(data: bytes, at: int, length: int) -> bytes:
    if length > len(data) - at:
        _cut_short()
    return data[at : at + length]


def _new_float(data: bytes, at: int, _: _Context) -> tuple[float, int]:
    return _finite(_F64(data, at)[0]), at + 8


def _old_float(data: bytes, at: int, _: _Context) -> tuple[float, int]:
    text = _bytes(data, at, 31).rstrip(b"\0")
    if b"_" in text:
        raise _malformed("a float is not a number")
    return _finite(float(text)), at + 31


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise _malformed("a float is not a number")
    return value


def _string(data: bytes, at: int, _: _Context) -> tuple[list[int], int]:
    length = _U16(data, at)[0]
    return list(_bytes(data, at + 2, length)), at + 2 + length


def _bit_binary(data: bytes, at: int, _: _Context) -> tuple[Any, int]:
    length, bits = _U32(data, at)[0], data[at + 4]
    found = _bytes(data, at + 5, length)
    if bits == 8 or not found:
        raise _malformed("a bit string has whole bytes")
    return BitString(found, bits), at + 5 + length


def _long_atom(data: bytes, at: int, _: _Context) -> tuple[Any, int]:
    length = _U16(data, at)[0]
    return received_atom(_bytes(data, at + 2, length)), at + 2 + length


def _latin_atom(data: bytes, at: int, _: _Context) -> tuple[Any, int]:
    length = _U16(data, at)[0]
    return received_atom(_bytes(data, at + 2, length).decode("latin-1").encode()), at + 2 + length


def _small_latin_atom(data: bytes, at: int, _: _Context) -> tuple[Any, int]:
    length = data[at]
    return received_atom(_bytes(data, at + 1, length).decode("latin-1").encode()), at + 1 + length


# ---------------------------------------------------------------- addresses


def _new_pid(data: bytes, at: int, context: _Context) -> tuple[Pid, int]:
    node, at = _node(data, at, context)
    number, serial, creation = _PID_NUMBERS(data, at)
    return _pid(number, serial, *_incarnation(node, creation, context)), at + 12


def _old_pid(data: bytes, at: int, context: _Context) -> tuple[Pid, int]:
    node, at = _node(data, at, context)
    number, serial = _U32(data, at)[0], _U32(data, at + 4)[0]
    return _pid(number, serial, *_incarnation(node, data[at + 8], context)), at + 9


_pid: Final = functools.lru_cache(maxsize=1024)(Pid)
"""Pids read before: most messages of a conversation hold the same few."""


def _newer_reference(data: bytes, at: int, context: _Context) -> tuple[Ref, int]:
    node, after = _node(data, at + 2, context)
    return _reference(data, _U16(data, at)[0], node, _U32(data, after)[0], after + 4, context)


def _new_reference(data: bytes, at: int, context: _Context) -> tuple[Ref, int]:
    node, after = _node(data, at + 2, context)
    return _reference(data, _U16(data, at)[0], node, data[after], after + 1, context)


def _old_reference(data: bytes, at: int, context: _Context) -> tuple[Ref, int]:
    node, at = _node(data, at, context)
    return Ref(_U32(data, at)[0], *_incarnation(node, data[at + 4], context)), at + 5


def _reference(
    data: bytes, words: int, node: str, creation: int, at: int, context: _Context
) -> tuple[Ref, int]:
    if not 1 <= words <= tags.MOST_WORDS:
        raise _malformed(f"a reference of {words} words")
    number = 0
    for word in reversed(range(words)):  # each is big endian, the low one first
        number = number << 32 | _U32(data, at + 4 * word)[0]
    return Ref(number, *_incarnation(node, creation, context)), at + 4 * words


def _v4_port(data: bytes, at: int, context: _Context) -> tuple[Port, int]:
    node, at = _node(data, at, context)
    number, creation = _PORT_NUMBERS(data, at)
    return Port(node, number, creation), at + 12


def _new_port(data: bytes, at: int, context: _Context) -> tuple[Port, int]:
    node, at = _node(data, at, context)
    return Port(node, _U32(data, at)[0], _U32(data, at + 4)[0]), at + 8


def _old_port(data: bytes, at: int, context: _Context) -> tuple[Port, int]:
    node, at = _node(data, at, context)
    return Port(node, _U32(data, at)[0], data[at + 4]), at + 5


def _node(data: bytes, at: int, context: _Context) -> tuple[str, int]:
    name, at = _atom(data, at, context)
    if not _is_node_name(name):
        raise _malformed("an address has an invalid node name")
    return str(name), at


_is_node_name: Final = functools.lru_cache(maxsize=1024)(is_full_name)


def _atom(data: bytes, at: int, context: _Context) -> tuple[Atom, int]:
    tag = data[at]
    if tag == tags.ATOM_CACHE_REF:
        name, at = context.atoms[data[at + 1]], at + 2
    elif tag == tags.SMALL_ATOM_UTF8:
        length = data[at + 1]
        name, at = received_atom(_bytes(data, at + 2, length)), at + 2 + length
    elif tag in _OTHER_ATOMS:
        name, at = _READERS[tag](data, at + 1, context)
    else:
        name = None
    if type(name) is not Atom:
        raise _malformed("a name is not an atom")
    return name, at


def _incarnation(node: str, creation: int, context: _Context) -> tuple[str, int]:
    """Name and creation of the node of a pid or reference; ("", 0) for this node."""
    here = context.here
    return (
        ("", 0) if here is not None and node == here.name and creation == here.creation else (node, creation)
    )


# ---------------------------------------------------------------- functions


def _export(data: bytes, at: int, context: _Context) -> tuple[FunctionName, int]:
    module, at = _atom(data, at, context)
    name, at = _atom(data, at, context)
    if data[at] != tags.SMALL_INTEGER:
        raise _malformed("a function whose number of arguments is not a number")
    return FunctionName(str(module), str(name), data[at + 1]), at + 2


_MOST_FUNCTIONS: Final = 16


def _new_fun(data: bytes, at: int, context: _Context) -> tuple[BeamFunction, int]:
    copied, end = copied_function(data, at, context.atoms)
    inside = at + FUNCTION_HEAD_BYTES
    context.functions += 1
    if context.functions > _MOST_FUNCTIONS:
        raise _malformed("functions inside functions")
    for _ in range(number_of_terms(data, at)):  # read, so that nothing is sent back that is not a term
        inside = _read(data, inside, context)[1]
    context.functions -= 1
    return BeamFunction(copied), end


_OTHER_ATOMS: Final = frozenset((tags.ATOM_UTF8, tags.ATOM, tags.SMALL_ATOM))

_READERS: Final[dict[int, Callable[[bytes, int, _Context], tuple[Any, int]]]] = {
    tags.SMALL_BIG: _small_big,
    tags.LARGE_BIG: _large_big,
    tags.NEW_FLOAT: _new_float,
    tags.FLOAT: _old_float,
    tags.STRING: _string,
    tags.BIT_BINARY: _bit_binary,
    tags.ATOM_UTF8: _long_atom,
    tags.ATOM: _latin_atom,
    tags.SMALL_ATOM: _small_latin_atom,
    tags.NEW_PID: _new_pid,
    tags.PID: _old_pid,
    tags.NEWER_REFERENCE: _newer_reference,
    tags.NEW_REFERENCE: _new_reference,
    tags.REFERENCE: _old_reference,
    tags.V4_PORT: _v4_port,
    tags.NEW_PORT: _new_port,
    tags.PORT: _old_port,
    tags.EXPORT: _export,
    tags.NEW_FUN: _new_fun,
}
"""By tag: a function from the bytes and the index behind the tag to the value and the index behind it."""
