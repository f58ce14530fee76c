"""Opens the rare letters whose keys need care: they nest deep, or their objects hash themselves.

Dict keys and members of sets are hashed, and compared where hashes agree, while a letter is opened.  Two
things must not happen then: code of a user's class running, and a thread with a small stack overflowing
because thirty dataclasses stand inside each other in one key.  `Opener` meets neither, because it gives up
(`Careful`) before; here every compound that could be hashed is noted with what hashing it takes.  An object
whose class hashes by code of its own stands as a `Struct` where it is a key, and as itself everywhere else;
so does a class whose metaclass hashes it, as a `FunctionName`.

Not here: anything about letters that need no care.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.terms import FunctionName, Struct
from pyx.wire import classes, marks
from pyx.wire.opener import Malformed, Opener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# Weights stand for stack: one for a step in C (a tuple in a tuple), twelve for one that goes through Python.
# A stack of 32 KiB, the smallest there is, bore 255 of the former and 48 of the latter.
_IN_C: Final = 1
_IN_PYTHON: Final = 12
_MAX_WEIGHT: Final = 256
_MAX_COMPARED_WEIGHT: Final = 64
"""Comparing takes more stack than hashing; equal keys heavier than this are no key's honest repetition."""


class _Note:
    """What hashing a compound takes: `weight`, whether it `runs_code`, and how to make it again from
    `parts`.
    """

    __slots__ = ("parts", "remake", "runs_code", "stand_in", "value", "weight")

    def __init__(
        self,
        value: Any,
        weight: int,
        parts: list[Any],
        remake: Callable[[list[Any]], Any],
        *,
        runs_code: bool,
    ) -> None:
        self.value = value  # held, so that its id is nobody else's
        self.weight = weight
        self.parts = parts
        self.remake = remake
        self.runs_code = runs_code
        self.stand_in: Any = None


class CarefulOpener(Opener):
    """An opener for one letter that looks at every key before it is hashed."""

    __slots__ = ("_notes",)

    max_marks = marks.MAX_DEPTH

    def __init__(self, max_bytes: int) -> None:
        super().__init__(max_bytes)
        self._notes: dict[int, _Note] = {}

    def options(self) -> dict[str, Any]:
        """The hook for dicts."""
        return {"object_pairs_hook": self.build_dict}

    def rebuild(self, items: list[Any]) -> Any:
        """Called for every array, the inner ones first."""
        value = super().rebuild(items)
        # Lists and tuples are what `Opener` makes in place; a mark is gone from *items* by now.
        if type(value) is tuple or type(value) is list:
            self._noted(value, _IN_C, items, tuple)
        return value

    def build_dict(self, pairs: list[tuple[Any, Any]]) -> Any:
        """Called for every dict."""
        keys, values = self._keys(key for key, _ in pairs), [value for _, value in pairs]

        def remake(frozen: list[Any]) -> tuple[Any, ...]:
            return tuple(zip(frozen[: len(keys)], frozen[len(keys) :], strict=True))

        return self._noted(dict(zip(keys, values, strict=True)), _IN_C, keys + values, remake)

    def build_set(self, items: list[Any]) -> Any:
        """A set, noted."""
        members = self._keys(items[1:])
        return self._noted(set(members), _IN_C, members, frozenset)

    def build_frozenset(self, items: list[Any]) -> Any:
        """A frozenset, noted."""
        members = self._keys(items[1:])
        return self._noted(frozenset(members), _IN_C, members, frozenset)

    def struct(self, name: str, fields: tuple[tuple[str, Any], ...]) -> Any:
        """A Struct, noted."""
        return self._noted_struct(super().struct(name, fields), name, fields)

    def rebuilt(self, plan: classes.Plan, values: list[Any]) -> Any:
        """An object of a class that is here, noted."""
        value = plan.build(values)
        if plan.hash_runs_code:
            fields: tuple[tuple[str, Any], ...] = tuple(zip(plan.fields, values, strict=True))
            return self._noted_struct(value, f"{plan.module}.{plan.qualname}", fields, runs_code=True)
        weight = _IN_C if plan.kind == marks.NAMEDTUPLE else _IN_PYTHON
        return self._noted(value, weight, values, plan.build)

    def member(self, member: Any) -> Any:
        """A member, noted if hashing it runs code."""
        plan = classes.plan_of(type(member))
        if plan.hash_runs_code:
            fields = (("name", classes.member_name(member)),)
            self._noted_struct(member, f"{plan.module}.{plan.qualname}", fields, runs_code=True)
        return member

    def class_found(self, cls: type, name: FunctionName) -> Any:
        """A class, noted if hashing it runs code of its metaclass."""
        if classes.class_hash_runs_code(cls):
            self._noted(cls, _IN_C, [], lambda _: name, runs_code=True)
        return cls

    def _noted_struct(
        self, value: Any, name: str, fields: tuple[tuple[str, Any], ...], *, runs_code: bool = False
    ) -> Any:
        names = [field for field, _ in fields]

        def remake(values: list[Any]) -> Struct:
            return Struct(name, tuple(zip(names, values, strict=True)))

        return self._noted(value, _IN_PYTHON, [each for _, each in fields], remake, runs_code=runs_code)

    def _noted(
        self,
        value: Any,
        weight: int,
        parts: list[Any],
        remake: Callable[[list[Any]], Any],
        *,
        runs_code: bool = False,
    ) -> Any:
        below = [note for part in parts if (note := self._notes.get(id(part))) is not None]
        weight += max((note.weight for note in below), default=0)
        runs_code = runs_code or any(note.runs_code for note in below)
        self._notes[id(value)] = _Note(value, weight, parts, remake, runs_code=runs_code)
        return value

    def _keys(self, values: Iterable[Any]) -> list[Any]:
        """The same values, fit to be hashed and compared."""
        keys: list[Any] = []
        heavy: set[int] = set()
        for value in values:
            note = self._notes.get(id(value))
            if note is None:
                keys.append(value)
                continue
            if note.weight > _MAX_WEIGHT:
                raise Malformed("a key nests too deep to be hashed")
            key = self._as_key(value)
            keys.append(key)
            if note.weight > _MAX_COMPARED_WEIGHT:
                number = hash(key)
                if number in heavy:
                    raise Malformed("a deep key stands twice in a dict or set")
                heavy.add(number)
        return keys

    def _as_key(self, value: Any) -> Any:
        note = self._notes.get(id(value))
        return value if note is None or not note.runs_code else self._frozen(value)

    def _frozen(self, value: Any) -> Any:
        """A readable stand-in whose hash is Python's own: structs for objects, tuples for lists and dicts."""
        note = self._notes.get(id(value))
        if note is None:
            return value
        if note.stand_in is None:
            note.stand_in = note.remake([self._frozen(part) for part in note.parts])
        return note.stand_in
