"""Bytes spoilt by chance, and how many times: what fuzzing needs.  Not here: what is fuzzed (`test_fuzz.py`).

Each input has a number, and that alone decides it: a failure names it, and it can be made again.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

MUTATIONS_IN_THE_GATE: Final = 50_000
_BATCH: Final = 2_500

_TELLING: Final = bytes((0, 1, 0x7F, 0x80, 0x81, 0x90, 0x91, 0x9F, 0xC0, 0xC1, 0xC7, 0xD4, 0xD5, 0xD6, 0xDC,
                         0xDD, 0xDE, 0xDF, 0xFE, 0xFF))  # fmt: skip
"""Bytes that say more than others, to msgpack or as part of a length."""

_LENGTHS: Final = tuple(
    bytes.fromhex(each)
    for each in [
        "00000000",
        "00000001",
        "0000ffff",
        "00010000",
        "00ffffff",
        "01000000",
        "01000001",
        "7fffffff",
        "ffffffff",
        "ddffffffff",
        "dfffffff",
    ]
)


def batches() -> list[range]:
    """The numbers of the inputs, in handy pieces: $PYX_MUTATIONS is how many, or `first..last`."""
    asked = os.environ.get("PYX_MUTATIONS", f"{MUTATIONS_IN_THE_GATE}")
    first, dots, last = asked.partition("..")
    numbers = range(int(first), int(last) + 1) if dots else range(int(first))
    return [numbers[at : at + _BATCH] for at in range(0, len(numbers), _BATCH)]


def mutated(chance: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """*data*, spoilt in one to four places; a place may get a piece of one of the *others*."""
    spoilt = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(spoilt) or 1)
        match chance.randrange(8):
            case 0:
                spoilt[place : place + 1] = bytes((chance.randrange(256),))
            case 1:
                spoilt[place : place + 1] = bytes((chance.choice(_TELLING),))
            case 2:
                spoilt[place : place + chance.randint(1, 8)] = b""
            case 3:  # a mark of the codec, of some kind
                spoilt[place:place] = b"\x92\xd4" + bytes((chance.randint(0, 22), 0))
            case 4:
                other = chance.choice(others)
                start = chance.randrange(len(other))
                spoilt[place:place] = other[start : start + chance.randint(1, 40)]
            case 5:  # cut short, or its rest said twice
                spoilt[place:] = spoilt[place:] * chance.randint(0, 2)
            case 6:
                length = chance.choice(_LENGTHS)
                spoilt[place : place + len(length)] = length
            case 7:  # one bit
                spoilt[place : place + 1] = bytes(
                    b ^ 1 << chance.randrange(8) for b in spoilt[place : place + 1]
                )
    return bytes(spoilt)


def pieces(chance: Random, data: bytes) -> Iterator[memoryview]:
    """*data* as a connection may hand it over: whole, byte by byte, or cut anywhere; nothing is copied."""
    match chance.randrange(4):
        case 0 if len(data) <= 512:
            step = 1
        case 1 | 2 if data:
            step = max(chance.randint(1, len(data)), len(data) // 16)
        case _:
            step = len(data) or 1
    view = memoryview(data)
    return (view[at : at + step] for at in range(0, len(data), step))
