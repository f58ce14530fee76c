"""The class of what a call returns, where an annotation or the called thing itself tells it."""

from __future__ import annotations

import sys
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    GenericAlias,
    MethodDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any, Final

from pyx.introspection import class_dict, class_mro, is_builtin, is_class, module_dict
from pyx.shell.partial_values import BoundFunction, class_of, function_of_helper

_BUILTINS: Final[dict[str, type]] = {
    **dict.fromkeys(("ascii", "bin", "chr", "format", "hex", "input", "oct", "repr"), str),
    **dict.fromkeys(("hash", "id", "len", "ord"), int),
    **dict.fromkeys(("all", "any", "callable", "hasattr", "isinstance", "issubclass"), bool),
    **dict.fromkeys(("dir", "sorted"), list),
    **dict.fromkeys(("globals", "locals"), dict),
}
"""The functions of `builtins` that always return an instance of one class."""

_SAME: Final = (
    "capitalize casefold center expandtabs join ljust lower lstrip removeprefix removesuffix replace rjust"
    " rstrip strip swapcase title translate upper zfill"
)
_OF_TEXT: Final[dict[str, type]] = {
    **dict.fromkeys(("split", "rsplit", "splitlines"), list),
    **dict.fromkeys(("partition", "rpartition"), tuple),
    **dict.fromkeys(("count", "find", "index", "rfind", "rindex"), int),
    **dict.fromkeys(("startswith", "endswith", "isalpha", "isdigit", "isspace", "isupper", "islower"), bool),
}
_METHODS: Final[dict[type, dict[str, type]]] = {
    str: {
        **dict.fromkeys(_SAME.split(), str),
        **_OF_TEXT,
        **dict.fromkeys(("format", "format_map"), str),
        "encode": bytes,
        "isidentifier": bool,
    },
    bytes: {**dict.fromkeys(_SAME.split(), bytes), **_OF_TEXT, "decode": str, "hex": str},
    list: {"copy": list, "count": int, "index": int},
    dict: {"copy": dict},
    tuple: {"count": int, "index": int},
    set: dict.fromkeys(("copy", "union", "intersection", "difference"), set),
    int: {"bit_length": int, "to_bytes": bytes},
    float: {"hex": str, "is_integer": bool},
}
"""Class -> method -> the class of what it returns."""


def return_type(function: object, receiver: object) -> type | None:
    """Returns the class of what a call returns; None if it is not known without running code.

    Args:
        function: the called thing; a `BoundFunction` for a function with a first argument.
        receiver: the value, or `InstanceOf` its class, whose attribute the function was read from.
    """
    if type(function) is BoundFunction:
        function = function.function
    if type(function) is FunctionType:
        return None if _is_coroutine_or_generator(function.__code__) else _annotated(function)
    if type(function) is MethodType and type(function.__func__) is FunctionType:
        return return_type(function.__func__, receiver)
    if type(function) is BuiltinFunctionType and function.__module__ == "builtins":
        return _BUILTINS.get(function.__name__)
    if type(function) is MethodDescriptorType and not is_class(receiver):
        return _METHODS.get(class_of(receiver), {}).get(function.__name__)
    helper = function_of_helper(function)
    if helper is not None:
        return return_type(helper, receiver)
    return function if is_class(function) and _makes_instances(function) else None  # type: ignore[return-value]


def _makes_instances(kind: Any) -> bool:
    """Returns True if a call of the class returns an instance of it: no user's `__new__` or metaclass."""
    if type(kind) is not type or kind is type:
        return False
    maker = next(base for base in class_mro(kind) if "__new__" in class_dict(base))
    return is_builtin(maker)


def _is_coroutine_or_generator(code: CodeType) -> bool:
    return bool(code.co_flags & (0x20 | 0x80 | 0x200))  # CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR


def _annotated(function: FunctionType) -> type | None:
    """Returns the class that a function's `->` names."""
    if sys.version_info >= (3, 14) and not _has_text_annotations(function):
        return None  # Python would run the annotations now
    annotations = function.__annotations__
    annotation = annotations.get("return") if type(annotations) is dict else None
    if type(annotation) is str:
        annotation = _class_named(annotation, function)
    if type(annotation) is GenericAlias:  # list[int]
        annotation = annotation.__origin__
    return annotation if is_class(annotation) else None


def _has_text_annotations(function: FunctionType) -> bool:
    """Returns True if the annotations are texts: `from __future__ import annotations`."""
    return bool(function.__code__.co_flags & 0x1000000)  # CO_FUTURE_ANNOTATIONS


def _class_named(text: str, function: FunctionType) -> object:
    """Returns what a dotted name means in the module of *function*, `list` for `list[int]`; else None."""
    first, *rest = text.partition("[")[0].split(".")
    names: dict[str, Any] = function.__globals__
    if type(names) is not dict:
        return None
    below = module_dict("builtins") or {}
    found = names.get(first, below.get(first, sys.modules["builtins"] if first == "builtins" else None))
    if found is None and names.get("__package__") in {"pyx", "pyx.otp"}:  # only imported for type checkers
        found = (module_dict("pyx.terms") or {}).get(first)
    for name in rest:
        if type(found) is not ModuleType:
            return None
        found = found.__dict__.get(name)
    return found
