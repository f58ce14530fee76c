"""Reaching another node: ping, connect, spawn there; what `Node` and `aio.Node` have in common.

Not here: waiting (`pending_answer.py`), dialling (`transport.py`).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pyx.core.pending_requests import NONSENSE
from pyx.core.tables import THE_NODE
from pyx.errors import RpcError, RpcRefused
from pyx.execution.context import acting_leader, acting_pid, forbid_running_loop
from pyx.execution.node_log import log
from pyx.runtime.encoding import encoded_call
from pyx.runtime.local_node import this_node
from pyx.runtime.pending_answer import PendingAnswer
from pyx.terms import Pid

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode
    from pyx.terms import Ref

SECONDS: Final = 5.0
"""So much may a ping cost; a frozen node costs all of it."""

DIAL_SECONDS: Final = 10.0
"""A dial ends by itself within 5 s; this only guards against a transport that does not answer."""

NamedCall: TypeAlias = "tuple[str, str, list[Any]]"
"""Module, function, arguments."""


def ping(node: LocalNode, pending: PendingAnswer, name: str) -> str | None:
    """The answer where none has to be waited for; else None, and *pending* will be resolved."""
    dest = node.full_name(name)
    if not node.kernel.name:
        return "pang"
    pending.ask(node.kernel.ping, dest, time.monotonic())
    return None


def pong(node: LocalNode, name: str, pending: PendingAnswer, *, in_time: bool) -> str:
    """The end of a ping as its caller sees it."""
    full = node.full_name(name)
    # Without a session there is a dial, whose end is logged with its reason.
    if not in_time:
        with node.kernel_call as kernel:
            is_connected = full in kernel.nodes(("connected",))
        if is_connected:
            log.warning("no answer from %s within %g s", full, SECONDS)
    return "pong" if pending.outcome == "pong" else "pang"


def connect(node: LocalNode, pending: PendingAnswer, name: str) -> bool | str | None:
    """The answer where none has to be waited for; else None, and *pending* will be resolved."""
    dest = node.full_name(name)
    if not node.kernel.name:
        return "ignored"
    pending.ask(node.kernel.connect, dest, time.monotonic())
    return None


def connected(pending: PendingAnswer, *, in_time: bool) -> bool:
    """The end of a connect as its caller sees it."""
    return in_time and pending.outcome == "connected"


def spawn(name: str, call: NamedCall, *, link: bool, monitor: bool) -> tuple[Pid, Ref | None]:
    """Starts a process on a node and waits for its pid; a dead local one where the node cannot be reached."""
    forbid_running_loop("Node.spawn()", "aio.Node.spawn()")
    node = this_node()
    with PendingAnswer(node) as pending:
        ask_spawn(node, pending, name, call, link=link, monitor=monitor)
        pending.wait(None)
    return spawned(node, name, call, pending)


def ask_spawn(
    node: LocalNode, pending: PendingAnswer, name: str, call: NamedCall, *, link: bool, monitor: bool
) -> None:
    """Asks a node for a process; *pending* will be resolved.

    Raises:
        EncodeError: an argument is not data.
    """
    dest = node.full_name(name)
    payload = encoded_call(*call, node.max_message_bytes)
    frm, leader = acting_pid() or THE_NODE, acting_leader() or THE_NODE

    def request(pending: PendingAnswer) -> int:
        number, pending.monitor = node.kernel.request_spawn(
            pending, frm, leader, dest, payload, link=link, monitor=monitor
        )
        return number

    pending.ask(request)


def spawned(node: LocalNode, name: str, call: NamedCall, pending: PendingAnswer) -> tuple[Pid, Ref | None]:
    """The pid that came, and the monitor; raises RpcRefused where that node's policy forbids it."""
    dest = node.full_name(name)
    if pending.outcome == "spawned":
        assert isinstance(pending.body, Pid)
        return pending.body, pending.monitor
    if pending.outcome == "refused":
        raise RpcRefused(dest, str(pending.body))
    if pending.outcome == NONSENSE:
        raise RpcError(dest, f"the answer of {dest} is malformed: {pending.body}")
    log.warning("cannot start %s.%s on %s: %s", call[0], call[1], dest, pending.body)
    if pending.nobody is not None:
        return pending.nobody, pending.monitor
    with node.kernel_call as kernel:
        return kernel.dead_pid(), pending.monitor
