"""Signatures and docstrings as `h()`, `i()` and `exports()` show them."""

from __future__ import annotations

import inspect
import sys
from types import ModuleType
from typing import Any

from pyx.introspection import class_mro
from pyx.shell.wrapping import indented_docstring


def public_members(owner: Any) -> list[tuple[str, Any]]:
    """Returns the names and functions of the public callables that a module or class itself defines."""
    listed = vars(owner).get("__all__")
    found: list[tuple[str, Any]] = []
    for name, item in sorted(vars(owner).items()):
        function = item.__func__ if isinstance(item, (staticmethod, classmethod)) else client_of(item) or item
        if not callable(function) or name.startswith("_") or (listed is not None and name not in listed):
            continue
        home = getattr(function, "__module__", None)
        if isinstance(owner, ModuleType) and listed is None and home != owner.__name__:
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
    return genserver is not None and inspect.isclass(thing) and genserver.GenServer in class_mro(thing)


def signature(function: Any) -> str:
    """Returns the parameters without annotations, `"(dest, message)"`; `"(...)"` if they are not known."""
    try:
        found = inspect.signature(function)
    except (TypeError, ValueError):
        return "(...)"
    bare = [_bare(parameter) for parameter in found.parameters.values()]
    return str(found.replace(parameters=bare, return_annotation=inspect.Signature.empty))


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
    text = inspect.getdoc(thing) or ""
    return text.split("\n\n", 1)[0].replace("\n", " ").strip()


def docstring(thing: Any, columns: int) -> str:
    """Returns the docstring, indented and filled to *columns*; of a class its own, not an inherited one."""
    text = thing.__doc__ and inspect.getdoc(thing) if inspect.isclass(thing) else inspect.getdoc(thing)
    return indented_docstring(text or "no documentation", columns)


def source_of(thing: Any) -> str:
    """Returns the source of a function, class or module, and of any other value that of its class."""
    thing = getattr(thing, "__wrapped__", thing)
    is_code = inspect.isroutine(thing) or inspect.isclass(thing) or inspect.ismodule(thing)
    try:
        return inspect.getsource(thing if is_code else type(thing)).rstrip()
    except (OSError, TypeError):
        return "the source is not known"
