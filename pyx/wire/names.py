"""Functions and classes by name, both ways.  Not here: what is done with a name that leads nowhere.

A name is looked up in modules already loaded and in the `__dict__`s below them, never by `getattr`: a
module's `__getattr__`, a metaclass or a descriptor is somebody's code, and a name may come from a hostile
letter.
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


class Unsendable(Exception):
    """Why a value is no data; whoever knows its path makes the `EncodeError`."""


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
    home = sys.modules.get(module)
    if home is None or not issubclass(type(home), ModuleType):
        return None
    found: Any = None
    names = _module_dict(home)
    for part in qualname.split("."):
        if names is None or part not in names:
            return None
        found = names[part]
        names = class_dict(found) if is_class(found) else None
    return found.__func__ if type(found) is staticmethod else found


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
    if (found := find(module, qualname)) is not value:
        state = "is not there" if found is None else "is another object now"
        raise Unsendable(f"travels by name, and {module}.{qualname} {state}")
    return module, qualname


def name_of_callable(function: object) -> tuple[str, str]:
    """The (module, qualified name) by which a function or class travels.

    A `FunctionName` gives the name it holds.  A name in `__main__` is given, but resolves on no other node.

    Raises:
        EncodeError: it has no such name (a lambda, a function inside a function, a bound method); says why.
    """
    try:
        return name_of(function)
    except Unsendable as why:
        raise EncodeError("function", function, str(why)) from None
