"""The awaitable twins of everything that waits, for `async def` processes and for any running loop.

    await aio.receive(("reply", ref, ...))
    await aio.sleep(0.5)
    await aio.rpc.call("server@vm", "os", "getpid", [])
    await aio.Node.ping("server@vm")

Arguments, values and errors are those of the plain ones.  Cancelling the coroutine leaves the wait: a
`receive` has taken nothing, a call is abandoned, a `send` has sent.  Plain `send` may be used as it is: it
never waits on a loop, but is refused where far too much is queued already; `await aio.send(...)` waits.
`with aio.detached():` makes tasks that outlive the process they are made in.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from pyx.errors import NoConnection, RpcTimeout
from pyx.execution import context
from pyx.execution.runner import sleep_async
from pyx.options import NodeOptions, takes_options
from pyx.runtime import inquiry, reaching, remote_calls, start_stop
from pyx.runtime.arguments import (
    answer_to_send,
    checked_destination,
    checked_pid,
    checked_seconds,
    named_call,
)
from pyx.runtime.local_node import node_of, this_node
from pyx.runtime.pending_answer import PendingAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyx.terms import Pid, Ref

__all__ = ["Node", "Process", "detached", "receive", "rpc", "send", "sleep"]


async def receive(*patterns: Any, timeout: float | None = None) -> Any:
    """`primitives.receive`, awaitable."""
    runner = context.require("aio.receive()")
    return await node_of(runner).receiving.receive_async(runner, patterns, checked_seconds(timeout))


async def send(dest: Pid | str | tuple[str, str] | Ref, message: Any, *, nosuspend: bool = False) -> Any:
    """`primitives.send`, awaitable: it waits where that would have to, and is never refused (NodeBusy)."""
    node = this_node()
    dest = checked_destination(node, dest)
    sent = (
        node.sending.send_unless_busy(dest, message)
        if nosuspend
        else await node.sending.send_async(dest, message)
    )
    return answer_to_send(dest, message, sent, nosuspend=nosuspend)


async def sleep(seconds: float | None) -> None:
    """`Process.sleep`, awaitable (None: for ever)."""
    delay = checked_seconds(seconds, "seconds")
    await sleep_async(context.current.get(), this_node().tasks.slot(), delay)


class rpc:  # noqa: N801 - the twin of the module `rpc`
    """The twins of `rpc`; never instantiated."""

    @staticmethod
    async def call(
        node: str, module: Any, function: Any = None, args: Sequence[Any] = (), timeout: float | None = None
    ) -> Any:
        """`rpc.call`, awaitable."""
        timeout = checked_seconds(timeout)
        here = this_node()
        dest = here.full_name(node)
        payload = remote_calls.encoded_call(here, module, function, args)
        with PendingAnswer(here, here.tasks.slot()) as pending:
            remote_calls.ask(here, pending, dest, payload)
            if not await pending.wait_async(timeout):
                assert timeout is not None
                raise RpcTimeout(dest, timeout)
        return remote_calls.value_of(here, dest, pending)

    @staticmethod
    async def multicall(
        nodes: Sequence[str] | None,
        module: Any,
        function: Any = None,
        args: Sequence[Any] = (),
        timeout: float | None = None,
    ) -> tuple[list[Any], list[str]]:
        """`rpc.multicall`, awaitable."""
        timeout = checked_seconds(timeout)
        here = this_node()
        dests = remote_calls.targets(here, nodes)
        payload = remote_calls.encoded_call(here, module, function, args)
        with contextlib.ExitStack() as stack:
            pendings = [stack.enter_context(PendingAnswer(here, here.tasks.slot())) for _ in dests]
            for dest, pending in zip(dests, pendings, strict=True):
                remote_calls.ask(here, pending, dest, payload)
            await asyncio.gather(*(pending.wait_async(timeout) for pending in pendings))
        return remote_calls.sorted_out(here, dests, pendings)


@contextlib.contextmanager
def detached() -> Iterator[None]:
    """Makes what runs in this block belong to no process: the tasks that it makes outlive the caller's.

    The tasks of an `async def` process are cancelled at its end, those too that a library makes for all its
    callers and keeps, if this process happens to be the first (a connection pool's reader).  So let it make
    them here:

        with aio.detached():
            await pool.connect()

    In the block `self` and `receive` raise NotAProcess; `send` and `rpc.call` work as on any thread that is
    not a process.
    """
    token = context.current.set(None)
    try:
        yield
    finally:
        context.current.reset(token)


class Node:
    """The twins of what waits in `Node`; never instantiated."""

    @staticmethod
    @takes_options(NodeOptions)
    async def start(options: NodeOptions) -> str:
        """`Node.start`, awaitable: it waits (for EPMD, say) on a thread."""
        return await asyncio.to_thread(start_stop.start, this_node(), options)

    @staticmethod
    async def stop() -> bool:
        """`Node.stop`, awaitable."""
        return await asyncio.to_thread(start_stop.stop, this_node())

    @staticmethod
    async def ping(node: str) -> str:
        """`Node.ping`, awaitable."""
        here = this_node()
        with PendingAnswer(here, here.tasks.slot()) as pending:
            answer = reaching.ping(here, pending, node)
            in_time = answer is None and await pending.wait_async(reaching.SECONDS)
        return answer or reaching.pong(here, node, pending, in_time=in_time)

    @staticmethod
    async def connect(node: str) -> bool | str:
        """`Node.connect`, awaitable."""
        here = this_node()
        with PendingAnswer(here, here.tasks.slot()) as pending:
            answer = reaching.connect(here, pending, node)
            in_time = answer is None and await pending.wait_async(reaching.DIAL_SECONDS)
        return answer or reaching.connected(pending, in_time=in_time)

    @staticmethod
    async def spawn(node: str, module: Any, *rest: Any) -> Pid:
        """`Node.spawn`, awaitable."""
        return (await _spawn(node, named_call(module, rest), link=False, monitor=False))[0]

    @staticmethod
    async def spawn_link(node: str, module: Any, *rest: Any) -> Pid:
        """`Node.spawn_link`, awaitable."""
        context.require("aio.Node.spawn_link()")
        return (await _spawn(node, named_call(module, rest), link=True, monitor=False))[0]

    @staticmethod
    async def spawn_monitor(node: str, module: Any, *rest: Any) -> tuple[Pid, Ref]:
        """`Node.spawn_monitor`, awaitable."""
        context.require("aio.Node.spawn_monitor()")
        pid, ref = await _spawn(node, named_call(module, rest), link=False, monitor=True)
        assert ref is not None
        return pid, ref


async def _spawn(node: str, call: reaching.NamedCall, *, link: bool, monitor: bool) -> tuple[Pid, Ref | None]:
    here = this_node()
    with PendingAnswer(here, here.tasks.slot()) as pending:
        reaching.ask_spawn(here, pending, node, call, link=link, monitor=monitor)
        await pending.wait_async(None)
    return reaching.spawned(here, node, call, pending)


class Process:
    """The twins of what may wait in `Process`; never instantiated."""

    @staticmethod
    async def info(pid: Pid, key: str | list[str] | None = None) -> Any:
        """`Process.info`, awaitable."""
        keys = inquiry.checked_keys(key)
        return inquiry.as_asked(await inquiry.ask_async(this_node(), checked_pid(pid), keys), key)

    @staticmethod
    async def is_alive(pid: Pid) -> bool:
        """`Process.is_alive`, awaitable."""
        try:
            return await inquiry.ask_async(this_node(), checked_pid(pid), ["status"]) is not None
        except NoConnection:
            return False
