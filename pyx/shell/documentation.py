"""Signatures and docstrings as `h()`, `i()` and `exports()` show them.

Names, docstrings and signatures may be computed by the code of the thing that is explained: what that code
raises, or returns that is not a text, leaves the entry out, and never ends the explanation.
"""

from __future__ import annotations

import inspect
import sys
from types import ModuleType
from typing import Any

from pyx.introspection import class_dict, class_mro, is_class, type_name
from pyx.shell.wrapping import indented_docstring


def public_members(owner: Any) -> list[tuple[str, Any]]:
    """Returns the names and functions of the public callables that a module or class itself defines."""
    members = class_dict(owner) if is_class(owner) else vars(owner)
    listed = members.get("__all__")
    found: list[tuple[str, Any]] = []
    for name, item in sorted(members.items()):
        function = item.__func__ if type(item) in {staticmethod, classmethod} else client_of(item) or item
        if not callable(function) or name.startswith("_") or (listed is not None and name not in listed):
            continue
        is_module = issubclass(type(owner), ModuleType)
        if is_module and listed is None and home_of(function) != members.get("__name__"):
            continue
        found.append((name, function))
    return found


def client_of(item: Any) -> Any:
    """Returns the client function that an attribute of a server's class is; None for other attributes."""
    handle: Any = sys.modules.get("pyx.otp.handle")  # loaded by the first server
    return item.client if handle is not None and type(item) is handle.Handler else None


def is_server_class(thing: Any) -> bool:
    """Returns True for a class of servers."""
    genserver: Any = sys.modules.get("pyx.otp.genserver")
    return genserver is not None and is_class(thing) and genserver.GenServer in class_mro(thing)


def name_of(thing: Any) -> str:
    """Returns the qualified name of a class, function or module, and of any other value that of its class."""
    for name in ("__qualname__", "__name__"):
        found = _text_attribute(thing, name)
        if found:
            return found
    return type_name(thing)


def home_of(thing: Any) -> str:
    """Returns the name of the module in which a thing was defined; `""` if it has none."""
    return _text_attribute(thing, "__module__")


def _text_attribute(thing: Any, name: str) -> str:
    try:
        found = getattr(thing, name, "")
    except Exception:  # the thing's own code
        return ""
    return found if type(found) is str else ""


def signature(function: Any) -> str:
    """Returns the parameters without annotations, `"(dest, message)"`; `"(...)"` if they are not known."""
    try:
        found = inspect.signature(function)
        bare = [_bare(parameter) for parameter in found.parameters.values()]
        return str(found.replace(parameters=bare, return_annotation=inspect.Signature.empty))
    except Exception:  # besides those of `inspect`, of a `__signature__`, or of the repr of a default
        return "(...)"


def _bare(parameter: inspect.Parameter) -> inspect.Parameter:
    default = _DOTS if parameter.default is ... else parameter.default
    return parameter.replace(annotation=inspect.Parameter.empty, default=default)


class _Dots:
    """A default value that prints as it is written."""

    def __repr__(self) -> str:
        return "..."


_DOTS = _Dots()


def summary(thing: Any) -> str:
    """Returns the first paragraph of the docstring, on one line."""
    try:
        text = inspect.getdoc(thing) or ""
    except Exception:  # of a `__doc__` that is code
        return ""
    return text.split("\n\n", 1)[0].replace("\n", " ").strip()


def docstring(thing: Any, columns: int) -> str:
    """Returns the docstring, indented and filled to *columns*; of a class its own, not an inherited one."""
    try:
        text = thing.__doc__ and inspect.getdoc(thing) if is_class(thing) else inspect.getdoc(thing)
    except Exception as error:  # of a `__doc__` that is code
        text = f"no documentation: reading it raised {type_name(error)}"
    return indented_docstring(text or "no documentation", columns)


def source_of(thing: Any) -> str:
    """Returns the source of a function, class or module, and of any other value that of its class."""
    try:
        thing = getattr(thing, "__wrapped__", thing)
        is_code = inspect.isroutine(thing) or is_class(thing) or inspect.ismodule(thing)
        return inspect.getsource(thing if is_code else type(thing)).rstrip()
    except Exception:  # besides those of `inspect`, of the thing's own code
        return "the source is not known"
