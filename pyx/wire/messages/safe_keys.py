"""Keys of dicts and members of sets: which ones a message may hold, and decoders that check them.

Keys are hashed, and compared where hashes agree, while a payload is decoded.  Three things must not happen
then: code of a user's class running, a thread with a small stack overflowing because of thirty dataclasses
inside each other in one key, and a dict of keys with one hash blocking the interpreter for minutes.

`Decoder` raises before any of them happens.  `CollisionCheckingDecoder` then decodes a payload that has a
large dict, `KeyCheckingDecoder` one that has objects with a hash of their own or nests deep.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from pyx.introspection import class_module, is_class
from pyx.terms import Struct
from pyx.wire.messages import classes, format
from pyx.wire.messages.decode import Decoder, check_collisions
from pyx.wire.messages.format import MalformedPayload
from pyx.wire.messages.hash_safety import class_hash_runs_code
from pyx.wire.messages.names import ERLANG_TERMS, Unsendable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Units of stack that hashing takes: one for a level in C (a tuple in a tuple), twelve for a level in Python.
# A stack of 32 KiB, the smallest that Python allows, held 255 of the former and 48 of the latter [measured].
_IN_C: Final = 1
_IN_PYTHON: Final = 12
_MAX_STACK: Final = 256
_MAX_COMPARED_STACK: Final = 64
"""Comparing takes more stack than hashing: two keys of equal hash above this are rejected as hostile."""

_HASHES_ITSELF: Final = "its class has a `__hash__` or `__eq__` of its own"


def check_key(value: Any) -> None:
    """Checks an object that is a key, or a member of a set, before it is encoded.

    Raises:
        Unsendable: hashing it would run code of its class at the receiver, or recurse too deep.
    """
    todo: list[tuple[Any, int]] = [(value, 0)]
    while todo:
        each, stack = todo.pop()
        parts, more, runs_code = _hashed_with(each)
        if runs_code:
            problem = f"cannot be a key or a member of a set: {_HASHES_ITSELF}"
            raise Unsendable(problem, "send a tuple of its fields as the key")
        if stack + more > _MAX_STACK:
            raise Unsendable("cannot be a key or a member of a set: it nests too deep to be hashed")
        todo += [(part, stack + more) for part in parts]


def _hashed_with(value: Any) -> tuple[Iterable[Any], int, bool]:
    """Returns the parts that hashing a value hashes too, the stack that takes, and whether user code runs."""
    cls = type(value)
    if cls is tuple or cls is frozenset:
        return value, _IN_C, False
    if cls is Struct:
        return [part for _, part in value.fields], _IN_PYTHON, False
    if is_class(value):
        return (), 0, class_hash_runs_code(value)
    try:
        layout = classes.layout_of(cls)
    except Unsendable:  # not an object of a user's class
        return (
            (_parts_of_map(value), _IN_PYTHON, False) if class_module(cls) == ERLANG_TERMS else ((), 0, False)
        )
    parts = () if layout.kind == format.ENUM else layout.values(value)
    return parts, _IN_C if layout.kind == format.NAMEDTUPLE else _IN_PYTHON, layout.hash_runs_code


def _parts_of_map(value: Any) -> Iterable[Any]:
    from pyx.erlang_terms import Map  # loaded, if this is one

    return [part for pair in value.pairs for part in pair] if type(value) is Map else ()


class CollisionCheckingDecoder(Decoder):
    """A decoder for one payload with a large dict: checks the hashes of the keys before it builds a dict."""

    __slots__ = ()

    def options(self) -> dict[str, Any]:
        """Adds the hook for dicts, and no limit of their size."""
        return {"object_pairs_hook": self.build_dict}

    def build_dict(self, pairs: list[tuple[Any, Any]]) -> Any:
        """Returns the unpacker's hook for every dict."""
        check_collisions([key for key, _ in pairs])
        return dict(pairs)


class KeyCheckingDecoder(CollisionCheckingDecoder):
    """A decoder for one payload: records for every value what hashing it takes, and checks keys by that."""

    __slots__ = ("_stack_needed",)

    max_open_tags = format.MAX_DEPTH

    def __init__(self, max_bytes: int) -> None:
        super().__init__(max_bytes)
        self._stack_needed: dict[int, tuple[Any, float]] = {}
        """By id: a value, held so that its id stays its own, and its stack; infinite if hashing runs code."""

    def build_array(self, items: list[Any]) -> Any:
        """Returns the unpacker's hook for every array, the inner ones first."""
        value = super().build_array(items)
        return self._recorded(value, _IN_C, value) if type(value) is tuple else value

    def build_dict(self, pairs: list[tuple[Any, Any]]) -> Any:
        """Returns the unpacker's hook for every dict."""
        self._check([key for key, _ in pairs])
        return super().build_dict(pairs)

    def build_set(self, items: list[Any]) -> Any:
        """Builds a set of members that may be hashed."""
        self._check(items)
        return super().build_set(items)

    def build_frozenset(self, items: list[Any]) -> Any:
        """Builds a frozenset, and records what hashing it takes."""
        self._check(items)
        return self._recorded(super().build_frozenset(items), _IN_C, items)

    def struct(self, name: str, fields: tuple[tuple[str, Any], ...]) -> Any:
        """Makes a Struct, and records what hashing it takes."""
        return self._recorded(super().struct(name, fields), _IN_PYTHON, [value for _, value in fields])

    def build_instance(self, layout: classes.ClassLayout, values: list[Any]) -> Any:
        """Builds an object, and records what hashing it takes."""
        stack = _IN_C if layout.kind == format.NAMEDTUPLE else _IN_PYTHON
        return self._recorded(layout.build(values), math.inf if layout.hash_runs_code else stack, values)

    def term(self, term: Any, parts: list[Any]) -> Any:
        """Returns a term of Erlang, and records what hashing it takes."""
        return self._recorded(term, _IN_PYTHON, parts)

    def member(self, member: Any) -> Any:
        """Returns a member of an enum; records it if hashing it runs user code."""
        runs_code = classes.layout_of(type(member)).hash_runs_code
        return self._recorded(member, math.inf, ()) if runs_code else member

    def found_class(self, cls: type) -> Any:
        """Returns a class; records it if hashing it runs code of its metaclass."""
        return self._recorded(cls, math.inf, ()) if class_hash_runs_code(cls) else cls

    def _recorded(self, value: Any, stack: float, parts: Iterable[Any]) -> Any:
        known = (self._stack_needed.get(id(part)) for part in parts)
        self._stack_needed[id(value)] = value, stack + max((each[1] for each in known if each), default=0)
        return value

    def _check(self, keys: Sequence[Any]) -> None:
        deep: set[int] = set()
        for key in keys:
            _, stack = self._stack_needed.get(id(key), (None, 0))
            if stack > _MAX_STACK:
                why = _HASHES_ITSELF if stack == math.inf else "it nests too deep"
                raise MalformedPayload(f"a key cannot be hashed: {why}")
            if stack > _MAX_COMPARED_STACK:
                if (number := hash(key)) in deep:
                    raise MalformedPayload("two deep keys of a dict or set have the same hash")
                deep.add(number)
