"""receiving.py: Each line of the grammar of patterns: what it matches and what it does not."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

import pytest

from pyx.runtime.receiving import matches, required_reference
from pyx.terms import Literal, Pid, Ref


class Colour(enum.Enum):
    RED = 1


@dataclass(frozen=True)
class Product:
    name: str


def raises(_: object) -> bool:
    raise RuntimeError("a predicate's own")


TAKEN: list[tuple[Any, Any]] = [
    (..., None),
    (..., ("any", "thing")),
    (int, 1),
    (int, True),  # isinstance, as everywhere in Python
    (object, None),
    (Product, Product("nike")),
    (str.isdigit, "42"),
    (lambda value: value > 3, 4),
    (lambda value: [value], 0),  # any true value
    (("add", ...), ("add", 1)),
    (("add", (int, str)), ("add", (1, "x"))),
    (["a", ...], ["a", "b"]),
    ((), ()),
    ({}, {"any": 1}),
    ({"name": str}, {"name": "nike", "qty": 30}),
    ({"product": {"name": "nike"}}, {"product": {"name": "nike", "qty": 1}}),
    ({None: 1}, {None: 1}),
    ("status", "status"),
    (1, 1),
    (1.5, 1.5),
    (None, None),
    (b"x", b"x"),
    (Colour.RED, Colour.RED),
    (Product("nike"), Product("nike")),
    (Pid(5), Pid(5)),
    (Ref(5), Ref(5)),
    ({1, 2}, {2, 1}),
    (Literal(int), int),
    (Literal(...), ...),
    (Literal(str.isdigit), str.isdigit),
    (("type", Literal(int)), ("type", int)),
]

LEFT: list[tuple[Any, Any]] = [
    (int, "1"),
    (str.isdigit, "x"),
    (("add", ...), ("add",)),
    (("add", ...), ["add", 1]),
    (["a", ...], ("a", 1)),
    ((), []),
    ({"name": str}, {"qty": 1}),
    ({"name": int}, {"name": "nike"}),
    ({"name": ...}, "name"),
    ("status", "stop"),
    (True, 1),
    (1, True),
    (1, 1.0),
    (0, None),
    (Pid(5), Pid(6)),
    (Pid(5), Pid(5, node="b@h", creation=1)),
    (Literal(int), 1),
    (Literal(1), True),
]


@pytest.mark.parametrize(("pattern", "message"), TAKEN)
def test_pattern_matches(pattern: Any, message: Any) -> None:
    assert matches(pattern, message)


@pytest.mark.parametrize(("pattern", "message"), LEFT)
def test_pattern_does_not_match(pattern: Any, message: Any) -> None:
    assert not matches(pattern, message)


def test_exception_of_a_predicate_is_not_caught() -> None:
    with pytest.raises(RuntimeError, match="a predicate's own"):
        matches(("x", raises), ("x", 1))


def test_result_of_an_equality_is_made_a_bool() -> None:
    class Odd:
        def __eq__(self, other: object) -> Any:
            return ["a list"]

        __hash__ = None  # type: ignore[assignment]

    assert matches(Odd(), Odd()) is True


class TestReference:
    """The reference that every match must hold decides where a search starts."""

    ref, other = Ref(1), Ref(2)

    def test_reference_of_all_patterns_is_required(self) -> None:
        assert required_reference((self.ref,)) == self.ref
        assert required_reference((("reply", self.ref, ...),)) == self.ref
        assert required_reference((["reply", self.ref], ("DOWN", self.ref, ...))) == self.ref

    def test_reference_missing_in_one_pattern_is_not_required(self) -> None:
        assert required_reference((("reply", self.ref), "status")) is None
        assert required_reference((("reply", self.ref), ...)) is None
        assert required_reference((("reply", self.ref), ("reply", self.other))) is None
        assert required_reference(()) is None

    def test_nested_reference_is_not_looked_for(self) -> None:
        assert required_reference((("reply", ("to", self.ref)),)) is None
        assert required_reference(({"ref": self.ref},)) is None
