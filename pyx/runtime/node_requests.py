"""The requests of `Node`: ping, connect, and spawn on another node."""

from __future__ import annotations

import time
from typing import Any

from pyx.core.pending_requests import NONSENSE
from pyx.core.tables import THE_NODE
from pyx.errors import RpcRefused
from pyx.execution.context import acting_leader, acting_pid
from pyx.runtime import request
from pyx.runtime.call_forms import callee
from pyx.runtime.local_node import this_node
from pyx.runtime.request import PendingAnswer
from pyx.runtime.rpc_client import encoded_callee, malformed, meet
from pyx.terms import Pid, Ref


async def ping(node: str) -> str:
    """See `Node.ping`."""
    here = this_node()
    dest = here.full_name(node)
    if not here.kernel.tables.name:
        return "pang"
    with PendingAnswer(here) as pending:
        pending.read_from(dest)
        with here.kernel_call as kernel:
            pending.number = kernel.requests.ping(pending, dest, time.monotonic())
        in_time = await pending.wait(request.ANSWER_SECONDS)
    if not in_time:
        with here.kernel_call as kernel:
            is_connected = dest in kernel.membership.nodes(("connected",))
        if is_connected:  # else there is a dial, whose end is logged with its reason
            from pyx.runtime.asker_warnings import warn  # for a failure

            warn(f"no answer from {dest} within {request.ANSWER_SECONDS:g} s")
    elif pending.outcome != "pong":
        from pyx.runtime.asker_warnings import tell  # for a failure

        tell(f"cannot connect to {dest}: {pending.body}")
    return "pong" if pending.outcome == "pong" else "pang"


async def connect(node: str) -> bool | str:
    """See `Node.connect`."""
    here = this_node()
    dest = here.full_name(node)
    if not here.kernel.tables.name:
        return "ignored"
    from pyx.runtime.acquaintance import connected  # not before the first prompt

    return await connected(here, dest)


async def spawn(
    node: str,
    target: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    link: bool = False,
    monitor: bool = False,
) -> tuple[Pid, Ref | None]:
    """See `Node.spawn`; returns the pid, and the monitor if there is one.

    Raises:
        EncodeError: an argument is not data.
        RpcRefused: that node's policy forbids it.
        RpcError: the answer is malformed.
    """
    here = this_node()
    api = f"Node.spawn{'_link' if link else '_monitor' if monitor else ''}"
    called = callee(api, target, args, kwargs)
    dest = here.full_name(node)
    if here.speaks_with_erlang:
        await meet(here, dest)
    payload = encoded_callee(here, dest, called)
    frm, leader = acting_pid() or THE_NODE, acting_leader() or THE_NODE
    with PendingAnswer(here) as pending:
        pending.read_from(dest)
        with here.kernel_call as kernel:
            pending.number, ref = kernel.requests.spawn(
                pending, frm, leader, dest, payload, link=link, monitor=monitor
            )
        await pending.wait(None)
    if pending.outcome == "spawned":
        assert isinstance(pending.body, Pid)
        return pending.body, ref
    if pending.outcome == "refused":
        raise RpcRefused(dest, str(pending.body))
    if pending.outcome == NONSENSE:
        raise malformed(dest, pending.body)
    from pyx.runtime.asker_warnings import warn  # for a failure

    warn(f"cannot start {called.module}.{called.function} on {dest}: {pending.body}")
    if pending.dead_pid is not None:
        return pending.dead_pid, ref
    with here.kernel_call as kernel:
        return kernel.tables.dead_pid(), ref
