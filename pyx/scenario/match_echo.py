"""Compares echoes as Python values: line breaks, quotes and the order of a set or dict do not matter.

Nothing here recurses: a list may have ten thousand elements.  Elements of sets and dicts that hold a pid
that is not bound yet may pair off in several ways; these are tried one after the other, a bounded number of
times.
"""

from __future__ import annotations

import ast
import re
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from pyx.execution.syntax_trees import expression_tree
from pyx.scenario.bindings import Token, split_tokens
from pyx.scenario.elixir_echo import as_python
from pyx.scenario.match_line import match_parts
from pyx.scenario.wildcards import ANY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyx.scenario.bindings import Bindings, NodeView
    from pyx.scenario.match_line import ExpectedLine

_MOST_TRIES: Final = 100_000
"""Sets of unbound pids can pair off in more ways than could ever be tried."""
_PLACEHOLDER: Final = re.compile(r"(_pyx_token_\d+_)")
_LEXEMES: Final = re.compile(r"\\.|\"\"\"|'''|[\"'()\[\]{}]", re.DOTALL)
_CLOSING: Final = {")": "(", "]": "[", "}": "{"}


class _ParsedEcho(NamedTuple):
    """An expression in which each token is replaced by a name; `tokens` has the token of each name."""

    node: ast.expr
    tokens: dict[str, Token]


class _EqualPair(NamedTuple):
    """Two values that have to be equal."""

    one: object
    other: object


class _UnorderedValues(NamedTuple):
    """Two lists of values that have to be equal in some order."""

    ones: tuple[object, ...]
    others: tuple[object, ...]


_Agenda: TypeAlias = "tuple[_EqualPair | _UnorderedValues, _Agenda] | None"
"""The comparisons that remain: a linked list, so that going back to an earlier one costs nothing."""
_NO_MORE: Final[_Agenda] = (_UnorderedValues((), ()), None)
"""Marks the end of an iterator of agendas; compared by identity."""


def end_of_echo(lines: Sequence[ExpectedLine], at: int, actual: str) -> int | None:
    """Returns the index behind the expected lines, from index *at* on, that may be the echo *actual*.

    None if no such lines are there.  There is at most one end: outside of brackets an expression ends with
    its line.
    """
    most = 4 * len(actual) + 1000  # quotes, escapes and line breaks cannot make it longer
    quote = ""
    depth = 0
    for index in range(at, len(lines)):
        line = lines[index]
        most -= len(line.text.strip())
        if line.kind not in {"text", "dots"} or most < 0 or ANY in line.text:
            return None
        for found in _LEXEMES.finditer(line.text):
            lexeme = found.group()
            if quote:
                quote = "" if lexeme == quote else quote
            elif lexeme in {"'", '"', "'''", '"""'}:
                quote = lexeme
            elif lexeme in _CLOSING:
                depth -= 1
            elif lexeme in "([{":
                depth += 1
        if depth < 0 or quote in {"'", '"'}:
            return None
        if not quote and not depth:
            return index + 1
    return None


def match_echo(expected: Sequence[ExpectedLine], actual: str, bindings: Bindings, view: NodeView) -> bool:
    """Returns True if both are the same Python value.

    Makes bindings; the caller rolls back after False.
    """
    if any(line.kind not in {"text", "dots"} for line in expected):
        return False
    one = read_echo("\n".join(line.text for line in expected))
    other = read_echo(actual) if one is not None else None
    if one is None or other is None:
        return False
    return _ValueComparison(one.tokens, other.tokens, bindings, view).compare(one.node, other.node)


@lru_cache(maxsize=256)  # a block is compared again each time its screen changes
def read_echo(text: str) -> _ParsedEcho | None:
    """Parses *text* as a Python expression that may have pids and the like in it; None if it is not one."""
    tokens: dict[str, Token] = {}
    source: list[str] = []
    for part in split_tokens(text):
        if isinstance(part, str):
            source.append(part)
        else:
            name = f"_pyx_token_{len(tokens)}_"
            tokens[name] = part
            if part.kind == "pid" and source[-1].endswith("#PID"):
                source[-1] = source[-1].removesuffix("#PID")
            source.append(name)
    if ANY in text:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _ParsedEcho(expression_tree(as_python("".join(source).strip())).body, tokens)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


class _ValueComparison:
    """Compares two parsed echoes."""

    def __init__(
        self, expected: dict[str, Token], actual: dict[str, Token], bindings: Bindings, view: NodeView
    ) -> None:
        self._expected = expected
        self._actual = actual
        self._bindings = bindings
        self._view = view

    def compare(self, one: object, other: object) -> bool:
        """Returns True if they are equal, in one of the ways in which sets and dicts can pair off."""
        agenda: _Agenda = (_EqualPair(one, other), None)
        open_ways: list[tuple[int, Iterator[_Agenda]]] = []
        for _ in range(_MOST_TRIES + len(self._actual) ** 2):
            agenda, ways = self._settle(agenda)
            if ways is not None:
                open_ways.append((self._bindings.savepoint(), ways))
            elif agenda is None:
                return True
            while open_ways:
                savepoint, ways = open_ways[-1]
                self._bindings.rollback(savepoint)
                following = next(ways, _NO_MORE)
                if following is not _NO_MORE:
                    agenda = following
                    break
                open_ways.pop()
            else:
                return False
        return False

    def _settle(self, agenda: _Agenda) -> tuple[_Agenda, Iterator[_Agenda] | None]:
        """Compares as far as there is one way.

        Returns (None, None) at the end, else the ways in which to go on: none where two values differ.
        """
        while agenda is not None:
            task, agenda = agenda
            if isinstance(task, _UnorderedValues):
                return agenda, _pairings(task, agenda)
            is_equal, agenda = self._compare(task, agenda)
            if not is_equal:
                return agenda, iter(())
        return None, None

    def _compare(self, pair: _EqualPair, rest: _Agenda) -> tuple[bool, _Agenda]:
        """Returns whether the two may be equal, and what remains to compare: their parts, then the *rest*."""
        one, other = pair
        if isinstance(one, ast.Name) and isinstance(other, ast.Name):
            return self._are_texts_equal(one.id, other.id), rest
        if isinstance(one, ast.Constant) and isinstance(other, ast.Constant):
            return self._are_constants_equal(one.value, other.value), rest
        if isinstance(one, ast.Set) and isinstance(other, ast.Set):
            return _paired(one.elts, other.elts, rest)
        if isinstance(one, ast.Dict) and isinstance(other, ast.Dict):
            # A dict's items are pairs whose order does not matter either.
            return _paired(_items(one), _items(other), rest)
        if isinstance(one, ast.AST) and type(one) is type(other):
            for name, value in reversed(list(ast.iter_fields(one))):
                rest = (_EqualPair(value, getattr(other, name, None)), rest)
            return True, rest
        if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
            if len(one) != len(other):
                return False, rest
            for parts in zip(reversed(one), reversed(other), strict=True):
                rest = (_EqualPair(*parts), rest)
            return True, rest
        return type(one) is type(other) and one == other, rest

    def _are_constants_equal(self, one: object, other: object) -> bool:
        if type(one) is not type(other):
            return False
        if isinstance(one, str) and isinstance(other, str):
            return self._are_texts_equal(one, other)
        if isinstance(one, bytes) and isinstance(other, bytes):
            return self._are_texts_equal(one.decode("latin-1"), other.decode("latin-1"))
        return one == other

    def _are_texts_equal(self, one: str, other: str) -> bool:
        ones = [self._expected.get(part, part) for part in _PLACEHOLDER.split(one)]
        others = [self._actual.get(part, part) for part in _PLACEHOLDER.split(other)]
        return match_parts(ones, others, self._bindings, self._view)


def _paired(ones: Sequence[object], others: Sequence[object], rest: _Agenda) -> tuple[bool, _Agenda]:
    """Removes the elements that are written alike from two lists without order; as `_compare`."""
    if len(ones) != len(others):
        return False, rest
    waiting: dict[str, list[object]] = {}
    for other in others:
        waiting.setdefault(_written(other), []).append(other)
    left: list[object] = []
    for one in ones:
        key = _written(one)
        if _PLACEHOLDER.search(key) or not waiting.get(key):
            if _is_plain(key):
                return False, rest
            left.append(one)
        else:
            waiting[key].pop()
    unpaired = tuple(other for same in waiting.values() for other in same)
    return True, (_UnorderedValues(tuple(left), unpaired), rest)


def _written(value: object) -> str:
    try:
        return repr([ast.dump(part) if isinstance(part, ast.AST) else part for part in _parts(value)])
    except RecursionError:
        return f"Set( {id(value)}"  # a key that equals no other, and is not plain


def _parts(value: object) -> Sequence[object]:
    return value if isinstance(value, tuple) else (value,)


def _is_plain(key: str) -> bool:
    """Returns True for a value that can be written in one way only: no token in it, no set and no dict."""
    return _PLACEHOLDER.search(key) is None and "Set(" not in key and "Dict(" not in key


def _pairings(loose: _UnorderedValues, rest: _Agenda) -> Iterator[_Agenda]:
    """Yields an agenda for each partner that the first of the ones may have."""
    ones, others = loose
    if not ones:
        yield rest
        return
    for index, other in enumerate(others):
        left = _UnorderedValues(ones[1:], (*others[:index], *others[index + 1 :]))
        yield (_EqualPair(ones[0], other), (left, rest))


def _items(node: ast.Dict) -> list[tuple[object, object]]:
    return list(zip(node.keys, node.values, strict=True))
