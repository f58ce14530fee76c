"""limits.py: The length and the depth of a message are checked before it is written."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from pyx.errors import EncodeError
from pyx.signals import Payload
from pyx.terms import Pid, Ref, Struct
from pyx.wire.codec import decode, encode
from pyx.wire.messages import limits
from pyx.wire.messages.limits import TooDeep, TooLong, measure, measure_short
from pyx.wire.messages.plain import TAG
from pyx.wire.messages.reduce import reduce_object

MIB = 1024 * 1024


@dataclass
class Item:
    name: Any
    qty: Any = 1


def doubled(levels: int, wrap: Any, inner: Any = 1) -> Any:
    """A value of a few objects, each of which contains the next one twice."""
    for _ in range(levels):
        inner = wrap(inner)
    return inner


DOUBLING = {
    "list": lambda each: [each, each],
    "tuple": lambda each: (each, each),
    "dict": lambda each: {"a": each, "b": each},
    "dataclass": lambda each: Item(each, each),
    "Struct": lambda each: Struct("a.B", (("x", each), ("y", each))),
    "mixed": lambda each: {"a": [each], "b": (each, Item(each))},
}

BLOB = b"x" * MIB
WIDE = list(range(100_000))
LONG_KEY = "k" * MIB

TOO_LONG: dict[str, Any] = {
    "bytes": [BLOB] * 10_000,
    "text": ["y" * MIB] * 10_000,
    "bytes in tuples": [(BLOB,)] * 10_000,
    "bytes in dicts": [{"a": BLOB, "b": 1} for _ in range(10_000)],
    "bytes in one dict": dict.fromkeys(range(10000), BLOB),
    "bytes in objects": [Item(BLOB)] * 10_000,
    "keys": [{LONG_KEY: 1} for _ in range(10_000)],
    "keys beside others": [{LONG_KEY: 1, 2: 3} for _ in range(10_000)],
    "lists": [WIDE] * 100_000,
    "lists of lists": [[WIDE] * 1000] * 1000,
    "sets": [set(WIDE)] * 100_000,
    "dicts": [dict.fromkeys(WIDE)] * 100_000,
    "large ints": [1 << 8_000_000] * 10_000,
    "a few large ints": tuple([1 << 8_000_000] * 16),
    "decimals": [Decimal("1" * MIB)] * 10_000,
    "a few": ("add", [BLOB] * 9),
    "in a small one": ("add", {"a": "x" * (8 * MIB + 1)}),
}


class TestTooLong:
    @pytest.mark.parametrize("wrap", list(DOUBLING.values()), ids=list(DOUBLING))
    def test_tree_of_shared_branches_is_refused(self, wrap: Any) -> None:
        with pytest.raises(EncodeError, match=r"^cannot send message: .* is too long: at least "):
            encode(doubled(100, wrap), max_bytes=8 * MIB)

    @pytest.mark.parametrize("value", list(TOO_LONG.values()), ids=list(TOO_LONG))
    def test_part_that_occurs_many_times_is_refused(self, value: Any) -> None:
        tracemalloc.start()
        try:
            with pytest.raises(
                EncodeError, match=r"at most 8,388,608 are allowed \(--max-message\)"
            ) as caught:
                encode(value, max_bytes=8 * MIB)
            assert tracemalloc.get_traced_memory()[1] < 64 * MIB
        finally:
            tracemalloc.stop()
        assert caught.value.hint == "send it in parts, or the path of a file that holds it"

    def test_message_at_the_limit_is_encoded(self) -> None:
        dicts = [{"n": number} for number in WIDE]
        for value in ([b"x" * 1000] * 1000, WIDE, dicts, doubled(6, DOUBLING["mixed"])):
            size = len(encode(value))
            assert decode(Payload(encode(value, max_bytes=size)), None) == value
            with pytest.raises(EncodeError, match="is too long"):
                encode(value, max_bytes=size - 1)

    def test_text_that_grows_when_encoded_is_refused(self) -> None:
        with pytest.raises(EncodeError, match=r"is too long: at least 2,000,.* bytes"):
            encode("ä" * 1_000_000, max_bytes=MIB + 1000)


class TestMeasure:
    SOME: tuple[Any, ...] = (
        None, 1, 2.5, "text", b"bytes", Pid(1), Ref(2), [1, [2, [3]]], ({"a": {1, (2, 3)}},),
        {(1, 2): [Item(3)]},
    )  # fmt: skip

    @pytest.mark.parametrize("value", SOME, ids=repr)
    def test_measured_length_is_at_most_the_encoded_length(self, value: Any) -> None:
        measure(value, len(encode(value)))
        for message in ([value] * 50, [value] * 1000, [[value] * 20] * 20):
            size = len(encode(message))
            measure(message, size)
            with pytest.raises(TooLong):
                measure(message, size // 40 - 1)

    def test_object_is_reduced_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        item, asked = Item("nike"), []

        def reduce(value: Any) -> list[Any]:
            asked.append(value)
            return reduce_object(value)

        monkeypatch.setattr(limits, "reduce_object", reduce)

        for message in ([item, (item, {"a": item})], [[item] * 200, [item] * 200]):
            asked.clear()
            reduced, found, _ = measure(message, MIB)
            assert asked == [item]
            assert list(reduced) == [id(item)]
            assert found & TAG
            short = measure_short([item, item])
            assert short is not None
            assert short[:2] == (reduced, TAG)

    def test_too_deep_message_is_refused(self) -> None:
        for wrap in (lambda each: [each], lambda each: {0: each}, Item, lambda each: frozenset([each])):
            if wrap is Item:
                measure(doubled(256, wrap), MIB)
            with pytest.raises(TooDeep):
                measure(doubled(257, wrap), MIB)


ON_A_SMALL_STACK = r"""
import sys, threading
from dataclasses import dataclass
from pyx.errors import EncodeError
from pyx.signals import Payload
from pyx.wire.codec import decode, encode

@dataclass(frozen=True)
class Point:
    x: object

WRAPS = [lambda x: [x], lambda x: (x,), lambda x: {0: x}, lambda x: frozenset([x]), Point, lambda x: [x, x]]

def inner(value):
    match value:
        case Point():
            return value.x
        case dict():
            return value[0]
        case _:
            return next(iter(value))

def work():
    for wrap in WRAPS:
        for depth in (1, 100, 250, 256, 257, 900, 5000):
            value = 1
            try:
                for _ in range(depth):
                    value = wrap(value)
            except RecursionError:
                continue
            try:
                decoded = decode(Payload(encode(value, max_bytes=100_000)), None)
                print("arrived", depth)
                del decoded
            except EncodeError as error:
                print("refused", depth, str(error)[-40:])
            while depth > 1:  # level by level: CPython 3.13 frees 5,000 frozensets by recursion
                depth -= 1
                value = inner(value)
    cycle = [1]
    cycle.append({"again": (cycle,)})
    for value in (cycle, (cycle, cycle)):
        try:
            encode(value)
        except EncodeError as error:
            print("cycle", str(error)[-15:])
    cycle.clear()

threading.stack_size(int(sys.argv[1]) * 1024)
thread = threading.Thread(target=work)
thread.start()
thread.join()
print("survived")
"""


@pytest.mark.parametrize("kib", [128, 256, 384])
def test_deep_messages_survive_a_small_stack(kib: int) -> None:
    """In a process of its own, so that a SIGSEGV is a failure and not the end of the tests."""
    done = subprocess.run(
        [sys.executable, "-c", ON_A_SMALL_STACK, str(kib)],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    *lines, last = done.stdout.splitlines()
    assert last == "survived"
    assert lines.count("arrived 256") >= 3
    assert sum(line.startswith("refused 257") for line in lines) >= 3
    assert [line for line in lines if "cycle" in line] == ["cycle contains itself"] * 2
