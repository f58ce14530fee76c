"""A value, and text from elsewhere, as they may be shown: pretty, limited, harmless.

Values print as Python prints them, broken at the width of the terminal; what is left out is said in words.
A `repr` that raises, is huge or holds control characters does no harm.  Not here: exceptions (`failures`).
"""

from __future__ import annotations

import dataclasses
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from pyx.printable import filter_foreign

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_ITEMS: Final = 100
"""Of one container; IEx shows 50 in all."""
MOST_IN_ALL: Final = 1000
"""Of all containers of one value together."""
MOST_CHARACTERS: Final = 2000
"""Of one str or bytes inside a value, and of the repr of any other object."""
MOST_DEPTH: Final = 50


class _Group(NamedTuple):
    """A container laid out later: `items` are pairs of a prefix (`"'qty': "`) and what follows it."""

    opening: str
    items: list[tuple[str, _Piece]]
    closing: str
    length: int


_Piece: TypeAlias = str | _Group


def render(value: object, *, width: int = 80, colour: bool = False) -> str:
    """The text that shows *value*, without a final newline.

    Args:
        value: anything; its `repr` may raise.
        width: columns, where long containers are broken.
        colour: with ANSI colours.
    """
    text = filter_foreign(_lay_out(_Splitter().of(value, 0), width, 0, 0))
    return highlight(text) if colour else text


def highlight(text: str) -> str:
    """*text*, which is Python, with ANSI colours."""
    from pygments import highlight as paint
    from pygments.formatters import TerminalFormatter
    from pygments.lexer import inherit
    from pygments.lexers.python import PythonLexer
    from pygments.token import Name

    class Lexer(PythonLexer):  # made here because pygments is loaded only where colours are shown
        tokens = {"root": [(r"#(?:PID|Ref)<[\d.]+>", Name.Constant), inherit]}  # noqa: RUF012 - pygments' way

    painted: str = paint(text, Lexer(stripnl=False, ensurenl=False), TerminalFormatter(bg="dark"))
    return painted


# ---------------------------------------------------------------- a value as pieces, within the limits


class _Splitter:
    """Takes one value apart; counts what it took."""

    def __init__(self) -> None:
        self._left = MOST_IN_ALL
        self._inside: set[int] = set()

    def of(self, value: Any, depth: int) -> _Piece:
        kind = type(value)
        if kind is str or kind is bytes:
            return _cut_literal(value)
        around = _BRACKETS.get(kind)
        if around is None:
            return self._record(value, depth) if _has_generated_repr(kind) else _safe_repr(value)
        if not value:
            return repr(value)
        opening, closing = around
        if id(value) in self._inside:
            return f"{opening}...{closing}"
        if self._left <= 0 or depth >= MOST_DEPTH:
            return f"{opening}... {_counted(len(value), 'item')}{closing}"
        if kind is tuple and len(value) == 1:
            closing = ",)"
        self._inside.add(id(value))
        shown = min(MOST_ITEMS, self._left)
        items: list[tuple[str, _Piece]]
        if kind is dict:
            items = [
                (_flat(self.of(key, depth + 1)) + ": ", self.of(item, depth + 1))
                for key, item in islice(list(value.items()), shown)
            ]
        else:
            items = [("", self.of(item, depth + 1)) for item in islice(list(value), shown)]
        if len(value) > shown:
            items.append(("", f"... {_counted(len(value) - shown, 'more item')}"))
        self._inside.discard(id(value))
        self._left -= shown
        return _group(opening, items, closing)

    def _record(self, value: Any, depth: int) -> _Piece:
        """A dataclass with the repr that `dataclass` made, so that a long one can be broken."""
        name = type(value).__qualname__
        if id(value) in self._inside or depth >= MOST_DEPTH:
            return f"{name}(...)"
        self._inside.add(id(value))
        try:
            items: list[tuple[str, _Piece]] = [
                (f"{field.name}=", self.of(getattr(value, field.name), depth + 1))
                for field in dataclasses.fields(value)
                if field.repr
            ]
        except Exception:  # a field that was deleted, a property that raises
            return _safe_repr(value)
        finally:
            self._inside.discard(id(value))
        return _group(f"{name}(", items, ")")


_BRACKETS: Final[dict[type, tuple[str, str]]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    dict: ("{", "}"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
}


def _has_generated_repr(kind: type) -> bool:
    made = getattr(kind.__repr__, "__wrapped__", None)
    return made is not None and "__create_fn__" in getattr(made, "__qualname__", "")


def _cut_literal(value: str | bytes) -> str:
    more = len(value) - MOST_CHARACTERS
    if more <= 0:
        return repr(value)
    unit = "character" if isinstance(value, str) else "byte"
    return f"{value[:MOST_CHARACTERS]!r}... {_counted(more, f'more {unit}')}"


def _safe_repr(value: object) -> str:
    try:
        text = repr(value)
    except (Exception, SystemExit) as error:  # a repr is user code
        return f"<{type(value).__name__} object whose repr raised {type(error).__name__}: {_message(error)}>"
    more = len(text) - MOST_CHARACTERS
    return text if more <= 0 else f"{text[:MOST_CHARACTERS]}... {_counted(more, 'more character')}"


def _message(error: BaseException) -> str:
    try:
        return str(error)[:200]
    except Exception:  # so is a __str__
        return "?"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


# ---------------------------------------------------------------- pieces as lines


def _group(opening: str, items: list[tuple[str, _Piece]], closing: str) -> _Group:
    inner = sum(len(prefix) + _length(piece) for prefix, piece in items) + 2 * max(len(items) - 1, 0)
    return _Group(opening, items, closing, len(opening) + inner + len(closing))


def _length(piece: _Piece) -> int:
    if isinstance(piece, _Group):
        return piece.length
    return len(piece) if "\n" not in piece else 1_000_000  # a repr of several lines fits in no line


def _flat(piece: _Piece) -> str:
    if isinstance(piece, str):
        return piece
    return piece.opening + ", ".join(prefix + _flat(item) for prefix, item in piece.items) + piece.closing


def _lay_out(piece: _Piece, width: int, column: int, after: int) -> str:
    """*piece* from *column* on, where *after* characters follow it on its last line."""
    if isinstance(piece, str):
        return piece.replace("\n", "\n" + " " * column) if column else piece
    if column + piece.length + after <= width:
        return _flat(piece)
    column += len(piece.opening)
    lines = _filled(piece, width - column) if _is_plain(piece) else _one_each(piece, width, column, after)
    return piece.opening + (",\n" + " " * column).join(lines) + piece.closing


def _is_plain(group: _Group) -> bool:
    return all(not prefix and isinstance(item, str) and "\n" not in item for prefix, item in group.items)


def _one_each(group: _Group, width: int, column: int, after: int) -> Iterable[str]:
    last = len(group.items) - 1
    for index, (prefix, item) in enumerate(group.items):
        behind = len(group.closing) + after if index == last else 1
        yield prefix + _lay_out(item, width, column + len(prefix), behind)


def _filled(group: _Group, room: int) -> Iterable[str]:
    """As many plain items on a line as there is room for."""
    line = ""
    for _prefix, item in group.items:
        text = _flat(item)
        if line and len(line) + 2 + len(text) + 1 > room:
            yield line
            line = text
        else:
            line = f"{line}, {text}" if line else text
    yield line
