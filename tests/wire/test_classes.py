"""Objects of a user's classes travel without a line of the user's code running, at either end."""

from __future__ import annotations

import dataclasses
import enum
import sys
from abc import ABC, abstractmethod
from types import ModuleType
from typing import Any, ClassVar, NamedTuple, Self

import pytest

from pyx.errors import EncodeError
from pyx.signals import Letter
from pyx.terms import FunctionName, Life, Struct
from pyx.wire.codec import open_letter, seal

ran: list[str] = []
"""What a class's code would note if it ran."""


@pytest.fixture(autouse=True)
def nothing_ran() -> None:
    ran.clear()


@dataclasses.dataclass
class Loud:
    name: str
    tags: list[str] = dataclasses.field(default_factory=list)
    kind: ClassVar[str] = "loud"

    def __post_init__(self) -> None:
        ran.append("__post_init__")

    def __new__(cls, *_args: object, **_named: object) -> Self:
        ran.append("__new__")
        return super().__new__(cls)

    def __setattr__(self, name: str, value: object) -> None:
        ran.append("__setattr__")
        super().__setattr__(name, value)

    def __getattribute__(self, name: str) -> Any:
        ran.append("__getattribute__")
        return super().__getattribute__(name)

    def __getattr__(self, name: str) -> Any:
        ran.append("__getattr__")
        raise AttributeError(name)

    def __eq__(self, other: object) -> bool:
        ran.append("__eq__")
        return True

    def __hash__(self) -> int:
        ran.append("__hash__")
        return 1

    def __reduce__(self) -> Any:
        ran.append("__reduce__")
        return super().__reduce__()

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        ran.append("__class__")
        return int


class LoudPair(NamedTuple):
    left: Any
    right: Any

    def __hash__(self) -> int:
        ran.append("__hash__")
        return 1

    def __eq__(self, other: object) -> bool:
        ran.append("__eq__")
        return True

    def __iter__(self) -> Any:
        ran.append("__iter__")
        return iter(())


class LoudColour(enum.Enum):
    RED = 1

    def __hash__(self) -> int:
        ran.append("__hash__")
        return 1

    def __eq__(self, other: object) -> bool:
        ran.append("__eq__")
        return True


class Meta(type):
    def __getattribute__(cls, name: str) -> Any:
        ran.append("Meta.__getattribute__")
        return super().__getattribute__(name)

    def __hash__(cls) -> int:
        ran.append("Meta.__hash__")
        return super().__hash__()

    def __eq__(cls, other: object) -> bool:
        ran.append("Meta.__eq__")
        return super().__eq__(other)

    def __call__(cls, *args: Any, **named: Any) -> Any:
        ran.append("Meta.__call__")
        return super().__call__(*args, **named)


@dataclasses.dataclass
class WithMeta(metaclass=Meta):
    x: int


@dataclasses.dataclass
class Dying:
    x: int

    def __del__(self) -> None:
        ran.append("__del__")


@dataclasses.dataclass
class Abstract(ABC):
    x: int

    @abstractmethod
    def act(self) -> None: ...


@dataclasses.dataclass(frozen=True)
class Point:
    x: Any
    y: Any = 0


@dataclasses.dataclass
class Computed:
    x: int

    @property
    def doubled(self) -> int:
        ran.append("property")
        return self.x * 2


class Plain(Point):
    """A subclass that is no dataclass itself."""


@dataclasses.dataclass
class Listing(list[int]):
    x: int = 1


class Attributed(NamedTuple("Attributed", [("x", int)])):  # noqa: SLOT002 - what is refused
    pass


def made(name: str, fields: list[str], module: str = "other") -> Any:
    cls = dataclasses.make_dataclass(name, fields)
    cls.__module__ = module
    return cls


class TestNoCodeRuns:
    def test_when_a_dataclass_is_sealed_and_opened(self) -> None:
        loud = Loud("nike", ["a"])
        ran.clear()
        opened = open_letter(Letter(seal([loud])), None)[0]
        assert ran == []
        assert type(opened) is Loud
        assert object.__getattribute__(opened, "__dict__") == {"name": "nike", "tags": ["a"]}

    def test_when_it_is_a_key_it_stands_as_a_struct(self) -> None:
        loud = Loud("nike", ["a"])
        data = (
            seal({loud: 1, (loud,): 2}),
            seal({loud}),
            seal(frozenset([(loud,)])),
            seal({Point(loud): loud}),
        )
        ran.clear()
        opened = [open_letter(Letter(each), None) for each in data]
        assert ran == []
        loud_one = Struct(f"{__name__}.Loud", (("name", "nike"), ("tags", ("a",))))
        assert opened[:3] == [{loud_one: 1, (loud_one,): 2}, {loud_one}, frozenset([(loud_one,)])]
        ((key, value),) = opened[3].items()
        assert key == Point(loud_one)
        assert type(value) is Loud

    def test_when_a_namedtuple_is(self) -> None:
        pair, name = LoudPair(1, 2), f"{__name__}.LoudPair"
        data = seal(pair), seal({pair: 3})
        ran.clear()
        as_value, as_key = (open_letter(Letter(each), None) for each in data)
        assert type(as_value) is LoudPair
        assert as_value[:] == (1, 2)
        assert as_key == {Struct(name, (("left", 1), ("right", 2))): 3}
        assert ran == []

    def test_when_an_enum_is(self) -> None:
        data = seal(LoudColour.RED), seal({(LoudColour.RED,)})
        ran.clear()
        as_value, as_member = (open_letter(Letter(each), None) for each in data)
        assert as_value is LoudColour.RED
        assert as_member == {(Struct(f"{__name__}.LoudColour", (("name", "RED"),)),)}
        assert ran == []

    def test_of_a_metaclass(self) -> None:
        value = [WithMeta(1), WithMeta]
        ran.clear()
        instance, cls = open_letter(Letter(seal(value)), None)
        assert ran == []
        assert (type(instance), cls) == (WithMeta, WithMeta)

    def test_of_a_metaclass_whose_class_is_a_key(self) -> None:
        wrapped = seal(WithMeta)  # put in by hand: whoever makes such a dict hashes it
        data = b"\x92\x81" + wrapped + wrapped + b"\x93\xd4\x02\0" + wrapped + b"\x92\xd4\x01\0" + wrapped
        ran.clear()
        as_key, members = open_letter(Letter(data), None)
        assert ran == []
        name = FunctionName(__name__, "WithMeta")
        assert as_key == {name: WithMeta}
        assert members == {name, (name,)}

    def test_when_a_half_opened_letter_is_dropped(self) -> None:
        dying = Dying(1)
        letter = Letter(seal(dying))
        assert open_letter(letter, None) == Struct(f"{__name__}.Dying", (("x", 1),))
        assert ran == []

    def test_of_a_property(self) -> None:
        computed = Computed(3)
        assert open_letter(Letter(seal(computed)), None) == computed
        assert ran == []


class TestWhatIsNotHere:
    """What is not there, or has other fields there, arrives as a Struct."""

    @pytest.fixture
    def other(self, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
        module = ModuleType("other")
        monkeypatch.setitem(sys.modules, "other", module)
        return module

    @pytest.mark.usefixtures("other")
    def test_a_class_that_is_not_loaded(self) -> None:
        cls = made("Item", ["name", "qty"])
        struct = open_letter(Letter(seal(cls("nike", [30]))), None)
        assert struct == Struct("other.Item", (("name", "nike"), ("qty", [30])))
        assert struct["qty"] == [30]

    @pytest.mark.parametrize("fields", [["name"], ["qty", "name"], ["name", "qty", "more"], []])
    def test_a_class_with_other_fields(self, other: ModuleType, fields: list[str]) -> None:
        cls = made("Item", ["name", "qty"])
        vars(other)["Item"] = dataclasses.make_dataclass("Item", fields)
        struct = open_letter(Letter(seal(cls("nike", 30))), None)
        assert struct == Struct("other.Item", (("name", "nike"), ("qty", 30)))

    def test_a_class_of_another_kind_or_none(self, other: ModuleType) -> None:
        cls = made("Item", ["name"])
        for there in (NamedTuple("Item", [("name", str)]), LoudColour, int, len, 7, Abstract, None):
            vars(other)["Item"] = there
            assert open_letter(Letter(seal(cls("nike"))), None) == Struct("other.Item", (("name", "nike"),))

    def test_enums_too(self, other: ModuleType) -> None:
        Colour = enum.Enum("Colour", "RED", module="other")  # noqa: N806 - it is a class
        Perm = enum.Flag("Perm", "R W", module="other")  # noqa: N806
        expected = Struct("other.Colour", (("name", "RED"),)), Struct("other.Perm", (("value", 3),))
        letter = Letter(seal((Colour["RED"], Perm(3))))
        assert open_letter(letter, None) == expected
        vars(other)["Colour"] = enum.Enum("Colour", "BLUE", module="other")
        vars(other)["Perm"] = enum.Flag("Perm", "R", module="other")
        assert open_letter(letter, None) == expected

    def test_a_class_of_main_at_home_only(self, monkeypatch: pytest.MonkeyPatch) -> None:
        main = ModuleType("__main__")
        monkeypatch.setitem(sys.modules, "__main__", main)
        cls = vars(main)["Item"] = made("Item", ["x"], "__main__")
        data = seal(cls(1))
        assert open_letter(Letter(data), None) == cls(1)
        assert open_letter(Letter(data, Life("a@vm", 1)), None) == Struct("__main__.Item", (("x", 1),))

    def test_a_class_that_was_reloaded(self, other: ModuleType) -> None:
        old, new = made("Item", ["x"]), made("Item", ["x"])
        vars(other)["Item"] = old
        assert type(open_letter(Letter(seal(old(1))), None)) is old
        vars(other)["Item"] = new
        assert type(open_letter(Letter(seal(old(1))), None)) is new


class TestRefusals:
    @pytest.mark.parametrize(
        ("value", "problem"),
        [
            (Plain(1), "is a subclass of a dataclass, and none itself"),
            (Listing(), "its class is built on a builtin one"),
            (Attributed(1), "attributes beside its fields would be lost"),
            (tuple.__new__(LoudPair, (1,)), "has 1 items, and its class 2 fields"),
            (object.__new__(Point), "has no value in its field x"),
            (type("Sub", (tuple,), {})(), "is a subclass of tuple"),
            (type("Sub", (Point,), {})(1), "is a subclass of a dataclass"),
        ],
    )
    def test_what_would_not_arrive_as_it_is(self, value: Any, problem: str) -> None:
        with pytest.raises(EncodeError, match=problem):
            seal([value])

    def test_a_field_that_a_property_hides(self) -> None:
        cls: Any = dataclasses.make_dataclass("Item", ["x"], repr=False)
        value = cls(1)
        cls.x = property(lambda _self: ran.append("property"))
        with pytest.raises(EncodeError, match="has a field that is computed"):
            seal(value)
        assert ran == []
