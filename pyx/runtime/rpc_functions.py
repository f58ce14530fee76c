"""Finds the functions that peers call by module and name.

OTP has a server for that, `rex` (remote execution); here every call is a process of its own, so a slow call
delays no other.  See `core/policy.py` for which calls are allowed, and `lifecycle.py` for how they run.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

from pyx.errors import UndefinedFunction
from pyx.introspection import find_loaded
from pyx.wire.codec import export, is_exported

if TYPE_CHECKING:
    from collections.abc import Callable

PUBLIC: Final = {
    "Node": ("pyx.nodes", "Node"),
    "Process": ("pyx.process", "Process"),
    "rpc": ("pyx.rpc", None),
}
"""The public names of a prompt, so that `rpc.call(node, "Node", "list")` works everywhere."""


def mark(function: Callable[..., Any]) -> None:
    """Lets peers call *function* under `--rpc exported`.

    Raises:
        TypeError: it is not a function (a class, say, whose subclasses would be marked by accident).
    """
    if type(function) is not FunctionType:
        msg = f"only a plain function can be exported, not {function!r}"
        raise TypeError(msg)
    export(function)


def find_marked(module: str, function: str) -> Callable[..., Any] | None:
    """Returns the function of that name if it is marked, else None; imports nothing and runs no code."""
    found = find_loaded(module, function) if module != "__main__" else None
    return found if is_exported(found) else None


def find(module: str, function: str) -> Callable[..., Any]:
    """Returns the function of that name; imports its module if need be.

    Raises:
        UndefinedFunction: that very module, or the attribute, is missing.
        Exception: the import of the module failed; ImportError included.
    """
    public = PUBLIC.get(module)
    found: Any
    if public is not None:
        found = importlib.import_module(public[0])
        if public[1] is not None:
            found = getattr(found, public[1])
    else:
        found = find_module(module)
    for name in function.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            raise UndefinedFunction(module, function) from None
    if not callable(found):
        raise UndefinedFunction(module, function)
    return found  # type: ignore[no-any-return]


def find_module(module: str) -> Any:
    """Returns the module of that name; imports it if need be.  Raises as `find`."""
    if not module or module == "__main__" or not all(part.isidentifier() for part in module.split(".")):
        # `__main__` is the prompt or script of the peer, whose names this node does not have.
        raise UndefinedFunction(module, None)
    if module not in sys.modules:
        importlib.invalidate_caches()  # finds a file that was saved a moment ago
    try:
        # Also where it is loaded: another process may be in the middle of importing it.
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # Only the module itself (or the package it should be in) counts as missing, not what it imports.
        if error.name is not None and (module == error.name or module.startswith(f"{error.name}.")):
            raise UndefinedFunction(module, None) from None
        raise


def is_coroutine_function(function: Callable[..., Any]) -> bool:
    """True if calling *function* returns a coroutine, which belongs on the process loop."""
    if type(function) is FunctionType and function.__code__.co_flags & inspect.CO_COROUTINE:
        return True  # the most frequent case, without the six calls below
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(type(function), "__call__", None)  # noqa: B004 - an object with an `async def __call__`
    )


def initial_call(function: Callable[..., Any], arguments: int) -> tuple[str, str, int]:
    """Returns (module, function, number of arguments), as `Process.info` shows it."""
    module = getattr(function, "__module__", None) or "builtins"
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    return str(module), str(name), arguments
