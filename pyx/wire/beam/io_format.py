"""Texts as Erlang's `io_lib:format` makes them of a format and its arguments, and Erlang's chardata.

Differs from OTP: `~p` does not break lines, and `~W` and `~P` show the whole term.
"""

from __future__ import annotations

import re
from typing import Any, Final

from pyx.atoms import Atom
from pyx.erlang_terms import ImproperList
from pyx.wire.beam.erlang_syntax import integer, written

_DIRECTIVE: Final = re.compile(
    r"~(?P<left>-?)(?P<width>\*|[0-9]*)(?:\.(?P<precision>\*|[0-9]*))?(?:\.(?P<pad>.))?(?P<modifiers>[tlkK]*)(?P<kind>.?)",
    re.DOTALL,
)
_WIDEST: Final = 65536
"""The characters that widths and precisions of one format may ask for, together: they come from a peer."""

_DIGITS: Final = 20
"""Digits after the first one from which floats are rounded, as in OTP."""


def characters(data: Any) -> str:
    """The text of Erlang's chardata: a text, bytes, a character, or lists of these.

    Raises:
        ValueError: the value is not chardata.
    """
    if type(data) is str:
        return data
    if type(data) is bytes:
        return data.decode("utf-8", "replace")
    if type(data) is int:
        return chr(data) if 0 <= data < 0x110000 and not 0xD800 <= data < 0xE000 else "\ufffd"
    if type(data) is list:
        return "".join(map(characters, data))
    if type(data) is ImproperList:
        return "".join(map(characters, (*data.items, data.tail)))
    raise ValueError


def formatted(form: Any, args: Any) -> str:
    """What `io_lib:format` makes of a format and a list of arguments.

    Raises:
        ValueError: the arguments are too few, too many, or not of the kind that the format asks for; a
            control sequence is unknown; the text would be very long.
    """
    form = str(form) if type(form) is Atom else characters(form)
    left = _Arguments(args)
    shown, end, asked = [], 0, 0
    for found in _DIRECTIVE.finditer(form):
        shown.append(form[end : found.start()])
        end = found.end()
        directive = _Directive(found, left)
        asked += (directive.width or 0) + (directive.precision or 0)
        if asked > _WIDEST:
            raise ValueError
        shown.append(directive.text(left))
    if left.items:
        raise ValueError
    return "".join((*shown, form[end:]))


class _Arguments:
    """The arguments that no directive has taken yet, the next one last."""

    def __init__(self, args: Any) -> None:
        if type(args) is not list:
            raise ValueError
        self.items = args[::-1]

    def take(self) -> Any:
        if not self.items:
            raise ValueError
        return self.items.pop()

    def take_integer(self) -> int:
        value = self.take()
        if type(value) is not int:
            raise ValueError
        return value


class _Directive:
    """One control sequence, `~-10.3.*ts`: a width with the side of the text, a precision, a pad."""

    def __init__(self, found: re.Match[str], args: _Arguments) -> None:
        width = _number(found["width"], args)
        self.is_left = bool(found["left"]) != (width is not None and width < 0)
        self.width = None if width is None else abs(width)
        self.precision = _number(found["precision"], args)
        pad = found["pad"] or " "
        self.pad = characters(args.take_integer()) if pad == "*" else pad
        self.is_unicode = "t" in found["modifiers"]
        self.has_texts = "l" not in found["modifiers"]
        self.kind = found["kind"]
        if self.precision is not None and self.precision < 0:
            raise ValueError

    def text(self, args: _Arguments) -> str:
        """What stands in the place of the sequence; takes its arguments."""
        match self.kind:
            case "n" | "~":
                return ("\n" if self.kind == "n" else "~") * (1 if self.width is None else self.width)
            case "i":
                args.take()
                return ""
            case "s":
                return self._string(args.take())
            case "c":
                return self._character(args.take_integer())
            case "w" | "W":
                text = written(args.take(), is_unicode=self.is_unicode)
                if self.kind == "W":
                    args.take_integer()
                return self._whole(text, self.precision)
            case "p" | "P":
                text = written(args.take(), has_texts=self.has_texts, is_unicode=self.is_unicode)
                if self.kind == "P":
                    args.take_integer()
                return text
            case "b" | "B" | "x" | "X" | "+" | "#":
                return self._integer(args)
            case "f" | "e" | "g":
                return self._float(args.take())
        raise ValueError

    def _adjusted(self, text: str, width: int | None) -> str:
        missing = self.pad * ((width or 0) - len(text))
        return text + missing if self.is_left else missing + text

    def _whole(self, text: str, precision: int | None) -> str:
        """A text that is shown whole, or as stars."""
        width = precision if self.width is None else self.width
        if width is None:
            return text
        room = width if precision is None else min(precision, width)
        return self._adjusted(text if len(text) <= room else "*" * room, width)

    def _string(self, value: Any) -> str:
        if type(value) is Atom or value is None or type(value) is bool:
            text = "nil" if value is None else str(value).lower() if type(value) is bool else str(value)
        elif self.is_unicode and type(value) is bytes:
            text = value.decode("latin-1")
        elif type(value) is int:
            raise ValueError
        else:
            text = characters(value if self.is_unicode else _as_latin_1(value))
        width, precision = self.width, self.precision
        if width is None and precision is None:
            return text
        if width is None:
            return text[:precision].ljust(precision or 0, self.pad)
        if precision is None or precision == width:
            return self._adjusted(text[:width], width)
        if precision > width:
            raise ValueError
        return self._adjusted(text[:precision].ljust(precision, self.pad), width)

    def _character(self, code: int) -> str:
        char = characters(code if self.is_unicode else code & 255)
        count = next((given for given in (self.precision, self.width) if given is not None), 1)
        return self._adjusted(char * min(count, self.width or count), self.width)

    def _integer(self, args: _Arguments) -> str:
        value, base = args.take_integer(), 10 if self.precision is None else self.precision
        prefix = f"{base}#" if self.kind in "+#" else ""
        if self.kind in "xX":
            given = args.take()
            prefix = str(given) if type(given) is Atom else characters(given)
        if not 2 <= base <= 36:
            raise ValueError
        digits = integer(abs(value), base)
        if self.kind in "bx+":
            digits = digits.lower()
        return self._whole(f"{'-' if value < 0 else ''}{prefix}{digits}", None)

    def _float(self, value: Any) -> str:
        precision = 6 if self.precision is None else self.precision
        if type(value) is not float:
            raise ValueError
        kind = self.kind
        if kind == "g":
            place = sum(abs(value) >= limit for limit in (0.1, 1.0, 10.0, 100.0, 1000.0, 10000.0)) - 2
            kind = "f" if -1 <= place <= 3 and (precision - 1 > place or place == -1) else "e"
            precision = precision - 1 - place if kind == "f" else max(precision, 2)
        if precision < (1 if kind == "f" else 2):
            raise ValueError
        text = _fixed(value, precision) if kind == "f" else _scientific(value, precision)
        return self._whole(text, None)


def _number(text: str | None, args: _Arguments) -> int | None:
    if text == "*":
        return args.take_integer()
    if text and len(text) > len(str(_WIDEST)):
        raise ValueError
    return int(text) if text else None


def _as_latin_1(data: Any) -> Any:
    """Chardata whose binaries are bytes of Latin-1, as `~s` takes them."""
    if type(data) is str:
        return data.encode().decode("latin-1")
    if type(data) is bytes:
        return data.decode("latin-1")
    if type(data) is list:
        return list(map(_as_latin_1, data))
    if type(data) is ImproperList:
        return [*map(_as_latin_1, data.items), _as_latin_1(data.tail)]
    if type(data) is int and not 0 <= data < 256:
        raise ValueError
    return data


def _decimal(value: float) -> tuple[str, int, int]:
    """(sign, digits as one integer, exponent of the first digit)."""
    digits, exponent = f"{abs(value):.{_DIGITS}e}".split("e")
    return "-" if str(value).startswith("-") else "", int(digits.replace(".", "")), int(exponent)


def _rounded(digits: int, more: int) -> int:
    """The integer nearest to digits · 10 ** more; the greater one of two."""
    power: int = 10 ** abs(more)
    return digits * power if more >= 0 else (digits + power // 2) // power


def _fixed(value: float, precision: int) -> str:
    sign, digits, exponent = _decimal(value)
    shown = integer(_rounded(digits, exponent - _DIGITS + precision), 10).rjust(precision + 1, "0")
    return f"{sign}{shown[:-precision]}.{shown[-precision:]}"


def _scientific(value: float, precision: int) -> str:
    sign, digits, exponent = _decimal(value)
    shown = integer(_rounded(digits, precision - 1 - _DIGITS), 10).rjust(precision, "0")
    if len(shown) > precision:
        shown, exponent = shown[:-1], exponent + 1
    return f"{sign}{shown[0]}.{shown[1:]}e{exponent:+d}"
