"""plain.py: Plain messages have a form of their own, which means what the general form means."""

from __future__ import annotations

from random import Random
from typing import Any

import msgpack
import pytest

from pyx.errors import DecodeError, EncodeError
from pyx.signals import Payload
from pyx.terms import Pid, Ref
from pyx.wire.codec import decode, encode
from pyx.wire.messages import encode as encoder
from pyx.wire.messages.plain import BYTES, LISTS, PLAIN, TUPLE_OF_LISTS, TUPLES
from tests.wire.test_codec import same

LONG = "x" * 5000


@pytest.fixture(autouse=True)
def fast_paths_are_enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "_fast", True)


def decoded(data: bytes) -> Any:
    return decode(Payload(data), None)


def encoded_in_both_forms(value: object, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    encodings = []
    for is_fast in (True, False):
        monkeypatch.setattr(encoder, "_fast", is_fast)
        encodings.append(encode(value))
    return encodings


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (None, LISTS), (5, LISTS), ("text", LISTS), (LONG, LISTS), (2.5, LISTS), (True, LISTS),
        ([], LISTS), ([1, [2]], LISTS), ({"a": 1, 2: None}, LISTS), ({"a": [1, {"b": []}]}, LISTS),
        ([1] * 1000, LISTS), ({"k" * 70: [LONG] * 3}, LISTS), ({None: 1, 2.5: [2]}, LISTS),
        ((), TUPLE_OF_LISTS), (("add", {"name": "nike", "qty": 30}), TUPLE_OF_LISTS),
        (("add", [1, [2, [3, [4]]]]), TUPLE_OF_LISTS), (("add", {1: "a"}), TUPLE_OF_LISTS),
        ((LONG, [1]), TUPLE_OF_LISTS), (tuple(range(1000)), TUPLE_OF_LISTS),
        (("a", ("b", 1)), TUPLES), (("a", ("b", ("c", {"d": ()}))), TUPLES), ({"a": (1, (2,))}, TUPLES),
        (((LONG,), {b"k": ()}), TUPLES), (tuple(("row", i) for i in range(1000)), TUPLES),
        (b"bytes" * 2000, BYTES), (b"bytes", LISTS), ((b"bytes" * 2000,), TUPLE_OF_LISTS),
    ],
)  # fmt: skip
def test_plain_message_says_so_in_its_first_byte(
    value: object, form: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast, general = encoded_in_both_forms(value, monkeypatch)
    assert fast[:1] == form
    assert general[:1] not in PLAIN
    assert same(decoded(fast), value)
    assert same(decoded(general), value)


@pytest.mark.parametrize(
    "value",
    [
        [()], (1, [()]), ((), []), ((), {1: 2}), {"a": (), 1: 2}, {1: ()}, ((1, (2,)), [[1]]),
        {(): 1}, {"a": {(1, 2): 3}}, {frozenset(): 1}, {1}, ({1},), [frozenset()], Pid(1), (Pid(1),),
        [Ref(2)], {"a": Pid(1)}, {Pid(1): 1}, 2**64, [-(2**63) - 1], (2**70, "a"),
        "\ud800", ["\udfff"], ("\ud800" * 5000,),
        [len], {"a": ValueError()}, (1, [2, [3, [(4,)]]]), [(1,)] * 1000, [Pid(1)] * 1000,
        {(i,): i for i in range(1000)}, [{i: ()} for i in range(1000)],
        tuple(({i: 1}, (2,)) for i in range(500)),
    ],
)  # fmt: skip
def test_message_that_needs_tags_has_the_general_form(value: object) -> None:
    assert encode(value)[:1] not in PLAIN


def test_random_messages_decode_to_the_same_from_both_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    def message(random: Random, depth: int) -> Any:
        kind = random.randrange(12 if depth else 8)
        size = random.choice((0, 1, 2, 3, 20))
        match kind:
            case 0:
                return random.choice((None, True, False, 0.5, -0.0, 2**64 - 1, -(2**63), 2**64))
            case 1:
                return random.choice((Pid(3), Ref(4), {5}, b"bytes", b"\xd8" * 300))
            case 2 | 3:
                return random.choice(("", "a", "größe", "x" * 300, "\ud800"))
            case 4 | 5 | 6 | 7:
                return random.randrange(-1000, 1000)
            case 8 | 9:
                return tuple(message(random, depth - 1) for _ in range(size))
            case 10:
                return [message(random, depth - 1) for _ in range(size)]
        keys = [random.choice(("k", "key", b"key", 7, None, (1,))) for _ in range(size)]
        return {key: message(random, depth - 1) for key in keys}

    forms = set()
    for seed in range(3000):
        value = message(Random(seed), 4) if seed else b"x" * 5000
        fast, general = encoded_in_both_forms(value, monkeypatch)
        assert same(decoded(fast), value), seed
        assert same(decoded(general), value), seed
        forms.add(fast[:1] if fast[:1] in PLAIN else b"")
    assert forms == {*PLAIN, b""}


def test_value_without_exactness_is_refused_as_in_the_general_form() -> None:
    class Text(str):
        __slots__ = ()

    for bad in (
        bytearray(b"x"),
        memoryview(b"x"),
        Text("x"),
        msgpack.ExtType(1, b"\0"),
        msgpack.Timestamp(1),
    ):
        for value in (bad, [bad], (1, bad), {"a": bad}, [[[bad]]], [bad] * 1000, (b"x" * 5000, bad)):
            with pytest.raises(EncodeError):
                encode(value)


@pytest.mark.parametrize("size", [0, 100, 255, 256, 5000, 100_000, 3_000_000])
def test_bytes_and_texts_of_any_length_are_exact(size: int) -> None:
    for value in (b"x" * size, "x" * size, "ä" * size, (b"x" * size,), {"a": "x" * size}, [b"x" * size, ()]):
        assert same(decoded(encode(value)), value)


def test_longest_message_is_the_same_in_both_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    for is_fast in (True, False):
        monkeypatch.setattr(encoder, "_fast", is_fast)
        for value in (b"x" * 1000, b"x" * 10_000, ["x" * 1000], (1,) * 1000):
            assert len(encode(value, max_bytes=len(value) * 2 + 2000)) <= len(value) * 2 + 2000
            with pytest.raises(EncodeError, match="long"):
                encode(value, max_bytes=len(value) - 1)


class TestMalformedPayloads:
    @pytest.mark.parametrize("form", [LISTS, TUPLES, TUPLE_OF_LISTS])
    @pytest.mark.parametrize(
        "rest",
        [
            b"", b"\xc1", b"\x92\x01", b"\x01\x02", b"\x01" + b"\x02" * 300, b"\xdd\xff\xff\xff\xff",
            b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\xa1\xff", b"\xa3\xed\xa0\x80",
            b"\x81\x90\x01", b"\x81\x91\x90\x01", b"\x81\x80\x01", b"\xdd\x00\x01\x00\x00" * 200,
            b"\xd4\x01\0", b"\x92\xd4\x01\0\x01", b"\xc7\0\x01", b"\xd6\xff" + bytes(4),
            b"\xc7\x0c\xff" + bytes(12),
            b"\x91" * 257 + b"\x01", b"\x81\xa1a" * 257 + b"\x01", b"\x91" * 100_000 + b"\x01",
        ],
    )  # fmt: skip
    def test_malformed_bytes_are_refused(self, form: bytes, rest: bytes) -> None:
        with pytest.raises(DecodeError, match="malformed payload"):
            decoded(form + rest)
        assert decoded(encode(("a", {"b": 1}))) == ("a", {"b": 1})  # the next one is decoded

    def test_tuple_of_lists_that_is_not_an_array_is_refused(self) -> None:
        for rest in (b"\x01", b"\xa1a", b"\x80", b"\xda\x01\x01" + b"x" * 257):
            with pytest.raises(DecodeError, match="list expected, not"):
                decoded(TUPLE_OF_LISTS + rest)

    def test_keys_of_tuples_are_texts_or_bytes(self) -> None:
        assert decoded(TUPLES + b"\x82\xa1a\x01\xc4\x01b\x02") == {"a": 1, b"b": 2}
        for key in (b"\x01", b"\xc0", b"\x90", b"\x91\x01"):
            with pytest.raises(DecodeError):
                decoded(TUPLES + b"\x81" + key + b"\x01")

    @pytest.mark.parametrize("form", [LISTS, TUPLE_OF_LISTS])
    @pytest.mark.parametrize("are_equal", [True, False])
    def test_many_keys_of_one_hash_are_refused(self, form: bytes, are_equal: bool) -> None:
        powers = [2.0 ** (61 * n) for n in range(-16, 17)]
        assert {hash(power) for power in powers} == {1}
        keys = [*(powers if are_equal else powers[:16]), *range(2, 102)]
        data = form + b"\x91\xde" + len(keys).to_bytes(2, "big")
        data += b"".join(msgpack.packb(key) + b"\x01" for key in keys)
        if are_equal:
            with pytest.raises(DecodeError, match="many keys of a dict or set have the same hash"):
                decoded(data)
        else:
            assert list(decoded(data)[0]) == keys

    @pytest.mark.parametrize("form", [LISTS, TUPLES, TUPLE_OF_LISTS])
    @pytest.mark.parametrize("size", [64, 65, 1000, 70_000])
    def test_large_dict_is_decoded(self, form: bytes, size: int) -> None:
        inner: Any = {f"key{i}": i for i in range(size)}
        value = [inner] if form == LISTS else (inner, ()) if form == TUPLES else (inner, [])
        data = encode(value)
        assert data[:1] == form
        assert same(decoded(data), value)
