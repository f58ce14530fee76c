"""safe_keys.py: Hashing keys runs no code of a class, overflows no stack, and takes no quadratic time."""

from __future__ import annotations

import dataclasses
import sys
from decimal import Decimal
from types import ModuleType
from typing import Any, ClassVar
from uuid import UUID

import msgpack
import pytest

from pyx.errors import DecodeError, EncodeError
from pyx.signals import Payload
from pyx.terms import Incarnation, Pid, Struct
from pyx.wire.codec import decode, encode
from tests.wire.messages.general import general

ran: list[str] = []


@dataclasses.dataclass(frozen=True)
class Point:
    x: Any
    y: Any = 0


@dataclasses.dataclass(frozen=True)
class Blind:
    """Has a field that is compared and not hashed."""

    x: Any
    y: Any = dataclasses.field(hash=False)


@dataclasses.dataclass(frozen=True)
class Own:
    """Has a `__hash__` of its own."""

    x: Any

    def __hash__(self) -> int:
        ran.append("__hash__")
        return 1


def nested(depth: int, wrap: Any, inner: Any = 1) -> Any:
    for _ in range(depth):
        inner = wrap(inner)
    return inner


class TestHash:
    def test_frozen_dataclass_with_a_generated_hash_is_a_key(self) -> None:
        value = {Point(1, (2,)): "a", Point(Point(3)): "b"}
        assert decode(Payload(encode(value)), None) == value

    @pytest.mark.parametrize("value", ["Blind(1, 2)", "Own(1)"])
    def test_object_with_a_hash_of_its_own_is_refused_as_a_key(self, value: str) -> None:
        key = eval(value)
        for message in ({key: 1}, {(key,)}, [frozenset([Point(key)])], {Struct("a.B", (("x", key),)): 1}):
            with pytest.raises(EncodeError, match="cannot be a key or a member of a set: its class has"):
                encode(message)
        ran.clear()
        assert decode(Payload(encode([key, {"a": key}])), None) == [key, {"a": key}]
        with pytest.raises(DecodeError, match="a key cannot be hashed: its class has a `__hash__`"):
            decode(Payload(b"\x81" + encode(key) + b"\x01"), None)
        assert ran == []

    def test_object_whose_module_redefines_hash_is_refused_as_a_key(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        module = ModuleType("other")
        monkeypatch.setitem(sys.modules, "other", module)
        source = "import dataclasses\n@dataclasses.dataclass(frozen=True)\nclass P:\n    x: int\n"
        namespace = vars(module)
        namespace["ran"] = ran
        exec(source + "def hash(_): ran.append('hash'); return 1", namespace)
        value = {namespace["P"](1): 2}
        ran.clear()
        with pytest.raises(EncodeError, match="cannot be a key"):
            encode(value)
        assert ran == []

    def test_key_checking_decoder_makes_own_pids_local(self) -> None:
        here, there = Incarnation("here@vm", 7), Incarnation("there@vm", 9)
        payload = Payload(encode((Own(1), {(Pid(1),): Pid(2, 0, *here)})), there)
        assert decode(payload, here) == (Own(1), {(Pid(1, 0, *there),): Pid(2)})


def many(wrap: Any, count: int) -> list[Any]:
    """Different keys of one hash."""
    return [wrap(number * (2**61 - 1)) for number in range(1, count + 1)]


class TestCollisions:
    """Hostile keys of one hash would take quadratic time."""

    WRAPS: ClassVar[dict[str, Any]] = {
        "int": lambda number: number,
        "tuple": lambda number: (number, 5),
        "Point": Point,
        "UUID": lambda number: UUID(int=number),
        "Decimal": Decimal,
        "Pid": Pid,
        "frozenset": lambda number: frozenset([number]),
    }

    @pytest.mark.parametrize("name", [name for name in WRAPS if name != "Pid"])
    @pytest.mark.parametrize("count", [65, 1000])
    def test_many_keys_of_one_hash_are_refused(self, name: str, count: int) -> None:
        keys = [general(key) for key in many(self.WRAPS[name], count)]
        as_dict = b"\xde" + count.to_bytes(2, "big") + b"".join(key + b"\x01" for key in keys)
        as_set = b"\xdc" + (count + 1).to_bytes(2, "big") + b"\xd4\x02\0" + b"".join(keys)
        as_frozenset = as_set.replace(b"\xd4\x02\0", b"\xd4\x03\0", 1)
        for data in (as_dict, as_set, as_frozenset, b"\x91" + as_dict):
            with pytest.raises(DecodeError, match="many keys of a dict or set have the same hash"):
                decode(Payload(data), None)

    @pytest.mark.parametrize("wrap", list(WRAPS.values()), ids=list(WRAPS))
    def test_few_keys_of_one_hash_are_allowed(self, wrap: Any) -> None:
        keys = many(wrap, 10) if wrap is not Pid else [Pid(number) for number in range(10)]
        value = [dict.fromkeys(keys, 1), set(keys), *range(100)]
        assert decode(Payload(encode(value)), None) == value

    def test_large_dict_of_different_hashes_is_allowed(self) -> None:
        grid = {(x, y, z): -1 for x in range(-5, 5) for y in range(-5, 5) for z in range(-5, 5)}
        value = [
            {str(number): number for number in range(1000)}, set(range(-500, 500)), grid,
            {Point(number): number for number in range(100)}, {number / 7 for number in range(1000)},
        ]  # fmt: skip
        assert decode(Payload(encode(value)), None) == value


class TestDepth:
    def test_deep_payload_without_deep_keys_is_allowed(self) -> None:
        for wrap in (
            lambda each: (each, {"a": each}) if each == 1 else (each,),
            Point,
            lambda each: {0: (each,)},
        ):
            value = nested(100, wrap)
            assert decode(Payload(encode(value)), None) == value

    @pytest.mark.parametrize("depth", [15, 16, 17, 100, 254])
    def test_deep_key_of_tuples_is_allowed(self, depth: int) -> None:
        for wrap in (lambda each: (each,), lambda each: frozenset([each])):
            key = nested(depth, wrap)
            assert decode(Payload(encode({key: 1, "b": {key}})), None) == {key: 1, "b": {key}}

    def test_key_of_20_nested_dataclasses_is_allowed_and_of_30_refused(self) -> None:
        key = nested(20, Point)
        assert decode(Payload(encode({key: 1})), None) == {key: 1}
        with pytest.raises(EncodeError, match="cannot be a key or a member of a set: it nests too deep"):
            encode({nested(30, Point): 1})
        with pytest.raises(DecodeError, match="a key cannot be hashed: it nests too deep"):
            decode(Payload(b"\x81" + encode(nested(30, Point)) + b"\x01"), None)

    def test_deep_keys_of_one_hash_are_not_compared(self) -> None:
        key = msgpack.packb(1)
        for _ in range(200):
            key = b"\x92\xd4\x01\0" + key
        with pytest.raises(DecodeError, match="two deep keys of a dict or set have the same hash"):
            decode(Payload(b"\x82" + key + b"\x01" + key + b"\x02"), None)
