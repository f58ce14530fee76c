"""classes.py, enums.py, hash_safety.py: Objects of a user's classes travel without user code running."""

from __future__ import annotations

import collections
import dataclasses
import enum
import functools
import sys
from abc import ABC, abstractmethod
from types import ModuleType
from typing import Any, ClassVar, NamedTuple, Self

import pytest

from pyx.errors import DecodeError, EncodeError
from pyx.signals import Payload
from pyx.terms import Incarnation, Struct
from pyx.wire.codec import decode, encode

ran: list[str] = []
"""Names that the code of the classes below appends if it runs."""


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
class Plain2:
    x: int


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


@dataclasses.dataclass
class Extra:
    price: int
    qty: int

    def __post_init__(self) -> None:
        self.total = self.price * self.qty


@dataclasses.dataclass
class Cached:
    price: int

    @functools.cached_property
    def half(self) -> int:
        return self.price // 2


class Base:
    __slots__ = ("seen",)
    seen: bool


@dataclasses.dataclass
class WithSlot(Base):
    __slots__ = ("x",)
    x: int


class Outer:
    @dataclasses.dataclass
    class Inner:
        x: int


class Plain(Point):
    """A subclass that is not a dataclass itself."""


@dataclasses.dataclass
class Listing(list[int]):
    x: int = 1


class Attributed(NamedTuple("Attributed", [("x", int)])):  # noqa: SLOT002 - to see it refused
    pass


def made(name: str, fields: list[str], module: str = "other") -> Any:
    cls = dataclasses.make_dataclass(name, fields)
    cls.__module__ = module
    return cls


class TestNoCodeRuns:
    def test_dataclass_is_encoded_and_decoded_without_code(self) -> None:
        loud = Loud("nike", ["a"])
        ran.clear()
        decoded = decode(Payload(encode([loud])), None)[0]
        assert ran == []
        assert type(decoded) is Loud
        assert object.__getattribute__(decoded, "__dict__") == {"name": "nike", "tags": ["a"]}

    @pytest.mark.parametrize(
        "wrap",
        [
            lambda key: b"\x81" + key + b"\x01",
            lambda key: b"\x81\x92\xd4\x01\0" + key + b"\x01",
            lambda key: b"\x92\xd4\x02\0" + key,
            lambda key: b"\x92\xd4\x03\0\x92\xd4\x01\0" + key,
        ],
        ids=["key", "in a key", "member", "in a member"],
    )
    def test_key_with_a_hash_of_its_own_is_refused_without_code(self, wrap: Any) -> None:
        keys = [encode(each) for each in (Loud("nike"), LoudPair(1, 2), LoudColour.RED, WithMeta)]
        ran.clear()
        for key in keys:  # by hand: no node sends such a dict
            with pytest.raises(DecodeError, match="a key cannot be hashed: its class has a `__hash__`"):
                decode(Payload(wrap(key)), None)
        assert ran == []

    def test_namedtuple_is_encoded_and_decoded_without_code(self) -> None:
        data = encode(LoudPair(1, 2))
        ran.clear()
        decoded = decode(Payload(data), None)
        assert type(decoded) is LoudPair
        assert decoded[:] == (1, 2)
        assert ran == []

    def test_enum_is_encoded_and_decoded_without_code(self) -> None:
        data = encode(LoudColour.RED)
        ran.clear()
        assert decode(Payload(data), None) is LoudColour.RED
        assert ran == []

    def test_class_with_a_metaclass_is_encoded_and_decoded_without_code(self) -> None:
        value = [WithMeta(1), WithMeta]
        ran.clear()
        instance, cls = decode(Payload(encode(value)), None)
        assert ran == []
        assert (type(instance), cls) == (WithMeta, WithMeta)

    def test_object_with_a_finalizer_is_not_rebuilt(self) -> None:
        named = encode(Plain2(1)).replace(b"\xa6Plain2", b"\xa5Dying")
        assert decode(Payload(named), None) == Struct(f"{__name__}.Dying", (("x", 1),))
        assert ran == []

    def test_property_is_not_called(self) -> None:
        computed = Computed(3)
        assert decode(Payload(encode(computed)), None) == computed
        assert ran == []


class TestUnknownClass:
    """An object of a class that is not loaded, or has other fields, arrives as a Struct."""

    @pytest.fixture
    def other(self, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
        module = ModuleType("other")
        monkeypatch.setitem(sys.modules, "other", module)
        return module

    @staticmethod
    def sent(other: ModuleType, cls: Any, *values: Any) -> Payload:
        """An object as a node sends it that has loaded this class."""
        vars(other)[cls.__name__] = cls
        data = encode(cls(*values))
        del vars(other)[cls.__name__]
        return Payload(data)

    def test_class_that_is_not_loaded_arrives_as_struct(self, other: ModuleType) -> None:
        payload = self.sent(other, made("Item", ["name", "qty"]), "nike", [30])
        struct = decode(payload, None)
        assert struct == Struct("other.Item", (("name", "nike"), ("qty", [30])))
        assert struct["qty"] == [30]

    @pytest.mark.parametrize("fields", [["name"], ["qty", "name"], ["name", "qty", "more"], []])
    def test_class_with_other_fields_arrives_as_struct(self, other: ModuleType, fields: list[str]) -> None:
        payload = self.sent(other, made("Item", ["name", "qty"]), "nike", 30)
        vars(other)["Item"] = dataclasses.make_dataclass("Item", fields)
        struct = decode(payload, None)
        assert struct == Struct("other.Item", (("name", "nike"), ("qty", 30)))

    def test_class_of_another_kind_arrives_as_struct(self, other: ModuleType) -> None:
        payload = self.sent(other, made("Item", ["name"]), "nike")
        for there in (NamedTuple("Item", [("name", str)]), LoudColour, int, len, 7, Abstract, None):
            vars(other)["Item"] = there
            assert decode(payload, None) == Struct("other.Item", (("name", "nike"),))

    def test_unknown_member_of_an_enum_arrives_as_struct(self, other: ModuleType) -> None:
        Colour = enum.Enum("Colour", "RED", module="other")  # noqa: N806 - it is a class
        Perm = enum.Flag("Perm", "R W", module="other")  # noqa: N806
        expected = Struct("other.Colour", (("name", "RED"),)), Struct("other.Perm", (("value", 3),))
        payloads = self.sent(other, Colour, 1), self.sent(other, Perm, 3)
        assert tuple(decode(payload, None) for payload in payloads) == expected
        vars(other)["Colour"] = enum.Enum("Colour", "BLUE", module="other")
        vars(other)["Perm"] = enum.Flag("Perm", "R", module="other")
        assert tuple(decode(payload, None) for payload in payloads) == expected

    def test_class_of_main_is_found_on_its_own_node_only(self, monkeypatch: pytest.MonkeyPatch) -> None:
        main = ModuleType("__main__")
        monkeypatch.setitem(sys.modules, "__main__", main)
        cls = vars(main)["Item"] = made("Item", ["x"], "__main__")
        data = encode(cls(1))
        assert decode(Payload(data), None) == cls(1)
        assert decode(Payload(data, Incarnation("a@vm", 1)), None) == Struct("__main__.Item", (("x", 1),))

    def test_reloaded_class_builds_new_objects(self, other: ModuleType) -> None:
        old, new = made("Item", ["x"]), made("Item", ["x"])
        vars(other)["Item"] = old
        payload = Payload(encode(old(1)))
        assert type(decode(payload, None)) is old
        vars(other)["Item"] = new
        assert type(decode(payload, None)) is new


class TestChangedOnArrival:
    """An object that would arrive changed is refused at the call, with a hint."""

    @pytest.fixture
    def other(self, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
        module = ModuleType("other")
        monkeypatch.setitem(sys.modules, "other", module)
        return module

    def error_of(self, value: object) -> EncodeError:
        with pytest.raises(EncodeError) as caught:
            encode(("add", {"item": value}))
        assert caught.value.path == "message[1]['item']"
        assert caught.value.hint
        return caught.value

    def test_attribute_that_is_not_a_field_is_refused(self) -> None:
        item = Extra(3, 4)
        error = self.error_of(item)
        assert "has an attribute that is not a field and would be lost (total)" in str(error)
        assert error.hint == "declare it as a field: `total: Any = field(init=False)`; or delete it before"
        del item.total
        assert decode(Payload(encode(item)), None) == item
        item.note = "set later"  # type: ignore[attr-defined]
        assert "would be lost (note)" in str(self.error_of(item))
        cached = Cached(4)
        assert decode(Payload(encode(cached)), None) == cached
        assert cached.half == 2
        assert "would be lost (half)" in str(self.error_of(cached))

    def test_slot_that_is_not_a_field_is_refused(self) -> None:
        item = WithSlot(1)
        assert decode(Payload(encode(item)), None) == item
        item.seen = True
        assert "would be lost (seen)" in str(self.error_of(item))

    def test_class_inside_a_function_is_refused(self) -> None:
        @dataclasses.dataclass
        class Local:
            x: int

        error = self.error_of(Local(1))
        assert "is of a class that travels by name" in str(error)
        assert "is defined inside a function" in str(error)
        assert error.hint == "move it to the top of a module"

    def test_class_under_another_name_is_refused(self, other: ModuleType) -> None:
        cls: Any = collections.namedtuple("P", "x y", module="other")  # type: ignore[name-match]  # noqa: PYI024
        vars(other)["Point"] = cls
        error = self.error_of(cls(1, 2))
        assert "is of a class that travels by name, and other.P does not exist" in str(error)
        assert error.hint == "define it at the top of a module, under its own name"
        made_up = dataclasses.make_dataclass("Made", ["x"])
        assert "Made does not exist" in str(self.error_of(made_up(1)))
        assert "other.Colour does not exist" in str(
            self.error_of(enum.Enum("Colour", "RED", module="other").RED)  # type: ignore[attr-defined]
        )

    def test_class_that_was_defined_anew_is_refused(
        self, other: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        vars(other)["Item"] = old = made("Item", ["x"])
        value = old(1)
        encode(value)
        vars(other)["Item"] = new = made("Item", ["x"])
        error = self.error_of(value)
        assert "other.Item is another object now" in str(error)
        assert error.hint == "it was defined anew: make the object again from the new definition"
        encode(new(1))
        reloaded = ModuleType("other")
        vars(reloaded)["Item"] = made("Item", ["x"])
        monkeypatch.setitem(sys.modules, "other", reloaded)
        assert "other.Item is another object now" in str(self.error_of(new(1)))

    def test_class_inside_a_class_has_a_name(self) -> None:
        assert decode(Payload(encode(Outer.Inner(1))), None) == Outer.Inner(1)

    def test_class_with_a_finalizer_is_refused(self) -> None:
        assert "its class has a `__del__`" in str(self.error_of(Dying(1)))
        ran.clear()

    @pytest.mark.parametrize("value", [Loud("a"), LoudPair(1, 2), LoudColour.RED, WithMeta])
    def test_key_whose_class_hashes_itself_is_refused(self, value: Any) -> None:
        for keys in ({value: 1}, {(1, value)}, frozenset([value]), {Point(value): 1}):
            for message in (keys, [keys, *range(1000)], [{"k": keys}] * 300):
                with pytest.raises(EncodeError, match=r"cannot be a key or a member of a set") as caught:
                    encode(message)
                assert caught.value.hint == "send a tuple of its fields as the key"
                assert " of message" in caught.value.path


class TestNotData:
    @pytest.mark.parametrize(
        ("value", "problem"),
        [
            (Plain(1), "is a subclass of a dataclass, but not a dataclass"),
            (Listing(), "its class is a subclass of a builtin one"),
            (Attributed(1), "attributes beside its fields would be lost"),
            (tuple.__new__(LoudPair, (1,)), "has 1 items, and its class 2 fields"),
            (object.__new__(Point), "has no value in its field x"),
            (type("Sub", (tuple,), {})(), "is a subclass of tuple"),
            (type("Sub", (Point,), {})(1), "is a subclass of a dataclass"),
        ],
    )
    def test_object_that_is_not_data_is_refused(self, value: Any, problem: str) -> None:
        with pytest.raises(EncodeError, match=problem):
            encode([value])

    def test_field_hidden_by_a_property_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        cls: Any = dataclasses.make_dataclass("Item", ["x"], repr=False)
        cls.__module__ = __name__
        monkeypatch.setitem(globals(), "Item", cls)
        value = cls(1)
        cls.x = property(lambda _self: ran.append("property"))
        with pytest.raises(EncodeError, match="has a field that is computed"):
            encode(value)
        assert ran == []
