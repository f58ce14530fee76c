"""Calls of functions on nodes: asked, and their ends turned into values or errors.

Both `rpc` and `aio.rpc` stand on this.  Not here: waiting (`pending_answer.py`), what runs over there
(`rex.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from pyx.core.pending_requests import NONSENSE
from pyx.core.tables import THE_NODE
from pyx.errors import DecodeError, RemoteError, RpcError, RpcNoConnection, RpcRefused, RpcUndefined
from pyx.execution.context import acting_leader, acting_pid
from pyx.execution.node_log import log
from pyx.printable import short_repr
from pyx.runtime import encoding
from pyx.runtime.arguments import named_call
from pyx.terms import Raised

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode
    from pyx.runtime.pending_answer import PendingAnswer
    from pyx.signals import Payload


def encoded_call(node: LocalNode, target: Any, function: Any, args: Sequence[Any]) -> Payload:
    """The payload of `call(node, target, function, args)`, in either form; see `arguments.named_call`.

    Raises:
        TypeError: it is neither form.
        EncodeError: an argument is not data; the path starts at `args`.
    """
    rest: tuple[Any, ...] = () if function is None else (function,)
    module, name, arguments = named_call(target, (*rest, args) if args else rest)
    return encoding.encoded_call(module, name, arguments, node.max_message_bytes)


def ask(node: LocalNode, pending: PendingAnswer | None, dest: str, payload: Payload) -> None:
    """Has *dest* (a full name) run the call; None wants no answer."""
    if pending is None:
        node.sending.cast(dest, payload)
    else:
        frm, leader = acting_pid() or THE_NODE, acting_leader() or THE_NODE
        pending.ask(node.kernel.request_call, frm, leader, dest, payload)


def value_of(node: LocalNode, dest: str, pending: PendingAnswer) -> Any:
    """The value of a call that was answered.

    Raises:
        RpcNoConnection, RpcUndefined, RpcRefused, RemoteError: what came instead.
    """
    outcome, body = pending.outcome, pending.body
    if outcome == "noconnection":
        raise RpcNoConnection(dest, str(body))
    if outcome == "refused":
        raise RpcRefused(dest, str(body))
    if outcome == NONSENSE:
        raise RpcError(dest, f"the answer of {dest} is malformed: {body}")
    if outcome == "exit":
        reason = encoding.open_reason(node.kernel, body)
        raise RemoteError(dest, "Exit", reason if type(reason) is str else _described(reason))
    try:
        opened = encoding.decoded(body, node.kernel)
    except DecodeError as error:
        raise RpcError(dest, f"the answer of {dest} cannot be read: {error}") from None
    match outcome, opened:
        case "value", value:
            return value
        case "undefined", (str(module), None | str() as function):
            raise RpcUndefined(dest, module, function)
        case "raised", Raised(str(type_name), str(text), str(traceback)):
            raise RemoteError(dest, type_name, text, traceback)
    raise RpcError(dest, f"the answer of {dest} is malformed: {outcome} {short_repr(opened)}")


def _described(reason: object) -> str:
    """How an exit reason prints; what a peer puts into an object may be nothing its class can print."""
    try:
        return repr(reason)
    except Exception:
        return short_repr(reason)


def targets(node: LocalNode, nodes: Sequence[str] | None) -> list[str]:
    """The nodes of a multicall, by full name: those asked for, else this one and all visible ones."""
    if nodes is None:
        with node.kernel_call as kernel:
            return kernel.nodes(("this", "visible"))
    if isinstance(nodes, str) or not isinstance(nodes, Iterable):
        msg = f"multicall takes a list of nodes, not {nodes!r}"
        raise TypeError(msg)
    return [node.full_name(one) for one in nodes]


def sorted_out(
    node: LocalNode, dests: Sequence[str], pendings: Sequence[PendingAnswer]
) -> tuple[list[Any], list[str]]:
    """The end of a multicall: what the nodes answered, in order, and those that did not (in time).

    Why a node could not be reached is logged here, as nothing else tells it.
    """
    results: list[Any] = []
    unanswered: list[str] = []
    for dest, pending in zip(dests, pendings, strict=True):
        if pending.outcome is None or pending.outcome == "noconnection":
            unanswered.append(dest)
            if pending.outcome is not None:
                log.warning("no answer from %s: %s", dest, pending.body)
            continue
        try:
            results.append(value_of(node, dest, pending))
        except RpcError as error:
            results.append(error)
    return results, unanswered
