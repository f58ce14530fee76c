"""Signatures and docstrings as `h()`, `i()` and `exports()` show them."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

from pyx.shell.wrapping import indented_docstring


def public_members(owner: Any) -> list[tuple[str, Any]]:
    """Returns the names and functions of the public callables that a module or class itself defines."""
    listed = vars(owner).get("__all__")
    found: list[tuple[str, Any]] = []
    for name, item in sorted(vars(owner).items()):
        function = item.__func__ if isinstance(item, (staticmethod, classmethod)) else item
        if not callable(function) or name.startswith("_") or (listed is not None and name not in listed):
            continue
        home = getattr(function, "__module__", None)
        if isinstance(owner, ModuleType) and listed is None and home != owner.__name__:
            continue
        found.append((name, function))
    return found


def signature(function: Any) -> str:
    """Returns the parameters without annotations, `"(dest, message)"`; `"(...)"` if they are not known."""
    try:
        found = inspect.signature(function)
    except (TypeError, ValueError):
        return "(...)"
    bare = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in found.parameters.values()]
    return str(found.replace(parameters=bare, return_annotation=inspect.Signature.empty))


def summary(thing: Any) -> str:
    """Returns the first paragraph of the docstring, on one line."""
    text = inspect.getdoc(thing) or ""
    return text.split("\n\n", 1)[0].replace("\n", " ").strip()


def docstring(thing: Any, columns: int) -> str:
    """Returns the docstring, indented and filled to *columns*."""
    return indented_docstring(inspect.getdoc(thing) or "no documentation", columns)
