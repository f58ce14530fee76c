"""A node gets its name, and gives it up: what `Node.start`, `stop` and `info` do.

Not here: what a name means to peers (`core`), the sockets behind it (`transport.py`).
"""

from __future__ import annotations

import atexit
import os
import secrets
import threading
from typing import TYPE_CHECKING, Any, Final

from pyx.errors import AlreadyStarted
from pyx.net.cookie import Cookie, find_cookie
from pyx.runtime import output
from pyx.runtime.gate import guard_main_thread
from pyx.runtime.transport import Transport
from pyx.terms import host_of

if TYPE_CHECKING:
    import asyncio

    from pyx.runtime.local_node import LocalNode
    from pyx.runtime.runners import Runner

_POLICIES: Final = ("open", "off")


def start(
    node: LocalNode,
    name: str,
    *,
    hidden: bool,
    cookie: str | None,
    cookie_file: str | None,
    tick: float,
    policy: str,
    route_output: bool,
    loop: asyncio.AbstractEventLoop | None,
) -> str:
    """Makes *node* a named node on this host; see `Node.start`."""
    if node.kernel.name:
        raise AlreadyStarted(node.kernel.name)
    if not tick > 0:
        msg = f"tick is a number of seconds over 0, not {tick!r}"
        raise ValueError(msg)
    if policy not in _POLICIES:
        msg = f"rpc is {' or '.join(map(repr, _POLICIES))}, not {policy!r}"
        raise ValueError(msg)
    full = node.full_name(name)
    secret = Cookie(cookie) if cookie else find_cookie(cookie_file)
    creation = secrets.randbelow(2**32 - 1) + 1

    def begin(_: Runner | None) -> None:
        transport = Transport(node, full, creation, hidden=hidden, cookie=secret)  # claims the name
        if loop is not None:
            node.tasks.use(loop)
        node.kernel.policy = policy
        node.kernel.tick_seconds = tick
        node.transport = transport
        try:
            transport.open(tick / 4)
        except BaseException:
            node.transport = None
            transport.close()
            raise
        _started.add(node)

    guard_main_thread()
    node.guarded(begin)
    if route_output:
        output.install()
    return full


def stop(node: LocalNode) -> bool:
    """Says goodbye to all peers and gives the name up; False if there was none."""

    def end(_: Runner | None) -> bool:
        transport, node.transport = node.transport, None
        if transport is None:
            return False
        transport.close()
        _started.discard(node)
        return True

    return node.guarded(end)


_started: Final[set[LocalNode]] = set()
"""The nodes that say goodbye when the interpreter ends."""


def _stop_all() -> None:
    for node in list(_started):
        stop(node)


atexit.register(_stop_all)
os.register_at_fork(after_in_child=_started.clear)  # a forked child is not a node: it takes leave of nobody


def info(node: LocalNode) -> dict[str, Any]:
    """Facts about this node, for `Node.info` and `runtime_info`."""

    def look() -> dict[str, Any]:
        kernel = node.kernel
        return {
            "name": kernel.name or None,
            "host": host_of(kernel.name) or None,
            "creation": kernel.creation or None,
            "hidden": kernel.hidden,
            "policy": kernel.policy,
            "tick": kernel.tick_seconds,
            "nodes": kernel.nodes(("visible",)),
            "hidden_nodes": kernel.nodes(("hidden",)),
            "partitions": kernel.partitions(),
            "processes": len(kernel.processes()),
            "registered": kernel.registered(),
        }

    facts = node.step(look)
    facts["threads"] = threading.active_count()
    facts["dying_threads"] = node.processes.dying()
    return facts
