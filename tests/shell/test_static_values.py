"""static_values.py, partial_values.py, return_types.py: What is known of an expression, by completing it."""

from __future__ import annotations

from typing import NoReturn

import pytest

import pyx
from tests.shell.completed import completed


class Plain:
    def method(self) -> None: ...


def explode() -> NoReturn:
    raise AssertionError


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("[1, 2].", list),
        ("[a, f()].", list),
        ("[f(x) for x in y].", list),
        ("(1, 2).", tuple),
        ("(1,\n 2).", tuple),
        ("{}.", dict),
        ("{1, 2}.", set),
        ("1.0.", float),
        ("1 .", int),
        ("True.", bool),
        ("print('a' 'b'.", str),
        ("return 'a'.", str),
        ("b'a'.", bytes),
        ("f'{a}'.", str),
        ("rf'{a}'.", str),
        ("(lambda: 1).", type(lambda: 1)),
        ("'a'[0].", str),
        ("'a'[1:].", str),
        ("b'a'[0].", int),
        ("' a '.strip().upper().", str),
        ("'a b'.split().", list),
        ("dict(a=1).", dict),
        ("len(x).", int),
        ("{'k': [1]}['k'].", list),
    ],
)
def test_literal_and_known_result_have_the_attributes_of_their_class(text: str, kind: type) -> None:
    assert completed(text) == sorted(name for name in dir(kind) if not name.startswith("_"))


@pytest.mark.parametrize("text", ["1.", "12.", "x = 1.", "f().re", "(1 +.", "x + .", "nope[0].", "print()."])
def test_what_cannot_be_known_has_no_attributes(text: str) -> None:
    assert completed(text) == []


def test_annotated_result_is_known() -> None:
    def here() -> str: ...  # type: ignore[empty-body] # never called
    def maker() -> Plain: ...  # type: ignore[empty-body]
    async def later() -> str: ...  # type: ignore[empty-body]

    names = {"here": here, "maker": maker, "later": later, "Plain": Plain, "explode": explode}
    assert completed("here().isup", names) == ["isupper"]
    assert completed("here()[0].isup", names) == ["isupper"]
    assert completed("maker().me", names) == ["method"]
    assert completed("Plain().me", names) == ["method"]
    assert completed("later().isup", names) == []
    assert completed("explode().", names) == []
    assert completed("self().is_l", {"self": pyx.self}) == ["is_local"]
    assert completed("Node.self().isup", vars(pyx)) == ["isupper"]


def test_subscript_of_a_known_value_is_known() -> None:
    assert completed("x[1].isup", {"x": [1, "text"]}) == ["isupper"]
    assert completed("x[2].", {"x": [1, "text"]}) == []
    assert completed("f'{x[1].isup", {"x": [1, "text"]}) == ["isupper"]


class Hooked(type):
    __call__ = explode


class Trap(dict[str, object], metaclass=Hooked):
    """Raises when it is called, read or subscripted."""

    get = __getitem__ = __contains__ = explode  # type: ignore[assignment]


def test_no_hook_runs_to_find_the_class_of_a_result() -> None:
    def annotated() -> str: ...  # type: ignore[empty-body] # never called

    trap = dict.__new__(Trap)
    annotated.__annotations__ = trap
    names = {"annotated": annotated, "Trap": Trap, "trap": trap, "explode": explode}
    for text in (
        "annotated().",
        "Trap().",
        "trap().",
        "trap['k'].",
        "trap[0].",
        "explode().",
        "trap.get('k').",
    ):
        assert completed(text, names) == []
