r"""One line and one echo: does what the file says match what was shown?

    \text            protected: the text as it is (a lone \ is an empty line)
    ...              alone on a line: any number of lines
    [..]             inside a line: any text
    text (re)        a regular expression for the whole line; one that starts with \ is written (?:\d+) (re)
    text (glob)      * and ? for the whole line
    text (esc)       the text with Python's escapes; it may start with one (see `characters.py`)
    anything else    the text, with its pids, references, addresses and ports up to the renaming

An echo is compared as Python where both sides are: wrapping, quotes, the order of a set do not matter.
Not here: several sources (`matching.py`).
"""

from __future__ import annotations

import ast
import re
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from pyx.scenario.characters import ESCAPED, as_seen, escaped, needs_escapes, unescaped
from pyx.scenario.tokens import PATTERNS, Token, split_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyx.scenario.renaming import Renaming, View

_ANY: Final = "[..]"


class Line(NamedTuple):
    """An expected line: `kind` is `"text"`, `"any"` (with `[..]`), `"re"`, `"glob"` or `"dots"`."""

    kind: str
    text: str
    written: str


@lru_cache(maxsize=4096)
def expected_line(written: str) -> Line:
    """The line of a block, as it is to be compared."""
    written = written.rstrip()
    if written.endswith(ESCAPED):
        return Line("text", as_seen(unescaped(written)).rstrip(), written)
    if written.startswith("\\"):
        return Line("text", written[1:], written)
    if written.strip() == "...":
        return Line("dots", written, written)
    for suffix, kind in ((" (re)", "re"), (" (glob)", "glob")):
        if written.endswith(suffix):
            return Line(kind, written.removesuffix(suffix), written)
    return Line("any" if _ANY in written else "text", written, written)


def protected(shown: str) -> str:
    """A line as the file has to write it, so that it is read as the text that was *shown*."""
    shown = shown.rstrip()
    misread = (
        not shown
        or shown.startswith(("\\", "$", "pyx(", "...("))
        or shown.lstrip().startswith(("```", "~~~"))
        or shown.strip() == "..."
        or shown.endswith((" (re)", " (glob)"))
        or _ANY in shown
    )
    if shown.endswith(ESCAPED) or needs_escapes(shown):
        return escaped(shown, first=misread)
    return "\\" + shown if misread else shown


def match_line(line: Line, shown: str, renaming: Renaming, view: View) -> bool:
    """True if *shown* is what the line says; makes bindings (the caller rewinds after False)."""
    shown = shown.rstrip()
    match line.kind:
        case "dots":
            return True
        case "re":
            return re.fullmatch(line.text, shown) is not None
        case "glob":
            return re.fullmatch(_glob(line.text), shown) is not None
        case "any":
            return _match_any(line.text, shown, renaming, view)
        case _:
            return _match_parts(split_tokens(line.text), split_tokens(shown), renaming, view)


def _glob(pattern: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(char) or re.escape(char) for char in pattern)


def _match_parts(
    expected: Sequence[str | Token], shown: Sequence[str | Token], renaming: Renaming, view: View
) -> bool:
    if len(expected) != len(shown):
        return False
    for one, other in zip(expected, shown, strict=True):
        if isinstance(one, Token) and isinstance(other, Token):
            if not renaming.match(one, other, view):
                return False
        elif one != other:
            return False
    return True


def _match_any(text: str, shown: str, renaming: Renaming, view: View) -> bool:
    # What is bound already is looked for as it is, so `[..]` cannot slide over it to another pid.
    pattern: list[str] = []
    free: list[Token] = []
    for part in split_tokens(text):
        if isinstance(part, str):
            pattern += [".*".join(re.escape(piece) for piece in part.split(_ANY))]
        elif (actual := renaming.actual_of(part, view)) is not None:
            pattern.append(re.escape(actual))
        else:
            pattern.append(f"({PATTERNS[part.kind]})")
            free.append(part)
    found = re.fullmatch("".join(pattern), shown)
    if found is None:
        return False
    pairs = zip(free, found.groups(), strict=True)
    return all(renaming.match(name, Token(name.kind, actual), view) for name, actual in pairs)


# ---------------------------------------------------------------- an echo, as Python

_MOST_TRIES: Final = 100_000
"""Sets of pids that are not bound yet fit in so many ways that the last would never be reached."""
_PLACEHOLDER: Final = re.compile(r"(_pyx_token_\d+_)")


class _Tree(NamedTuple):
    """An expression whose tokens are names; `tokens` says which."""

    node: ast.expr
    tokens: dict[str, Token]


def read_echo(text: str) -> _Tree | None:
    """*text* as a Python expression with pids and the like in it; None where it is none."""
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
    if _ANY in text:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _Tree(ast.parse("".join(source).strip(), mode="eval").body, tokens)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def match_echo(expected: Sequence[Line], shown: str, renaming: Renaming, view: View) -> bool:
    """True if both are the same Python value; makes bindings (the caller rewinds after False)."""
    if any(line.kind not in {"text", "dots"} for line in expected):
        return False
    one = read_echo("\n".join(line.text for line in expected))
    other = read_echo(shown) if one is not None else None
    if one is None or other is None:
        return False
    try:
        return any(_Same(one.tokens, other.tokens, renaming, view).of(one.node, other.node))
    except RecursionError:
        return False


class _Same:
    """Compares two trees.  Every `of` yields once for each way in which they are the same."""

    def __init__(
        self, expected: dict[str, Token], shown: dict[str, Token], renaming: Renaming, view: View
    ) -> None:
        self._tries = 0
        self._expected = expected
        self._shown = shown
        self._renaming = renaming
        self._view = view

    def of(self, one: object, other: object) -> Iterator[bool]:
        if isinstance(one, ast.Name) and isinstance(other, ast.Name):
            yield from self._texts(one.id, other.id)
        elif isinstance(one, ast.Constant) and isinstance(other, ast.Constant):
            yield from self._constants(one.value, other.value)
        elif isinstance(one, ast.Set) and isinstance(other, ast.Set):
            yield from self._unordered(one.elts, other.elts)
        elif isinstance(one, ast.Dict) and isinstance(other, ast.Dict):
            # A dict's items are pairs whose order does not matter either.
            yield from self._unordered(_items(one), _items(other))
        elif isinstance(one, ast.AST) and type(one) is type(other):
            fields = [(value, getattr(other, name, None)) for name, value in ast.iter_fields(one)]
            yield from self._all(fields)
        elif isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
            if len(one) == len(other):
                yield from self._all(list(zip(one, other, strict=True)))
        elif type(one) is type(other) and one == other:
            yield True

    def _all(self, pairs: list[tuple[object, object]]) -> Iterator[bool]:
        if not pairs:
            yield True
            return
        for _ in self.of(*pairs[0]):
            yield from self._all(pairs[1:])

    def _unordered(self, ones: Sequence[object], others: Sequence[object]) -> Iterator[bool]:
        if len(ones) != len(others):
            return
        if not ones:
            yield True
            return
        for index, other in enumerate(others):
            self._tries += 1
            if self._tries > _MOST_TRIES:
                return
            for _ in self.of(ones[0], other):
                yield from self._unordered(ones[1:], [*others[:index], *others[index + 1 :]])

    def _constants(self, one: object, other: object) -> Iterator[bool]:
        if type(one) is not type(other):
            return
        if isinstance(one, str) and isinstance(other, str):
            yield from self._texts(one, other)
        elif isinstance(one, bytes) and isinstance(other, bytes):
            yield from self._texts(one.decode("latin-1"), other.decode("latin-1"))
        elif one == other:
            yield True

    def _texts(self, one: str, other: str) -> Iterator[bool]:
        mark = self._renaming.mark()
        mine = [self._expected.get(part, part) for part in _PLACEHOLDER.split(one)]
        theirs = [self._shown.get(part, part) for part in _PLACEHOLDER.split(other)]
        if _match_parts(mine, theirs, self._renaming, self._view):
            yield True
        self._renaming.rewind(mark)


def _items(node: ast.Dict) -> list[tuple[object, object]]:
    return list(zip(node.keys, node.values, strict=True))
