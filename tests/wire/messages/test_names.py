"""names.py: Functions and classes are sent by name, if the name finds them."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from pyx.errors import EncodeError
from pyx.signals import Payload
from pyx.terms import FunctionName, Incarnation
from pyx.wire.codec import decode, encode, name_of_callable


class Shop:
    class Shelf:
        pass

    @staticmethod
    def opening_hours() -> str:
        return "9 to 5"

    def price(self) -> int:
        return 1


def handle_stock() -> None:
    """A function that travels by name."""


class TestNames:
    def test_function_or_class_has_the_name_that_finds_it(self) -> None:
        assert name_of_callable(handle_stock) == (__name__, "handle_stock")
        assert name_of_callable(Shop.Shelf) == (__name__, "Shop.Shelf")
        assert name_of_callable(len) == ("builtins", "len")
        assert name_of_callable(str.upper) == ("builtins", "str.upper")
        assert name_of_callable(FunctionName("pos", "ask")) == ("pos", "ask")

    @pytest.mark.parametrize(
        ("function", "problem"),
        [
            (
                lambda: 1,
                "is a lambda, and functions in data travel by name: use a `def` at the top of a module",
            ),
            (
                Shop().price,
                "is bound to an object, and functions travel by name: send the object and",
            ),
            ([].append, "is bound to an object"),
            (3, "is not a function that has a name"),
        ],
    )
    def test_function_without_a_name_is_refused_with_the_reason(self, function: Any, problem: str) -> None:
        with pytest.raises(EncodeError, match=problem):
            name_of_callable(function)

    def test_function_inside_a_function_is_refused(self) -> None:
        def inner() -> None: ...

        problem = "is defined inside a function, and functions in data travel by name"
        with pytest.raises(EncodeError, match=problem) as refused:
            encode(inner)
        assert refused.value.hint == (
            "only the function that a call runs may come as source: rpc.call(node, f), Node.spawn(node, f)"
        )

    def test_function_that_its_name_no_longer_finds_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        old = handle_stock
        monkeypatch.setitem(globals(), "handle_stock", len)
        with pytest.raises(EncodeError, match=r"test_names\.handle_stock is another object now"):
            encode(old)
        monkeypatch.delitem(globals(), "handle_stock")
        with pytest.raises(EncodeError, match=r"test_names\.handle_stock does not exist"):
            encode(old)


class TestLookup:
    """Names are looked up on arrival, in modules already loaded, through `__dict__`s only."""

    def arrived(self, name: FunctionName, origin: Incarnation | None = None) -> Any:
        # A function's payload differs from a FunctionName's in one byte, its kind (17, 19).
        return decode(Payload(encode(name).replace(b"\xd4\x13\0", b"\xd4\x11\0", 1), origin), None)

    def test_loaded_function_or_class_arrives_as_itself(self) -> None:
        assert self.arrived(FunctionName(__name__, "Shop.Shelf")) is Shop.Shelf
        assert self.arrived(FunctionName(__name__, "Shop.opening_hours")) is Shop.opening_hours

    def test_lookup_imports_nothing(self) -> None:
        assert "this" not in sys.modules
        assert self.arrived(FunctionName("this", "s")) == FunctionName("this", "s")
        assert "this" not in sys.modules

    @pytest.mark.parametrize(
        "name", ["", ".", "nope", "Shop.nope", "Shop.price.__code__", "handle_stock.x", "HERE"]
    )
    def test_unknown_name_arrives_as_a_function_name(self, name: str) -> None:
        assert self.arrived(FunctionName(__name__, name)) == FunctionName(__name__, name)

    def test_only_functions_and_classes_are_looked_up(self) -> None:
        assert self.arrived(FunctionName("os", "environ")) == FunctionName("os", "environ")
        assert self.arrived(FunctionName("sys", "modules")) == FunctionName("sys", "modules")
        assert self.arrived(FunctionName("pyx.wire.messages.decode", "TAG_READERS")) == FunctionName(
            "pyx.wire.messages.decode", "TAG_READERS"
        )

    def test_function_name_that_is_sent_stays_one(self) -> None:
        name = FunctionName(__name__, "handle_stock")
        assert decode(Payload(encode(name)), None) == name

    def test_name_in_main_resolves_on_its_own_node_only(self, monkeypatch: pytest.MonkeyPatch) -> None:
        main = ModuleType("__main__")
        vars(main)["typed"] = handle_stock
        monkeypatch.setitem(sys.modules, "__main__", main)
        monkeypatch.setattr(handle_stock, "__module__", "__main__")
        monkeypatch.setattr(handle_stock, "__qualname__", "typed")
        data = encode(handle_stock)
        assert decode(Payload(data), None) is handle_stock
        assert decode(Payload(data, Incarnation("a@vm", 1)), None) == FunctionName("__main__", "typed")
