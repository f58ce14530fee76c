"""The patterns of `receive`: which messages match.

    ...                 anything
    Literal(x)          this very value: equal, and of the same type
    a class             isinstance
    other callables     a predicate; what it raises goes to the receiver, and nothing is taken
    tuple, list         same type and length, element by element
    dict                at least these keys, value by value
    a str               a str or an atom of this text
    else                equal, and of the same type (`True` is not `1`)

See `pattern_compiler.py` for patterns that are tried on many messages.
"""

# ruff: noqa: SIM110 - a loop in place of a generator halves the time

from __future__ import annotations

from typing import Any

from pyx.atoms import Atom
from pyx.terms import Literal, Ref


def matches_any(patterns: tuple[Any, ...], value: Any) -> bool:
    """True if *value* fits one of *patterns*, tried in order, or if there are none."""
    for pattern in patterns:
        if matches(pattern, value):
            return True
    return not patterns


def matches(pattern: Any, value: Any) -> bool:
    """True if *value* fits *pattern*."""
    if pattern is ...:
        return True
    kind = type(pattern)
    if kind is tuple or kind is list:
        if type(value) is not kind or len(value) != len(pattern):
            return False
        for index, part in enumerate(pattern):
            item = value[index]
            # A tag and a class, the most frequent parts: as below, without the call.
            if type(part) is str:
                if (type(item) is not str and type(item) is not Atom) or item != part:
                    return False
            elif type(part) is type:
                if not isinstance(item, part):
                    return False
            elif not matches(part, item):
                return False
        return True
    if kind is dict:
        if type(value) is not dict:
            return False
        for key, part in pattern.items():
            if key not in value or not matches(part, value[key]):
                return False
        return True
    if kind is Literal:
        return type(value) is type(pattern.value) and bool(value == pattern.value)
    if kind is str:
        return (type(value) is str or type(value) is Atom) and bool(value == pattern)
    if isinstance(pattern, type):
        return isinstance(value, pattern)
    if callable(pattern):
        return bool(pattern(value))
    return type(value) is kind and bool(value == pattern)


def required_reference(patterns: tuple[Any, ...]) -> Ref | None:
    """Returns the reference that every match must hold, if each pattern asks for the same one; else None.

    A message that holds a reference came after the reference was made, so the search may start there: a reply
    is found without reading a long mailbox (OTP's optimization of selective receive).
    """
    found: Ref | None = None
    for pattern in patterns:
        mine = _reference_in(pattern)
        if mine is None or (found is not None and mine != found):
            return None
        found = mine
    return found


def _reference_in(pattern: Any) -> Ref | None:
    if type(pattern) is Ref:
        return pattern
    if type(pattern) is tuple or type(pattern) is list:
        for part in pattern:
            if type(part) is Ref:
                return part
    return None
