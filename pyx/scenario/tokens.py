"""What is volatile in a text: pids, references, addresses, ports.

Not here: which name in the file stands for which thing now (`bindings.py`).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN: Final = re.compile(
    r"(?P<ref>#Ref<\d+\.\d+\.\d+>)"
    r"|(?P<pid><\d+\.\d+\.\d+>)"
    # As in the repr of an object: `<f at 0x7f12ab>`, `<weakref at 0x7f12ab; dead>`.
    r"|(?P<address>(?<= at )0x[0-9a-fA-F]{6,}(?=[>,;: ]))"
    r"|(?P<port>\b127\.0\.0\.1:\d+\b)"
)
_CALL: Final = re.compile(r"\b(?P<kind>pid|ref)\(\s*(?P<quote>['\"])(?P<body>\d+\.\d+\.\d+)(?P=quote)\s*\)")


class Token(NamedTuple):
    """One volatile part: `kind` is `"pid"`, `"ref"`, `"address"` or `"port"`; `text` as it stands there."""

    kind: str
    text: str

    @property
    def numbers(self) -> tuple[int, str]:
        """Of a pid or reference: the number of the node's life, and the rest."""
        first, _, rest = self.text.strip("#Ref<>").partition(".")
        return int(first), rest


@lru_cache(maxsize=16384)  # a block is compared again with everything that a screen shows
def split_tokens(text: str) -> tuple[str | Token, ...]:
    """*text* as its plain and its volatile parts, in order; plain parts stand before, between and after."""
    parts: list[str | Token] = []
    end = 0
    for found in _found(text):
        parts += [text[end : found.start()], Token(found.lastgroup or "", found.group())]
        end = found.end()
    parts.append(text[end:])
    return tuple(parts)


def _found(text: str) -> Iterator[re.Match[str]]:
    """What is volatile.  A computed number is not: an address stands in angle brackets."""
    for found in _TOKEN.finditer(text):
        if found.lastgroup != "address" or _is_in_brackets(text, found.start()):
            yield found


def _is_in_brackets(text: str, at: int) -> bool:
    return text.count("<", 0, at) > text.count(">", 0, at)


def input_tokens(code: str) -> Iterator[tuple[int, int, Token]]:
    """(start, end, token) of what is volatile in an input: tokens, the arguments of pid("…") and ref("…")."""
    spans = {found.span("body"): found for found in _CALL.finditer(code)}
    for (start, end), found in spans.items():
        kind = found.group("kind")
        body = found.group("body")
        yield start, end, Token(kind, f"<{body}>" if kind == "pid" else f"#Ref<{body}>")
    for found in _found(code):
        yield found.start(), found.end(), Token(found.lastgroup or "", found.group())
