"""Completion: the candidates at the cursor, a pure function of the text and of the names that there are.

No code of an object is run: names are read from the `__dict__`s of instances, classes and modules through the
descriptors of `object` and `type` themselves, so no property, `__dir__`, `__getattr__`, `__class__` or
metaclass is called.  Nothing is imported.
"""

from __future__ import annotations

import ast
import keyword
import re
import sys
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType, ModuleType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pyx.introspection import class_dict, class_mro, is_class
from pyx.shell.argument_names import CHILD, MODULE, NODE, REGISTERED, SERVER, kind_of_argument
from pyx.shell.documentation import client_of
from pyx.shell.input_scanner import PATH, InputScanner
from pyx.shell.prompt_names import LATE_NAMES, late_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pyx.shell.input_scanner import OpenBracket


def _none_loaded(_: str) -> None:
    return None


def _no_children(_: str) -> Iterable[str]:
    return ()


class NameSources(NamedTuple):
    """The names to choose from; the functions are called only when their names are needed."""

    names: Mapping[str, Any]
    lower: Mapping[str, Any]
    modules: Callable[[], Iterable[str]] = tuple
    nodes: Callable[[], Iterable[str]] = tuple
    registered: Callable[[], Iterable[str]] = tuple
    loaded: Callable[[str], ModuleType | None] = _none_loaded
    children: Callable[[str], Iterable[str]] = _no_children
    """The ids of the children of a supervisor."""


class Completion(NamedTuple):
    """Each of `candidates` may replace the text from `start` to the cursor."""

    start: int
    candidates: list[str]


MOST: Final = 500
"""The largest number of candidates."""

_IMPORT: Final = re.compile(r"(?:^|[;:\n])\s*(?:import\s+(?:[\w.]+(?:\s+as\s+\w+)?\s*,\s*)*|from\s+)(\w*)$")
_IMPORT_FROM: Final = re.compile(r"(?:^|[;:\n])\s*from\s+([\w.]+)\s+import\s+\(?(?:\w+\s*,\s*)*(\w*)$")
_ATTRIBUTE: Final = re.compile(rf"({PATH})\s*\.\s*(\w*)$")
_KEY: Final = re.compile(rf"({PATH})\[\s*$")
_WORD: Final = re.compile(r"\w*$")


def complete(text: str, cursor: int, sources: NameSources) -> Completion:
    """Returns the candidates for *text* at *cursor*, sorted; `_names` only after a typed underscore."""
    before = text[:cursor]
    scan = InputScanner(before)
    if scan.comment:
        return Completion(cursor, [])
    if scan.quote is not None:
        start = scan.quote_at
        prefix = before[start:]
        keys = _keys_at(before[: start - scan.quote_length], sources)
        words = (
            _in_string(before, scan, sources) if keys is None else [key for key in keys if type(key) is str]
        )
        return _chosen(start, prefix, words, plain=True)
    if found := _IMPORT_FROM.search(before):
        module = sys.modules.get(found.group(1))
        words = [] if module is None else [name for name, _ in _attributes(module)]
        return _chosen(found.start(2), found.group(2), words)
    if found := _IMPORT.search(before):
        top = {name.partition(".")[0] for name in [*sys.modules, *sys.stdlib_module_names]}
        return _chosen(found.start(1), found.group(1), [*top, *sources.modules()])
    if found := _ATTRIBUTE.search(before):
        target = _resolve(found.group(1), sources)
        words = [] if target is _UNKNOWN else [name for name, _ in _attributes(target)]
        return _chosen(found.start(2), found.group(2), words)
    keys = _keys_at(before, sources)
    if keys is not None:
        return _chosen(cursor, "", [repr(key) for key in keys], plain=True)
    word = _WORD.search(before)
    assert word is not None
    if word.group()[:1].isdigit():
        return Completion(cursor, [])
    words = [*sources.names, *sources.lower, *LATE_NAMES, *keyword.kwlist, *keyword.softkwlist]
    words += sources.modules()
    if scan.open and scan.open[-1].callee:
        words += [f"{name}=" for name in _parameters(_resolve(scan.open[-1].callee, sources))]
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


# ---------------------------------------------------------------- the names of an object, and their values

_UNKNOWN: Final = object()

_READS_C_SLOT: Final = (GetSetDescriptorType, MemberDescriptorType)


def _own_dict(value: object) -> dict[str, Any] | None:
    """Returns the instance's `__dict__`; None if a class of its MRO has put a hook in its place."""
    for kind in class_mro(type(value)):
        descriptor = class_dict(kind).get("__dict__")
        if descriptor is None:
            continue
        if type(descriptor) not in _READS_C_SLOT:
            return None
        found = type(descriptor).__get__(descriptor, value)
        return found if type(found) is dict else None
    return None


def _attributes(value: object) -> list[tuple[str, Any]]:
    """Returns (name, value in its dict) pairs, the instance's own first."""
    found: list[tuple[str, Any]] = []
    if is_class(value):
        for kind in class_mro(value):
            found += list(class_dict(kind).items())
    else:
        own = _own_dict(value)
        if own is not None:
            found += list(own.items())
    for kind in class_mro(type(value)):
        found += list(class_dict(kind).items())
    return [(name, item) for name, item in found if type(name) is str]


def _attribute(value: object, wanted: str) -> object:
    for name, item in _attributes(value):
        if name != wanted:
            continue
        kind = type(item)
        if kind is MemberDescriptorType and not is_class(value):
            try:
                return item.__get__(value)
            except (AttributeError, TypeError):
                return _UNKNOWN
        if kind is staticmethod:
            return item.__func__
        if is_class(value) and (client := client_of(item)) is not None:
            return client
        hooked = any("__get__" in class_dict(base) for base in class_mro(kind))
        return item if kind is FunctionType or not hooked else _UNKNOWN
    return _UNKNOWN


def _item(value: object, key: object) -> object:
    if type(value) in {list, tuple} and type(key) is int:
        sequence: Any = value
        return sequence[key] if -len(sequence) <= key < len(sequence) else _UNKNOWN
    if type(value) is dict and type(key) in {str, int}:
        for own, item in list(value.items()):  # not by `value[key]`: that calls the keys' own __eq__
            if type(own) is type(key) and own == key:
                return item
    return _UNKNOWN


def _resolve(source: str, sources: NameSources) -> object:
    """Returns the value of a path such as `a.b["c"].d`, without running code; `_UNKNOWN` if it has none."""
    try:
        node = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _UNKNOWN
    return _walk(node, sources)


def _walk(node: ast.expr, sources: NameSources) -> object:
    match node:
        case ast.Name(id=name):
            found = sources.names.get(name, sources.lower.get(name, _UNKNOWN))
            if found is _UNKNOWN and name in LATE_NAMES:
                return late_names([name])[name]  # as a statement that reads it would
            if found is _UNKNOWN and (module := sources.loaded(name)) is not None:
                return module  # a statement that reads the name binds it
            return found
        case ast.Attribute(value=inner, attr=name):
            owner = _walk(inner, sources)
            return _UNKNOWN if owner is _UNKNOWN else _attribute(owner, name)
        case ast.Subscript(value=inner, slice=ast.Constant(value=key)):
            owner = _walk(inner, sources)
            return _UNKNOWN if owner is _UNKNOWN else _item(owner, key)
        case _:
            return _UNKNOWN


def _keys_at(before: str, sources: NameSources) -> list[object] | None:
    """Returns the keys that may follow `path[`; None if the path is not an exact dict."""
    found = _KEY.search(before)
    if found is None:
        return None
    target = _resolve(found.group(1), sources)
    if type(target) is not dict:
        return None
    return [key for key in list(target) if type(key) in {str, bytes, int, float, bool, type(None)}]


def _parameters(function: object) -> list[str]:
    """Returns the parameters of a plain function, or of a handler, that a keyword may name."""
    first = 0
    if type(function) in _client_functions():
        client: Any = function
        function, first = client.__wrapped__, 1
    if type(function) is not FunctionType:
        return []
    code = function.__code__
    positional = code.co_varnames[max(first, code.co_posonlyargcount) : code.co_argcount]
    return [*positional, *code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]]


# ---------------------------------------------------------------- names in a string

_FIRST_ARGUMENT: Final = re.compile(r"""\s*(['"])([^'"\\]*)\1\s*,""")


def _in_string(before: str, scan: InputScanner, sources: NameSources) -> Iterable[str]:
    if not scan.open:
        return ()
    here = scan.open[-1]
    kind = _kind_of(here, sources)
    if not here.callee and len(scan.open) > 1:
        outer = scan.open[-2]
        kind_around = _kind_of(outer, sources)
        if here.bracket == "(" and kind_around == SERVER:
            kind = REGISTERED if here.argument == 0 else NODE  # the (name, node) of a server
        elif here.bracket == "[" and outer.callee.removeprefix("aio.") == "rpc.multicall":
            kind = kind_around
    if kind == NODE:
        return sources.nodes()
    if kind in {REGISTERED, SERVER}:
        return sources.registered()
    if kind == CHILD and (supervisor := _FIRST_ARGUMENT.match(before, here.at + 1)) is not None:
        return sources.children(supervisor.group(2))
    return sources.modules() if kind == MODULE else ()


def _kind_of(bracket: OpenBracket, sources: NameSources) -> str | None:
    """Returns the kind of names in a string at the cursor's argument of a call."""
    kind = kind_of_argument(bracket.callee, bracket.argument)
    if kind is None and bracket.argument == 0 and bracket.callee:
        client = bracket.callee.removesuffix(".aio").removesuffix(".request")
        if type(_resolve(client, sources)) in _client_functions():
            return SERVER
    return kind


def _client_functions() -> tuple[type, ...]:
    """Returns the types of the client functions of servers; none, if no server is defined."""
    module: Any = sys.modules.get("pyx.otp.client_functions")
    return () if module is None else (module.CallClient, module.CastClient)
