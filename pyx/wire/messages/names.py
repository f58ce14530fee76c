"""Functions and classes by name: the name under which one is sent, and why another has none.

Names are looked up by `find_loaded`: in modules already loaded, through `__dict__`s, because a name may come
from a hostile payload, and `getattr` would run a module's or a class's code.
"""

from __future__ import annotations

from types import BuiltinFunctionType, FunctionType, MethodDescriptorType, MethodType, ModuleType
from typing import Any, Final

from pyx.errors import EncodeError
from pyx.introspection import class_module, class_qualname, find_loaded, importable_name, is_class
from pyx.terms import FunctionName

_FUNCTIONS: Final = (FunctionType, BuiltinFunctionType, MethodDescriptorType)

ERLANG_TERMS: Final = "pyx.erlang_terms"
"""The module of terms of Erlang, which is loaded with the first of them."""

_EXPORT: Final = "__pyx_export__"

_AS_CALLED: Final = (
    "only the function that a call runs may come as source: rpc.call(node, f), Node.spawn(node, f)"
)


def export(function: FunctionType) -> None:
    """Marks a function as one that peers may call under `--rpc exported`.

    The mark is the function itself: `functools.wraps` copies it onto a wrapper, which is not marked by that.
    """
    function.__dict__[_EXPORT] = function


def is_exported(value: object) -> bool:
    """True for a function that `export` marked."""
    return type(value) is FunctionType and value.__dict__.get(_EXPORT) is value


class Unsendable(Exception):
    """Why a value is not data; `encode_errors` knows the value's path and makes the `EncodeError` of it.

    Args:
        problem: the end of a sentence that begins with the value.
        hint: what to do about it.
    """

    def __init__(self, problem: str, hint: str | None = None) -> None:
        self.hint = hint
        super().__init__(problem)


def is_function(value: object) -> bool:
    """True for a function that can travel: a plain one, a builtin, a method taken from its class."""
    return any(type(value) is each for each in _FUNCTIONS)  # `in` would ask the class's metaclass


def class_name(cls: type) -> tuple[str, str]:
    """Module and qualified name of a class, as the class states them.

    Raises:
        Unsendable: one of the two is not a str.
    """
    module, qualname = class_module(cls), class_qualname(cls)
    if type(module) is not str or type(qualname) is not str:
        raise Unsendable("belongs to no module")
    return importable_name(module), qualname


def name_of(value: Any) -> tuple[str, str]:
    """The module and qualified name under which every node that has the module finds this function or class.

    Raises:
        Unsendable: there is none; the reason.
    """
    if type(value) is FunctionName:
        return value.module, value.name
    if is_class(value):
        module, qualname = class_name(value)
    elif type(value) is FunctionType:
        module, qualname = importable_name(value.__module__), value.__qualname__
    elif type(value) is MethodDescriptorType:
        module, qualname = class_module(value.__objclass__), value.__qualname__
    elif type(value) is BuiltinFunctionType and type(value.__self__) is ModuleType:
        module, qualname = value.__module__, value.__qualname__
    elif type(value) is MethodType or type(value) is BuiltinFunctionType:
        raise Unsendable("is bound to an object, and functions travel by name: send the object and the name")
    else:
        hint = "of a partial, or of another object around a function, send the function and the arguments"
        raise Unsendable("is not a function that has a name", hint=hint)
    if type(module) is not str or type(qualname) is not str:
        raise Unsendable("belongs to no module, and functions travel by name")
    if "<lambda>" in qualname:
        problem = "is a lambda, and functions in data travel by name: use a `def` at the top of a module"
        raise Unsendable(problem, _AS_CALLED)
    if "<locals>" in qualname:
        problem = "is defined inside a function, and functions in data travel by name"
        raise Unsendable(f"{problem}: move it to the top of a module", _AS_CALLED)
    if find_loaded(module, qualname) is not value:
        raise not_found(module, qualname, "travels by name")
    return module, qualname


def not_found(module: str, qualname: str, travels: str) -> Unsendable:
    """Returns the error for an object whose name finds another object, or none.

    Args:
        module: the module that the object names as its own.
        qualname: its qualified name there.
        travels: what the name is needed for, as the beginning of the sentence.
    """
    if "<locals>" in qualname:
        problem = f"{travels}, and {module}.{qualname} is defined inside a function"
        return Unsendable(problem, "move it to the top of a module")
    if find_loaded(module, qualname) is None:
        if module == "builtins":
            return Unsendable(f"{travels}, and {module}.{qualname} does not exist", "send its name as a str")
        hint = "define it at the top of a module, under its own name"
        return Unsendable(f"{travels}, and {module}.{qualname} does not exist", hint)
    hint = "it was defined anew: make the object again from the new definition"
    return Unsendable(f"{travels}, and {module}.{qualname} is another object now", hint)


def name_of_callable(function: object) -> tuple[str, str]:
    """Returns the (module, qualified name) by which a function or class travels.

    For a `FunctionName` the name it holds.  A name in `__main__` is returned, but resolves on no other node.

    Raises:
        EncodeError: *function* has no such name (a lambda, a function inside a function, a bound method); the
            reason.
    """
    try:
        return name_of(function)
    except Unsendable as why:
        raise EncodeError("function", function, str(why), hint=why.hint) from None
