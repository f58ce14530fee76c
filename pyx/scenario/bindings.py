"""The pids, references, addresses and ports of a file, bound one to one to those of this replay.

A pid in the file, `<3.5.0>`, is two names.  Its first number stands for one incarnation of a node as the node
that prints it counts them (its view); `0` is the printing node itself.  The rest stands for one process of
that incarnation, over the whole file.  So two views of one process have to agree, and swapped pids fail.

Bindings are made while lines are compared, and rolled back when the comparison fails.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from pyx.terms import Incarnation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TOKEN: Final = re.compile(
    r"(?P<ref>#Ref(?:erence)?<\d+(?:\.\d+){2,5}>)"
    r"|(?P<pid><\d+\.\d+\.\d+>)"
    # As in the repr of an object: `<f at 0x7f12ab>`, `<weakref at 0x7f12ab; dead>`.
    r"|(?P<address>(?<= at )0x[0-9a-fA-F]{6,}(?=[>,;: ]))"
    r"|(?P<port>\b127\.0\.0\.1:\d+\b)"
    # As in the log of iex: `13:07:56.746 [error]`.
    r"|(?P<time>^\d\d:\d\d:\d\d\.\d{3}(?= \[[a-z]+\]))"
)
_CALL: Final = re.compile(
    r"\b(?P<kind>pid|ref)\(\s*(?P<quote>['\"])(?P<body>\d+(?:\.\d+){2,5})(?P=quote)\s*\)"
)

_Space: TypeAlias = tuple[object, ...]


class Token(NamedTuple):
    """A part of a text that differs from run to run.

    `kind` is `"pid"`, `"ref"`, `"address"`, `"port"` or `"time"`; `text` is the part as written.
    """

    kind: str
    text: str

    @property
    def numbers(self) -> tuple[int, str]:
        """Of a pid or reference: the number of the node's incarnation, and the rest."""
        first, _, rest = self.bare.partition(".")
        return int(first), rest

    @property
    def bare(self) -> str:
        """Of a pid or reference: the text between its angle brackets."""
        return self.text.partition("<")[2].removesuffix(">")

    @property
    def prefix(self) -> str:
        """Of a pid or reference: `""`, pyx's `"#Ref"` or iex's `"#Reference"`."""
        return self.text.partition("<")[0]


@lru_cache(maxsize=16384)  # a block is compared again each time its screen changes
def split_tokens(text: str) -> tuple[str | Token, ...]:
    """Returns the plain parts and the tokens of *text* in order; plain parts are first, between and last."""
    parts: list[str | Token] = []
    end = 0
    for found in _found(text):
        parts += [text[end : found.start()], Token(found.lastgroup or "", found.group())]
        end = found.end()
    parts.append(text[end:])
    return tuple(parts)


def _found(text: str) -> Iterator[re.Match[str]]:
    """Yields the matches that are tokens.  A computed number is not: an address is in angle brackets."""
    for found in _TOKEN.finditer(text):
        if found.lastgroup != "address" or _is_in_brackets(text, found.start()):
            yield found


def _is_in_brackets(text: str, at: int) -> bool:
    return text.count("<", 0, at) > text.count(">", 0, at)


def input_tokens(code: str) -> Iterator[tuple[int, int, Token]]:
    """Yields (start, end, token) of the tokens in an input, the arguments of pid("…") and ref("…") too."""
    spans = {found.span("body"): found for found in _CALL.finditer(code)}
    for (start, end), found in spans.items():
        kind = found.group("kind")
        body = found.group("body")
        yield start, end, Token(kind, f"<{body}>" if kind == "pid" else f"#Ref<{body}>")
    for found in _found(code):
        yield found.start(), found.end(), Token(found.lastgroup or "", found.group())


class NodeView(NamedTuple):
    """One incarnation of a node, and the numbers under which it prints the incarnations of other nodes."""

    incarnation: Incarnation
    numbers: Mapping[int, Incarnation]

    def incarnation_of(self, number: int) -> Incarnation:
        """Returns the incarnation whose pids this node prints with that first number."""
        if number == 0:
            return self.incarnation
        return self.numbers.get(number) or Incarnation("an unknown node", number)


class Bindings:
    """The bindings of one replay of one session."""

    def __init__(self) -> None:
        self._actual: dict[tuple[_Space, object], object] = {}
        self._name: dict[tuple[_Space, object], object] = {}
        self._trail: list[tuple[_Space, object, object]] = []
        self._states: list[int] = [0]
        """The number of the state after each entry of the trail, and of the state before the first."""
        self._numbers: dict[tuple[int, _Space, object, object], int] = {}

    def savepoint(self) -> int:
        """Returns a point to `rollback` to."""
        return len(self._trail)

    def rollback(self, savepoint: int) -> None:
        """Removes every binding made since that `savepoint`."""
        while len(self._trail) > savepoint:
            space, name, actual = self._trail.pop()
            del self._actual[space, name]
            del self._name[space, actual]
            self._states.pop()

    @property
    def state(self) -> int:
        """A number of the present bindings: equal if and only if they were made in the same order."""
        return self._states[-1]

    def _bind(self, space: _Space, name: object, actual: object) -> bool:
        bound = self._actual.get((space, name))
        if bound is None and (space, actual) not in self._name:
            self._actual[space, name] = actual
            self._name[space, actual] = name
            self._trail.append((space, name, actual))
            way = (self._states[-1], space, name, actual)
            self._states.append(self._numbers.setdefault(way, len(self._numbers) + 1))
            return True
        return bound == actual

    def match(self, name: Token, actual: Token, view: NodeView) -> bool:
        """Returns True if the file's *name* stands for *actual* in this view; binds it if it was not bound.

        After False some bindings may have been made: the caller rolls back.
        """
        if name.kind != actual.kind:
            return False
        if name.kind == "time":
            return True
        if name.kind in {"pid", "ref"}:
            name_first, name_rest = name.numbers
            first, rest = actual.numbers
            incarnation = view.incarnation_of(first)
            return self._bind_incarnation(name_first, incarnation, view) and self._bind(
                (name.kind, incarnation), name_rest, rest
            )
        return self._bind(_space_of(name, view), name.text, actual.text)

    def _bind_incarnation(self, name: int, incarnation: Incarnation, view: NodeView) -> bool:
        if name == 0 or incarnation == view.incarnation:
            return name == 0 and incarnation == view.incarnation
        return self._bind(("incarnation", view.incarnation), name, incarnation)

    # ------------------------------------------------------------ from the file to this replay

    def actual_of(self, name: Token, view: NodeView) -> str | None:
        """Returns the text that *name* stands for in this view; None if it is not bound."""
        if name.kind not in {"pid", "ref"}:
            bound = self._actual.get((_space_of(name, view), name.text))
            return None if bound is None else str(bound)
        first, rest = name.numbers
        incarnation = (
            view.incarnation if first == 0 else self._actual.get((("incarnation", view.incarnation), first))
        )
        number = next((n for n, known in _all_incarnations(view) if known == incarnation), None)
        bound = self._actual.get(((name.kind, incarnation), rest))
        if number is None or bound is None:
            return None
        return f"{name.prefix}<{number}.{bound}>"

    def substitute(self, code: str, view: NodeView) -> str:
        """Returns the code of an input with each name that is bound replaced by its actual text."""
        for start, end, token in sorted(input_tokens(code), reverse=True):
            actual = self.actual_of(token, view)
            if actual is not None:
                bare = not code[start:end].endswith(">") and token.kind in {"pid", "ref"}
                text = Token(token.kind, actual).bare if bare else actual
                code = code[:start] + text + code[end:]
        return code

    # ------------------------------------------------------------ from this replay to the file

    def rename(self, text: str, view: NodeView) -> str:
        """Returns *text* as the file would write it; tokens without a name get the next free one."""
        return "".join(
            part if isinstance(part, str) else self._name_of(part, view) for part in split_tokens(text)
        )

    def _name_of(self, actual: Token, view: NodeView) -> str:
        if actual.kind == "time":
            return actual.text
        if actual.kind not in {"pid", "ref"}:
            return str(self._name_in(_space_of(actual, view), actual.text, actual.text))
        first, rest = actual.numbers
        incarnation = view.incarnation_of(first)
        first_name = (
            0
            if incarnation == view.incarnation
            else self._name_in(("incarnation", view.incarnation), incarnation, first)
        )
        rest_name = self._name_in((actual.kind, incarnation), rest, rest)
        return f"{actual.prefix}<{first_name}.{rest_name}>"

    def _name_in(self, space: _Space, actual: object, preferred: int | str) -> object:
        """Returns the name of *actual*; a new one is *preferred*, or the next free one after it."""
        known = self._name.get((space, actual))
        if known is not None:
            return known
        while (space, preferred) in self._actual:
            preferred = preferred + 1 if isinstance(preferred, int) else _next_name(preferred)
        self._bind(space, preferred, actual)
        return preferred

    def explain(self, text: str, view: NodeView) -> list[str]:
        """Returns, for a report, the actual text of each name in *text*, one line each."""
        lines: list[str] = []
        for part in split_tokens(text):
            if isinstance(part, str) or part.kind == "time":
                continue
            actual = self.actual_of(part, view)
            if actual is None:
                line = f"{part.text} is not bound yet"
            elif part.kind in {"pid", "ref"}:
                incarnation = view.incarnation_of(Token(part.kind, actual).numbers[0])
                line = f"{part.text} = {actual} of {incarnation.name or 'this shell'}"
            else:
                line = f"{part.text} = {actual}"
            if line not in lines:
                lines.append(line)
        return lines


def _all_incarnations(view: NodeView) -> list[tuple[int, Incarnation]]:
    return [(0, view.incarnation), *view.numbers.items()]


def _space_of(token: Token, view: NodeView) -> _Space:
    """Returns the space of an address or a port: a port is one for all nodes, an address is one node's."""
    return ("address", view.incarnation) if token.kind == "address" else ("port",)


def _next_name(name: str) -> str:
    """Returns the next name to try: `"6.0"` after a pid's `"5.0"`, an address or a port plus 1."""
    if name.startswith("0x"):
        return f"{int(name, 16) + 1:#x}"
    head, colon, port = name.rpartition(":")
    if colon:
        return f"{head}:{int(port) + 1}"
    number, dot, rest = name.partition(".")
    return f"{int(number) + 1}{dot}{rest}"
