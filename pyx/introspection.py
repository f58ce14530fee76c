"""Reads classes, modules and values without running their code: for encoding, decoding and completion.

`getattr`, `vars` and `isinstance` may call a metaclass, a descriptor, a module's `__getattr__` or a
`__class__` property.  The C descriptors of `type` and `ModuleType`, called directly, read the same slots and
run nothing.
"""

from __future__ import annotations

import builtins
import sys
from types import FunctionType, GetSetDescriptorType, ModuleType
from typing import Any, Final

class_dict: Final = type.__dict__["__dict__"].__get__
"""Returns the `__dict__` of a class."""
class_mro: Final = type.__dict__["__mro__"].__get__
class_module: Final = type.__dict__["__module__"].__get__
class_qualname: Final = type.__dict__["__qualname__"].__get__
class_flags: Final = type.__dict__["__flags__"].__get__
"""Returns the `tp_flags` of a class, whose bits are named `Py_TPFLAGS_...` in CPython's `object.h`."""
class_dict_offset: Final = type.__dict__["__dictoffset__"].__get__
"""Returns 0 for a class whose instances have no `__dict__`."""
attributes_of_module: Final = ModuleType.__dict__["__dict__"].__get__  # type: ignore[index]
"""Returns the `__dict__` of a module."""

NAMES_OF_PYTHON: Final = frozenset(vars(builtins)) - {"_"}
"""The names in `builtins` that each Python has; prompts and programs add others, as `_`."""

_class_short_name: Final = type.__dict__["__name__"].__get__
_HEAP_TYPE: Final = 1 << 9


def is_class(value: object) -> bool:
    """Returns True for a class; unlike `isinstance(value, type)`, ignores the `__class__` of an object."""
    return issubclass(type(value), type)


def is_builtin(cls: Any) -> bool:
    """Returns True for a static type of C, such as `object` or `list`, and False for one made by `class`."""
    return not class_flags(cls) & _HEAP_TYPE


def type_name(value: object) -> str:
    """Returns the `__name__` of the class of *value*."""
    name: str = _class_short_name(type(value))
    return name


def definer(mro: tuple[type, ...], name: str) -> type | None:
    """Returns the first class of an MRO whose `__dict__` has *name*; None if none has."""
    return next((cls for cls in mro if name in class_dict(cls)), None)


def class_attribute(mro: tuple[type, ...], name: str) -> Any:
    """Returns the raw attribute *name*, before any `__get__`; None if no class of the MRO has it."""
    cls = definer(mro, name)
    return None if cls is None else class_dict(cls)[name]


def is_built_only_on(mro: tuple[type, ...], *builtins: type) -> bool:
    """Returns True if the builtin classes of an MRO are all among *builtins*."""
    return all(not is_builtin(cls) or cls in builtins for cls in mro)


def instance_dict_descriptor(mro: tuple[type, ...]) -> GetSetDescriptorType | None:
    """Returns the C descriptor that reads the `__dict__` of instances; None if they have none."""
    found = (class_dict(cls).get("__dict__") for cls in reversed(mro))
    return next((each for each in found if type(each) is GetSetDescriptorType), None)


def module_dict(module: str) -> dict[str, Any] | None:
    """Returns the `__dict__` of a loaded module; None if no module of that name is loaded."""
    loaded = sys.modules.get(module)
    if loaded is None or not issubclass(type(loaded), ModuleType):
        return None
    names: dict[str, Any] = attributes_of_module(loaded)
    return names


def importable_name(module: str) -> str:
    """Returns the name by which other nodes find a module: for `__main__` the stem of the program's file.

    It stays `__main__` at a prompt, and where the stem is another module's name.
    """
    if module != "__main__":
        return module
    names = module_dict("__main__")
    file = names.get("__file__") if names is not None else None
    if type(file) is not str:
        return module
    stem = file.replace("\\", "/").rpartition("/")[2].partition(".")[0]
    return stem if module_dict(stem) is names else module


REMOTE_SHELL: Final = "remsh_"
"""How the modules begin that hold what is typed in remote shells; the rest differs from node to node."""


def is_of_prompt(module: str) -> bool:
    """Returns True for a module that holds what was typed at a prompt, which no other node can import."""
    return module.startswith(REMOTE_SHELL) or importable_name(module) == "__main__"


def find_loaded(module: str, qualname: str) -> Any:
    """Returns the object with that qualified name in a loaded module; None if there is none.

    Nothing is imported.  A static method is returned as its function.
    """
    found: Any = None
    names = module_dict(module)
    for part in qualname.split("."):
        if names is None or part not in names:
            return None
        found = names[part]
        names = class_dict(found) if is_class(found) else None
    return found.__func__ if type(found) is staticmethod else found


def belongs_to_no_module(function: FunctionType) -> bool:
    """Returns True for a function whose name finds it in no module of another node.

    That is one which was typed at a prompt; in `__main__`, one that is not of a program's file.
    """
    module = function.__module__
    if type(module) is not str or module.startswith(REMOTE_SHELL):
        return True
    if module == "__main__":
        names = module_dict("__main__") or {}
        is_of_file = names.get("__file__") == function.__code__.co_filename
        if not is_of_file or importable_name("__main__") == "__main__":
            return True
    return find_loaded(module, function.__qualname__) is not function
