"""rpc: call functions on other nodes, as Erlang's `:rpc` (and, in keeping failures apart, its `:erpc`).

    rpc.call("server@vm", "os", "getpid", [])         module and function by name
    rpc.call("server@vm", product_stock.total, [[]])  or a function, which is sent by name

Every call runs in a process of its own over there, and prints here.  A failure is an exception, never a value
that looks like a result (Differs from IEx: `{:badrpc, reason}`, and a thrown value returned as if it were
one). Not here: the awaitable twins (`aio.rpc`).
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import time
from typing import TYPE_CHECKING, Any, TypeVar

from pyx.errors import RpcTimeout
from pyx.execution.context import forbid_running_loop
from pyx.runtime import remote_calls, rex
from pyx.runtime.arguments import checked_seconds
from pyx.runtime.local_node import this_node
from pyx.runtime.pending_answer import PendingAnswer

if TYPE_CHECKING:
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
    forbid_running_loop("rpc.call()", "aio.rpc.call()")
    timeout = checked_seconds(timeout)
    here = this_node()
    dest = here.full_name(node)
    payload = remote_calls.encoded_call(here, module, function, args)
    with PendingAnswer(here) as pending:
        remote_calls.ask(here, pending, dest, payload)
        if not pending.wait(timeout):
            assert timeout is not None
            raise RpcTimeout(dest, timeout)
    return remote_calls.value_of(here, dest, pending)


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
    remote_calls.ask(
        here, None, here.full_name(node), remote_calls.encoded_call(here, module, function, args)
    )
    return True


def async_call(
    node: str, module: Any, function: Any = None, args: Sequence[Any] = ()
) -> concurrent.futures.Future[Any]:
    """Starts a `call` and returns a Future: its `result()` is the value or raises what `call` would.

    Differs from IEx: `:rpc.yield(key)` is the future's `result(timeout)`.  Cancelling it abandons the call.
    """
    here = this_node()
    dest = here.full_name(node)
    payload = remote_calls.encoded_call(here, module, function, args)
    future: concurrent.futures.Future[Any] = concurrent.futures.Future()

    def fill() -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(remote_calls.value_of(here, dest, pending))
        except BaseException as error:
            future.set_exception(error)

    # The answer is opened on a warm thread: a large one must not hold the transport up.
    pending = PendingAnswer(here, then=lambda _: here.pool.run(fill))
    remote_calls.ask(here, pending, dest, payload)
    future.add_done_callback(lambda done: pending.abandon() if done.cancelled() else None)
    return future


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
    forbid_running_loop("rpc.multicall()", "aio.rpc.multicall()")
    timeout = checked_seconds(timeout)
    here = this_node()
    dests = remote_calls.targets(here, nodes)
    payload = remote_calls.encoded_call(here, module, function, args)
    deadline = None if timeout is None else time.monotonic() + timeout
    with contextlib.ExitStack() as stack:
        pendings = [stack.enter_context(PendingAnswer(here)) for _ in dests]
        for dest, pending in zip(dests, pendings, strict=True):
            remote_calls.ask(here, pending, dest, payload)
        for pending in pendings:
            pending.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))
    return remote_calls.sorted_out(here, dests, pendings)
