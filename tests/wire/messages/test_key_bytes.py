"""key_bytes.py: equal keys are equal bytes, on every node; 1, 1.0 and True are three keys."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import msgpack
import pytest

from pyx import fast_paths
from pyx.errors import DecodeError, EncodeError
from pyx.signals import Payload
from pyx.terms import Pid, Ref
from pyx.wire.codec import decode, encode_key, key_of_peer
from tests.wire.samples import BOB, CAT, GUS


@dataclass(frozen=True)
class Place:
    """A class of the user."""

    town: str
    shelf: int


KEYS = [
    "room",
    "größe\udc80",
    "x" * 300,
    b"bytes",
    None,
    True,
    1,
    1.0,
    -1,
    2**100,
    (1, ("a", None)),
    ("shop", 7),
    (),
    frozenset({"b", "a", (2, "c")}),
    (frozenset({frozenset({1, 2}), frozenset()}), "x"),
    Place("vm", 3),
    date(2026, 11, 29),
    Decimal("1.50"),
    Pid(5),
    (Ref(7), Pid(6, 1)),
    Pid(5, 0, *CAT),
    Place,
]


def key(value: Any) -> bytes:
    return encode_key(value, max_bytes=4096)


@pytest.fixture(params=[True, False], ids=["fast", "general"], autouse=True)
def _both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_paths, "enabled", request.param)
    monkeypatch.setattr("pyx.wire.messages.encode._fast", request.param)


class TestKey:
    @pytest.mark.parametrize("value", KEYS, ids=range(len(KEYS)))
    def test_is_read_as_it_was_written(self, value: Any) -> None:
        assert decode(Payload(key(value)), None) == value

    def test_is_the_same_bytes_with_and_without_fast_paths(self, monkeypatch: pytest.MonkeyPatch) -> None:
        one = [key(value) for value in KEYS]
        monkeypatch.setattr("pyx.wire.messages.encode._fast", not fast_paths.enabled)
        assert [key(value) for value in KEYS] == one

    def test_differs_for_values_that_differ_on_the_wire(self) -> None:
        values: list[Any] = [*KEYS, 0, False, 0.0, "1", ("room",), [*()].__class__, "", b"", b"room"]
        written = [key(value) for value in values]
        assert len(set(written)) == len(values)

    def test_of_a_frozenset_does_not_depend_on_the_order_of_its_members(self) -> None:
        written = {key((frozenset(order), 1)) for order in itertools.permutations((1, "b", (2, 3), 10**30))}
        assert len(written) == 1

    @pytest.mark.parametrize("value", [[1], {"a": 1}, {1}, (1, [2])], ids=range(4))
    def test_that_is_not_hashable_is_refused(self, value: Any) -> None:
        with pytest.raises(TypeError, match=r"a group is data that is hashable \(a str, a number, a tuple"):
            encode_key(value, what="group", max_bytes=4096)

    def test_that_is_not_data_or_too_long_is_refused(self) -> None:
        with pytest.raises(EncodeError):
            key(object())
        with pytest.raises(EncodeError):
            key("x" * 5000)


class TestKeyOfPeer:
    @pytest.mark.parametrize("value", KEYS, ids=range(len(KEYS)))
    def test_is_the_key_that_this_node_would_write(self, value: Any) -> None:
        """GUS has written it; BOB reads it, and knows the same value by its own bytes."""
        there = decode(Payload(key(value), GUS), BOB)
        assert key_of_peer(key(value), BOB, GUS) == key(there)

    def test_with_a_pid_of_the_reader_is_local_to_it(self) -> None:
        assert key_of_peer(key((Pid(3, 0, *BOB), Ref(4, *BOB))), BOB, GUS) == key((Pid(3), Ref(4)))

    def test_of_a_class_that_is_not_loaded_here_stays_one_key(self) -> None:
        foreign = key(Place("vm", 3)).replace(Place.__module__.encode(), b"x" * len(Place.__module__))
        assert key_of_peer(foreign, BOB, GUS) == foreign

    def test_that_is_written_in_another_way_becomes_the_same(self) -> None:
        long_one = b"\xd2\x00\x00\x00\x01"
        assert key_of_peer(long_one, BOB, GUS) == key(1)
        assert key_of_peer(b"\xda\x00\x01x", BOB, GUS) == key("x")

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\xa5ab",
            b"\xa1ab",
            b"\xc1",
            b"\x81\xa1a\x01",
            b"\x91" * 300 + b"\xc0",
            msgpack.packb([msgpack.ExtType(3, b"\0"), {"a": 1}]),
            b"\xd5\xa5plain",
        ],
        ids=range(8),
    )
    def test_that_is_malformed_is_refused(self, data: bytes) -> None:
        with pytest.raises(DecodeError, match="malformed key"):
            key_of_peer(data, BOB, GUS)
