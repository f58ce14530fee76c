"""Randomly mutated bytes, and the number of mutations, for `test_fuzz.py`.

Each input is made from its number alone: a failure names the number, and the input can be made again.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

DEFAULT_MUTATIONS: Final = 50_000
_BATCH: Final = 2_500

_SPECIAL_BYTES: Final = bytes.fromhex("00017f808190919fc0c1c7d4d5d6d7d8dcdddedffeff")
"""Bytes with a meaning to msgpack, or as part of a length."""

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
    """The numbers of the inputs, in batches: $PYX_MUTATIONS is how many, or `first..last`."""
    asked = os.environ.get("PYX_MUTATIONS", f"{DEFAULT_MUTATIONS}")
    first, dots, last = asked.partition("..")
    numbers = range(int(first), int(last) + 1) if dots else range(int(first))
    return [numbers[at : at + _BATCH] for at in range(0, len(numbers), _BATCH)]


def mutated(chance: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """*data*, mutated in one to four places; a place may get a piece of one of the *others*."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(changed) or 1)
        match chance.randrange(8):
            case 0:
                changed[place : place + 1] = bytes((chance.randrange(256),))
            case 1:
                changed[place : place + 1] = bytes((chance.choice(_SPECIAL_BYTES),))
            case 2:
                changed[place : place + chance.randint(1, 8)] = b""
            case 3:  # a tag of some kind
                changed[place:place] = b"\x92\xd4" + bytes((chance.randint(0, 27), 0))
            case 4:
                other = chance.choice(others)
                start = chance.randrange(len(other))
                changed[place:place] = other[start : start + chance.randint(1, 40)]
            case 5:  # cut short, or its rest twice
                changed[place:] = changed[place:] * chance.randint(0, 2)
            case 6:
                length = chance.choice(_LENGTHS)
                changed[place : place + len(length)] = length
            case 7:  # one bit
                changed[place : place + 1] = bytes(
                    b ^ 1 << chance.randrange(8) for b in changed[place : place + 1]
                )
    return bytes(changed)


def pieces(chance: Random, data: bytes) -> Iterator[memoryview]:
    """*data* as a connection may deliver it: whole, byte by byte, or cut anywhere; nothing is copied."""
    match chance.randrange(4):
        case 0 if len(data) <= 512:
            step = 1
        case 1 | 2 if data:
            step = max(chance.randint(1, len(data)), len(data) // 16)
        case _:
            step = len(data) or 1
    view = memoryview(data)
    return (view[at : at + step] for at in range(0, len(data), step))
