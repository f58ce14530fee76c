"""elixir_structs.py, named_structs.py: Elixir's structs become values of Python where these are the same."""

from __future__ import annotations

import enum
from collections import namedtuple
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from pyx.atoms import Atom
from pyx.erlang_terms import Map
from pyx.errors import EncodeError
from pyx.terms import Incarnation, Raised, Struct
from pyx.wire.beam.named_structs import class_named, name_class, name_for
from pyx.wire.beam.term_reader import decode_term
from pyx.wire.beam.term_writer import encode_term

HERE = Incarnation("here@vm", 7)
ISO = Atom("Elixir.Calendar.ISO")


@dataclass
class Item:
    name: str
    qty: int = 1


@dataclass
class Other:
    name: str
    qty: int = 1

    def __call__(self) -> None:
        pytest.fail("it is never called")


class Pair(NamedTuple):
    left: Any
    right: Any


Old = namedtuple("Old", "x")  # noqa: PYI024 - the other way to make one


class Colour(enum.Enum):
    RED = 1


class Perm(enum.Flag):
    R = 1
    W = 2


def there_and_back(value: object) -> Any:
    return decode_term(encode_term(value, HERE), 0, (), HERE)[0]


def fields_of(value: object) -> dict[str, Any]:
    """What Elixir sees: the map of a struct, with texts for its keys."""
    data = encode_term(value, HERE).replace(b"w\x0a__struct__", b"w\x0a__other___")
    read = decode_term(data, 0, (), HERE)[0]
    return {str(key).replace("other_", "struct"): each for key, each in read.items()}


def received(struct: str, /, **fields: Any) -> Any:
    """What is made of a struct of Elixir's."""
    return there_and_back(
        {Atom("__struct__"): Atom(f"Elixir.{struct}")} | {Atom(k): v for k, v in fields.items()}
    )


DAY = {"calendar": ISO, "year": 2024, "month": 2, "day": 29}
CLOCK = {"hour": 1, "minute": 2, "second": 3, "microsecond": (4000, 3)}
BERLIN = {"time_zone": "Europe/Berlin", "zone_abbr": "CEST", "utc_offset": 3600, "std_offset": 3600}
UTC_ZONE = {"time_zone": "Etc/UTC", "zone_abbr": "UTC", "utc_offset": 0, "std_offset": 0}


class TestReceived:
    @pytest.mark.parametrize(
        ("struct", "fields", "value"),
        [
            ("Date", DAY, date(2024, 2, 29)),
            ("Time", {"calendar": ISO, **CLOCK}, time(1, 2, 3, 4000)),
            ("NaiveDateTime", DAY | CLOCK, datetime(2024, 2, 29, 1, 2, 3, 4000)),  # noqa: DTZ001
            ("DateTime", DAY | CLOCK | UTC_ZONE, datetime(2024, 2, 29, 1, 2, 3, 4000, UTC)),
            (
                "DateTime",
                DAY | CLOCK | BERLIN | {"month": 7},
                datetime(2024, 7, 29, 1, 2, 3, 4000, ZoneInfo("Europe/Berlin")),
            ),
            ("Decimal", {"sign": -1, "coef": 150, "exp": -2}, Decimal("-1.50")),
            ("Decimal", {"sign": 1, "coef": Atom("inf"), "exp": 0}, Decimal("Infinity")),
            ("MapSet", {"map": {1: [], "x": []}, "version": 2}, frozenset({1, "x"})),
            ("MapSet", {"map": {}}, frozenset()),
            ("RuntimeError", {"message": "no", "__exception__": True}, Raised("RuntimeError", "no")),
            ("My.Error", {"message": "no", "__exception__": True}, Raised("My.Error", "no")),
        ],
    )
    def test_struct_is_the_value_of_python(self, struct: str, fields: dict[str, Any], value: object) -> None:
        read = received(struct, **fields)
        assert type(read) is type(value)
        assert read == value

    @pytest.mark.parametrize(
        ("struct", "fields"),
        [
            ("Date", DAY | {"year": 10_000}),
            ("Date", DAY | {"month": 13}),
            ("Date", DAY | {"calendar": Atom("Elixir.Other")}),
            ("Date", DAY | {"year": 2024.0}),
            ("Date", DAY | {"more": 1}),
            ("Date", {"calendar": ISO}),
            ("Time", {"calendar": ISO, **CLOCK, "second": 60}),
            ("Time", {"calendar": ISO, **CLOCK, "microsecond": 5}),
            ("DateTime", DAY | CLOCK | BERLIN),  # its offsets are those of the summer
            ("DateTime", DAY | CLOCK | BERLIN | {"time_zone": "No/Where"}),
            ("DateTime", DAY | CLOCK | UTC_ZONE | {"utc_offset": 1}),
            ("Decimal", {"sign": 2, "coef": 1, "exp": 0}),
            ("Decimal", {"sign": 1, "coef": 10**4000, "exp": 0}),
            ("Decimal", {"sign": 1, "coef": Atom("qNaN"), "exp": 0}),
            ("MapSet", {"map": {1: 2}}),
            ("MapSet", {"map": Map([([1], [])])}),
            ("KeyError", {"message": "no", "__exception__": True, "key": 1, "term": None}),
            ("KeyError", {"message": None, "__exception__": True}),
            ("Range", {"first": 1, "last": 2, "step": 1}),
            ("Shop.Item", {"name": "nike"}),
        ],
    )
    def test_struct_that_is_another_loses_nothing(self, struct: str, fields: dict[str, Any]) -> None:
        assert received(struct, **fields) == Struct(struct, tuple(sorted(fields.items())))

    def test_map_that_is_no_struct_of_a_known_form_stays_a_map(self) -> None:
        for fields in (
            {Atom("__struct__"): Atom("Foo")},  # `:Foo` is not the module Foo
            {Atom("__struct__"): "Foo"},
            {Atom("__struct__"): Atom("Elixir.Foo"), "x": 1},
            {"__struct__": Atom("Elixir.Foo")},
        ):
            assert there_and_back(fields) == fields
            assert type(there_and_back(fields)) is dict

    def test_struct_of_an_erlang_module_keeps_its_name(self) -> None:
        assert there_and_back(Struct("shop", (("x", 1),))) == Struct("shop", (("x", 1),))


class TestSent:
    def test_fields_are_those_of_elixir(self) -> None:
        assert fields_of(date(2024, 2, 29)) == {"__struct__": "Elixir.Date", **DAY}
        assert fields_of(time(1, 2, 3)) == {
            "__struct__": "Elixir.Time",
            "calendar": ISO,
            **CLOCK,
            "microsecond": (0, 0),
        }
        assert fields_of(time(1, 2, 3, 4000))["microsecond"] == (4000, 6)
        summer = datetime(2024, 7, 1, tzinfo=ZoneInfo("Europe/Berlin"))
        assert {name: fields_of(summer)[name] for name in BERLIN} == BERLIN
        for utc in (UTC, ZoneInfo("UTC"), ZoneInfo("Etc/UTC")):
            found = fields_of(datetime(2024, 7, 1, tzinfo=utc))
            assert {name: found[name] for name in UTC_ZONE} == UTC_ZONE
        assert fields_of(Decimal("-1.50")) == {
            "__struct__": "Elixir.Decimal",
            "sign": -1,
            "coef": 150,
            "exp": -2,
        }
        assert fields_of({5}) == {"__struct__": "Elixir.MapSet", "map": {5: []}, "version": 2}
        assert fields_of(range(0, 10, 3)) == {"__struct__": "Elixir.Range", "first": 0, "last": 9, "step": 3}
        assert fields_of(ValueError("bad")) == {
            "__struct__": "Elixir.RuntimeError",
            "message": "ValueError: bad",
            "__exception__": True,
        }

    def test_fixed_offset_is_converted_to_utc(self) -> None:
        value = datetime(2024, 7, 1, 12, tzinfo=timezone(timedelta(hours=2)))
        assert there_and_back(value) == datetime(2024, 7, 1, 10, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("value", "problem"),
        [
            (time(1, tzinfo=UTC), "a Time of Elixir has none"),
            (Decimal("sNaN"), "a kind of nan"),
            (Decimal("1." + "1" * 5000), "digits"),
            (Perm.R | Perm.W, "is a combination of flags"),
        ],
    )
    def test_value_that_elixir_lacks_is_refused(self, value: object, problem: str) -> None:
        with pytest.raises(EncodeError, match=problem):
            encode_term(value, HERE)

    def test_member_of_an_enum_is_the_atom_of_its_name(self) -> None:
        assert repr(there_and_back([Colour.RED, Perm.R])) == "[:RED, :R]"


class TestObjects:
    def test_object_comes_back_as_an_object_of_its_class(self) -> None:
        for value in (Item("nike", 3), Pair(1, [Item("x")]), Old(5)):
            assert there_and_back(value) == value
            assert type(there_and_back(value)) is type(value)

    def test_elixir_sees_its_fields(self) -> None:
        assert fields_of(Item("nike", 3)) == {"__struct__": f"{__name__}.Item", "name": "nike", "qty": 3}

    def test_class_with_other_fields_here_is_a_struct(self) -> None:
        assert there_and_back(Struct(f"{__name__}.Item", (("name", "x"),))) == Struct(
            f"{__name__}.Item", (("name", "x"),)
        )
        assert type(there_and_back(Struct(f"{__name__}.Colour", (("name", "x"),)))) is Struct
        assert type(there_and_back(Struct("os.path.join", ()))) is Struct

    def test_object_that_cannot_be_hashed_is_a_key_of_a_map(self) -> None:
        read = there_and_back(Map([(Item("x"), 1), (Pair(1, 2), 2)]))
        assert type(read) is Map
        assert read.items() == ((Item("x"), 1), (Pair(1, 2), 2))

    def test_object_that_can_be_called_does_not_come_back_as_one(self) -> None:
        assert type(there_and_back(Other("x"))) is Struct

    def test_named_class_is_the_struct_of_that_name_both_ways(self) -> None:
        name_class(Item, "Shop.Item")
        try:
            assert name_for(Item) == "Shop.Item"
            assert fields_of(Item("nike", 3)) == {"__struct__": "Elixir.Shop.Item", "name": "nike", "qty": 3}
            assert received("Shop.Item", qty=3, name="nike") == Item("nike", 3)
            assert received("Shop.Item", name="nike") == Struct("Shop.Item", (("name", "nike"),))
            name_class(Pair, "Shop.Item")  # defined anew
            assert class_named("Shop.Item") is Pair
            assert name_for(Item) is None
        finally:
            name_class(Old, "Shop.Item")
