"""rpc: call functions on other nodes, as Erlang's `:rpc` (and, in keeping failures apart, its `:erpc`).

    rpc.call("server@vm", "os", "getpid", [])         module and function by name
    rpc.call("server@vm", product_stock.total, [[]])  or a function, which is sent by name

Every call runs in a process of its own over there, and prints here.  A failure is an exception, never a value
that looks like a result (Differs from IEx: `{:badrpc, reason}`, and a thrown value returned as if it were
one). Not here: the awaitable twins (`aio.rpc`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pyx.runtime import remote_calls, rex
from pyx.runtime.local_node import this_node
from pyx.runtime.request import wait

if TYPE_CHECKING:
    import concurrent.futures
    from collections.abc import Callable, Sequence

__all__ = ["async_call", "call", "cast", "export", "multicall"]

F = TypeVar("F", bound="Callable[..., Any]")


def call(
    node: str,
    module: Any,
    function: Any = None,
    args: Sequence[Any] = (),
    timeout: float | None = None,
) -> Any:
    """Calls a function on *node* and returns its value.

    Args:
        node: a node name; a bare first part means this host.  This node itself is fine.
        module: the module's name, or the module; or a function, and then *args* follow it at once.
        function: the function's name; dots lead into classes.
        args: a list of data.
        timeout: seconds; None waits for ever.  A call that timed out, or was left by Ctrl-C, goes on over
            there and its answer vanishes.

    Raises:
        RpcNoConnection: no such node, or it was lost meanwhile.
        RpcTimeout: no answer in time.
        RpcUndefined: no such module or function there; it says which.
        RpcRefused: that node's policy allows no calls.
        RemoteError: the function raised, exited, or its result is not data.
        EncodeError: an argument is not data.
        WouldBlock: this thread runs an event loop (`await aio.rpc.call(...)` there).
    """
    return wait("rpc.call", remote_calls.call(node, module, function, args, timeout))


def export(function: F) -> F:
    """Marks a function, as a decorator: under `--rpc exported` peers may call it, and nothing else.

    Its module has to be loaded there: a node of that kind imports nothing for a peer.

    Raises:
        TypeError: it is no plain function.
    """
    rex.mark(function)
    return function


def cast(node: str, module: Any, function: Any = None, args: Sequence[Any] = ()) -> bool:
    """Has *node* run a function and wants no answer; returns True, whatever becomes of it."""
    here = this_node()
    here.sending.cast(here.full_name(node), remote_calls.encoded_call(here, module, function, args))
    return True


def async_call(
    node: str, module: Any, function: Any = None, args: Sequence[Any] = ()
) -> concurrent.futures.Future[Any]:
    """Starts a `call` and returns a Future: its `result()` is the value or raises what `call` would.

    Differs from IEx: `:rpc.yield(key)` is the future's `result(timeout)`.  Cancelling it abandons the call.
    """
    return remote_calls.CallFuture(node, module, function, args)


def multicall(
    nodes: Sequence[str] | None,
    module: Any,
    function: Any = None,
    args: Sequence[Any] = (),
    timeout: float | None = None,
) -> tuple[list[Any], list[str]]:
    """Calls a function on several nodes at once; returns (results in the order asked, nodes without answer).

    *nodes* None means this node and all visible ones.  A node where the function failed is among the results,
    as the exception that `call` would have raised; one that cannot be reached, or does not answer within
    *timeout* seconds in all, is in the second list.
    """
    return wait("rpc.multicall", remote_calls.multicall(nodes, module, function, args, timeout))
