"""The terms without items but the most frequent ones: big ints, floats, bit strings, pids, references, ports.

Each reader takes the bytes, the index behind the tag and the context, and returns the value and the index
behind the term.
"""

from __future__ import annotations

import functools
import math
from struct import Struct
from typing import TYPE_CHECKING, Any, Final, NoReturn

from pyx.atoms import Atom
from pyx.erlang_terms import BitString, Port
from pyx.terms import FunctionName, Pid, Ref, is_full_name
from pyx.wire.beam import etf_tags as tags
from pyx.wire.beam.received_atoms import malformed, received_atom

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyx.terms import Incarnation

_U16: Final = Struct(">H").unpack_from
_U32: Final = Struct(">I").unpack_from
_F64: Final = Struct(">d").unpack_from
_PID_NUMBERS: Final = Struct(">III").unpack_from
_PORT_NUMBERS: Final = Struct(">QI").unpack_from


class TermContext:
    """What the readers of rare terms need beside the bytes."""

    __slots__ = ("atoms", "functions", "here", "texts")

    def __init__(self, atoms: Sequence[Any], here: Incarnation | None, *, texts: bool) -> None:
        self.atoms = atoms
        self.here = here
        self.texts = texts
        self.functions = 0
        """How many functions the term being read is inside of."""


def cut_short() -> NoReturn:
    """Raises what an index behind the end raises."""
    raise IndexError


def _small_big(data: bytes, at: int, _: TermContext) -> tuple[int, int]:
    return _big(data, at + 1, data[at])


def _large_big(data: bytes, at: int, _: TermContext) -> tuple[int, int]:
    return _big(data, at + 4, _U32(data, at)[0])


def _big(data: bytes, at: int, length: int) -> tuple[int, int]:
    is_negative = data[at]
    number = int.from_bytes(_bytes(data, at + 1, length), "little")
    return -number if is_negative else number, at + 1 + length


def _bytes(data: bytes, at: int, length: int) -> bytes:
    if length > len(data) - at:
        cut_short()
    return data[at : at + length]


def _new_float(data: bytes, at: int, _: TermContext) -> tuple[float, int]:
    return _finite(_F64(data, at)[0]), at + 8


def _old_float(data: bytes, at: int, _: TermContext) -> tuple[float, int]:
    text = _bytes(data, at, 31).rstrip(b"\0")
    if b"_" in text:
        raise malformed("a float is not a number")
    return _finite(float(text)), at + 31


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise malformed("a float is not a number")
    return value


def _string(data: bytes, at: int, _: TermContext) -> tuple[list[int], int]:
    length = _U16(data, at)[0]
    return list(_bytes(data, at + 2, length)), at + 2 + length


def _bit_binary(data: bytes, at: int, _: TermContext) -> tuple[Any, int]:
    length, bits = _U32(data, at)[0], data[at + 4]
    found = _bytes(data, at + 5, length)
    if bits == 8 or not found:
        raise malformed("a bit string has whole bytes")
    return BitString(found, bits), at + 5 + length


def _long_atom(data: bytes, at: int, _: TermContext) -> tuple[Any, int]:
    length = _U16(data, at)[0]
    return received_atom(_bytes(data, at + 2, length)), at + 2 + length


def _latin_atom(data: bytes, at: int, _: TermContext) -> tuple[Any, int]:
    length = _U16(data, at)[0]
    return received_atom(_bytes(data, at + 2, length).decode("latin-1").encode()), at + 2 + length


def _small_latin_atom(data: bytes, at: int, _: TermContext) -> tuple[Any, int]:
    length = data[at]
    return received_atom(_bytes(data, at + 1, length).decode("latin-1").encode()), at + 1 + length


# ---------------------------------------------------------------- addresses


def _new_pid(data: bytes, at: int, context: TermContext) -> tuple[Pid, int]:
    node, at = _atom(data, at, context)
    number, serial, creation = _PID_NUMBERS(data, at)
    return _pid(number, serial, *_incarnation(node, creation, context.here)), at + 12


def _old_pid(data: bytes, at: int, context: TermContext) -> tuple[Pid, int]:
    node, at = _node(data, at, context)
    number, serial = _U32(data, at)[0], _U32(data, at + 4)[0]
    return _pid(number, serial, *_incarnation(node, data[at + 8], context.here)), at + 9


_pid: Final = functools.lru_cache(maxsize=1024)(Pid)
"""Pids read before: most messages of a conversation hold the same few."""


def _newer_reference(data: bytes, at: int, context: TermContext) -> tuple[Ref, int]:
    node, after = _atom(data, at + 2, context)
    return _reference(data, _U16(data, at)[0], node, _U32(data, after)[0], after + 4, context)


def _new_reference(data: bytes, at: int, context: TermContext) -> tuple[Ref, int]:
    node, after = _atom(data, at + 2, context)
    return _reference(data, _U16(data, at)[0], node, data[after], after + 1, context)


def _old_reference(data: bytes, at: int, context: TermContext) -> tuple[Ref, int]:
    node, at = _node(data, at, context)
    return Ref(_U32(data, at)[0], *_incarnation(node, data[at + 4], context.here)), at + 5


def _reference(
    data: bytes, words: int, node: str, creation: int, at: int, context: TermContext
) -> tuple[Ref, int]:
    if not 1 <= words <= tags.MOST_WORDS:
        raise malformed(f"a reference of {words} words")
    # The low word comes first, and each word is big endian: reversed, that is one little endian number.
    low_first, big_endian = tags.WORDS[words]
    number = int.from_bytes(low_first.pack(*big_endian.unpack_from(data, at)), "little")
    return Ref(number, *_incarnation(node, creation, context.here)), at + 4 * words


def _v4_port(data: bytes, at: int, context: TermContext) -> tuple[Port, int]:
    node, at = _node(data, at, context)
    number, creation = _PORT_NUMBERS(data, at)
    return Port(node, number, creation), at + 12


def _new_port(data: bytes, at: int, context: TermContext) -> tuple[Port, int]:
    node, at = _node(data, at, context)
    return Port(node, _U32(data, at)[0], _U32(data, at + 4)[0]), at + 8


def _old_port(data: bytes, at: int, context: TermContext) -> tuple[Port, int]:
    node, at = _node(data, at, context)
    return Port(node, _U32(data, at)[0], data[at + 4]), at + 5


def _node(data: bytes, at: int, context: TermContext) -> tuple[str, int]:
    name, at = _atom(data, at, context)
    return _checked(name), at


def _checked(name: str) -> str:
    if not _is_node_name(name):
        raise malformed("an address has an invalid node name")
    return str(name)


_is_node_name: Final = functools.lru_cache(maxsize=1024)(is_full_name)


def _atom(data: bytes, at: int, context: TermContext) -> tuple[Atom, int]:
    tag = data[at]
    if tag == tags.ATOM_CACHE_REF:
        name, at = context.atoms[data[at + 1]], at + 2
    elif tag == tags.SMALL_ATOM_UTF8:
        length = data[at + 1]
        name, at = received_atom(_bytes(data, at + 2, length)), at + 2 + length
    elif tag in _OTHER_ATOMS:
        name, at = LEAF_READERS[tag](data, at + 1, context)
    else:
        name = None
    if type(name) is not Atom:
        raise malformed("a name is not an atom")
    return name, at


@functools.lru_cache(maxsize=1024)
def _incarnation(node: str, creation: int, here: Incarnation | None) -> tuple[str, int]:
    """Name and creation of the node of a pid or reference; ("", 0) for this node."""
    name = _checked(node)
    return (
        ("", 0) if here is not None and name == here.name and creation == here.creation else (name, creation)
    )


def _export(data: bytes, at: int, context: TermContext) -> tuple[FunctionName, int]:
    module, at = _atom(data, at, context)
    name, at = _atom(data, at, context)
    if data[at] != tags.SMALL_INTEGER:
        raise malformed("a function whose number of arguments is not a number")
    return FunctionName(str(module), str(name), data[at + 1]), at + 2


_OTHER_ATOMS: Final = frozenset((tags.ATOM_UTF8, tags.ATOM, tags.SMALL_ATOM))

LEAF_READERS: Final[dict[int, Callable[[bytes, int, TermContext], tuple[Any, int]]]] = {
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
}
"""By tag."""
