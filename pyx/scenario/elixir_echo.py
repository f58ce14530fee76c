"""Terms of Erlang in an echo, `:ok` or `%Shop.Item{name: 'x'}`, written as Python writes calls and operators.

So an echo that holds them is compared as a value too: what stands in quotation marks stays as it is.
"""

from __future__ import annotations

import re
from typing import Final

_LEXEME: Final = re.compile(
    r"""(?P<text>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")"""
    # The colon behind a key stands right behind it; that of an atom does not.
    r"""|(?<![\w\])}'"]):(?:(?P<quoted>"(?:\\.|[^"\\])*")|(?P<word>[^\W\d][\w@]*[?!]?))"""
    r"""|(?P<arrow>\s=>\s)"""
    r"""|%(?P<struct>[A-Z][\w.]*)?\{""",
    re.DOTALL,
)


def as_python(echo: str) -> str:
    """Returns *echo* as text that Python can parse, if it is a value of Python's but for these terms."""
    return _LEXEME.sub(_replaced, echo)


def _replaced(found: re.Match[str]) -> str:
    if found["text"] is not None:
        return found[0]
    if found["arrow"] is not None:
        return ": "
    if found["quoted"] is not None:
        return f"Atom({found['quoted']})"
    if found["word"] is not None:
        return f'Atom("{found["word"]}")'
    return f"{found['struct'] or 'Map'} % {{"
