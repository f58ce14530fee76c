"""Functions and classes by name, both ways.  Not here: what is done with a name that leads nowhere.

A name is looked up in modules already loaded and in the `__dict__`s below them, never by `getattr`: a
module's `__getattr__`, a metaclass or a descriptor is somebody's code, and a name may come from a hostile
payload.
"""

from __future__ import annotations

import sys
from types import BuiltinFunctionType, FunctionType, MethodDescriptorType, MethodType, ModuleType
from typing import Any, Final

from pyx.errors import EncodeError
from pyx.terms import FunctionName

# The C descriptors themselves: asking them runs nothing of the object's.
_module_dict: Final = ModuleType.__dict__["__dict__"].__get__  # type: ignore[index]
class_dict: Final = type.__dict__["__dict__"].__get__
class_mro: Final = type.__dict__["__mro__"].__get__
_class_module: Final = type.__dict__["__module__"].__get__
_class_qualname: Final = type.__dict__["__qualname__"].__get__
_class_short_name: Final = type.__dict__["__name__"].__get__

_CALLABLES: Final = (FunctionType, BuiltinFunctionType, MethodDescriptorType)


_EXPORT: Final = "__pyx_export__"


def export(function: FunctionType) -> None:
    """Marks a function as one that peers may call under `--rpc exported`.

    The mark is the function itself: `functools.wraps` copies it onto a wrapper, which is not marked by that.
    """
    function.__dict__[_EXPORT] = function


def is_exported(value: object) -> bool:
    """True for a function that is marked."""
    return type(value) is FunctionType and value.__dict__.get(_EXPORT) is value


class Unsendable(Exception):
    """Why a value is not data; `refusal`, which knows its path, makes the `EncodeError`.

    Args:
        problem: the end of a sentence that begins with the value.
        hint: what to do about it.
    """

    def __init__(self, problem: str, hint: str | None = None) -> None:
        self.hint = hint
        super().__init__(problem)


def is_class(value: object) -> bool:
    """True for a class; unlike `isinstance`, blind to a `__class__` that lies."""
    return issubclass(type(value), type)


def type_name(value: object) -> str:
    """The name of a value's class, for a sentence; read without the metaclass, which may have code for it."""
    name: str = _class_short_name(type(value))
    return name


def is_function(value: object) -> bool:
    """True for what can travel as a function: a plain one, a builtin, a method taken from its class."""
    return any(type(value) is each for each in _CALLABLES)  # `in` would ask the class's metaclass


def class_name(cls: type) -> tuple[str, str]:
    """Module and qualified name of a class, as it says itself."""
    module, qualname = _class_module(cls), _class_qualname(cls)
    if type(module) is not str or type(qualname) is not str:
        raise Unsendable("belongs to no module")
    return module, qualname


def find(module: str, qualname: str) -> Any:
    """The object of that name in the modules already loaded; None where there is none."""
    found: Any = None
    names = module_dict(module)
    for part in qualname.split("."):
        if names is None or part not in names:
            return None
        found = names[part]
        names = class_dict(found) if is_class(found) else None
    return found.__func__ if type(found) is staticmethod else found


def module_dict(module: str) -> dict[str, Any] | None:
    """The names in a loaded module; None where there is none of that name."""
    home = sys.modules.get(module)
    if home is None or not issubclass(type(home), ModuleType):
        return None
    names: dict[str, Any] = _module_dict(home)
    return names


def name_of(value: Any) -> tuple[str, str]:
    """The name under which every node that has the module finds this function or class.

    Raises:
        Unsendable: there is none, and why.
    """
    if type(value) is FunctionName:
        return value.module, value.name
    if is_class(value):
        module, qualname = class_name(value)
    elif type(value) is FunctionType:
        module, qualname = value.__module__, value.__qualname__
    elif type(value) is MethodDescriptorType:
        module, qualname = _class_module(value.__objclass__), value.__qualname__
    elif type(value) is BuiltinFunctionType and type(value.__self__) is ModuleType:
        module, qualname = value.__module__, value.__qualname__
    elif type(value) is MethodType or type(value) is BuiltinFunctionType:
        raise Unsendable("is bound to an object, and travels only by name: send the object and the name")
    else:
        raise Unsendable("is no function that has a name")
    if type(module) is not str or type(qualname) is not str:
        raise Unsendable("belongs to no module, and functions travel by name")
    if "<lambda>" in qualname:
        raise Unsendable("is a lambda, and functions travel by name: use a `def` at the top of a module")
    if "<locals>" in qualname:
        raise Unsendable(
            "is defined inside a function, and functions travel by name: move it to the top of a module"
        )
    if find(module, qualname) is not value:
        raise not_found(module, qualname, "travels by name")
    return module, qualname


def not_found(module: str, qualname: str, travels: str) -> Unsendable:
    """Why what has that name cannot be sent: the name leads elsewhere, or nowhere.

    Args:
        module: the module where it says it is.
        qualname: its name there.
        travels: what the name is for, as the beginning of the sentence.
    """
    if "<locals>" in qualname:
        problem = f"{travels}, and {module}.{qualname} stands inside a function"
        return Unsendable(problem, "move it to the top of a module")
    if find(module, qualname) is None:
        if module == "builtins":
            return Unsendable(f"{travels}, and {module}.{qualname} is not there", "send its name as a str")
        hint = "define it at the top of a module, under the name that it has itself"
        return Unsendable(f"{travels}, and {module}.{qualname} is not there", hint)
    hint = "it was defined anew: make the object again from what has the name now"
    return Unsendable(f"{travels}, and {module}.{qualname} is another object now", hint)


def name_of_callable(function: object) -> tuple[str, str]:
    """The (module, qualified name) by which a function or class travels.

    A `FunctionName` gives the name it holds.  A name in `__main__` is given, but resolves on no other node.

    Raises:
        EncodeError: it has no such name (a lambda, a function inside a function, a bound method); says why.
    """
    try:
        return name_of(function)
    except Unsendable as why:
        raise EncodeError("function", function, str(why), hint=why.hint) from None
