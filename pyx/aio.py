"""`aio`: the awaitable twins of all functions that wait, for `async def` processes and any event loop.

    await aio.receive(("reply", ref, ...))
    await aio.sleep(0.5)
    await aio.rpc.call("server@vm", "os", "getpid", [])
    await aio.Node.ping("server@vm")

Arguments, results and exceptions are those of the plain functions.  Cancelling the coroutine ends the wait:
`receive` has taken no message, a call is abandoned, `send` has sent.  Plain `send` works in a coroutine too:
it never waits there, and raises NodeBusy once 16 MiB are queued for the node; `await aio.send(...)` waits.
Tasks that are made in `with aio.detached():` outlive the process that makes them.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from pyx.execution import context
from pyx.execution.runner import sleep_async
from pyx.options import NodeOptions, takes_options
from pyx.runtime import node_requests, process_requests, rpc_client, start_stop
from pyx.runtime.arguments import answer_to_send, checked_destination, checked_seconds
from pyx.runtime.local_node import node_of, this_node

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyx.terms import Pid, Ref

__all__ = ["Node", "Process", "detached", "receive", "rpc", "send", "sleep"]


async def receive(*patterns: Any, timeout: float | None = None) -> Any:
    """`primitives.receive`, awaitable."""
    runner = context.require("aio.receive()")
    return await node_of(runner).receiving.receive_async(runner, patterns, checked_seconds(timeout))


async def send(dest: Pid | str | tuple[str, str] | Ref, message: Any, *, nosuspend: bool = False) -> Any:
    """`primitives.send`, awaitable: it waits for a busy node, and never raises NodeBusy."""
    node = this_node()
    dest, sending = checked_destination(node, dest), node.sending
    sent = sending.send_unless_busy(dest, message) if nosuspend else await sending.send_async(dest, message)
    return answer_to_send(dest, message, sent, nosuspend=nosuspend)


async def sleep(seconds: float | None) -> None:
    """`Process.sleep`, awaitable (None: for ever)."""
    delay = checked_seconds(seconds, "seconds")
    await sleep_async(context.current.get(), this_node().tasks.slot(), delay)


class rpc:  # noqa: N801 - the twin of the module `rpc`
    """The twins of the functions in `rpc` that wait; a namespace, never instantiated."""

    @staticmethod
    async def call(
        node: str, module: Any, function: Any = None, args: Sequence[Any] = (), timeout: float | None = None
    ) -> Any:
        """`rpc.call`, awaitable."""
        return await rpc_client.call(node, module, function, args, timeout)

    @staticmethod
    async def multicall(
        nodes: Sequence[str] | None,
        module: Any,
        function: Any = None,
        args: Sequence[Any] = (),
        timeout: float | None = None,
    ) -> tuple[list[Any], list[str]]:
        """`rpc.multicall`, awaitable."""
        return await rpc_client.multicall(nodes, module, function, args, timeout)


@contextlib.contextmanager
def detached() -> Iterator[None]:
    """Runs the block outside of the process, so that tasks made in it are not cancelled when that ends.

    The tasks that an `async def` process makes are cancelled at its end.  That includes tasks that a library
    makes once and shares among all its callers (the reader of a connection pool).  Have it make them here:

        with aio.detached():
            await pool.connect()

    In the block `self` and `receive` raise NotAProcess; `send` and `rpc.call` work as on a thread that is not
    a process.
    """
    token = context.current.set(None)
    try:
        yield
    finally:
        context.current.reset(token)


class Node:
    """The twins of the functions in `Node` that wait; a namespace, never instantiated."""

    @staticmethod
    @takes_options(NodeOptions)
    async def start(options: NodeOptions) -> str:
        """`Node.start`, awaitable; it waits (for EPMD, say) on another thread."""
        return await asyncio.to_thread(start_stop.start, this_node(), options)

    @staticmethod
    async def stop() -> bool:
        """`Node.stop`, awaitable."""
        return await asyncio.to_thread(start_stop.stop, this_node())

    @staticmethod
    async def ping(node: str) -> str:
        """`Node.ping`, awaitable."""
        return await node_requests.ping(node)

    @staticmethod
    async def connect(node: str) -> bool | str:
        """`Node.connect`, awaitable."""
        return await node_requests.connect(node)

    @staticmethod
    async def spawn(node: str, module: Any, *rest: Any) -> Pid:
        """`Node.spawn`, awaitable."""
        return (await node_requests.spawn(node, module, rest))[0]

    @staticmethod
    async def spawn_link(node: str, module: Any, *rest: Any) -> Pid:
        """`Node.spawn_link`, awaitable."""
        context.require("aio.Node.spawn_link()")
        return (await node_requests.spawn(node, module, rest, link=True))[0]

    @staticmethod
    async def spawn_monitor(node: str, module: Any, *rest: Any) -> tuple[Pid, Ref]:
        """`Node.spawn_monitor`, awaitable."""
        context.require("aio.Node.spawn_monitor()")
        pid, ref = await node_requests.spawn(node, module, rest, monitor=True)
        assert ref is not None
        return pid, ref


class Process:
    """The twins of the functions in `Process` that wait; a namespace, never instantiated."""

    @staticmethod
    async def info(pid: Pid, key: str | list[str] | None = None) -> Any:
        """`Process.info`, awaitable."""
        return await process_requests.info(pid, key)

    @staticmethod
    async def is_alive(pid: Pid) -> bool:
        """`Process.is_alive`, awaitable."""
        return await process_requests.is_alive(pid)
