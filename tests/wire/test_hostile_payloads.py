"""codec.py, decode.py: Hostile bytes raise DecodeError and nothing else, on any stack."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from dataclasses import dataclass
from typing import Any

import pytest

from pyx.errors import DecodeError
from pyx.signals import Payload
from pyx.terms import Incarnation
from pyx.wire.codec import decode, encode

HERE = Incarnation("here@vm", 7)


@dataclass(frozen=True)
class Point:
    x: Any
    y: Any


class TestHostileBytes:
    @pytest.mark.parametrize(
        ("data", "why"),
        [
            (b"", "malformed payload"),
            (b"\xc1", "malformed payload"),
            (b"\x92\x01", "No more data"),
            (b"\x01\x02", "bytes follow the value"),
            (b"\x01" + b"\x02" * 300, "bytes follow the value"),
            (b"\xdd\xff\xff\xff\xff", "malformed payload"),
            (b"\xdf\xff\xff\xff\xff", "malformed payload"),
            (b"\xc6\xff\xff\xff\xff", "malformed payload"),
            (b"\xc9\xff\xff\xff\xff\x01", "malformed payload"),
            (b"\xdd\x00\x00\xff\xff" * 50, "malformed payload"),
            (b"\xdd\x00\x01\x00\x00" * 200, "malformed payload"),
            (b"\xa1\xff", "malformed payload"),
            (b"\x81\x90\x01", "unhashable"),
            (b"\x81\x80\x01", "unhashable"),
        ],
    )
    def test_malformed_bytes_are_refused_with_the_reason(self, data: bytes, why: str) -> None:
        with pytest.raises(DecodeError, match=why):
            decode(Payload(data), HERE)

    def test_announced_length_is_not_allocated(self) -> None:
        tracemalloc.start()
        try:
            for data in (b"\xdc\xff\xff" * 85, b"\xdd\x00\x0f\xff\xff" * 60_000):
                tracemalloc.reset_peak()
                before = tracemalloc.get_traced_memory()[0]
                with pytest.raises(DecodeError):
                    decode(Payload(data), HERE)
                assert tracemalloc.get_traced_memory()[1] - before < 4 * len(data) + 100_000
        finally:
            tracemalloc.stop()

    @pytest.mark.parametrize("opening", [b"\x91", b"\x81\x00", b"\x92\xd4\x01\0", b"\x92\xd4\x03\0"])
    @pytest.mark.parametrize("depth", [257, 1000, 1025, 100_000])
    def test_too_deep_payload_is_refused(self, opening: bytes, depth: int) -> None:
        with pytest.raises(DecodeError):
            decode(Payload(opening * depth + b"\x01"), HERE)

    def test_payload_after_a_malformed_one_is_decoded(self) -> None:
        good = Payload(encode(("a", {"b": (1,)})))
        for bad in (b"\x92\x01", b"\x01\x02", b"\x92\xd4\x01\0", b"\x92\x01\xd4\x01\0", b"\x91" * 300):
            with pytest.raises(DecodeError):
                decode(Payload(bad), HERE)
            assert decode(good, HERE) == ("a", {"b": (1,)})


ON_A_SMALL_STACK = r"""
import sys, threading
from dataclasses import dataclass
import msgpack
from pyx.errors import DecodeError
from pyx.signals import Payload
from pyx.wire.codec import decode

# The least that Python allows; but to free 200 objects inside each other, 3.13 itself takes more.
threading.stack_size(32768 if sys.version_info < (3, 13) else 65536)
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
            value = decode(Payload(data), None)
            counts[0] += 1
            del value
        except DecodeError:
            counts[1] += 1

thread = threading.Thread(target=work)
thread.start()
thread.join()
print("survived", *counts)
"""


def test_nested_payloads_of_every_kind_survive_the_smallest_stack() -> None:
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
