"""The tags of Erlang's external term format, and its limits; OTP's documentation has a page of that name.

A term is a tag and what follows it; all numbers are big endian.  `u8`, `u16`, `u32` have so many bits.

    SMALL_INTEGER       u8
    INTEGER             i32
    SMALL_BIG LARGE_BIG u8 or u32 length | u8 negative? | the bytes of the number, the low one first
    NEW_FLOAT           f64                                 FLOAT (old) 31 bytes of text
    ATOM_CACHE_REF      u8 number of an atom in the header of the message
    SMALL_ATOM_UTF8 ATOM_UTF8   u8 or u16 length | text     SMALL_ATOM, ATOM (old) the same in Latin-1
    SMALL_TUPLE LARGE_TUPLE     u8 or u32 number | items
    NIL                 nothing: the empty list
    STRING              u16 number | a list of numbers, a byte each
    LIST                u32 number | items | tail
    BINARY              u32 length | bytes
    BIT_BINARY          u32 length | u8 bits of the last byte | bytes
    MAP                 u32 number | key, value, key, value ...
    NEW_PID             node | u32 id | u32 serial | u32 creation       PID (old) with u8 creation
    NEWER_REFERENCE     u16 words | node | u32 creation | words, the low one first
                        NEW_REFERENCE (old) with u8 creation; REFERENCE (older) node | u32 | u8 creation
    V4_PORT             node | u64 id | u32 creation    NEW_PORT with u32 id; PORT (old) with u8 creation
    EXPORT              module | function | arity, a small integer
    NEW_FUN             u32 length of all after the tag | u8 arity | 16 bytes | u32 index
                        | u32 number of terms | module | old index | old unique number | pid
                        | that number of terms
"""

from __future__ import annotations

from struct import Struct
from typing import Final

NEW_FLOAT: Final = 70
BIT_BINARY: Final = 77
ATOM_CACHE_REF: Final = 82
NEW_PID: Final = 88
NEW_PORT: Final = 89
NEWER_REFERENCE: Final = 90
SMALL_INTEGER: Final = 97
INTEGER: Final = 98
FLOAT: Final = 99
ATOM: Final = 100
REFERENCE: Final = 101
PORT: Final = 102
PID: Final = 103
SMALL_TUPLE: Final = 104
LARGE_TUPLE: Final = 105
NIL: Final = 106
STRING: Final = 107
LIST: Final = 108
BINARY: Final = 109
SMALL_BIG: Final = 110
LARGE_BIG: Final = 111
NEW_FUN: Final = 112
EXPORT: Final = 113
NEW_REFERENCE: Final = 114
SMALL_ATOM: Final = 115
MAP: Final = 116
ATOM_UTF8: Final = 118
SMALL_ATOM_UTF8: Final = 119
V4_PORT: Final = 120

MAX_DEPTH: Final = 256
"""Containers inside containers, as in pyx's own messages."""

MOST_WORDS: Final = 5
"""The words of a reference; with six, OTP closes the connection [measured: OTP 25]."""

WORDS: Final = {words: (Struct(f"<{words}I"), Struct(f">{words}I")) for words in range(1, MOST_WORDS + 1)}
"""By the number of the words of a reference: these as little and as big endian numbers."""
