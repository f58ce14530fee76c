"""Keys of dicts and members of sets: which a message may hold, and how those that need care are decoded.

Keys are hashed, and compared where hashes agree, while a payload is opened.  Three things must not happen
then: code of a user's class running, a thread with a small stack overflowing because thirty dataclasses stand
inside each other in one key, and a dict of keys with one hash keeping the interpreter for minutes.

`Decoder` meets none of them, because it gives up before: `SpreadDecoder` opens what has a large dict, and
`CarefulDecoder` what holds objects that hash themselves or nest deep.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from pyx.terms import FunctionName, Struct
from pyx.wire.messages import classes, format
from pyx.wire.messages.decode import Decoder, Malformed, check_spread
from pyx.wire.messages.names import Unsendable, is_class

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Weights stand for stack: one for a step in C (a tuple in a tuple), twelve for one that goes through Python.
# A stack of 32 KiB, the smallest there is, bore 255 of the former and 48 of the latter.
_IN_C: Final = 1
_IN_PYTHON: Final = 12
_MAX_WEIGHT: Final = 256
_MAX_COMPARED_WEIGHT: Final = 64
"""Comparing takes more stack than hashing; equal keys heavier than this are no key's honest repetition."""


def check_key(value: Any) -> None:
    """Looks at an object that is a key, or a member of a set, before it is encoded.

    Raises:
        Unsendable: hashing it would run code of its class at the receiver, or go too deep.
    """
    todo: list[tuple[Any, int]] = [(value, 0)]
    while todo:
        each, weight = todo.pop()
        parts, step, runs_code = _hashed_with(each)
        if runs_code:
            problem = "cannot be a key or a member of a set: its class hashes or compares by code of its own"
            raise Unsendable(problem, "send a tuple of its fields as the key")
        if weight + step > _MAX_WEIGHT:
            raise Unsendable("cannot be a key or a member of a set: it nests too deep to be hashed")
        todo += [(part, weight + step) for part in parts]


def _hashed_with(value: Any) -> tuple[Iterable[Any], int, bool]:
    """What hashing a value hashes too, what that weighs, and whether code of a user's class runs."""
    cls = type(value)
    if cls is tuple or cls is frozenset:
        return value, _IN_C, False
    if cls is Struct:
        return [part for _, part in value.fields], _IN_PYTHON, False
    if is_class(value):
        return (), 0, classes.class_hash_runs_code(value)
    try:
        plan = classes.plan_of(cls)
    except Unsendable:  # a value of another kind than a user's object
        return (), 0, False
    parts = () if plan.kind == format.ENUM else plan.values(value)
    return parts, _IN_C if plan.kind == format.NAMEDTUPLE else _IN_PYTHON, plan.hash_runs_code


class SpreadDecoder(Decoder):
    """An opener for one payload that looks at the hashes of all keys before a dict is made of them."""

    __slots__ = ()

    def options(self) -> dict[str, Any]:
        """The hook for dicts."""
        return {"object_pairs_hook": self.build_dict}

    def build_dict(self, pairs: list[tuple[Any, Any]]) -> Any:
        """Called for every dict."""
        check_spread([key for key, _ in pairs])
        return dict(pairs)


class CarefulDecoder(SpreadDecoder):
    """An opener for one payload that knows of every key what hashing it takes."""

    __slots__ = ("_weights",)

    max_marks = format.MAX_DEPTH

    def __init__(self, max_bytes: int) -> None:
        super().__init__(max_bytes)
        self._weights: dict[int, tuple[Any, float]] = {}
        """By id: a value, held so that its id stays its own; infinite where hashing it would run code."""

    def rebuild(self, items: list[Any]) -> Any:
        """Called for every array, the inner ones first."""
        value = super().rebuild(items)
        return self._noted(value, _IN_C, value) if type(value) is tuple else value

    def build_dict(self, pairs: list[tuple[Any, Any]]) -> Any:
        """Called for every dict."""
        self._check([key for key, _ in pairs])
        return super().build_dict(pairs)

    def build_set(self, items: list[Any]) -> Any:
        """A set."""
        self._check(items)
        return super().build_set(items)

    def build_frozenset(self, items: list[Any]) -> Any:
        """A frozenset, noted."""
        self._check(items)
        return self._noted(super().build_frozenset(items), _IN_C, items)

    def struct(self, name: str, fields: tuple[tuple[str, Any], ...]) -> Any:
        """A Struct, noted."""
        return self._noted(super().struct(name, fields), _IN_PYTHON, [value for _, value in fields])

    def rebuilt(self, plan: classes.Plan, values: list[Any]) -> Any:
        """An object of a class that is here, noted."""
        step = _IN_C if plan.kind == format.NAMEDTUPLE else _IN_PYTHON
        return self._noted(plan.build(values), math.inf if plan.hash_runs_code else step, values)

    def member(self, member: Any) -> Any:
        """A member, noted if hashing it runs code."""
        runs_code = classes.plan_of(type(member)).hash_runs_code
        return self._noted(member, math.inf, ()) if runs_code else member

    def class_found(self, cls: type, _name: FunctionName) -> Any:
        """A class, noted if hashing it runs code of its metaclass."""
        return self._noted(cls, math.inf, ()) if classes.class_hash_runs_code(cls) else cls

    def _noted(self, value: Any, step: float, parts: Iterable[Any]) -> Any:
        known = (self._weights.get(id(part)) for part in parts)
        self._weights[id(value)] = value, step + max((each[1] for each in known if each), default=0)
        return value

    def _check(self, keys: Sequence[Any]) -> None:
        heavy: set[int] = set()
        for key in keys:
            _, weight = self._weights.get(id(key), (None, 0))
            if weight > _MAX_WEIGHT:
                why = "its class hashes it by code of its own" if weight == math.inf else "it nests too deep"
                raise Malformed(f"a key cannot be hashed: {why}")
            if weight > _MAX_COMPARED_WEIGHT:
                if (number := hash(key)) in heavy:
                    raise Malformed("a deep key stands twice in a dict or set")
                heavy.add(number)
