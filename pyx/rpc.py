"""`rpc`: calls of functions on other nodes, as Erlang's `:rpc`, with the failures of its `:erpc`.

    rpc.call("server@vm", shop.total, stock, currency="EUR")  a function, and its arguments
    rpc.within(0.5).call("server@vm", shop.total, stock)      options come first
    rpc.call("server@vm", "os", "getpid", [], timeout=0.5)    or module and function by name, as in IEx

Each call runs in a process of its own on the other node; its output appears at the caller's, but that of a
program which has called `Node.start` stays the program's.  A failure is an exception, never a value that
looks like a result.  Differs from IEx: `:rpc.call` returns `{:badrpc, reason}`, and a thrown value as
if it were a result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, overload

from pyx.runtime import rpc_client, rpc_functions
from pyx.runtime.arguments import checked_seconds
from pyx.runtime.request import wait

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
    from types import ModuleType

    from pyx.runtime.rpc_client import CallFuture

__all__ = [
    "abcast",
    "async_call",
    "call",
    "cast",
    "eval_everywhere",
    "export",
    "multicall",
    "pmap",
    "within",
]

F = TypeVar("F", bound="Callable[..., Any]")
P = ParamSpec("P")
T = TypeVar("T")
Item = TypeVar("Item")


@overload
def call(
    node: str, function: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs
) -> T: ...
@overload
def call(node: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T: ...
@overload
def call(
    node: str,
    module: ModuleType | str,
    /,
    function: str,
    args: Sequence[Any] = (),
    timeout: float | None = None,
    *,
    kwargs: Mapping[str, Any] | None = None,
    binaries: str = "str",
) -> Any: ...
def call(node: str, target: Any, /, *args: Any, **kwargs: Any) -> Any:
    """Calls a function on *node* and returns its value.

    There are two forms: `call(node, function, *args, **kwargs)`, where all that follows the function is its
    own, and `call(node, module, "function", [args], timeout=None, kwargs={})`.

    Args:
        node: a node name; without its host part, of this host.  This node itself is allowed.
        target: a function, sent by name or as source; or a module, or its name.
        args: data.  In the second form the name of a function of the module (dots lead into classes), and a
            list.
        kwargs: data, by name.  In the second form `kwargs`, a dict, and `timeout`, in seconds; None waits for
            ever.  After a time-out or Ctrl-C the function still runs there, and its answer is dropped.
            `binaries="bytes"` leaves the binaries in an Erlang node's answer bytes; else those that are
            UTF-8 become texts.

    Raises:
        RpcNoConnection: the node cannot be reached, or was lost during the call.
        RpcTimeout: no answer came in time.
        RpcUndefined: the node lacks that module or function.
        RpcRefused: the rpc policy of the node forbids the call.
        RemoteError: the function raised, exited, or its result is not data.
        EncodeError: an argument is not data.
        WouldBlock: the thread runs an event loop (use `await aio.rpc.call()`).
    """
    return wait("rpc.call", rpc_client.call(node, target, args, kwargs))


def within(seconds: float | None) -> Within:
    """Returns `call` and `multicall` with a time limit: `rpc.within(0.5).call(node, function, 1)`.

    Args:
        seconds: the time limit of a call, of a multicall for all its answers together; None: none.

    Raises:
        TypeError, ValueError: it is not a number from 0 on.
    """
    return Within(seconds)


class Within:
    """`call` and `multicall` with a time limit; see `within`."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = checked_seconds(seconds)

    @overload
    def call(
        self, node: str, function: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> T: ...
    @overload
    def call(self, node: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T: ...
    @overload
    def call(
        self,
        node: str,
        module: ModuleType | str,
        /,
        function: str,
        args: Sequence[Any] = (),
        *,
        kwargs: Mapping[str, Any] | None = None,
        binaries: str = "str",
    ) -> Any: ...
    def call(self, node: str, target: Any, /, *args: Any, **kwargs: Any) -> Any:
        """`rpc.call` with the time limit; raises RpcTimeout."""
        return wait("rpc.call", rpc_client.call(node, target, args, kwargs, self._seconds))

    @overload
    def multicall(
        self, nodes: Sequence[str] | None, function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs
    ) -> tuple[list[Any], list[str]]: ...
    @overload
    def multicall(
        self,
        nodes: Sequence[str] | None,
        module: ModuleType | str,
        /,
        function: str,
        args: Sequence[Any] = (),
        *,
        kwargs: Mapping[str, Any] | None = None,
        binaries: str = "str",
    ) -> tuple[list[Any], list[str]]: ...
    def multicall(
        self, nodes: Sequence[str] | None, target: Any, /, *args: Any, **kwargs: Any
    ) -> tuple[list[Any], list[str]]:
        """`rpc.multicall` with the time limit."""
        return wait("rpc.multicall", rpc_client.multicall(nodes, target, args, kwargs, self._seconds))


def export(function: F) -> F:
    """Marks a function, as a decorator, as one that peers may call under `--rpc exported`.

    The module has to be imported by the node itself: under that policy a peer's call imports nothing.

    Raises:
        TypeError: it is not a plain function.
    """
    rpc_functions.mark(function)
    return function


@overload
def cast(node: str, function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> bool: ...
@overload
def cast(
    node: str,
    module: ModuleType | str,
    /,
    function: str,
    args: Sequence[Any] = (),
    *,
    kwargs: Mapping[str, Any] | None = None,
) -> bool: ...
def cast(node: str, target: Any, /, *args: Any, **kwargs: Any) -> bool:
    """Has *node* run a function, without an answer; returns True, even if the node cannot be reached.

    The forms are those of `call`.
    """
    rpc_client.cast(node, target, args, kwargs)
    return True


@overload
def async_call(
    node: str, function: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs
) -> CallFuture[T]: ...
@overload
def async_call(
    node: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
) -> CallFuture[T]: ...
@overload
def async_call(
    node: str,
    module: ModuleType | str,
    /,
    function: str,
    args: Sequence[Any] = (),
    *,
    kwargs: Mapping[str, Any] | None = None,
    binaries: str = "str",
) -> CallFuture[Any]: ...
def async_call(node: str, target: Any, /, *args: Any, **kwargs: Any) -> CallFuture[Any]:
    """Starts a `call` and returns a future: its `result()` returns or raises what `call` would.

    The forms are those of `call`, with `binaries` and without `timeout`.  A coroutine can `await` the future.
    Cancelling it abandons the call.  Differs from IEx: `:rpc.yield(key)` is `result(timeout)`.
    """
    return rpc_client.CallFuture(node, target, args, kwargs)


@overload
def multicall(
    nodes: Sequence[str] | None, function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs
) -> tuple[list[Any], list[str]]: ...
@overload
def multicall(
    nodes: Sequence[str] | None,
    module: ModuleType | str,
    /,
    function: str,
    args: Sequence[Any] = (),
    timeout: float | None = None,
    *,
    kwargs: Mapping[str, Any] | None = None,
    binaries: str = "str",
) -> tuple[list[Any], list[str]]: ...
def multicall(
    nodes: Sequence[str] | None, target: Any, /, *args: Any, **kwargs: Any
) -> tuple[list[Any], list[str]]:
    """Calls a function on several nodes at once.

    Args:
        nodes: node names; None: this node and all visible ones.
        target: as for `call`, and so are the forms.
        args: as for `call`.
        kwargs: as for `call`, `binaries` included; a `timeout` is for all answers together.

    Returns:
        A list of results, in the order of *nodes*, and a list of the nodes without one: those that cannot be
        reached or did not answer in time.  Where the function failed, the result is the exception that `call`
        would have raised.
    """
    return wait("rpc.multicall", rpc_client.multicall(nodes, target, args, kwargs))


def abcast(nodes: Sequence[str] | None, name: str, message: Any) -> bool:
    """Sends *message* to the process registered as *name* on each of several nodes; returns True.

    What does not arrive is lost without a word, as by `send`.

    Args:
        nodes: node names; None: this node and all visible ones.
        name: a registered name; on a node where no process has it, nothing happens.
        message: data.

    Raises:
        NodeBusy, EncodeError: as `send`.
    """
    from pyx.runtime import rpc_broadcasts  # few programs use it

    rpc_broadcasts.abcast(nodes, name, message)
    return True


@overload
def eval_everywhere(
    nodes: Sequence[str] | None, function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs
) -> bool: ...
@overload
def eval_everywhere(
    nodes: Sequence[str] | None,
    module: ModuleType | str,
    /,
    function: str,
    args: Sequence[Any] = (),
    *,
    kwargs: Mapping[str, Any] | None = None,
) -> bool: ...
def eval_everywhere(nodes: Sequence[str] | None, target: Any, /, *args: Any, **kwargs: Any) -> bool:
    """Has several nodes run a function, without an answer; returns True (`:erpc.multicast` as well).

    Args:
        nodes: node names; None: this node and all visible ones.
        target: as for `call`, and so are the forms.
        args: as for `call`.
        kwargs: as for `call`.

    Raises:
        EncodeError: an argument is not data.
    """
    from pyx.runtime import rpc_broadcasts

    rpc_broadcasts.eval_everywhere(nodes, target, args, kwargs)
    return True


@overload
def pmap(
    nodes: Sequence[str] | None,
    function: Callable[Concatenate[Item, P], Coroutine[Any, Any, T]],
    items: Iterable[Item],
    /,
    *args: P.args,
    **kwargs: P.kwargs,
) -> list[T]: ...
@overload
def pmap(
    nodes: Sequence[str] | None,
    function: Callable[Concatenate[Item, P], T],
    items: Iterable[Item],
    /,
    *args: P.args,
    **kwargs: P.kwargs,
) -> list[T]: ...
@overload
def pmap(
    nodes: Sequence[str] | None,
    function: tuple[ModuleType | str, str],
    items: Iterable[Any],
    /,
    *args: Any,
    **kwargs: Any,
) -> list[Any]: ...
def pmap(
    nodes: Sequence[str] | None, function: Any, items: Iterable[Any], /, *args: Any, **kwargs: Any
) -> list[Any]:
    """Calls a function with each item, on several nodes in turns, and returns the values in order.

        rpc.pmap(None, shop.total, stocks)

    16 calls are under way on each node.  Differs from IEx: nodes come first, as for `multicall`.

    Args:
        nodes: node names; None: this node and all visible ones.
        function: a function, or `("module", "function")`.
        items: each is the first argument of one call.
        args: data, the other arguments of each call.
        kwargs: data, by name.  All are the function's: there are no options, so that binaries of Erlang nodes
            that are UTF-8 become texts (`multicall` and `async_call` take `binaries`).

    Raises:
        RpcError: the first failure, in the order of the items; what is under way is abandoned.
        EncodeError: an argument is not data.
        WouldBlock: the thread runs an event loop (use `await aio.rpc.pmap()`).
    """
    from pyx.runtime import rpc_broadcasts

    return wait("rpc.pmap", rpc_broadcasts.pmap(nodes, function, items, args, kwargs))
