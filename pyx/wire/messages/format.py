"""The kinds of compound values in a payload, and the marks that lead them.  Not here: who makes or undoes
them.

A payload is one msgpack value.  None, bool, int up to 64 bits, float, str, bytes, list and dict travel as
what they are.  Everything else is an array led by a mark: an ext whose type is the kind, its payload
one zero byte.

    kind           after the mark
    TUPLE          the items
    SET FROZENSET  the members, in any order
    INT            big-endian two's complement bytes
    PID            number, serial                     a process of the node that encoded the payload
                   number, serial, node, creation     a process of another node
    REF            number                             as PID
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
    FLAG           module, qualified name, number     a combination of flags that is no member
    FUNCTION       module, qualified name             also a class
    STRUCT         name, then field, value, field, value ...
    FUNCTION_NAME  module, qualified name
    RAISED         type, text, traceback
"""

from __future__ import annotations

from typing import Any, Final

from msgpack import ExtType

MAX_DEPTH: Final = 256
"""Containers inside containers, every mark's array and every dict being one."""

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


_made: Final = {kind: ExtType(kind, b"\0") for kind in range(TUPLE, RAISED + 1)}

MARK_IDS: Final = frozenset(map(id, _made.values()))
"""Of the exts that lead arrays: one that is equal and another object is a message's own, and not data."""


def mark(kind: int) -> Any:
    """The ext that leads an array of this kind, always the same object."""
    return _made[kind]
