"""Completion: the candidates at the cursor, a pure function of the text and of the names that there are.

No code of an object is run, and nothing is imported: see `static_values.py`.
"""

from __future__ import annotations

import keyword
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from pyx.shell.argument_names import (
    CHILD,
    MODULE,
    NODE,
    PRESENCE,
    PUBSUB,
    REGISTERED,
    SERVER,
    TOPIC,
    kind_of_argument,
    kind_of_keyword,
)
from pyx.shell.call_signature import call_signature, is_client_function
from pyx.shell.file_names import file_names
from pyx.shell.import_names import import_names
from pyx.shell.input_scanner import InputScanner, is_number
from pyx.shell.prompt_names import LATE_NAMES
from pyx.shell.static_values import NameSources, attribute_names, known_value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyx.shell.input_scanner import OpenBracket

__all__ = ["Completion", "NameSources", "complete"]


class Completion(NamedTuple):
    """Each of `candidates` may replace the text from `start` to the cursor."""

    start: int
    candidates: list[str]


MOST: Final = 500
"""The largest number of candidates."""

_ATTRIBUTE: Final = re.compile(r"\.\s*([^\W\d]\w*)?$")
_WORD: Final = re.compile(r"\w*$")


def complete(text: str, cursor: int, sources: NameSources) -> Completion:
    """Returns the candidates for *text* at *cursor*, sorted; `_names` only after a typed underscore."""
    before = text[:cursor]
    scan = InputScanner(before)
    if scan.comment:
        return Completion(cursor, [])
    if scan.quote is not None:
        return _complete_string(before, scan, sources)
    package = sources.names.get("__package__") or None
    if found := import_names(before, package if type(package) is str else None, sources.modules()):
        return _chosen(found.start, before[found.start :], found.names)
    if attribute := _ATTRIBUTE.search(before):
        prefix = attribute.group(1) or ""
        return _chosen(cursor - len(prefix), prefix, _attributes_before(attribute.start(), scan, sources))
    keys = _keys_at(before, scan, sources)
    if keys is not None:
        return _chosen(cursor, "", [repr(key) for key in keys], plain=True)
    word = _WORD.search(before)
    assert word is not None
    if word.group()[:1].isdigit():
        return Completion(cursor, [])
    words = [*sources.names, *sources.lower, *LATE_NAMES, *keyword.kwlist, *keyword.softkwlist]
    words += sources.modules()
    if scan.open and scan.open[-1].callee:
        words += [f"{name}=" for name in _keywords(scan.open[-1].callee, sources)]
    return _chosen(word.start(), word.group(), words)


def _chosen(start: int, prefix: str, words: Iterable[object], *, plain: bool = False) -> Completion:
    fitting = {word for word in words if type(word) is str and word.startswith(prefix)}
    if not plain:
        fitting = {word for word in fitting if not _is_hidden(word, prefix)}
    return Completion(start, sorted(fitting)[:MOST])


def _is_hidden(word: str, prefix: str) -> bool:
    if word.startswith("__"):
        return not prefix.startswith("__")
    return word.startswith("_") and not prefix


def _attributes_before(dot: int, scan: InputScanner, sources: NameSources) -> list[str]:
    """Returns the attributes of the expression before a dot; none, if nothing is known of its value."""
    expression = scan.text[scan.primary_at(dot) : dot]
    if not expression or is_number(expression):
        return []
    return attribute_names(known_value(expression, sources))


def _keys_at(before: str, scan: InputScanner, sources: NameSources) -> list[object] | None:
    """Returns the keys that may follow an open `expression[`; None if that is not known to be a dict."""
    end = len(before.rstrip())
    if not before[:end].endswith("["):
        return None
    expression = before[scan.primary_at(end - 1) : end - 1]
    target = known_value(expression, sources) if expression else None
    if type(target) is not dict:
        return None
    return [key for key in list(target) if type(key) in {str, bytes, int, float, bool, type(None)}]


def _keywords(callee: str, sources: NameSources) -> list[str]:
    """Returns the parameters of a function that a keyword may name."""
    signature = call_signature(known_value(callee, sources), callee)
    return [] if signature is None else signature.keywords()


# ---------------------------------------------------------------- names in a string

_FIRST_ARGUMENT: Final = re.compile(r"""\s*(['"])([^'"\\]*)\1\s*,""")
_KEYWORD: Final = re.compile(r"(\w+)\s*=\s*$")
_REPLACEMENT: Final = re.compile(r"\{\{|\}\}|[{}]")


def _complete_string(before: str, scan: InputScanner, sources: NameSources) -> Completion:
    if "f" in scan.prefix and (at := _replacement_at(before, scan.quote_at)) is not None:
        inner = complete(before[at:], len(before) - at, sources)
        return Completion(at + inner.start, inner.candidates)
    start = scan.quote_at
    outside = before[: start - scan.quote_length - len(scan.prefix)]
    keys = _keys_at(outside, InputScanner(outside), sources)
    if keys is not None:
        return _chosen(start, before[start:], [key for key in keys if type(key) is str], plain=True)
    words = _in_string(before, outside, scan, sources)
    if words is None:
        files = file_names(scan)
        if files is None:
            return Completion(start, [])
        return _chosen(files.start, before[files.start :], files.names, plain=True)
    return _chosen(start, before[start:], words, plain=True)


def _replacement_at(before: str, start: int) -> int | None:
    """Returns where the `{...}` of an f-string begins in which the cursor is; None if it is in none."""
    opened: list[int] = []
    for found in _REPLACEMENT.finditer(before, start):
        if found.group() == "{":
            opened.append(found.end())
        elif found.group() == "}" and opened:
            opened.pop()
    return opened[-1] if opened else None


def _in_string(before: str, outside: str, scan: InputScanner, sources: NameSources) -> Iterable[str] | None:
    """Returns the names that a string may be as an argument of a call; None if it may be any text.

    Args:
        before: the text before the cursor.
        outside: the text before the string.
        scan: of *before*.
        sources: of the names.
    """
    if not scan.open:
        return None
    here = scan.open[-1]
    keyword = _KEYWORD.search(outside)
    kind = _kind_of(here, sources) if keyword is None else kind_of_keyword(here.callee, keyword.group(1))
    if not here.callee and len(scan.open) > 1:
        outer = scan.open[-2]
        kind_around = _kind_of(outer, sources)
        if here.bracket == "(" and kind_around == SERVER:
            kind = REGISTERED if here.argument == 0 else NODE  # the (name, node) of a server
        elif here.bracket == "[" and kind_around == NODE:  # as of `rpc.multicall`
            kind = NODE
    if kind == NODE:
        return sources.nodes()
    if kind in {REGISTERED, SERVER}:
        return sources.registered()
    if kind == CHILD:
        supervisor = _FIRST_ARGUMENT.match(before, here.at + 1)
        return () if supervisor is None else sources.children(supervisor.group(2))
    if kind == TOPIC:
        return sources.topics()
    if kind in {PUBSUB, PRESENCE}:
        return sources.instances(kind)
    return sources.modules() if kind == MODULE else None


def _kind_of(bracket: OpenBracket, sources: NameSources) -> str | None:
    """Returns the kind of names in a string at the cursor's argument of a call."""
    kind = kind_of_argument(bracket.callee, bracket.argument)
    if kind is None and bracket.argument == 0 and bracket.callee:
        client = bracket.callee.removesuffix(".aio").removesuffix(".request")
        if is_client_function(known_value(client, sources)):
            return SERVER
    return kind
