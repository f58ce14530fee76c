r"""Lines as a terminal shows them in the end, and escapes for characters that a text file does not keep.

Lines are compared without colours, and without text that `\r`, backspace and "erase line" have overwritten.
The control characters that remain, and lone surrogates, are written as in cram, with Python's escapes and
` (esc)` at the end:

    \x07ring\x1b[5n (esc)
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

ESCAPED: Final = " (esc)"
"""The suffix of a line with escapes."""

_MOVES: Final = re.compile(
    r"\x1b\[[0-9;:]*m"  # a colour
    r"|\x1b\[(?P<erase>[012]?)K"
    r"|(?P<move>[\r\b])"
)
_NOT_KEPT: Final = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f"  # control characters, other than the tab
    "\u2028\u2029"  # line ends for some readers
    "\u202a-\u202e\u2066-\u2069"  # they turn the direction of writing
    "\ufeff\ud800-\udfff]"
)
_ESCAPE: Final = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U(000[0-9a-fA-F]{5}|0010[0-9a-fA-F]{4})|(.))"
)
_LETTERS: Final = {"r": "\r", "t": "\t", "b": "\b", "a": "\a", "f": "\f", "v": "\v", "\\": "\\"}
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Mn", "Me", "Zl", "Zp", "Zs"})
"""Categories of Unicode: controls, formats, combining marks, separators."""
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")


def as_seen(line: str) -> str:
    """Returns the line as a terminal shows it in the end; a tab stays one character."""
    while _MOVES.search(line) is not None:  # the text on both sides of a match may form another
        line = _moved(line)
    return line


def _moved(line: str) -> str:
    cells: list[str] = []
    at = end = 0
    for found in _MOVES.finditer(line):
        at = _put(cells, at, line[end : found.start()])
        end = found.end()
        if (move := found["move"]) is not None:
            at = 0 if move == "\r" else max(at - 1, 0)
        elif (erase := found["erase"]) is not None:
            if erase != "1":
                del cells[at:]
            if erase:
                cells[:at] = " " * min(at, len(cells))
    _put(cells, at, line[end:])
    return "".join(cells)


def _put(cells: list[str], at: int, text: str) -> int:
    """Writes *text* over the cells from *at* on; returns the new position of the cursor."""
    if text and at > len(cells):
        cells += " " * (at - len(cells))
    cells[at : at + len(text)] = text
    return at + len(text)


def needs_escapes(text: str) -> bool:
    """Returns True if a text file would not keep a character of *text*, or not show it."""
    return _NOT_KEPT.search(text) is not None


def escaped(text: str, *, first: bool = False) -> str:
    r"""Returns *text* with escapes and the suffix; *first*: the first character, too, is an escape."""
    rest = _NOT_KEPT.sub(lambda found: _escape(found.group()), text.replace("\\", r"\\"))
    if first and rest[:1] not in {"", "\\"}:
        rest = _escape(rest[0]) + rest[1:]
    return rest + ESCAPED


def unescaped(written: str) -> str:
    """Returns the text of a line that was `escaped`; an unknown escape stays as it is."""
    return _ESCAPE.sub(_character, written.removesuffix(ESCAPED))


def _escape(character: str) -> str:
    code = ord(character)
    if character == "\r":
        return r"\r"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _character(found: re.Match[str]) -> str:
    *numbers, letter = found.groups()
    if letter is not None:
        return _LETTERS.get(letter, found.group())
    return chr(int(next(number for number in numbers if number), 16))


def look_alike(one: str, other: str) -> bool:
    """Returns True for two texts that differ, and look the same on a screen.

    They look the same if they are equal without blanks, combining marks and characters that have no shape: a
    tab and blanks, a no-break space, `é` as one character and as two, a zero-width space.
    """
    return one != other and _visible(one) == _visible(other)


def _visible(text: str) -> str:
    return "".join(
        char for char in unicodedata.normalize("NFKD", text) if unicodedata.category(char) not in _INVISIBLE
    )


def with_escapes(text: str) -> str:
    """Returns *text* with Python's escapes for all but the printable characters of ASCII."""
    return text.encode("unicode_escape").decode("ascii").replace("\\\\", "\\")


def without_controls(text: str) -> str:
    """Returns *text* with escapes for control characters, which a terminal would obey."""
    return _CONTROL.sub(lambda found: with_escapes(found.group()), text)
