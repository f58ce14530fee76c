"""Values as Erlang writes them: what `~w` and `~p` of `io:format` show of a term.

Values that stand for structs of Elixir are shown as Python shows them: a date, a Decimal, a set.
"""

from __future__ import annotations

import re
from typing import Any, Final

from pyx.atoms import Atom
from pyx.erlang_terms import BitString, ImproperList, Map
from pyx.terms import FunctionName, Pid

_RESERVED: Final = frozenset(
    (
        "after",
        "and",
        "andalso",
        "band",
        "begin",
        "bnot",
        "bor",
        "bsl",
        "bsr",
        "bxor",
        "case",
        "catch",
        "cond",
        "div",
        "else",
        "end",
        "fun",
        "if",
        "let",
        "maybe",
        "not",
        "of",
        "or",
        "orelse",
        "receive",
        "rem",
        "try",
        "when",
        "xor",
    )
)
"""The words that Erlang quotes when they are atoms; `else` and `maybe` from OTP 27 on."""

_BARE_ATOM: Final = re.compile("[a-zß-öø-ÿ][a-zß-öø-ÿA-ZÀ-ÖØ-Þ0-9_@]*")
_PRINTABLE: Final = re.compile("[\n\r\t\v\b\f\x1b -~\xa0-\xff]+")
"""A text that `~p` shows as one; other lists of numbers and other binaries are shown number by number."""

_ESCAPES: Final = {
    **{code: f"\\{code:03o}" for code in (*range(32), *range(128, 160))},
    **{ord(char): f"\\{word}" for char, word in zip("\n\r\t\v\b\f\x1b\x7f\\", "nrtvbfed\\", strict=True)},
}
_LONGEST: Final = 4000
"""Decimal digits of an integer: to write more of them takes a time that grows with their square."""


def written(value: Any, *, has_texts: bool = False, is_unicode: bool = False) -> str:
    """The term in one line.

    Args:
        value: as a message of an Erlang node is decoded.
        has_texts: lists and binaries of printable characters are shown as texts, as `~p` does.
        is_unicode: `~tp` and `~tw`: binaries may be UTF-8, and atoms hold any character as it is.
    """

    def several(items: Any) -> str:
        return ",".join(map(one, items))

    def pair(key_and_value: tuple[Any, Any]) -> str:
        return " => ".join(map(one, key_and_value))

    def one(value: Any) -> str:
        match value:
            case None | True | False:
                return "nil" if value is None else str(value).lower()
            case Atom():
                return _atom(value, is_unicode=is_unicode)
            case str() | bytes():
                return _binary(value, has_texts=has_texts, is_unicode=is_unicode)
            case int():
                return integer(value, 10)
            case float():
                return shortest_float(value)
            case list():
                text = _text_of(value) if has_texts else ""
                return _quoted(text) if text else f"[{several(value)}]"
            case ImproperList():
                return f"[{several(value.items)}|{one(value.tail)}]"
            case tuple():
                return f"{{{several(value)}}}"
            case dict() | Map():
                return f"#{{{','.join(map(pair, value.items()))}}}"
            case BitString():
                *whole, last = value.data
                return f"<<{','.join((*map(str, whole), f'{last >> (8 - value.bits)}:{value.bits}'))}>>"
            case Pid():
                return repr(value).removeprefix("#PID")
            case FunctionName(module, name, int() as arity):
                return f"fun {one(Atom(module))}:{one(Atom(name))}/{arity}"
        return repr(value)

    return one(value)


def _atom(name: Atom, *, is_unicode: bool) -> str:
    text = str(name)
    if _BARE_ATOM.fullmatch(text) and text not in _RESERVED:
        return text
    quoted = _quoted(text, "'")
    return quoted if is_unicode else re.sub("[^\0-\xff]", lambda found: f"\\x{{{ord(found[0]):X}}}", quoted)


def _binary(value: str | bytes, *, has_texts: bool, is_unicode: bool) -> str:
    if has_texts and is_unicode and type(value) is str and _PRINTABLE.fullmatch(value):
        utf8 = "" if value.isascii() else "/utf8"
        return f"<<{_quoted(value)}{utf8}>>"
    data = value.encode() if isinstance(value, str) else value
    text = data.decode("latin-1")
    if has_texts and _PRINTABLE.fullmatch(text) and not (is_unicode and type(value) is str):
        return f"<<{_quoted(text)}>>"
    return f"<<{','.join(map(str, data))}>>"


def _text_of(items: list[Any]) -> str:
    """The text that a list of numbers is; empty where it is not one."""
    if not all(type(item) is int and 0 <= item < 256 for item in items):
        return ""
    text = bytes(items).decode("latin-1")
    return text if _PRINTABLE.fullmatch(text) else ""


def _quoted(text: str, quote: str = '"') -> str:
    return quote + text.translate({**_ESCAPES, ord(quote): f"\\{quote}"}) + quote


def integer(value: int, base: int) -> str:
    """An integer in a base of 2 to 36, in capital letters; a very long one as Erlang writes base 16."""
    if base == 16:
        return f"{value:X}"
    if value.bit_length() > 3 * _LONGEST:
        return f"16#{value:X}"
    if base == 10:
        return str(value)
    digits, left = "", abs(value)
    while left or not digits:
        left, digit = divmod(left, base)
        digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[digit] + digits
    return f"-{digits}" if value < 0 else digits


def shortest_float(value: float) -> str:
    """A float by the fewest digits that mean it, with an exponent where that is shorter: `1.0e5`, `100.0`."""
    sign = "-" if str(value).startswith("-") else ""
    mantissa, exponent = f"{abs(value)!r}".partition("e")[::2]
    whole, fraction = mantissa.split(".") if "." in mantissa else (mantissa, "")
    place = len(whole) + int(exponent or 0)  # how many of the digits stand before the point
    digits = (whole + fraction).lstrip("0")
    place -= len(whole + fraction) - len(digits)
    digits = digits.rstrip("0")
    if not digits:
        return f"{sign}0.0"
    cost = len(str(place - 1)) + 1 + (2 if len(digits) == 1 else 1)  # of an exponent, in characters
    if 0 < place < len(digits):
        return f"{sign}{digits[:place]}.{digits[place:]}"
    if place == 0 or (place < 0 and 2 - place <= cost):
        return f"{sign}0.{'0' * -place}{digits}"
    if place > 0 and place - len(digits) + 2 <= cost and abs(value) < 2**53:
        return f"{sign}{digits}{'0' * (place - len(digits))}.0"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}e{place - 1}"
