"""introspection.py: Classes, modules and values are read without their code running."""

from __future__ import annotations

import enum
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pyx.introspection import (
    class_attribute,
    class_dict,
    class_mro,
    definer,
    find_loaded,
    instance_dict_descriptor,
    is_built_only_on,
    is_builtin,
    is_class,
    module_dict,
    type_name,
)

if TYPE_CHECKING:
    import pytest


class Shop:
    class Shelf:
        pass

    @staticmethod
    def opening_hours() -> str:
        return "9 to 5"


class Liar:
    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise AssertionError


class Meta(type):
    def __getattribute__(cls, name: str) -> Any:
        raise AssertionError(name)


class Closed(metaclass=Meta):
    price = property(lambda _self: 1)


class Slotted:
    __slots__ = ("x",)


def test_class_is_told_from_an_object_by_its_real_type() -> None:
    assert is_class(int)
    assert is_class(Closed)
    assert not is_class(Liar())
    assert not is_class(1)


def test_slots_of_a_class_are_read_past_its_metaclass() -> None:
    assert class_mro(Closed) == (Closed, object)
    assert type(class_dict(Closed)["price"]) is property
    assert type(class_attribute(class_mro(Closed), "price")) is property
    assert class_attribute(class_mro(Closed), "nope") is None
    assert definer(class_mro(Closed), "__hash__") is object
    assert definer(class_mro(Closed), "nope") is None
    assert type_name(object.__new__(Closed)) == "Closed"


def test_only_static_types_of_c_are_builtin() -> None:
    assert is_builtin(object)
    assert is_builtin(list)
    assert not is_builtin(Shop)
    assert not is_builtin(enum.Enum)
    assert is_built_only_on(class_mro(Shop), object)
    assert not is_built_only_on(class_mro(bool), object)
    assert is_built_only_on(class_mro(bool), object, int, bool)


def test_instance_dict_is_found_where_instances_have_one() -> None:
    shop = Shop()
    descriptor = instance_dict_descriptor(class_mro(Shop))
    assert descriptor is not None
    assert descriptor.__get__(shop) is vars(shop)
    assert instance_dict_descriptor(class_mro(Slotted)) is None


def test_find_loaded_follows_classes_and_static_methods() -> None:
    assert find_loaded(__name__, "Shop.Shelf") is Shop.Shelf
    assert find_loaded(__name__, "Shop.opening_hours") is Shop.opening_hours
    assert find_loaded(__name__, "Shop.Shelf.nope") is None
    assert find_loaded(__name__, "") is None


def test_find_loaded_imports_nothing() -> None:
    assert "this" not in sys.modules
    assert find_loaded("this", "s") is None
    assert module_dict("this") is None
    assert "this" not in sys.modules


def test_find_loaded_runs_no_hook_of_a_module_or_class(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Lazy(ModuleType):
        def __getattribute__(self, name: str) -> Any:
            asked.append(name)
            return super().__getattribute__(name)

    class Meta(type):
        def __getattribute__(cls, name: str) -> Any:
            asked.append(name)
            return super().__getattribute__(name)

        def __hash__(cls) -> int:
            asked.append("hash")
            return 1

    class Odd(metaclass=Meta):
        pass

    module = Lazy("lazy")
    vars(module)["Odd"] = Odd
    monkeypatch.setitem(sys.modules, "lazy", module)
    monkeypatch.setitem(sys.modules, "not_a_module", Shop)
    asked.clear()
    assert find_loaded("lazy", "Odd") is Odd
    assert find_loaded("lazy", "Odd.nope") is None
    assert find_loaded("lazy", "nope") is None
    assert find_loaded("not_a_module", "Shelf") is None
    assert asked == []
