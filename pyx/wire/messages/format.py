"""The format of a payload: the kinds of compound values, the tags that lead them, the check of its depth.

A payload in the general form is one msgpack value.  None, bool, int up to 64 bits, float, str, bytes, list
and dict are written as msgpack writes them.  Everything else is an array led by a tag: an ext whose type is
the kind and whose data is one zero byte.

A *plain* payload, without tags, is one of these bytes and a msgpack value (`plain`):

    D5     arrays are lists
    D6     arrays are tuples, and keys are texts or bytes
    D7     the outermost array is a tuple, the others are lists
    D8     (the rest of the payload is a `bytes`, as it is)

They lead exts of more than one byte, with which no general payload begins.

    kind           after the tag
    TUPLE          the items
    SET FROZENSET  the members, in any order
    INT            big-endian two's complement bytes
    PID            number, serial                     a process of the node that encoded the payload
                   number, serial, node, creation     a process of another node
    REF            number, of up to 160 bits          as PID
                   number, node, creation
    DATE           year, month, day
    TIME           hour, minute, second, microsecond, fold                      and a zone, or nothing
    DATETIME       year, month, day, hour, minute, second, microsecond, fold    and a zone, or nothing
                   a zone: offset in microseconds (None: unknown), name (None: none given), is it zoneinfo's?
    TIMEDELTA      days, seconds, microseconds
    DECIMAL        its text
    UUID           16 bytes, and SafeUUID's number if it is known
    DATACLASS      module, qualified name, field names joined by commas, the fields' values
    NAMEDTUPLE     the same
    ENUM           module, qualified name, member name
    FLAG           module, qualified name, number     a combination of flags that is not a member
    FUNCTION       module, qualified name             also a class
    STRUCT         name, then field, value, field, value ...
    FUNCTION_NAME  module, qualified name; of an Erlang function also its number of arguments
    RAISED         type, text, traceback
    ATOM           text
    IMPROPER_LIST  tail, then the items
    MAP            key, value, key, value ...
    BIT_STRING     bytes, number of bits in the last one
    PORT           node, number, creation
    BEAM_FUNCTION  bytes, a term in Erlang's format
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgpack import ExtType, Unpacker

from pyx.introspection import type_name

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DEPTH: Final = 256
"""Containers inside containers; every tagged array and every dict counts as one."""

SLICE_BYTES: Final = 1024 * 1024
"""Larger payloads are fed to msgpack in slices of this size, each copied in about a millisecond."""

TUPLE: Final = 1
SET: Final = 2
FROZENSET: Final = 3
INT: Final = 4
PID: Final = 5
REF: Final = 6
DATE: Final = 7
TIME: Final = 8
DATETIME: Final = 9
TIMEDELTA: Final = 10
DECIMAL: Final = 11
UUID: Final = 12
DATACLASS: Final = 13
NAMEDTUPLE: Final = 14
ENUM: Final = 15
FLAG: Final = 16
FUNCTION: Final = 17
STRUCT: Final = 18
FUNCTION_NAME: Final = 19
RAISED: Final = 20
ATOM: Final = 21
IMPROPER_LIST: Final = 22
MAP: Final = 23
BIT_STRING: Final = 24
PORT: Final = 25
BEAM_FUNCTION: Final = 26

_tags: Final = {kind: ExtType(kind, b"\0") for kind in range(TUPLE, BEAM_FUNCTION + 1)}

TAG_IDS: Final = frozenset(map(id, _tags.values()))
"""The ids of the tags: an equal ext that is another object comes from the user's message and is not data."""


def tag(kind: int) -> Any:
    """Returns the ext that leads an array of this kind, always the same object."""
    return _tags[kind]


class MalformedPayload(Exception):
    """What is wrong with a payload; `codec.decode` makes a `DecodeError` of it."""


def exact(value: Any, cls: type) -> Any:
    """Returns *value* if it is of exactly that class; raises MalformedPayload if not."""
    if type(value) is not cls:
        raise MalformedPayload(f"{cls.__name__} expected, not {type_name(value)}")
    return value


_C_STACK: Final = 1024
_WRAPPING: Final = b"\x91" * (_C_STACK - MAX_DEPTH)


def check_depth(data: bytes | memoryview) -> None:
    """Walks one packed value without building it.

    Raises:
        Exception: msgpack's, if the value nests too deep or is cut short; ValueError if bytes follow it.
    """
    # The C unpacker's stack holds `_C_STACK` containers; the wrapping leaves 256 of them to the payload.
    size = len(_WRAPPING) + len(data)
    walker = Unpacker(max_buffer_size=size, read_size=size)
    walker.feed(_WRAPPING)
    for piece in slices(data):
        walker.feed(piece)
    walker.skip()
    if walker.tell() != size:
        msg = "bytes follow the value"
        raise ValueError(msg)


def slices(data: bytes | memoryview) -> Iterator[bytes | memoryview]:
    """*data* itself, or if it is larger than `SLICE_BYTES` its slices in order.

    One call into C for all of a large payload would hold the GIL, and with it every thread of the node.
    """
    if len(data) <= SLICE_BYTES:
        yield data
        return
    view = memoryview(data)
    for start in range(0, len(data), SLICE_BYTES):
        yield view[start : start + SLICE_BYTES]
