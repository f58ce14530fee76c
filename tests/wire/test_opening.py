"""Opening harms nobody: hostile bytes give a DecodeError and nothing else, on any stack."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tracemalloc
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgpack
import pytest

from pyx.errors import DecodeError
from pyx.signals import Letter
from pyx.terms import FunctionName, Life, Pid, Raised, Ref, Struct
from pyx.wire import marks
from pyx.wire.codec import open_letter, seal

HERE = Life("here@vm", 7)
MUTATIONS = int(os.environ.get("PYX_MUTATIONS", "3000"))


def opened(*parts: object, origin: Life | None = None) -> Any:
    """What a letter gives that holds this array (`mark(KIND), ...` or whatever a liar would write)."""
    return open_letter(Letter(msgpack.packb(list(parts)), origin), HERE)


def mark(kind: int) -> Any:
    return msgpack.ExtType(kind, b"\0")


@dataclass(frozen=True)
class Point:
    x: Any
    y: Any


class TestHostileBytes:
    @pytest.mark.parametrize(
        ("data", "why"),
        [
            (b"", "not a letter"),
            (b"\xc1", "not a letter"),
            (b"\x92\x01", "No more data"),
            (b"\x01\x02", "bytes behind the value"),
            (b"\x01" + b"\x02" * 300, "bytes behind the value"),
            (b"\xdd\xff\xff\xff\xff", "not a letter"),
            (b"\xdf\xff\xff\xff\xff", "not a letter"),
            (b"\xc6\xff\xff\xff\xff", "not a letter"),
            (b"\xc9\xff\xff\xff\xff\x01", "not a letter"),
            (b"\xdd\x00\x00\xff\xff" * 50, "not a letter"),
            (b"\xdd\x00\x01\x00\x00" * 200, "not a letter"),
            (b"\xa1\xff", "not a letter"),
            (b"\x81\x90\x01", "unhashable"),
            (b"\x81\x80\x01", "unhashable"),
        ],
    )
    def test_what_is_no_letter_says_so(self, data: bytes, why: str) -> None:
        with pytest.raises(DecodeError, match=why):
            open_letter(Letter(data), HERE)

    def test_what_was_announced_is_not_allocated(self) -> None:
        tracemalloc.start()
        try:
            for data in (b"\xdc\xff\xff" * 85, b"\xdd\x00\x0f\xff\xff" * 60_000):
                tracemalloc.reset_peak()
                before = tracemalloc.get_traced_memory()[0]
                with pytest.raises(DecodeError):
                    open_letter(Letter(data), HERE)
                assert tracemalloc.get_traced_memory()[1] - before < 4 * len(data) + 100_000
        finally:
            tracemalloc.stop()

    @pytest.mark.parametrize("kind", [-128, -2, -1, 0, 21, 127])
    def test_a_kind_that_there_is_not(self, kind: int) -> None:
        with pytest.raises(DecodeError):
            open_letter(Letter(b"\x92\xd4" + kind.to_bytes(1, "big", signed=True) + b"\0\x01"), HERE)

    @pytest.mark.parametrize("kind", range(1, 21))
    def test_a_mark_that_leads_no_array(self, kind: int) -> None:
        for value in (mark(kind), [1, mark(kind)], {"a": mark(kind)}, {mark(kind): 1}, [mark(1), mark(kind)]):
            with pytest.raises(DecodeError):
                open_letter(Letter(msgpack.packb(value)), HERE)

    @pytest.mark.parametrize("kind", range(4, 21))
    def test_a_kind_with_too_little_or_too_much(self, kind: int) -> None:
        for parts in ([], [1] * 40, [[]], [{}, {}], [1, "", "a"], [None] * 3, [1, "b", "c", 1, 2]):
            with pytest.raises(DecodeError):
                opened(mark(kind), *parts)

    @pytest.mark.parametrize(
        "parts",
        [
            (marks.INT, "12"), (marks.PID, -1, 0), (marks.PID, 1.0, 0), (marks.PID, True, 0),
            (marks.PID, 1, 0, "", 5), (marks.PID, 1, 0, "a@vm", 0), (marks.PID, 1, 0, b"a@vm", 5),
            (marks.REF, "1"), (marks.REF, 1, "a@vm", -1), (marks.DATE, 2024, 2, 30), (marks.DATE, 2024.0, 1, 1),
            (marks.TIME, 24, 0, 0, 0, 0), (marks.TIME, 1, 0, 0, 0, 2), (marks.DATETIME, 0, 1, 1, 1, 1, 1, 1, 0),
            (marks.TIME, 1, 0, 0, 0, 0, 10**12, None, False), (marks.TIME, 1, 0, 0, 0, 0, 0, 7, False),
            (marks.TIME, 1, 0, 0, 0, 0, None, "No/Where", True), (marks.TIME, 1, 0, 0, 0, 0, 0, "UTC"),
            (marks.TIMEDELTA, 1.5, 0, 0), (marks.TIMEDELTA, 2**62, 0, 0), (marks.DECIMAL, "ten"), (marks.DECIMAL, 1),
            (marks.UUID, b"short"), (marks.UUID, "x" * 16), (marks.SET, []), (marks.FROZENSET, {}),
            (marks.DATACLASS, "os", "Nope", "a,b", 1), (marks.DATACLASS, "os", "Nope", "", 1),
            (marks.DATACLASS, 1, "Nope", ""), (marks.NAMEDTUPLE, "os", b"Nope", ""), (marks.ENUM, "os", "Nope", 1),
            (marks.FLAG, "os", "Nope", "1"), (marks.FUNCTION, "os", 1), (marks.FUNCTION_NAME, 1, "x"),
            (marks.STRUCT, "a.B", "x"), (marks.STRUCT, "a.B", 1, 2), (marks.STRUCT, 1), (marks.RAISED, "", "", 1),
        ],
    )  # fmt: skip
    def test_a_kind_with_the_wrong_things_in_it(self, parts: tuple[Any, ...]) -> None:
        with pytest.raises(DecodeError, match="^not a letter: "):
            opened(mark(parts[0]), *parts[1:])

    @pytest.mark.parametrize(
        "key", ["../../etc/passwd", "/etc/passwd", "Europe", "x" * 500, "", "\0", "posixrules/"]
    )
    def test_a_time_zone_that_is_none_keeps_its_name_and_offset(self, key: str) -> None:
        value = opened(mark(marks.DATETIME), 2024, 1, 1, 0, 0, 0, 0, 0, 3_600_000_000, key, True)
        assert value == datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=1), key))
        assert value.tzname() == key

    @pytest.mark.parametrize("opening", [b"\x91", b"\x81\x00", b"\x92\xd4\x01\0", b"\x92\xd4\x03\0"])
    @pytest.mark.parametrize("depth", [257, 1000, 1025, 100_000])
    def test_what_nests_too_deep(self, opening: bytes, depth: int) -> None:
        with pytest.raises(DecodeError):
            open_letter(Letter(opening * depth + b"\x01"), HERE)

    def test_a_letter_that_failed_leaves_nothing_behind(self) -> None:
        good = Letter(seal(("a", {"b": (1,)})))
        for bad in (b"\x92\x01", b"\x01\x02", b"\x92\xd4\x01\0", b"\x92\x01\xd4\x01\0", b"\x91" * 300):
            with pytest.raises(DecodeError):
                open_letter(Letter(bad), HERE)
            assert open_letter(good, HERE) == ("a", {"b": (1,)})


RICH: list[Any] = [
    ("add", Pid(5), {"name": "nike", "qty": 30, (1, frozenset({2, "x"})): [None, True, -0.0, 2**70]}),
    {
        "when": [
            datetime(2024, 1, 1, tzinfo=ZoneInfo("Europe/Berlin")),
            date(2024, 1, 1),
            time(1),
            timedelta(1),
        ]
    },
    [Decimal("1.5"), UUID(int=5), Ref(3, "a@vm", 5), Raised("E", "t"), Struct("a.B", (("x", {1, 2}),))],
    {Point(1, (2,)): Point(Point(1, 2), 3), Pid(1, 0, "here@vm", 7): {1: {2: {3: b"bytes"}}}},
    [len, Point, FunctionName("a", "b"), "text \ud800", [[[[[(((((1,),),),),)]]]]]],
]


def test_no_mutation_of_letters_gives_anything_but_a_value_or_a_decode_error() -> None:
    """More of them: PYX_MUTATIONS=1000000."""
    chance = random.Random(7)
    letters = [seal(each) for each in (*RICH, RICH)]
    specials = bytes(
        (0x80, 0x81, 0x90, 0x91, 0x9F, 0xC0, 0xC1, 0xC7, 0xD4, 0xD5, 0xD6, 0xDC, 0xDD, 0xDE, 0xDF, 0xFF)
    )
    survived = 0
    for _ in range(MUTATIONS):
        data = bytearray(chance.choice(letters))
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(data))
            match chance.randrange(6):
                case 0:
                    data[place] = chance.randrange(256)
                case 1:
                    data[place] = chance.choice(specials)
                case 2:
                    data[place : place + chance.randint(1, 8)] = b""
                case 3:
                    data[place:place] = b"\x92\xd4" + bytes((chance.randint(0, 22), 0))
                case 4:
                    other = chance.choice(letters)
                    start = chance.randrange(len(other))
                    data[place:place] = other[start : start + chance.randint(1, 40)]
                case 5:
                    data[place:] = data[place:] * chance.randint(0, 2)
            data = data or bytearray(b"\xc0")
        try:
            value = open_letter(Letter(bytes(data), chance.choice([None, HERE, Life("a@vm", 5)])), HERE)
        except DecodeError:
            continue
        survived += 1
        assert "Mark object" not in repr(value)
        seal(value)  # whatever came out is data
    assert 0 < survived < MUTATIONS


ON_A_SMALL_STACK = r"""
import sys, threading
from dataclasses import dataclass
import msgpack
from pyx.errors import DecodeError
from pyx.signals import Letter
from pyx.wire.codec import open_letter

threading.stack_size(32768)  # the least that Python allows
DATACLASS = msgpack.packb("__main__") + msgpack.packb("Point") + msgpack.packb("x,y")
WRAPS = {
    "list": b"\x91", "dict": b"\x81\x00",
    "tuple": b"\x92\xd4\x01\0", "set": b"\x92\xd4\x02\0", "frozenset": b"\x92\xd4\x03\0",
    "dataclass": b"\x96\xd4\x0d\0" + DATACLASS + b"\x01",
    "struct": b"\x94\xd4\x12\0\xa1a\xa1b",
    "tuple of frozenset": b"\x92\xd4\x01\0\x92\xd4\x03\0",
}

@dataclass(frozen=True)
class Point:
    x: object
    y: object

def hostile():
    for wrap in WRAPS.values():
        for depth in (1, 15, 20, 30, 120, 254, 255, 256, 257, 1023, 1024, 30000):
            deep = wrap * depth + b"\x01"
            yield deep
            yield b"\x81" + deep + b"\x01"             # as a key
            yield b"\x82" + deep + b"\x01" + deep + b"\x02"   # as a key twice: it is compared
            yield b"\x93\xd4\x02\0" + deep + deep     # as a member twice
            yield deep[:-1]
            yield wrap * depth

counts = [0, 0]
def work():
    for data in hostile():
        try:
            value = open_letter(Letter(data), None)
            counts[0] += 1
            del value
        except DecodeError:
            counts[1] += 1

thread = threading.Thread(target=work)
thread.start()
thread.join()
print("survived", *counts)
"""


def test_nesting_of_every_kind_on_the_smallest_stack() -> None:
    """In a process of its own, so that a SIGSEGV is a failure and not the end of the tests."""
    done = subprocess.run(
        [sys.executable, "-c", ON_A_SMALL_STACK],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    word, opened_count, refused_count = done.stdout.split()
    assert word == "survived"
    assert int(opened_count) > 100
    assert int(refused_count) > 100
