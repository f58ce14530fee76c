"""What is known of an expression without running code: its value, or the class of its value.

Names are read from the `__dict__`s of instances, classes and modules through the descriptors of `object` and
`type` themselves, so no property, `__dir__`, `__getattr__`, `__class__` or metaclass is called.  Nothing is
imported.
"""

from __future__ import annotations

import ast
from types import FunctionType, GetSetDescriptorType, LambdaType, MemberDescriptorType, ModuleType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pyx.execution.syntax_trees import expression_tree
from pyx.introspection import class_dict, class_mro, is_class
from pyx.shell.documentation import client_of
from pyx.shell.partial_values import UNKNOWN, BoundFunction, InstanceOf, class_of
from pyx.shell.prompt_names import LATE_NAMES, late_names
from pyx.shell.return_types import return_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


def _none_loaded(_: str) -> None:
    return None


def _none_of(_: str) -> Iterable[str]:
    return ()


class NameSources(NamedTuple):
    """The names to choose from; the functions are called only when their names are needed."""

    names: Mapping[str, Any]
    lower: Mapping[str, Any]
    modules: Callable[[], Iterable[str]] = tuple
    nodes: Callable[[], Iterable[str]] = tuple
    registered: Callable[[], Iterable[str]] = tuple
    loaded: Callable[[str], ModuleType | None] = _none_loaded
    children: Callable[[str], Iterable[str]] = _none_of
    """The ids of the children of a supervisor."""
    topics: Callable[[], Iterable[str]] = tuple
    instances: Callable[[str], Iterable[str]] = _none_of
    """The instances of `"pubsub"`, or of `"presence"`."""


def known_value(source: str, sources: NameSources) -> object:
    """Returns the value of an expression, an `InstanceOf` its class, a `BoundFunction`, or `UNKNOWN`."""
    try:
        node = expression_tree(f"({source}\n)").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return UNKNOWN
    try:
        return _walk(node, sources)
    except RecursionError:
        return UNKNOWN


def _walk(node: ast.expr, sources: NameSources) -> object:
    match node:
        case ast.Name(id=name):
            return _named(name, sources)
        case ast.Attribute(value=inner, attr=name):
            return _attribute(_walk(inner, sources), name)
        case ast.Subscript(value=inner, slice=ast.Constant(value=key)):
            return _item(_walk(inner, sources), key)
        case ast.Subscript(value=inner, slice=ast.Slice()):
            owner = _walk(inner, sources)
            return InstanceOf(class_of(owner)) if class_of(owner) in _SLICED else UNKNOWN
        case ast.Call(func=function):
            kind = return_type(_walk(function, sources), _walk_receiver(function, sources))
            return UNKNOWN if kind is None else InstanceOf(kind)
        case ast.Constant(value=constant):
            return UNKNOWN if constant is ... else constant
        case ast.List() | ast.Tuple() | ast.Set() | ast.Dict():
            try:
                return ast.literal_eval(node)
            except (ValueError, TypeError, MemoryError):  # names in it; an unhashable item
                return InstanceOf(_OF_NODE[type(node)])
        case _:
            kind = _OF_NODE.get(type(node))
            return UNKNOWN if kind is None else InstanceOf(kind)


_SLICED: Final = frozenset({str, bytes, list, tuple})
_OF_NODE: Final[dict[type[ast.expr], type]] = {
    ast.List: list,
    ast.ListComp: list,
    ast.Tuple: tuple,
    ast.Set: set,
    ast.SetComp: set,
    ast.Dict: dict,
    ast.DictComp: dict,
    ast.JoinedStr: str,
    ast.Lambda: LambdaType,
}


def _named(name: str, sources: NameSources) -> object:
    found = sources.names.get(name, sources.lower.get(name, UNKNOWN))
    if found is UNKNOWN and name in LATE_NAMES:
        return late_names([name])[name]  # as a statement that reads it would
    if found is UNKNOWN and (module := sources.loaded(name)) is not None:
        return module  # a statement that reads the name binds it
    return found


def _walk_receiver(function: ast.expr, sources: NameSources) -> object:
    """Returns the value whose method is called; UNKNOWN if a plain name is."""
    return _walk(function.value, sources) if isinstance(function, ast.Attribute) else UNKNOWN


# ---------------------------------------------------------------- the names of an object, and their values

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


def attribute_names(value: object) -> list[str]:
    """Returns the names of the attributes of a known value; of a class none of its metaclass `type`."""
    if type(value) is BoundFunction:
        value = value.function
    kinds = [kind for kind in class_mro(class_of(value)) if not (is_class(value) and kind is type)]
    return [name for name, _ in _own_attributes(value)] + [name for name, _ in _in_classes(kinds)]


def _own_attributes(value: object) -> list[tuple[str, Any]]:
    """Returns (name, value in its dict) pairs of a class with its bases, or of an instance."""
    if value is UNKNOWN or type(value) is InstanceOf:
        return []
    if is_class(value):
        return _in_classes(class_mro(value))
    own = _own_dict(value)
    return [] if own is None else [(name, item) for name, item in list(own.items()) if type(name) is str]


def _in_classes(kinds: Iterable[type]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for kind in kinds:
        found += list(class_dict(kind).items())
    return [(name, item) for name, item in found if type(name) is str]


def _attribute(value: object, wanted: str) -> object:
    if value is UNKNOWN:
        return UNKNOWN
    if type(value) is BoundFunction:
        value = value.function
    for name, item in _own_attributes(value):
        if name == wanted:
            return _read(value, item, is_own=True)
    for name, item in _in_classes(class_mro(class_of(value))):
        if name == wanted:
            return _read(value, item, is_own=False)
    return UNKNOWN


def _read(value: object, item: Any, *, is_own: bool) -> object:
    """Returns what reading an attribute returns.

    Args:
        value: whose attribute it is.
        item: as it is in a `__dict__`.
        is_own: it is that of the value, or of a base of the class that the value is.
    """
    kind = type(item)
    if kind is MemberDescriptorType and not is_own and type(value) is not InstanceOf:
        try:
            return item.__get__(value)
        except (AttributeError, TypeError):
            return UNKNOWN
    if kind is staticmethod:
        return item.__func__
    if kind is classmethod:
        return BoundFunction(item.__func__) if type(item.__func__) is FunctionType else UNKNOWN
    if kind is FunctionType and not is_own:
        return BoundFunction(item)
    if kind in _METHODS_OF_C:
        return item
    if is_class(value) and (client := client_of(item)) is not None:
        return client
    hooked = any("__get__" in class_dict(base) for base in class_mro(kind))
    return item if kind is FunctionType or not hooked else UNKNOWN


_METHODS_OF_C: Final = (type(str.upper), type(str.__len__), type(dict.__dict__["fromkeys"]))


def _item(value: object, key: object) -> object:
    if type(value) in {list, tuple} and type(key) is int:
        sequence: Any = value
        return sequence[key] if -len(sequence) <= key < len(sequence) else UNKNOWN
    if type(value) is dict and type(key) in {str, int}:
        for own, item in list(value.items()):  # not by `value[key]`: that calls the keys' own __eq__
            if type(own) is type(key) and own == key:
                return item
    if class_of(value) is str and type(key) is int:
        return InstanceOf(str)
    if class_of(value) is bytes and type(key) is int:
        return InstanceOf(int)
    return UNKNOWN
