"""call_signature.py: Parameters of functions, read without running code."""

from __future__ import annotations

import builtins
import functools
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

import pytest

import pyx
from pyx import GenServer, handle
from pyx.shell.call_signature import CallSignature, call_signature
from pyx.shell.static_values import NameSources, known_value


def explode(*_args: Any) -> NoReturn:
    msg = "a hook ran"
    raise AssertionError(msg)


def sold(name: str, /, price: int = 3, *rest: int, where: object = explode, **more: int) -> None: ...


def wrapper(function: Any) -> Any:
    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapped


class Shop:
    def __init__(self, name: str, size: int = 1) -> None: ...
    def sell(self, item: str) -> None: ...
    @classmethod
    def open(cls, door: str) -> None: ...
    @staticmethod
    def close(door: str) -> None: ...
    def __call__(self, question: str) -> None: ...


class Till(GenServer):
    @handle.call
    def sell(self, name: str, quantity: int = 1) -> int:
        return quantity


@dataclass
class Item:
    name: str
    price: float = 1.5


class Pair(NamedTuple):
    left: int
    right: int = 2


class Meta(type):
    __call__ = explode


class Hooked(metaclass=Meta):
    __signature__ = property(explode)
    __text_signature__ = property(explode)
    __wrapped__ = property(explode)
    __call__ = property(explode)


NAMES = {
    **vars(pyx), "sold": sold, "wrapped": wrapper(sold), "Shop": Shop, "shop": Shop("s"), "Till": Till,
    "Item": Item, "Pair": Pair, "Hooked": Hooked, "hooked": object.__new__(Hooked), "bound": Shop("s").sell,
    "partial": functools.partial(sold, "nike"), "items": [1],
    "cached": functools.cache(sold),
}  # fmt: skip


def parameters(callee: str) -> str | None:
    found = call_signature(known_value(callee, NameSources(NAMES, vars(builtins))), callee)
    return None if found is None else ", ".join(found.parameters)


@pytest.mark.parametrize(
    ("callee", "shown"),
    [
        ("sold", "name, /, price=3, *rest, where=..., **more"),
        ("cached", "name, /, price=3, *rest, where=..., **more"),
        ("wrapped", "name, /, price=3, *rest, where=..., **more"),
        ("partial", "price=3, *rest, where=..., **more"),
        ("Shop", "name, size=1"),
        ("shop.sell", "item"),
        ("Shop.sell", "self, item"),
        ("bound", "item"),
        ("Shop.open", "door"),
        ("shop.open", "door"),
        ("shop.close", "door"),
        ("shop", "question"),
        ("Till.sell", "server, /, name, quantity=1"),
        ("Item", "name, price=1.5"),
        ("Pair", "left, right=2"),
        ("Node.ping", "node"),
        ("len", "obj, /"),
        ("sorted", "iterable, /, *, key=None, reverse=False"),
        ("'a'.split", "sep=None, maxsplit=-1"),
        ("items.append", "object, /"),
        ("[].sort", "*, key=None, reverse=False"),
        ("input", "prompt='', /"),
        ("lambda x, *, y=(): 1", None),
        ("Hooked", None),
        ("hooked", None),
        ("nope", None),
        ("items[0]", None),
    ],
)  # fmt: skip
def test_parameters_are_read_without_running_code(callee: str, shown: str | None) -> None:
    assert parameters(callee) == shown


def test_keywords_are_the_parameters_that_may_be_named() -> None:
    signature = call_signature(sold, "sold")
    assert signature is not None
    assert signature.keywords() == ["price", "where"]


def test_active_parameter_is_that_of_the_argument_at_the_cursor() -> None:
    signature = CallSignature("f", ["a", "/", "b=1", "*rest", "key=None", "**more"])
    assert [signature.active(number) for number in (0, 1, 2, 9)] == [0, 2, 3, 3]
    assert (signature.active(2, "key"), signature.active(0, "b"), signature.active(0, "x")) == (4, 2, 5)
    few = CallSignature("g", ["a", "*", "key=None"])
    assert [few.active(number) for number in (0, 1)] == [0, None]
    assert few.active(1, "nope") is None
