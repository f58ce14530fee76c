"""Calls and casts of the servers of one name on several nodes: OTP's `gen_server:multi_call` and `abcast`."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

from pyx.otp.call_failures import value_of
from pyx.otp.server_calls import ask, asked_of, cast
from pyx.runtime.arguments import checked_name, checked_seconds
from pyx.runtime.local_node import this_node
from pyx.runtime.request import PendingAnswer
from pyx.runtime.rpc_client import destinations, meet

if TYPE_CHECKING:
    from collections.abc import Sequence


async def multi_call(
    nodes: Sequence[str] | None, name: str, request: Any, timeout: float | None = None
) -> tuple[dict[str, Any], list[str]]:
    """Calls the servers of one name on several nodes at once.

    Args:
        nodes: their names; None: this node and all visible ones.
        name: under which the servers are registered.
        request: data.
        timeout: seconds for all of them; None: no limit.

    Returns:
        The replies by node, and the nodes without one: those that cannot be reached, and those on which no
        process has that name, or it ended, or took too long.  Where a handler raised, or has no name for the
        request, the exception is the reply.

    Raises:
        EncodeError: the request is not data.
    """
    here = this_node()
    seconds = checked_seconds(timeout)
    checked_name(name)
    askeds = [asked_of(here, (name, node), request) for node in destinations(here, nodes, "multi_call")]
    deadline = None if seconds is None else time.monotonic() + seconds
    if here.speaks_with_erlang:
        for asked in askeds:
            await meet(here, asked.node)
    with contextlib.ExitStack() as stack:
        pendings = [stack.enter_context(PendingAnswer(here)) for _ in askeds]
        for asked, pending in zip(askeds, pendings, strict=True):
            ask(here, pending, asked, is_system=False)
        for pending in pendings:
            await pending.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))
    replies: dict[str, Any] = {}
    bad_nodes: list[str] = []
    for asked, pending in zip(askeds, pendings, strict=True):
        if pending.outcome not in {"value", "message"}:
            bad_nodes.append(asked.node)
            continue
        try:
            replies[asked.node] = value_of(here, asked, pending)
        except Exception as error:
            replies[asked.node] = error
    return replies, bad_nodes


def abcast(nodes: Sequence[str] | None, name: str, request: Any) -> str:
    """Casts to the servers of one name on several nodes; returns "abcast".

    With None for *nodes* these are this node and all visible ones.
    """
    checked_name(name)
    for node in destinations(this_node(), nodes, "abcast"):
        cast((name, node), request)
    return "abcast"
