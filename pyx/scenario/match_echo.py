"""An echo as a Python value: wrapping, quotes, the order of a set or dict do not matter.

Nothing here recurses: a list may have ten thousand elements.  Elements of sets and dicts that hold a pid
without a meaning yet may pair off in several ways; these are tried one after the other, a bounded number of
times.
See `match_line.py` for lines.
"""

from __future__ import annotations

import ast
import re
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from pyx.scenario.bindings import Token, split_tokens
from pyx.scenario.match_line import match_parts
from pyx.scenario.wildcards import ANY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyx.scenario.bindings import Bindings, NodeView
    from pyx.scenario.match_line import ExpectedLine

_MOST_TRIES: Final = 100_000
"""Sets of pids that are not bound yet fit in so many ways that the last would never be reached."""
_PLACEHOLDER: Final = re.compile(r"(_pyx_token_\d+_)")
_LEXEMES: Final = re.compile(r"\\.|\"\"\"|'''|[\"'()\[\]{}]", re.DOTALL)
_CLOSING: Final = {")": "(", "]": "[", "}": "{"}


class _ParsedEcho(NamedTuple):
    """An expression whose tokens are names; `tokens` says which."""

    node: ast.expr
    tokens: dict[str, Token]


class _EqualPair(NamedTuple):
    """Two values that have to be the same."""

    one: object
    other: object


class _UnorderedValues(NamedTuple):
    """Two lists of values that have to be the same in some order."""

    ones: tuple[object, ...]
    others: tuple[object, ...]


_Agenda: TypeAlias = "tuple[_EqualPair | _UnorderedValues, _Agenda] | None"
"""What is left to be compared: a linked list, so that going back to an earlier one costs nothing."""
_NO_MORE: Final[_Agenda] = (_UnorderedValues((), ()), None)
"""The end of the ways; compared by identity."""


def end_of_echo(lines: Sequence[ExpectedLine], at: int, shown: str) -> int | None:
    """The index behind the expected lines, from index *at* on, that may together be the echo *shown*.

    There is at most one: outside of brackets an expression ends with its line.
    """
    most = 4 * len(shown) + 1000  # quotes, escapes and wrapping make no more of it
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


def match_echo(expected: Sequence[ExpectedLine], shown: str, bindings: Bindings, view: NodeView) -> bool:
    """True if both are the same Python value; makes bindings (the caller rewinds after False)."""
    if any(line.kind not in {"text", "dots"} for line in expected):
        return False
    one = read_echo("\n".join(line.text for line in expected))
    other = read_echo(shown) if one is not None else None
    if one is None or other is None:
        return False
    return _ValueComparison(one.tokens, other.tokens, bindings, view).of(one.node, other.node)


@lru_cache(maxsize=256)  # a block is compared again with everything that a screen shows
def read_echo(text: str) -> _ParsedEcho | None:
    """*text* as a Python expression with pids and the like in it; None where it is not one."""
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
            return _ParsedEcho(ast.parse("".join(source).strip(), mode="eval").body, tokens)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


class _ValueComparison:
    """Compares two trees."""

    def __init__(
        self, expected: dict[str, Token], shown: dict[str, Token], bindings: Bindings, view: NodeView
    ) -> None:
        self._expected = expected
        self._shown = shown
        self._bindings = bindings
        self._view = view

    def of(self, one: object, other: object) -> bool:
        """True if they are the same, in one of the ways that there are."""
        agenda: _Agenda = (_EqualPair(one, other), None)
        open_ways: list[tuple[int, Iterator[_Agenda]]] = []
        for _ in range(_MOST_TRIES + len(self._shown) ** 2):
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
        """Compares as far as there is one way: (None, None) at the end, else the ways in which to go on.

        Where two values differ there are none.
        """
        while agenda is not None:
            task, agenda = agenda
            if isinstance(task, _UnorderedValues):
                return agenda, _pairings(task, agenda)
            is_same, agenda = self._compare(task, agenda)
            if not is_same:
                return agenda, iter(())
        return None, None

    def _compare(self, pair: _EqualPair, rest: _Agenda) -> tuple[bool, _Agenda]:
        """False if the two differ; else what is left: of their parts, and the *rest*."""
        one, other = pair
        if isinstance(one, ast.Name) and isinstance(other, ast.Name):
            return self._are_texts_same(one.id, other.id), rest
        if isinstance(one, ast.Constant) and isinstance(other, ast.Constant):
            return self._are_constants_same(one.value, other.value), rest
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

    def _are_constants_same(self, one: object, other: object) -> bool:
        if type(one) is not type(other):
            return False
        if isinstance(one, str) and isinstance(other, str):
            return self._are_texts_same(one, other)
        if isinstance(one, bytes) and isinstance(other, bytes):
            return self._are_texts_same(one.decode("latin-1"), other.decode("latin-1"))
        return one == other

    def _are_texts_same(self, one: str, other: str) -> bool:
        mine = [self._expected.get(part, part) for part in _PLACEHOLDER.split(one)]
        theirs = [self._shown.get(part, part) for part in _PLACEHOLDER.split(other)]
        return match_parts(mine, theirs, self._bindings, self._view)


def _paired(ones: Sequence[object], others: Sequence[object], rest: _Agenda) -> tuple[bool, _Agenda]:
    """What is left of two lists without order once the elements that are written alike are gone."""
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
        return f"Set( {id(value)}"  # of no use as a key, and not plain


def _parts(value: object) -> Sequence[object]:
    return value if isinstance(value, tuple) else (value,)


def _is_plain(key: str) -> bool:
    """True for what can be written in one way only: no pid in it, and no order that does not matter."""
    return _PLACEHOLDER.search(key) is None and "Set(" not in key and "Dict(" not in key


def _pairings(loose: _UnorderedValues, rest: _Agenda) -> Iterator[_Agenda]:
    """For each partner that the first of the ones may have: the agenda that says so."""
    ones, others = loose
    if not ones:
        yield rest
        return
    for index, other in enumerate(others):
        left = _UnorderedValues(ones[1:], (*others[:index], *others[index + 1 :]))
        yield (_EqualPair(ones[0], other), (left, rest))


def _items(node: ast.Dict) -> list[tuple[object, object]]:
    return list(zip(node.keys, node.values, strict=True))
