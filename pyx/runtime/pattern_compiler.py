"""Patterns of `receive` made into one function, for a search through many messages: a fast path.

`patterns.py` says what a pattern means; what is made here means the same, and looks at the patterns once
instead of once for each message.
"""

# ruff: noqa: SIM110 - a loop in place of a generator halves the time

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeAlias

from pyx import fast_paths
from pyx.atoms import Atom
from pyx.runtime.patterns import matches_any
from pyx.terms import Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    Test: TypeAlias = Callable[[Any], object]
    """Takes a message; what it returns is true if the message matches."""


def compiled(patterns: tuple[Any, ...]) -> Test:
    """Returns the test of a message by *patterns*, tried in order; without patterns any message matches.

    A scan takes 0.15 µs a message instead of 0.33 [measured: 20,000 messages `("other", i)`, the pattern
    `("mine", 1)`].
    """
    if not fast_paths.enabled:
        return functools.partial(matches_any, patterns)
    if not patterns:
        return _matches_anything
    try:
        known: dict[int, Test] = {}
        tests = [_test_of(pattern, known) for pattern in patterns]
    except RecursionError:  # a pattern that contains itself: its parts are looked at as far as a message goes
        return functools.partial(matches_any, patterns)
    if len(tests) == 1:
        return tests[0]

    def matches_one_of_these(value: Any) -> bool:
        for test in tests:
            if test(value):
                return True
        return False

    return matches_one_of_these


def _test_of(pattern: Any, known: dict[int, Test]) -> Test:
    """The test of a part; *known* has those of the containers met before, by id."""
    # In the order of `patterns.matches`.
    if pattern is ...:
        return _matches_anything
    kind = type(pattern)
    if kind is tuple or kind is list:
        return known.get(id(pattern)) or _test_of_sequence(pattern, known)
    if kind is dict:
        return known.get(id(pattern)) or _test_of_dict(pattern, known)
    if kind is Literal:
        return _test_of_value(pattern.value)
    if kind is str:
        return lambda value: (type(value) is str or type(value) is Atom) and value == pattern
    if isinstance(pattern, type):
        return lambda value: isinstance(value, pattern)
    if callable(pattern):
        return pattern  # type: ignore[no-any-return] # a predicate
    return _test_of_value(pattern)


def _matches_anything(_: Any) -> bool:
    return True


def _test_of_value(wanted: Any) -> Test:
    kind = type(wanted)
    return lambda value: type(value) is kind and value == wanted


def _test_of_sequence(pattern: tuple[Any, ...] | list[Any], known: dict[int, Test]) -> Test:
    kind, size = type(pattern), len(pattern)
    tests = [(index, _test_of(part, known)) for index, part in enumerate(pattern) if part is not ...]
    if tests and _is_value(pattern[tests[0][0]]):
        test = known[id(pattern)] = _test_of_tagged(pattern, *tests)
        return test

    def matches_each(value: Any) -> bool:
        if type(value) is not kind or len(value) != size:
            return False
        for index, test in tests:
            if not test(value[index]):
                return False
        return True

    known[id(pattern)] = matches_each
    return matches_each


def _is_value(pattern: Any) -> bool:
    """True for a pattern that stands for itself and is compared without code of a user's."""
    return type(pattern) in _PLAIN


_PLAIN = frozenset((str, Atom, int, bytes, bool, type(None)))


def _test_of_tagged(
    pattern: tuple[Any, ...] | list[Any], first: tuple[int, Test], *rest: tuple[int, Test]
) -> Test:
    """The test of a sequence that is told from most others by its first element: no call for that one."""
    kind, size, at = type(pattern), len(pattern), first[0]
    tag = pattern[at]
    kind_of_tag = type(tag)
    other_kind = Atom if kind_of_tag is str else kind_of_tag

    def matches_tag_and_each(value: Any) -> bool:
        if type(value) is not kind or len(value) != size:
            return False
        item = value[at]
        if (type(item) is not kind_of_tag and type(item) is not other_kind) or item != tag:
            return False
        for index, test in rest:
            if not test(value[index]):
                return False
        return True

    return matches_tag_and_each


def _test_of_dict(pattern: dict[Any, Any], known: dict[int, Test]) -> Test:
    tests = [(key, _test_of(part, known)) for key, part in pattern.items()]

    def matches_its_keys(value: Any) -> bool:
        if type(value) is not dict:
            return False
        for key, test in tests:
            if key not in value or not test(value[key]):
                return False
        return True

    known[id(pattern)] = matches_its_keys
    return matches_its_keys
