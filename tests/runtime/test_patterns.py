"""patterns.py, pattern_compiler.py: Each line of the grammar of patterns: what it matches, and what not."""

from __future__ import annotations

import enum
import itertools
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from pyx import fast_paths
from pyx.atoms import Atom
from pyx.runtime.pattern_compiler import compiled
from pyx.runtime.patterns import matches, matches_any, required_reference
from pyx.terms import Literal, Pid, Ref

if TYPE_CHECKING:
    from collections.abc import Callable


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
    ("status", Atom("status")),
    (Atom("status"), Atom("status")),
    (("add", 1), (Atom("add"), 1)),
    ((..., "add"), (1, Atom("add"))),
    ((Atom("add"), ...), (Atom("add"), 1)),
    ({"name": "nike"}, {Atom("name"): Atom("nike")}),
    (Literal(Atom("add")), Atom("add")),
    (str, Atom("add")),
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
    (Atom("add"), "add"),
    ((Atom("add"), 1), ("add", 1)),
    (Literal("add"), Atom("add")),
    (Literal(Atom("add")), "add"),
    ((Literal("add"), 1), (Atom("add"), 1)),
    ("add", Atom("sub")),
    (("add", 1), (Atom("sub"), 1)),
    (b"add", Atom("add")),
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


class TestCompiled:
    """Patterns made into one function match what the patterns match."""

    @pytest.fixture(params=[True, False], ids=["fast paths", "no fast paths"], autouse=True)
    def switch(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(fast_paths, "enabled", request.param)

    @pytest.mark.parametrize(("pattern", "message"), TAKEN)
    def test_compiled_pattern_matches(self, pattern: Any, message: Any) -> None:
        assert compiled((pattern,))(message)

    @pytest.mark.parametrize(("pattern", "message"), LEFT)
    def test_compiled_pattern_does_not_match(self, pattern: Any, message: Any) -> None:
        assert not compiled((pattern,))(message)

    @pytest.mark.parametrize("seed", range(20))
    def test_compiled_patterns_match_what_random_patterns_match(self, seed: int) -> None:
        chance = random.Random(seed)
        values = [random_value(chance, 3) for _ in range(40)]
        patterns = [random_pattern(chance, chance.choice(values)) for _ in range(60)]
        for pair in itertools.pairwise(patterns):
            test = compiled(pair)
            for value in values:
                assert bool(test(value)) is matches_any(pair, value), (pair, value)

    def test_no_patterns_match_anything(self) -> None:
        assert compiled(())(None)

    def test_predicate_is_asked_after_the_parts_before_it_and_of_these_alone(self) -> None:
        asked: list[Any] = []

        def notes(value: Any) -> bool:
            asked.append(value)
            return True

        assert not compiled(((notes, "a", notes),))((1, "b", 2))
        assert not compiled((("a", notes),))(("b", 3))
        assert asked == [1]

    def test_pattern_that_contains_itself_matches_no_message(self) -> None:
        endless: list[Any] = [1]
        endless.append(endless)
        test = compiled((endless, ("a", {"k": endless}), "b"))
        assert not test([1, [1, [1, []]]])
        assert not test(("a", {"k": [1, 2]}))
        assert test("b")

    def test_shared_parts_of_a_pattern_are_not_repeated(self) -> None:
        shared: Any = {"k": ...}
        message: Any = {"k": 1}
        for _ in range(60):  # a tree of 2 ** 60 parts
            shared, message = (shared, [shared, shared]), (message, [])
        test = compiled((shared, "b"))
        assert not test(message)
        assert test("b")

    def test_exception_of_a_predicate_leaves_a_compiled_pattern(self) -> None:
        with pytest.raises(RuntimeError, match="a predicate's own"):
            compiled((("x", raises),))(("x", 1))


SCALARS: list[Any] = [0, 1, True, False, 1.0, None, "a", "b", b"a", Pid(1), Ref(1), Colour.RED, float("nan")]


def random_value(chance: random.Random, depth: int) -> Any:
    """Returns a message of containers and scalars."""
    size = chance.randrange(4)
    match chance.randrange(6) if depth else 0:
        case 1 | 2:
            return tuple(random_value(chance, depth - 1) for _ in range(size))
        case 3:
            return [random_value(chance, depth - 1) for _ in range(size)]
        case 4:
            return {chance.choice("abc"): random_value(chance, depth - 1) for _ in range(size)}
    return chance.choice(SCALARS)


def random_pattern(chance: random.Random, value: Any) -> Any:
    """Returns a pattern that is like *value*, and often matches it."""
    others: list[Callable[[], Any]] = [
        lambda: ...,
        lambda: type(value),
        lambda: Literal(value),
        lambda: lambda seen: seen == value,
        lambda: chance.choice(SCALARS),
    ]
    if chance.random() < 0.3:
        return chance.choice(others)()
    if type(value) is tuple or type(value) is list:
        return type(value)(random_pattern(chance, part) for part in value)
    if type(value) is dict:
        return {key: random_pattern(chance, part) for key, part in value.items() if chance.random() < 0.7}
    return value


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
