"""Runs what peers ask for: finds the function by its names, and makes its end an answer.

OTP's `rex` (remote execution) server, but without a server: every call is a process of its own, so one slow
call stops nobody.  Not here: who may call (the gate in `core`), or how the answer travels.
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

_FACES: Final = {
    "Node": ("pyx.node", "Node"),
    "Process": ("pyx.process", "Process"),
    "rpc": ("pyx.rpc", None),
}
"""The names of pyx's own faces, as a prompt knows them: `rpc.call(node, "Node", "list")` works everywhere."""


def mark(function: Callable[..., Any]) -> None:
    """Lets peers call *function* under `--rpc exported`.

    Raises:
        TypeError: it is no function (a class, say, whose subclasses would be marked by accident).
    """
    if type(function) is not FunctionType:
        msg = f"only a plain function can be exported, not {function!r}"
        raise TypeError(msg)
    export(function)


def find_marked(module: str, function: str) -> Callable[..., Any] | None:
    """The function of that name, if it is marked; nothing is imported for the answer, and no code runs."""
    found = find_loaded(module, function) if module != "__main__" else None
    return found if is_exported(found) else None


def find(module: str, function: str) -> Callable[..., Any]:
    """The function of that name, its module imported if need be.

    Raises:
        UndefinedFunction: the module of that very name, or the attribute, is missing.
        Exception: whatever the module itself raises while it is imported, ImportError included.
    """
    face = _FACES.get(module)
    found: Any
    if face is not None:
        found = importlib.import_module(face[0])
        if face[1] is not None:
            found = getattr(found, face[1])
    else:
        found = _import(module)
    for name in function.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            raise UndefinedFunction(module, function) from None
    if not callable(found):
        raise UndefinedFunction(module, function)
    return found  # type: ignore[no-any-return]


def _import(module: str) -> Any:
    if not module or module == "__main__" or not all(part.isidentifier() for part in module.split(".")):
        # `__main__` is the peer's prompt or script: its names mean nothing here.
        raise UndefinedFunction(module, None)
    if module not in sys.modules:
        importlib.invalidate_caches()  # a file saved a moment ago is there
    try:
        # Also where it is loaded: another process may be importing it, and has only half of it so far.
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # Only the module itself (or the package it should be in) counts as missing, not what it imports.
        if error.name is not None and (module == error.name or module.startswith(f"{error.name}.")):
            raise UndefinedFunction(module, None) from None
        raise


def is_coroutine_function(function: Callable[..., Any]) -> bool:
    """True if calling *function* gives a coroutine, so it belongs on the process loop."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(type(function), "__call__", None)  # noqa: B004 - an object with an `async def __call__`
    )


def initial_call(function: Callable[..., Any], arguments: int) -> tuple[str, str, int]:
    """(module, function, number of arguments): what `Process.info` shows as `initial_call`."""
    module = getattr(function, "__module__", None) or "builtins"
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    return str(module), str(name), arguments
