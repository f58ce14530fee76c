"""Finds the functions that peers call by module and name, and asks the policy on what they may call.

OTP has a server for that, `rex` (remote execution); here every call is a process of its own, so a slow call
delays no other.  `chosen_function` is the one place where a function of a peer's choice becomes something
that can be called: by `rpc`, by `Node.spawn`, and by what OTP's behaviours run for peers.  See
`core/policy.py` for which calls are allowed, and `lifecycle.py` for how they run.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

from pyx.core.policy import allows
from pyx.errors import RpcRefused, UndefinedFunction
from pyx.introspection import find_loaded
from pyx.signals import Call
from pyx.wire.codec import export, is_exported

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pyx.core.tables import Tables
    from pyx.terms import Incarnation

PUBLIC: Final = {
    "Node": ("pyx.node", "Node"),
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


def chosen_function(
    tables: Tables,
    origin: Incarnation | None,
    module: str,
    function: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any] | None = None,
    source: tuple[Any, ...] | None = None,
) -> functools.partial[Any]:
    """Returns a function that was named, or whose source has come, with its arguments.

    Args:
        tables: of the kernel of this node.
        origin: the node that encoded the request, as the receipt of its bytes says; None for this one.
        module: of the function.
        function: its name; dots lead into classes.
        args: the arguments by position.
        kwargs: those by name.
        source: of a function that belongs to no module: see `travelling_functions.py`.

    Raises:
        RpcRefused: a peer chose it, and the policy forbids that.
        Exception: see `find` and `arrived_functions.unpacked`.
    """
    found = check_choice(tables, origin, module, function, has_source=source is not None)
    if source is not None:
        from pyx.runtime.arrived_functions import unpacked  # few processes start so

        found = unpacked(source, origin.name if origin is not None else "")
    return functools.partial(found or find(module, function), *args, **(kwargs or {}))


def check_choice(
    tables: Tables, origin: Incarnation | None, module: str, function: str, *, has_source: bool
) -> Callable[..., Any] | None:
    """Returns a function that a peer named and that is marked `@rpc.export`; None for any other choice.

    It imports nothing and runs no code of the user's.

    Args:
        tables: of the kernel of this node.
        origin: of the request, as in `chosen_function`.
        module: of the function.
        function: its name.
        has_source: the function has come as source.

    Raises:
        RpcRefused: a peer chose it, and the policy forbids that.
    """
    if origin is None:
        return None
    marked = None if has_source else find_marked(module, function)
    if not allows(tables.policy, Call, marked=marked is not None):
        raise RpcRefused(tables.name, tables.policy, has_no_module=has_source)
    return marked


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
