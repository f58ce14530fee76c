"""Functions that a call names, or whose source it brings: found for it, if the policy on peers' code allows.

The one place where a function of a peer's choice becomes something that can be called: by `rpc`, by
`Node.spawn`, and by what OTP's behaviours run for peers.  See `core/policy.py` for the policies.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from pyx.core.policy import allows
from pyx.errors import RpcRefused
from pyx.runtime import rpc_functions
from pyx.signals import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pyx.core.tables import Tables
    from pyx.terms import Incarnation


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
        Exception: see `rpc_functions.find` and `arrived_functions.unpacked`.
    """
    found = check_choice(tables, origin, module, function, has_source=source is not None)
    if source is not None:
        from pyx.runtime.arrived_functions import unpacked  # few processes start so

        found = unpacked(source, origin.name if origin is not None else "")
    return functools.partial(found or rpc_functions.find(module, function), *args, **(kwargs or {}))


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
    marked = None if has_source else rpc_functions.find_marked(module, function)
    if not allows(tables.policy, Call, marked=marked is not None):
        raise RpcRefused(tables.name, tables.policy, has_no_module=has_source)
    return marked
