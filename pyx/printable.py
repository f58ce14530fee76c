"""Text of peers and of values, made safe for a terminal or a line of a log."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, Final

from pyx.introspection import type_name

if TYPE_CHECKING:
    from collections.abc import Iterator

_COLOUR: Final = r"\x1b\[[0-9;:]{0,40}m"
_UNSAFE: Final = _COLOUR + r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
_RESET: Final = "\x1b[0m"


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Returns the compiled *pattern*; at the import it would cost each start 0.4 ms [measured]."""
    return re.compile(pattern)


def filter_foreign(text: str) -> str:
    r"""Returns *text* with its control characters made visible (`^[`), but colours, tabs and newlines kept.

    Characters that change the direction of writing count as control characters.  A colour that is still on
    at the end is reset.
    """
    text = text.replace("\r\n", "\n")
    unsafe = _compiled(_UNSAFE)
    if unsafe.search(text) is None:
        return text
    filtered = unsafe.sub(_visible, text)
    colours: list[str] = _compiled(_COLOUR).findall(filtered)
    if colours and colours[-1] not in {_RESET, "\x1b[m"}:
        body = filtered.rstrip("\n")
        filtered = body + _RESET + filtered[len(body) :]
    return filtered


def _visible(found: re.Match[str]) -> str:
    character = found.group()
    if len(character) > 1:
        return character  # a colour
    code = ord(character)
    if code < 0x20 or code == 0x7F:
        return "^" + chr(code ^ 0x40)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def on_one_line(text: str, longest: int) -> str:
    """Returns at most *longest* characters of *text*, with line ends and control characters escaped."""
    text = text[:longest]
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def repr_within(value: object, longest: int) -> str:
    """Returns the first *longest* characters of a repr; of large texts and containers no more is looked at.

    So a state of 100 MB costs a report microseconds, not seconds.  The repr of any other object is made, and
    what that raises is raised here.
    """
    made, pieces = 0, []
    for piece in _pieces_of_repr(value, longest, ()):
        pieces.append(piece)
        made += len(piece)
        if made >= longest:
            break
    return "".join(pieces)[:longest]


_BRACKETS: Final[dict[type, tuple[str, str]]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
    dict: ("{", "}"),
}


def _pieces_of_repr(value: Any, longest: int, outer: tuple[int, ...]) -> Iterator[str]:
    """Yields a repr piece by piece; *outer* are the ids of the containers that *value* is in."""
    cls = type(value)
    if cls is str or cls is bytes:
        yield repr(value[:longest])
        return
    brackets = _BRACKETS.get(cls)
    if brackets is None or not value:
        yield repr(value)
        return
    begin, end = brackets
    if id(value) in outer:
        yield f"{begin}...{end}"
        return
    outer = *outer, id(value)
    yield begin
    for number, item in enumerate(value):
        if number:
            yield ", "
        yield from _pieces_of_repr(item, longest, outer)
        if cls is dict:
            yield ": "
            yield from _pieces_of_repr(value[item], longest, outer)
    yield ",)" if cls is tuple and len(value) == 1 else end


_SCALARS: Final = frozenset(map(id, (type(None), bool, int, float, str, bytes)))
"""By id: hashing a class may run code of its metaclass."""


def is_scalar_class(cls: type) -> bool:
    """Returns True for the classes of None, bool, int, float, str and bytes, and for no subclass."""
    return id(cls) in _SCALARS


def short_repr(value: object) -> str:
    """Returns a text of at most 40 characters for a value; for one that is not a scalar, its class.

    A repr may be user code, and that of an int may be too long for Python.
    """
    is_short = is_scalar_class(type(value)) and not (type(value) is int and value.bit_length() > 128)
    text = repr(value) if is_short else f"<{type_name(value)}>"
    return text if len(text) <= 40 else text[:37] + "..."
