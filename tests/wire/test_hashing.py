"""Letters whose keys need care: no code of a class runs to hash them, and no nesting exhausts a stack."""

from __future__ import annotations

import dataclasses
import sys
from types import ModuleType
from typing import Any

import msgpack
import pytest

from pyx.errors import DecodeError
from pyx.signals import Letter
from pyx.terms import Life, Pid, Struct
from pyx.wire.codec import open_letter, seal

ran: list[str] = []


@dataclasses.dataclass(frozen=True)
class Point:
    x: Any
    y: Any = 0


@dataclasses.dataclass(frozen=True)
class Blind:
    """Not all that is compared is hashed."""

    x: Any
    y: Any = dataclasses.field(hash=False)


@dataclasses.dataclass(frozen=True)
class Own:
    """Hashes by code of its own."""

    x: Any

    def __hash__(self) -> int:
        ran.append("__hash__")
        return 1


def nested(depth: int, wrap: Any, inner: Any = 1) -> Any:
    for _ in range(depth):
        inner = wrap(inner)
    return inner


class TestWhoseHash:
    def test_a_frozen_dataclass_is_a_key_because_python_wrote_its_hash(self) -> None:
        value = {Point(1, (2,)): "a", Point(Point(3)): "b"}
        assert open_letter(Letter(seal(value)), None) == value

    def test_one_whose_hash_leaves_fields_out_is_a_struct_as_a_key(self) -> None:
        name = f"{__name__}.Blind"
        assert open_letter(Letter(seal(Blind(1, [2]))), None) == Blind(1, [2])
        assert open_letter(Letter(seal({Blind(1, 2)})), None) == {Struct(name, (("x", 1), ("y", 2)))}

    def test_one_whose_module_has_a_hash_of_its_own_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        module = ModuleType("other")
        monkeypatch.setitem(sys.modules, "other", module)
        source = "import dataclasses\n@dataclasses.dataclass(frozen=True)\nclass P:\n    x: int\n"
        exec(source + "def hash(_): ran.append('hash'); return 1", vars(module) | {"ran": ran})
        namespace = vars(module)
        namespace["ran"] = ran
        exec(source + "def hash(_): ran.append('hash'); return 1", namespace)
        value = {namespace["P"](1): 2}
        ran.clear()
        opened = open_letter(Letter(seal(value)), None)
        assert ran == []
        assert opened == {Struct("other.P", (("x", 1),)): 2}

    def test_what_is_inside_such_a_key_is_frozen_with_it(self) -> None:
        data = seal({(Own([1, {"a": {2}, Point(3): Own(4)}]),): 5})
        ran.clear()
        name = f"{__name__}.Own"
        frozen = (1, (("a", frozenset({2})), (Point(3), Struct(name, (("x", 4),)))))
        assert open_letter(Letter(data), None) == {(Struct(name, (("x", frozen),)),): 5}
        assert ran == []

    def test_beside_a_key_it_stays_what_it_is(self) -> None:
        value = [Own(1), {"a": Own([2])}, Point(Own(3))]
        assert open_letter(Letter(seal(value)), None) == value

    def test_pids_in_such_a_letter_are_seen_from_here_too(self) -> None:
        here, there = Life("here@vm", 7), Life("there@vm", 9)
        letter = Letter(seal((Own(1), {(Pid(1),): Pid(2, 0, *here)})), there)
        assert open_letter(letter, here) == (Own(1), {(Pid(1, 0, *there),): Pid(2)})


class TestDepth:
    def test_deep_letters_without_deep_keys_are_like_any_other(self) -> None:
        for wrap in (
            lambda each: (each, {"a": each}) if each == 1 else (each,),
            Point,
            lambda each: {0: (each,)},
        ):
            value = nested(100, wrap)
            assert open_letter(Letter(seal(value)), None) == value

    @pytest.mark.parametrize("depth", [15, 16, 17, 100, 254])
    def test_deep_keys(self, depth: int) -> None:
        for wrap in (lambda each: (each,), lambda each: frozenset([each])):
            key = nested(depth, wrap)
            assert open_letter(Letter(seal({key: 1, "b": {key}})), None) == {key: 1, "b": {key}}

    def test_twenty_dataclasses_inside_each_other_are_a_key_and_thirty_are_none(self) -> None:
        key = nested(20, Point)
        assert open_letter(Letter(seal({key: 1})), None) == {key: 1}
        with pytest.raises(DecodeError, match="a key nests too deep to be hashed"):
            open_letter(Letter(seal({nested(30, Point): 1})), None)

    def test_a_deep_key_that_stands_twice_is_not_compared(self) -> None:
        key = msgpack.packb(1)
        for _ in range(200):
            key = b"\x92\xd4\x01\0" + key
        with pytest.raises(DecodeError, match="a deep key stands twice"):
            open_letter(Letter(b"\x82" + key + b"\x01" + key + b"\x02"), None)
