"""Cookies kept out of what is written down: typed statements, recordings.

A cookie is found where it is typed (`set_cookie("...")`, `cookie="..."`), and in any text once it is in
force.
"""

from __future__ import annotations

import ast
import itertools
import re
import warnings
from typing import TYPE_CHECKING, Final, NamedTuple

from pyx.runtime.local_node import this_node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ANYTHING: Final = "[..]"
"""What stands for a cookie in output: a replay takes any text there, as it has another cookie."""

_TYPED: Final = re.compile(r"\bset_cookie\b|\bcookie\s*=")
_LITERAL: Final = re.compile(r"'((?:[^'\\\n]|\\.)*)'|\"((?:[^\"\\\n]|\\.)*)\"")
_SHORT: Final = 8
"""A cookie of fewer characters may stand in any word: it is looked for in quotes, and alone in a line."""
_FINGERPRINT: Final = re.compile(r"(?<=\bCookie\(sha256 )[0-9a-f]{4}…(?=\))")


def cookies_in_force() -> set[str]:
    """Returns every text that has been a cookie of this node so far."""
    transport = this_node().transport
    return transport.cookies if transport is not None else set()


def typed_cookies(source: str) -> set[str]:
    """The texts that are given as a cookie in *source*, an input."""
    if _TYPED.search(source) is None:
        return set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):  # a slip of the fingers: all it quotes
            return {one or other for one, other in _LITERAL.findall(source)} - {""}
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
    """How one cookie is found, and what stands for it in an input."""

    found: re.Pattern[str]
    other: str


class Redaction:
    """All cookies that were seen so far, and what is written instead of them.

    Args:
        in_force: returns the cookies of the node as they are now.
    """

    def __init__(self, in_force: Callable[[], Iterable[str]]) -> None:
        self._in_force = in_force
        self._substitutions: dict[str, _Substitution] = {}

    @property
    def cookies(self) -> int:
        """How many were seen."""
        return len(self._substitutions)

    def look(self, source: str = "") -> None:
        """Takes in the cookies that are in force, and those typed in *source*."""
        found = {*self._in_force(), *typed_cookies(source)} - self._substitutions.keys()
        for cookie in sorted(found):
            self._substitutions[cookie] = _Substitution(
                _pattern(cookie), _another(cookie, len(self._substitutions) + 1)
            )

    def holds_cookie(self, text: str) -> bool:
        """True if one of them stands in *text*."""
        return any(one.found.search(text) for one in self._substitutions.values())

    def of_input(self, source: str) -> str:
        """*source* with other cookies, of the same length: it says the same to a node that has them."""
        for one in self._longest_first():
            source = one.found.sub(rf"\g<1>{one.other}\g<2>", source)
        return source

    def of_output(self, text: str) -> str:
        """*text* with a wild card in place of each cookie, and of fingerprints."""
        for one in self._longest_first():
            text = one.found.sub(rf"\g<1>{ANYTHING}\g<2>", text)
        return _FINGERPRINT.sub(ANYTHING, text)

    def _longest_first(self) -> list[_Substitution]:
        return [self._substitutions[cookie] for cookie in sorted(self._substitutions, key=len, reverse=True)]


def _pattern(cookie: str) -> re.Pattern[str]:
    """Finds a cookie as it is or as Python writes it, with what is before and behind as groups 1 and 2."""
    forms = {cookie, repr(cookie)[1:-1], repr(cookie.encode("utf-8", "surrogatepass"))[2:-1]}
    either = "|".join(re.escape(form) for form in sorted(forms))
    if len(cookie) >= _SHORT:
        return re.compile(f"()(?:{either})()")
    return re.compile(rf"(^\s*|['\"])(?:{either})(\s*$|['\"])", re.MULTILINE)


def _another(cookie: str, number: int) -> str:
    """A text as long as the cookie, since a short one is warned about with its length."""
    text = "".join(itertools.islice(itertools.cycle(f"{number}-not-recorded-"), len(cookie)))
    return text if text != cookie else "".join(reversed(text)) if len(text) > 1 else "x"
