"""`rpc`: calls of functions on other nodes, as Erlang's `:rpc`, with the failures of its `:erpc`.

    rpc.call("server@vm", "os", "getpid", [])         module and function by name
    rpc.call("server@vm", product_stock.total, [[]])  or a function, which is sent by name

Each call runs in a process of its own on the other node; its output appears at the caller's.  A failure is an
exception, never a value that looks like a result.  Differs from IEx: `:rpc.call` returns `{:badrpc, reason}`,
and a thrown value as if it were a result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pyx.runtime import rpc_client, rpc_functions
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
        node: a node name; without its host part, of this host.  This node itself is allowed.
        module: the name of a module, or a module; or a function, and then *args* comes next.
        function: the name of a function of the module; dots lead into classes.
        args: a list of data.
        timeout: seconds; None waits for ever.  After a time-out or Ctrl-C the function still runs there, and
            its answer is dropped.

    Raises:
        RpcNoConnection: the node cannot be reached, or was lost during the call.
        RpcTimeout: no answer came in time.
        RpcUndefined: the node lacks that module or function.
        RpcRefused: the rpc policy of the node forbids the call.
        RemoteError: the function raised, exited, or its result is not data.
        EncodeError: an argument is not data.
        WouldBlock: the thread runs an event loop (use `await aio.rpc.call()`).
    """
    return wait("rpc.call", rpc_client.call(node, module, function, args, timeout))


def export(function: F) -> F:
    """Marks a function, as a decorator, as one that peers may call under `--rpc exported`.

    The module has to be imported by the node itself: under that policy a peer's call imports nothing.

    Raises:
        TypeError: it is not a plain function.
    """
    rpc_functions.mark(function)
    return function


def cast(node: str, module: Any, function: Any = None, args: Sequence[Any] = ()) -> bool:
    """Has *node* run a function, without an answer; returns True, even if the node cannot be reached."""
    here = this_node()
    here.sending.cast(here.full_name(node), rpc_client.encoded_call(here, module, function, args))
    return True


def async_call(
    node: str, module: Any, function: Any = None, args: Sequence[Any] = ()
) -> concurrent.futures.Future[Any]:
    """Starts a `call` and returns a future: its `result()` returns or raises what `call` would.

    Cancelling the future abandons the call.  Differs from IEx: `:rpc.yield(key)` is `result(timeout)`.
    """
    return rpc_client.CallFuture(node, module, function, args)


def multicall(
    nodes: Sequence[str] | None,
    module: Any,
    function: Any = None,
    args: Sequence[Any] = (),
    timeout: float | None = None,
) -> tuple[list[Any], list[str]]:
    """Calls a function on several nodes at once.

    Args:
        nodes: node names; None: this node and all visible ones.
        module: as for `call`.
        function: as for `call`.
        args: as for `call`.
        timeout: seconds for all answers together; None waits for ever.

    Returns:
        A list of results, in the order of *nodes*, and a list of the nodes without one: those that cannot be
        reached or did not answer in time.  Where the function failed, the result is the exception that `call`
        would have raised.
    """
    return wait("rpc.multicall", rpc_client.multicall(nodes, module, function, args, timeout))
