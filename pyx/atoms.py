"""Atoms: the names of Erlang and Elixir, as texts of a class of their own.

Whatever an Elixir node calls `:ok` is `Atom("ok")` here, equal to the str `"ok"` and printed as Elixir prints
it.  `erlang_terms.py` has the other terms that Python lacks.
"""

from __future__ import annotations

from typing import Any, Final, Self

LONGEST_ATOM: Final = 255
"""Characters of an atom, in Erlang too."""


class Atom(str):
    """An atom of Erlang: a str that is sent to Elixir nodes as an atom, and printed as Elixir prints it.

    It equals, hashes and sorts as its text does, so `message[0] == "add"` and `fields["name"]` work for atoms
    and texts alike.  In a receive pattern a str matches an atom of the same text too; an atom matches atoms
    alone.  `str(atom)` is the text.

    Differs from Elixir: `:nil`, `:true` and `:false` arrive as None, True and False.

    Args:
        text: at most 255 characters.

    Raises:
        TypeError: *text* is not a str.
        ValueError: *text* is too long for an atom, or holds a lone surrogate, which is not a character.
    """

    __slots__ = ()

    def __new__(cls, text: Any) -> Self:
        """Makes an atom; see the class."""
        if not isinstance(text, str):
            msg = f"an atom is made of a str, not of {type(text).__name__}"
            raise TypeError(msg)
        if len(text) > LONGEST_ATOM:
            msg = f"an atom has at most {LONGEST_ATOM} characters, not {len(text)}"
            raise ValueError(msg)
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                msg = f"an atom holds no lone surrogate: {text.encode(errors='backslashreplace').decode()}"
                raise ValueError(msg) from None
        return super().__new__(cls, text)

    def __repr__(self) -> str:
        text = str(self)
        if is_module(text):
            return text if text.startswith("Elixir.Elixir") or text == "Elixir" else text[7:]
        return ":" + written(text)

    def __reduce__(self) -> tuple[Any, ...]:
        return str, (str(self),)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


def is_module(text: str) -> bool:
    """True for the text of the atom of an Elixir module, such as `Elixir.Shop.Item`."""
    first, *parts = text.split(".")
    return (
        first == "Elixir" and text.isascii() and all(part[:1].isupper() and _is_word(part) for part in parts)
    )


def written(text: str) -> str:
    """Returns an atom's text as Elixir writes it behind a colon: in quotation marks where that is needed."""
    if _is_word(text.rstrip("?!") if text[-1:] in {"?", "!"} and text[-2:-1] not in {"?", "!"} else text):
        return text
    return text if text in _OPERATORS else f'"{_escaped(text)}"'


def written_key(text: str) -> str:
    """Returns the name of a field as Elixir writes it before its value: `name: `, `"a b": `."""
    return f"{written(text)}: " if text not in _OPERATORS else f'"{text}": '


def _is_word(text: str) -> bool:
    return text[:1] != "@" and text.replace("@", "_").isidentifier() and text.isprintable()


def _escaped(text: str) -> str:
    parts = [_ESCAPES.get(each) or (each if each.isprintable() else _numbered(each)) for each in text]
    return "".join(parts).replace("#{", "\\#{")


def _numbered(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02X}" if number < 256 else f"\\x{{{number:X}}}"


_ESCAPES: Final = {
    '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0", "\x1b": "\\e",
    "\x07": "\\a", "\b": "\\b", "\v": "\\v", "\f": "\\f", "\x7f": "\\d",
}  # fmt: skip

_OPERATORS: Final = frozenset((
    "!", "!=", "!==", "&", "&&", "&&&", "*", "**", "+", "++", "+++", "-", "--", "---", ".", "..",
    "...", "/", "<", "<-", "<<<", "<<~", "<=", "<>", "<~", "<~>", "=", "==", "===", "=~", ">", ">=",
    ">>>", "@", "^", "|", "|>", "||", "|||", "~>", "~>>", "%", "%{}", "{}", "<<>>", "..//",
))  # fmt: skip
"""Atoms that Elixir prints without quotation marks though they are not words [read off Elixir 1.14]."""


def as_texts(value: Any) -> Any:
    """Returns *value* with the texts of the atoms in it, in tuples and frozensets too, in their place."""
    if type(value) is Atom:
        return str(value)
    if type(value) is tuple or type(value) is frozenset:
        return type(value)(map(as_texts, value))
    return value
