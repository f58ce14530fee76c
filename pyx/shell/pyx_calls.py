"""Calls of pyx's own functions on another node, for remote shells, `--rpc-eval`, `ps` and `top`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyx import rpc
from pyx.errors import RpcError, RpcRefused, RpcUndefined
from pyx.runtime.local_node import this_node

if TYPE_CHECKING:
    from collections.abc import Sequence


def call_pyx(
    node: str, module: str, function: str, args: Sequence[Any] = (), timeout: float | None = None
) -> Any:
    """Calls a function of pyx on *node*, and returns its value.

    Args:
        node: a node name.
        module: of pyx, by its whole name.
        function: of the module.
        args: of the function.
        timeout: seconds; None waits for ever.

    Raises:
        RpcRefused: the node does not run with `--rpc open`.
        RpcError: the node cannot be reached, does not answer in time, or is an Erlang node.
    """
    try:
        return rpc.call(node, module, function, args, timeout)
    except RpcRefused as error:
        raise RpcRefused(error.node, error.policy, any_code=True) from None
    except RpcUndefined as error:
        if not this_node().is_erlang(error.node):
            raise
        msg = f"{error.node} is an Erlang node, and runs no Python"
        hint = f"rpc.call calls its own functions; `iex --sname NAME --remsh {error.node}` is a shell on it"
        raise RpcError(error.node, msg, hint=hint) from None
