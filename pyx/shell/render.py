"""Values as text for a terminal: laid out, limited in size, free of control characters.

Values are shown as Python shows them, broken at the width of the terminal; a text in words marks omissions.
A `repr` that raises, is huge or holds control characters does no harm.
"""

from __future__ import annotations

import dataclasses
from itertools import islice
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from pyx.atoms import written_key
from pyx.errors import ProcessKilled
from pyx.introspection import class_attribute, class_mro, class_qualname, type_name
from pyx.printable import filter_foreign, on_one_line
from pyx.shell.theme import NONE, TOKEN_ROLES
from pyx.terms import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyx.shell.theme import Theme

MOST_ITEMS: Final = 100
"""The largest number of items of one container; IEx shows 50 in all."""
MOST_IN_ALL: Final = 1000
"""The largest number of items of all containers of one value."""
MOST_CHARACTERS: Final = 2000
"""The longest str or bytes inside a value, and the longest repr of any other object."""
MOST_DEPTH: Final = 50
"""The deepest nesting."""


class _Group(NamedTuple):
    """A container to lay out: `items` are pairs of a prefix (`"'qty': "`) and the piece after it."""

    opening: str
    items: list[tuple[str, _Piece]]
    closing: str
    length: int


_Piece: TypeAlias = str | _Group


def render(value: object, *, width: int = 80, theme: Theme = NONE) -> str:
    """Returns the text that shows *value*, without a final newline.

    Args:
        value: any object; its `repr` may raise.
        width: the columns at which long containers are broken.
        theme: the colours.
    """
    text = filter_foreign(_lay_out(_Splitter().split(value, 0), width, 0, 0))
    return highlight(text, theme)


def render_whole(value: object) -> str:
    """Returns the `repr` of *value* for a program that reads it: whole, and in one line."""
    return filter_foreign(_safe_repr(value, most=None))


def highlight(text: str, theme: Theme) -> str:
    """Returns the Python source *text* in the colours of *theme*."""
    if not theme.has_colours:
        return text
    from pygments.lexer import inherit
    from pygments.lexers.python import PythonLexer
    from pygments.token import Name

    class PidLexer(PythonLexer):  # made here because pygments is imported only where colours are shown
        tokens = {"root": [(r"#(?:PID|Ref)<[\d.]+>", Name.Constant), inherit]}  # noqa: RUF012 - pygments' way

    lexer = PidLexer(stripnl=False, ensurenl=False)
    return "".join(
        theme.painted(piece, role) if (role := role_of(".".join(token).lower())) else piece
        for token, piece in lexer.get_tokens(text)
    )


def role_of(token: str) -> str | None:
    """Returns the role of one of pygments' tokens, as `"literal.string.double"`."""
    while token and token not in TOKEN_ROLES:
        token = token.rpartition(".")[0]
    return TOKEN_ROLES.get(token)


# ---------------------------------------------------------------- a value as pieces, within the limits


class _Splitter:
    """Splits one value into pieces; counts the items."""

    def __init__(self) -> None:
        self._left = MOST_IN_ALL
        self._inside: set[int] = set()

    def split(self, value: Any, depth: int) -> _Piece:
        kind = type(value)
        if kind is str or kind is bytes:
            return _cut_literal(value)
        around = _BRACKETS.get(kind)
        if around is None and kind is Struct and value.is_elixirs:
            return self._struct(value, depth)
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
                (_flat(self.split(key, depth + 1)) + ": ", self.split(item, depth + 1))
                for key, item in islice(list(value.items()), shown)
            ]
        else:
            items = [("", self.split(item, depth + 1)) for item in islice(list(value), shown)]
        if len(value) > shown:
            items.append(("", f"... {_counted(len(value) - shown, 'more item')}"))
        self._inside.discard(id(value))
        self._left -= shown
        return _group(opening, items, closing)

    def _struct(self, value: Struct, depth: int) -> _Piece:
        """Splits a struct of Elixir's, as iex shows it."""
        opening = f"%{on_one_line(value.name, MOST_CHARACTERS)}{{"
        if depth >= MOST_DEPTH:
            return f"{opening}...}}"
        items = [
            (written_key(str(name)), self.split(item, depth + 1)) for name, item in value.fields[:MOST_ITEMS]
        ]
        if len(value.fields) > MOST_ITEMS:
            items.append(("", f"... {_counted(len(value.fields) - MOST_ITEMS, 'more field')}"))
        return _group(opening, items, "}")

    def _record(self, value: Any, depth: int) -> _Piece:
        """Splits a dataclass with a generated repr, so that a long one can be broken."""
        name = class_qualname(type(value))
        if id(value) in self._inside or depth >= MOST_DEPTH:
            return f"{name}(...)"
        self._inside.add(id(value))
        try:
            items: list[tuple[str, _Piece]] = [
                (f"{field.name}=", self.split(getattr(value, field.name), depth + 1))
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
    function = class_attribute(class_mro(kind), "__repr__")  # a metaclass may have code for `kind.__repr__`
    made = vars(function).get("__wrapped__") if type(function) is FunctionType else None
    return type(made) is FunctionType and "__create_fn__" in made.__qualname__


def _cut_literal(value: str | bytes) -> str:
    more = len(value) - MOST_CHARACTERS
    if more <= 0:
        return repr(value)
    unit = "character" if isinstance(value, str) else "byte"
    return f"{value[:MOST_CHARACTERS]!r}... {_counted(more, f'more {unit}')}"


def _safe_repr(value: object, most: int | None = MOST_CHARACTERS) -> str:
    try:
        text = repr(value)
    except (KeyboardInterrupt, ProcessKilled):
        raise
    except BaseException as error:  # a repr is user code
        return f"<{type_name(value)} object whose repr raised {type_name(error)}: {_message(error)}>"
    if most is None or len(text) <= most:
        return text
    return f"{text[:most]}... {_counted(len(text) - most, 'more character')}"


def _message(error: BaseException) -> str:
    try:
        return str(error)[:200]
    except (KeyboardInterrupt, ProcessKilled):
        raise
    except BaseException:  # so is a __str__
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
    """Returns the text of *piece* from *column* on, where *after* characters follow on its last line."""
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


def _filled(group: _Group, columns: int) -> Iterable[str]:
    """Yields lines, with as many plain items on each as fit."""
    line = ""
    for _prefix, item in group.items:
        text = _flat(item)
        if line and len(line) + 2 + len(text) + 1 > columns:
            yield line
            line = text
        else:
            line = f"{line}, {text}" if line else text
    yield line
