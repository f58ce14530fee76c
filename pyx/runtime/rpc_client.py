"""The requests of `rpc`: calls of functions on nodes.  On the called node `rpc_functions.py` finds them."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from pyx.core.pending_requests import NONSENSE
from pyx.core.tables import THE_NODE
from pyx.errors import (
    DecodeError,
    RemoteError,
    RpcError,
    RpcNoConnection,
    RpcRefused,
    RpcTimeout,
    RpcUndefined,
)
from pyx.execution.context import current
from pyx.printable import short_repr
from pyx.runtime import encoding
from pyx.runtime.arguments import checked_binaries
from pyx.runtime.call_forms import callee, callee_within, is_function, plain_callee
from pyx.runtime.local_node import this_node
from pyx.runtime.request import PendingAnswer
from pyx.terms import Raised

if TYPE_CHECKING:
    from collections.abc import Generator

    from pyx.runtime.call_forms import Callee
    from pyx.runtime.local_node import LocalNode
    from pyx.signals import Payload


T = TypeVar("T")


async def call(
    node: str, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any], timeout: float | None = None
) -> Any:
    """See `rpc.call` for the two forms of *target* and what follows it."""
    here = this_node()
    called = None
    binaries = taken_binaries(target, kwargs)
    plain = plain_callee(target, args) if not kwargs else None
    dest = here.full_name(node)
    if here.speaks_with_erlang:
        await meet(here, dest)
    if plain is not None and not (here.speaks_with_erlang and here.is_erlang(dest)):
        seconds = timeout
        payload = encoding.encoded_call(*plain, here.sending.max_message_bytes)
    else:
        called, seconds = callee_within("rpc.call", target, args, kwargs, timeout)
        payload = encoded_callee(here, dest, called)
    with PendingAnswer(here) as pending:
        ask(here, pending, dest, payload)
        if not await pending.wait(seconds):
            assert seconds is not None
            raise RpcTimeout(dest, seconds)
    return value_of(here, dest, pending, called, binaries)


async def multicall(
    nodes: Sequence[str] | None,
    target: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    timeout: float | None = None,
) -> tuple[list[Any], list[str]]:
    """See `rpc.multicall`."""
    here = this_node()
    binaries = taken_binaries(target, kwargs)
    called, seconds = callee_within("rpc.multicall", target, args, kwargs, timeout)
    dests = destinations(here, nodes)
    deadline = None if seconds is None else time.monotonic() + seconds
    if here.speaks_with_erlang:
        for dest in dests:
            await meet(here, dest)
    payload = None if here.speaks_with_erlang else encoded_callee(here, "", called)
    with contextlib.ExitStack() as stack:
        pendings = [stack.enter_context(PendingAnswer(here)) for _ in dests]
        for dest, pending in zip(dests, pendings, strict=True):
            ask(here, pending, dest, payload or encoded_callee(here, dest, called))
        for pending in pendings:
            await pending.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))
    return results_of(here, dests, pendings, called, binaries)


def cast(node: str, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """See `rpc.cast`."""
    here = this_node()
    dest = here.full_name(node)
    here.sending.cast(dest, encoded_callee(here, dest, callee("rpc.cast", target, args, kwargs)))


class CallFuture(concurrent.futures.Future[T]):
    """The future of a call that is asked for by making it; cancelling it abandons the call.

    `result(timeout)` waits on a thread, `await` in a coroutine.
    """

    def __init__(self, node: str, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        super().__init__()
        self._here = this_node()
        self._dest = self._here.full_name(node)
        self._binaries = taken_binaries(target, kwargs)
        self._called = callee("rpc.async_call", target, args, kwargs)
        payload = encoded_callee(self._here, self._dest, self._called)
        self._pending = PendingAnswer(self._here, self)
        ask(self._here, self._pending, self._dest, payload)
        self.add_done_callback(lambda done: self._pending.abandon() if done.cancelled() else None)

    def __await__(self) -> Generator[Any, None, T]:
        return asyncio.wrap_future(self).__await__()

    def wake(self) -> None:
        """Has a warm thread decode the answer: a large one must not delay the transport."""
        self._here.pool.run(self._fill)

    def _fill(self) -> None:
        if not self.set_running_or_notify_cancel():
            return
        try:
            self.set_result(value_of(self._here, self._dest, self._pending, self._called, self._binaries))
        except BaseException as error:
            self.set_exception(error)


def taken_binaries(target: Any, options: dict[str, Any]) -> str:
    """Takes `binaries` out of the options of the second form, and returns it; raises ValueError.

    After a function it is an argument of the function, and stays.
    """
    if not options or is_function(target):
        return "str"
    return checked_binaries(options.pop("binaries", "str"))


async def meet(here: LocalNode, dest: str) -> None:
    """Connects to a node, if there is no connection: its dialect decides how a call is encoded."""
    from pyx.runtime.acquaintance import met  # in nodes with --beam alone

    await met(here, dest)


def encoded_callee(here: LocalNode, dest: str, called: Callee) -> Payload:
    """Returns the payload of a call, in the dialect of the connection to *dest*.

    Raises:
        EncodeError: an argument is not data; the path starts at `args` or `kwargs`.
    """
    module, function, args, kwargs, source = called
    if here.speaks_with_erlang and here.is_erlang(dest):
        from pyx.runtime.erlang_payloads import erlang_call  # there is an Erlang node

        tables = here.kernel.tables
        return erlang_call(module, function, args, kwargs, source, tables.here, here.max_message_bytes)
    return encoding.encoded_call(module, function, args, here.max_message_bytes, kwargs, source)


def ask(here: LocalNode, pending: PendingAnswer, dest: str, payload: Payload) -> None:
    """Sends a call, whose answer *pending* gets; its process is the acting one's."""
    runner = current.get()
    if runner is None:
        frm = leader = THE_NODE
    else:
        frm, leader = runner.process.pid, runner.process.leader or THE_NODE
    pending.read_from(dest)
    with here.kernel_call as kernel:
        may_carry = kernel.router.may_carry(dest, payload)
        if may_carry:
            pending.number = kernel.requests.call(pending, frm, leader, dest, payload)
    if not may_carry:  # it was encoded for a session that has ended since
        pending.resolve("noconnection", "the connection to it has ended")


def value_of(
    here: LocalNode,
    dest: str,
    pending: PendingAnswer,
    called: Callee | None = None,
    binaries: str = "str",
) -> Any:
    """Returns the value that *dest* answered; *binaries* is as in `encoding.decoded`.

    Raises:
        RpcNoConnection, RpcUndefined, RpcRefused, RemoteError: what came instead.
        RpcError: the answer is malformed.
    """
    outcome, body = pending.outcome, pending.body
    if outcome == "noconnection":
        raise RpcNoConnection(dest, str(body))
    if outcome == "refused":
        raise RpcRefused(dest, str(body), has_no_module=called is not None and called.source is not None)
    if outcome == NONSENSE:
        raise malformed(dest, body)
    if outcome == "exit":
        reason = encoding.decode_reason(here.kernel, body)
        raise RemoteError(dest, "Exit", reason if type(reason) is str else _described(reason))
    try:
        decoded = encoding.decoded(body, here.kernel, binaries)
    except DecodeError as error:
        raise RpcError(dest, f"the answer of {dest} cannot be decoded: {error}") from None
    match outcome, decoded:
        case "value", value:
            return value
        case "undefined", (str(module), None | str() as function):
            raise RpcUndefined(dest, module, function)
        case "raised", Raised(str(type_name), str(text), str(traceback)):
            raise RemoteError(dest, type_name, text, traceback)
    raise malformed(dest, f"{outcome} {short_repr(decoded)}")


def malformed(dest: str, answer: object) -> RpcError:
    """Returns the error for an answer of a form that pyx never sends."""
    return RpcError(dest, f"the answer of {dest} is malformed: {answer}")


def _described(reason: object) -> str:
    """Returns the repr of an exit reason; fields that a peer chose may make a class's own repr raise."""
    try:
        return repr(reason)
    except Exception:
        return short_repr(reason)


def destinations(here: LocalNode, nodes: Sequence[str] | None, call: str = "multicall") -> list[str]:
    """Returns the full names of *nodes*; None: of this node and all visible ones.

    Raises:
        TypeError: *nodes* is not a list; the sentence names the *call*.
    """
    if nodes is None:
        with here.kernel_call as kernel:
            return kernel.membership.nodes(("this", "visible"))
    if isinstance(nodes, str) or not isinstance(nodes, Iterable):
        msg = f"{call} takes a list of nodes, not {nodes!r}"
        raise TypeError(msg)
    return [here.full_name(one) for one in nodes]


def results_of(
    here: LocalNode,
    dests: Sequence[str],
    pendings: Sequence[PendingAnswer],
    called: Callee | None = None,
    binaries: str = "str",
) -> tuple[list[Any], list[str]]:
    """Returns the answers in order, failures of the function included, and the nodes without an answer.

    The reason why a node could not be reached is logged: the caller gets its name only.
    """
    results: list[Any] = []
    unanswered: list[str] = []
    for dest, pending in zip(dests, pendings, strict=True):
        if pending.outcome is None or pending.outcome == "noconnection":
            unanswered.append(dest)
            if pending.outcome is not None:
                from pyx.runtime.asker_warnings import warn  # for a failure

                warn(f"no answer from {dest}: {pending.body}")
            continue
        try:
            results.append(value_of(here, dest, pending, called, binaries))
        except RpcError as error:
            results.append(error)
    return results, unanswered
