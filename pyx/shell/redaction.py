"""Redaction: keeps cookies out of the history and of recordings.

A cookie is found where it is typed (`set_cookie("...")`, `cookie="..."`), and in any text once it is in
force.
"""

from __future__ import annotations

import ast
import itertools
import re
import warnings
from typing import TYPE_CHECKING, Final, NamedTuple

from pyx.execution.syntax_trees import syntax_tree
from pyx.runtime.local_node import this_node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ANYTHING: Final = "[..]"
"""Replaces a cookie in output: a replay, which has another cookie, accepts any text there."""

# Patterns are text, which `re` compiles for the first input: a start does not pay for them.
_TYPED: Final = r"\bset_cookie\b|\bcookie\s*="
_LITERAL: Final = r"'((?:[^'\\\n]|\\.)*)'|\"((?:[^\"\\\n]|\\.)*)\""
_SHORT: Final = 8
"""A cookie of fewer characters may be a part of a word: it is found only in quotes, and alone on a line."""
_FINGERPRINT: Final = r"(?<=\bCookie\(sha256 )[0-9a-f]{4}…(?=\))"


def cookies_in_force() -> set[str]:
    """Returns every text that has been a cookie of this node so far."""
    transport = this_node().transport
    return transport.cookies.texts if transport is not None else set()


def typed_cookies(source: str) -> set[str]:
    """Returns the texts that the input *source* passes as a cookie."""
    if not source or re.search(_TYPED, source) is None:
        return set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = syntax_tree(source)
        except (
            SyntaxError,
            ValueError,
            RecursionError,
            MemoryError,
        ):  # a typing error: any quoted text may be one
            return {one or other for one, other in re.findall(_LITERAL, source)} - {""}
    return {text for node in ast.walk(tree) for given in _given(node) for text in _texts(given)}


def _given(node: ast.AST) -> list[ast.expr]:
    if not isinstance(node, ast.Call):
        return []
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    given = [word.value for word in node.keywords if word.arg == "cookie"]
    return [*given, *node.args[-1:]] if name == "set_cookie" else given


def _texts(given: ast.expr) -> set[str]:
    constants = (node.value for node in ast.walk(given) if isinstance(node, ast.Constant))
    return {value for value in constants if isinstance(value, str) and value}


class _Substitution(NamedTuple):
    """The pattern that finds one cookie, and the text that replaces it in an input."""

    pattern: re.Pattern[str]
    replacement: str


class Redaction:
    """All cookies that were seen so far, and their replacements.

    Args:
        in_force: returns the current cookies of the node.
    """

    def __init__(self, in_force: Callable[[], Iterable[str]]) -> None:
        self._in_force = in_force
        self._substitutions: dict[str, _Substitution] = {}

    @property
    def cookies(self) -> int:
        """The number of cookies seen."""
        return len(self._substitutions)

    def update(self, source: str = "") -> None:
        """Adds the cookies in force, and those typed in *source*."""
        found = {*self._in_force(), *typed_cookies(source)} - self._substitutions.keys()
        for cookie in sorted(found):
            self._substitutions[cookie] = _Substitution(
                _pattern(cookie), _replacement(cookie, len(self._substitutions) + 1)
            )

    def holds_cookie(self, text: str) -> bool:
        """True if *text* contains a cookie."""
        return any(one.pattern.search(text) for one in self._substitutions.values())

    def of_input(self, source: str) -> str:
        """Returns *source* with other cookies of the same length: a node with those evaluates it alike."""
        for one in self._longest_first():
            source = one.pattern.sub(rf"\g<1>{one.replacement}\g<2>", source)
        return source

    def of_output(self, text: str) -> str:
        """Returns *text* with a wildcard in the place of each cookie and fingerprint."""
        for one in self._longest_first():
            text = one.pattern.sub(rf"\g<1>{ANYTHING}\g<2>", text)
        return re.sub(_FINGERPRINT, ANYTHING, text)

    def _longest_first(self) -> list[_Substitution]:
        return [self._substitutions[cookie] for cookie in sorted(self._substitutions, key=len, reverse=True)]


def _pattern(cookie: str) -> re.Pattern[str]:
    """Returns a pattern for a cookie as it is or as its repr; groups 1 and 2 are its surroundings."""
    forms = {cookie, repr(cookie)[1:-1], repr(cookie.encode("utf-8", "surrogatepass"))[2:-1]}
    either = "|".join(re.escape(form) for form in sorted(forms))
    if len(cookie) >= _SHORT:
        return re.compile(f"()(?:{either})()")
    return re.compile(rf"(^\s*|['\"])(?:{either})(\s*$|['\"])", re.MULTILINE)


def _replacement(cookie: str, number: int) -> str:
    """Returns a text as long as the cookie: the warning about a short cookie shows its length."""
    text = "".join(itertools.islice(itertools.cycle(f"{number}-not-recorded-"), len(cookie)))
    return text if text != cookie else "".join(reversed(text)) if len(text) > 1 else "x"
