"""Values of every kind that Erlang nodes are sent, and random ones made of a seed."""

# ruff: noqa: DTZ001 - Elixir has times without a zone too

from __future__ import annotations

import struct
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from pyx.atoms import Atom
from pyx.erlang_terms import BitString, ImproperList, Map, Port
from pyx.terms import FunctionName, Incarnation, Pid, Raised, Ref, Struct

if TYPE_CHECKING:
    from random import Random

HERE: Final = Incarnation("here@vm", 7)
THERE: Final = Incarnation("there@vm", 2**32 - 1)

VALUES: Final[list[Any]] = [
    None, True, False, 0, 1, 255, 256, -1, 2**31 - 1, -(2**31), 2**31, -(2**31) - 1, 2**63, 2**64,
    -(2**2040), 2**2040 - 1, 2**2040, 2**20_000, 0.0, -0.0, 1.5, -1e300, 5e-324, "", "text", "größe",
    "\0", "😀", b"\xff", b"\xff" * 300, Atom("ok"), Atom(""), Atom("a b"), Atom("ü" * 127),
    Atom("ü" * 128), Atom("ü" * 255), Atom("x" * 255), Atom("Elixir.Enum"), (), (1,), tuple(range(255)),
    tuple(range(256)), [], [1], [[[]], [()]], list(range(70_000)), [104, 105], [Atom("a"), ("b", [2.5])],
    {}, {"a": 1, Atom("b"): {}}, {1: 2, "1": 3, 1.5: 4, (1, "x"): 5, None: 6},
    {Pid(1): Ref(1), Atom("x"): Pid(1, 2, *THERE)}, Pid(0), Pid(2**32 - 1, 2**32 - 1, *THERE),
    Pid(3, 0, "x-y_z@a.b", 0), Ref(0), Ref(2**96 - 1), Ref(2**96), Ref(2**160 - 1, *THERE),
    ImproperList([1], 2), ImproperList([1, [2]], "x"),
    ImproperList([Atom("alias")], Ref(2**159 + 5, *THERE)), Map([("a", 1), (Atom("a"), 2)]),
    Map([(1, 1), (1.0, [2])]), Map([([1, {}], 1), ({"k": [1]}, 2), (True, 3), (1, 4)]),
    BitString(b"\x80", 1), BitString(b"abc\xfe", 7), Port("there@vm", 6, 5),
    Port("there@vm", 2**64 - 1, 2**32 - 1), FunctionName("Elixir.String", "upcase", 1),
    FunctionName("lists", "map", 255), date(2024, 2, 29), time(1, 2, 3), time(1, 2, 3, 4),
    datetime(2024, 1, 1), datetime(2024, 1, 1, 1, 2, 3, 999_999, UTC),
    datetime(2024, 7, 1, tzinfo=ZoneInfo("Europe/Berlin")),
    datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")), Decimal("-1.50"),
    Decimal("1E+9"), Decimal("Infinity"), Decimal("-Infinity"), frozenset(), frozenset({1, "x", (2,)}),
    Raised("RuntimeError", "no"), Struct("Shop.Item", (("name", "nike"), ("qty", 1))),
    Struct("shop.Item", (("deep", [Struct("A", ())]),)),
]  # fmt: skip
"""Each arrives from an Erlang node as it was sent there."""


def same(one: Any, other: Any) -> bool:
    """Equal and of the same type all the way down: 0.0 is not -0.0, and an atom is not a str."""
    if type(one) is not type(other):
        return False
    if type(one) is float:
        return struct.pack(">d", one) == struct.pack(">d", other)
    if type(one) in {list, tuple}:
        return len(one) == len(other) and all(map(same, one, other))
    if type(one) is ImproperList:
        return same(one.items, other.items) and same(one.tail, other.tail)
    if type(one) is Map:
        return one == other and all(same(value, other[key]) for key, value in one.items())
    if type(one) is dict:
        kinds = {(type(key), key) for key in one} == {(type(key), key) for key in other}
        return kinds and all(same(value, other[key]) for key, value in one.items())
    if type(one) is Struct:
        return bool(one.name == other.name) and same(dict(one.fields), dict(other.fields))
    if type(one) is datetime:
        zones = str(one.tzinfo), str(other.tzinfo)
        return bool(one == other) and one.fold == other.fold and zones[0] == zones[1]
    return bool(one == other)


def random_value(chance: Random, depth: int = 4) -> Any:
    """A value that arrives as it was sent, of up to *depth* containers inside each other."""
    if depth == 0 or chance.random() < 0.4:
        return _random_scalar(chance)
    size = chance.choice((0, 1, 2, 3, 5, 300 if depth == 1 else 4))
    items = [random_value(chance, depth - 1) for _ in range(size)]
    match chance.randrange(6):
        case 0 | 1:
            return items
        case 2 | 3:
            return tuple(items)
        case 4:
            keys = [_random_key(chance) for _ in items]
            return dict(zip(keys, items, strict=True))
        case _ if items:
            return ImproperList(items, chance.choice((Atom("tail"), 5, (1,), b"\xff")))
    return items


def _random_key(chance: Random) -> Any:
    # Of classes whose values never are one key: 1 and 1.0, :a and "a" are those of `VALUES`.
    return chance.choice((
        f"key{chance.randrange(20)}", Atom(f"atom{chance.randrange(20)}"), chance.randrange(-9, 300),
        (chance.randrange(9), "x"), Pid(chance.randrange(9), 0, *THERE), 0.5 + chance.randrange(9), None,
    ))  # fmt: skip


def _random_scalar(chance: Random) -> Any:
    match chance.randrange(12):
        case 0:
            return chance.randrange(256)
        case 1:
            return chance.randrange(-(2**33), 2**33)
        case 2:
            return chance.choice((1, -1)) * chance.getrandbits(chance.choice((31, 64, 500, 2041)))
        case 3:
            return chance.choice((0.0, -0.0, 1.0, chance.random() * 10 ** chance.randrange(-300, 300)))
        case 4:
            return "".join(
                chr(chance.choice((chance.randrange(128), chance.randrange(0xD7FF))))
                for _ in range(chance.randrange(9))
            )
        case 5:
            return b"\xff" + chance.randbytes(chance.randrange(40))
        case 6:
            return Atom("".join(chance.choice("aüZ_ \0'\"@.") for _ in range(chance.choice((0, 3, 8, 255)))))
        case 7:
            return chance.choice((None, True, False))
        case 8:
            return Pid(chance.getrandbits(32), chance.getrandbits(32), *chance.choice((HERE, THERE)))
        case 9:
            return Ref(chance.getrandbits(chance.choice((64, 96, 160))), *chance.choice((HERE, THERE)))
        case 10:
            return BitString(chance.randbytes(chance.randint(1, 9)), chance.randint(1, 7))
        case _:
            return chance.choice((
                Port("there@vm", chance.getrandbits(chance.choice((28, 64))), chance.getrandbits(32)),
                FunctionName("lists", "map", chance.randrange(256)),
                [chance.randrange(256) for _ in range(chance.randrange(30))],
            ))  # fmt: skip
