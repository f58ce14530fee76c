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
import importlib
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar, overload

from pyx import fast_paths
from pyx.execution import context
from pyx.execution.runner import sleep_async
from pyx.options import NodeOptions, takes_options
from pyx.runtime import node_requests, process_requests, rpc_client, start_stop
from pyx.runtime.arguments import (
    answer_to_send,
    checked_destination,
    checked_seconds,
    node_of_destination,
)
from pyx.runtime.fast_send import send_fast
from pyx.runtime.local_node import this_node
from pyx.runtime.sending import wait_for_room_async
from pyx.terms import Pid

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
    from types import ModuleType

    from pyx.cluster.awaitable_cluster import Cluster
    from pyx.otp.awaitable_keys import Registry, pg
    from pyx.otp.awaitable_servers import GenServer
    from pyx.otp.awaitable_supervisors import Application, DynamicSupervisor, PartitionSupervisor, Supervisor
    from pyx.pubsub.awaitable_pubsub import Presence, PubSub
    from pyx.runtime.local_node import LocalNode
    from pyx.runtime.via_names import Via
    from pyx.terms import Ref

__all__ = [
    "Application",
    "Cluster",
    "DynamicSupervisor",
    "GenServer",
    "Node",
    "PartitionSupervisor",
    "Presence",
    "Process",
    "PubSub",
    "Registry",
    "Supervisor",
    "detached",
    "pg",
    "receive",
    "rpc",
    "send",
    "sleep",
]

P = ParamSpec("P")
T = TypeVar("T")
Item = TypeVar("Item")

_TWINS_OF_OTP: Final[dict[str, str]] = {
    "Agent": "pyx.otp.awaitable_agents",
    "Application": "pyx.otp.awaitable_supervisors",
    "Cluster": "pyx.cluster.awaitable_cluster",
    "DynamicSupervisor": "pyx.otp.awaitable_supervisors",
    "Presence": "pyx.pubsub.awaitable_pubsub",
    "PubSub": "pyx.pubsub.awaitable_pubsub",
    "Registry": "pyx.otp.awaitable_keys",
    "pg": "pyx.otp.awaitable_keys",
    "GenServer": "pyx.otp.awaitable_servers",
    "PartitionSupervisor": "pyx.otp.awaitable_supervisors",
    "Supervisor": "pyx.otp.awaitable_supervisors",
    "Sys": "pyx.otp.awaitable_sys",
    "Task": "pyx.otp.awaitable_tasks",
}
"""By name, the modules of the twins of OTP, PubSub and clusters: loaded when they are first used."""


def __getattr__(name: str) -> Any:
    module = _TWINS_OF_OTP.get(name)
    if module is None:
        msg = f"module 'pyx.aio' has no attribute {name!r}"
        raise AttributeError(msg)
    value = globals()[name] = getattr(importlib.import_module(module), name)
    return value


async def receive(*patterns: Any, timeout: float | None = None) -> Any:
    """`primitives.receive`, awaitable."""
    runner = context.current.get() or context.require("aio.receive()")
    seconds = None if timeout is None else checked_seconds(timeout)
    node: LocalNode = runner.node  # type: ignore[assignment] # as `node_of`, a call less for each message
    return await node.receiving.receive_async(runner, patterns, seconds)


async def send(
    dest: Pid | str | tuple[str, str] | Ref | Via, message: Any, *, nosuspend: bool = False
) -> Any:
    """`primitives.send`, awaitable: it waits for a busy node, and never raises NodeBusy."""
    if type(dest) is not Pid:
        dest = checked_destination(this_node(), dest)
    if fast_paths.enabled and not nosuspend and (queue := send_fast(dest, message)) is not False:
        if queue is not True:
            await wait_for_room_async(this_node().tasks, queue)
        return message
    sending = this_node().sending
    sent = sending.send_unless_busy(dest, message) if nosuspend else await sending.send_async(dest, message)
    return answer_to_send(dest, message, sent, nosuspend=nosuspend)


async def sleep(seconds: float | None) -> None:
    """`Process.sleep`, awaitable (None: for ever)."""
    delay = checked_seconds(seconds, "seconds")
    await sleep_async(context.current.get(), this_node().tasks.slot(), delay)


class rpc:  # noqa: N801 - the twin of the module `rpc`
    """The twins of the functions in `rpc` that wait; a namespace, never instantiated."""

    @staticmethod
    def within(seconds: float | None) -> AwaitableWithin:
        """`rpc.within`: `await aio.rpc.within(0.5).call(node, function, 1)`."""
        return AwaitableWithin(seconds)

    @overload
    @staticmethod
    async def call(
        node: str, function: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> T: ...
    @overload
    @staticmethod
    async def call(node: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T: ...
    @overload
    @staticmethod
    async def call(
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
    @staticmethod
    async def call(node: str, target: Any, /, *args: Any, **kwargs: Any) -> Any:
        """`rpc.call`, awaitable."""
        return await rpc_client.call(node, target, args, kwargs)

    @overload
    @staticmethod
    async def multicall(
        nodes: Sequence[str] | None, function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs
    ) -> tuple[list[Any], list[str]]: ...
    @overload
    @staticmethod
    async def multicall(
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
    @staticmethod
    async def multicall(
        nodes: Sequence[str] | None, target: Any, /, *args: Any, **kwargs: Any
    ) -> tuple[list[Any], list[str]]:
        """`rpc.multicall`, awaitable."""
        return await rpc_client.multicall(nodes, target, args, kwargs)

    @staticmethod
    async def abcast(nodes: Sequence[str] | None, name: str, message: Any) -> bool:
        """`rpc.abcast`, awaitable: it waits for busy nodes."""
        from pyx.runtime import rpc_broadcasts  # few programs use it

        await rpc_broadcasts.abcast_async(nodes, name, message)
        return True

    @overload
    @staticmethod
    async def pmap(
        nodes: Sequence[str] | None,
        function: Callable[Concatenate[Item, P], Coroutine[Any, Any, T]],
        items: Iterable[Item],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> list[T]: ...
    @overload
    @staticmethod
    async def pmap(
        nodes: Sequence[str] | None,
        function: Callable[Concatenate[Item, P], T],
        items: Iterable[Item],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> list[T]: ...
    @overload
    @staticmethod
    async def pmap(
        nodes: Sequence[str] | None,
        function: tuple[ModuleType | str, str],
        items: Iterable[Any],
        /,
        *args: Any,
        **kwargs: Any,
    ) -> list[Any]: ...
    @staticmethod
    async def pmap(
        nodes: Sequence[str] | None, function: Any, items: Iterable[Any], /, *args: Any, **kwargs: Any
    ) -> list[Any]:
        """`rpc.pmap`, awaitable."""
        from pyx.runtime import rpc_broadcasts

        return await rpc_broadcasts.pmap(nodes, function, items, args, kwargs)


class AwaitableWithin:
    """The awaitable `call` and `multicall` with a time limit; see `rpc.within`."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = checked_seconds(seconds)

    @overload
    async def call(
        self, node: str, function: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> T: ...
    @overload
    async def call(self, node: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T: ...
    @overload
    async def call(
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
    async def call(self, node: str, target: Any, /, *args: Any, **kwargs: Any) -> Any:
        """`rpc.call`, awaitable."""
        return await rpc_client.call(node, target, args, kwargs, self._seconds)

    @overload
    async def multicall(
        self, nodes: Sequence[str] | None, function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs
    ) -> tuple[list[Any], list[str]]: ...
    @overload
    async def multicall(
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
    async def multicall(
        self, nodes: Sequence[str] | None, target: Any, /, *args: Any, **kwargs: Any
    ) -> tuple[list[Any], list[str]]:
        """`rpc.multicall`, awaitable."""
        return await rpc_client.multicall(nodes, target, args, kwargs, self._seconds)


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
        return await asyncio.to_thread(start_stop.start_in_program, this_node(), options)

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

    @overload
    @staticmethod
    async def spawn(
        node: str, function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs
    ) -> Pid: ...
    @overload
    @staticmethod
    async def spawn(
        node: str,
        module: ModuleType | str,
        /,
        function: str,
        args: Sequence[Any] = (),
        *,
        kwargs: Mapping[str, Any] | None = None,
    ) -> Pid: ...
    @staticmethod
    async def spawn(node: str, target: Any, /, *args: Any, **kwargs: Any) -> Pid:
        """`Node.spawn`, awaitable."""
        return (await node_requests.spawn(node, target, args, kwargs))[0]

    @overload
    @staticmethod
    async def spawn_link(
        node: str, function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs
    ) -> Pid: ...
    @overload
    @staticmethod
    async def spawn_link(
        node: str,
        module: ModuleType | str,
        /,
        function: str,
        args: Sequence[Any] = (),
        *,
        kwargs: Mapping[str, Any] | None = None,
    ) -> Pid: ...
    @staticmethod
    async def spawn_link(node: str, target: Any, /, *args: Any, **kwargs: Any) -> Pid:
        """`Node.spawn_link`, awaitable."""
        context.require("aio.Node.spawn_link()")
        return (await node_requests.spawn(node, target, args, kwargs, link=True))[0]

    @overload
    @staticmethod
    async def spawn_monitor(
        node: str, function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs
    ) -> tuple[Pid, Ref]: ...
    @overload
    @staticmethod
    async def spawn_monitor(
        node: str,
        module: ModuleType | str,
        /,
        function: str,
        args: Sequence[Any] = (),
        *,
        kwargs: Mapping[str, Any] | None = None,
    ) -> tuple[Pid, Ref]: ...
    @staticmethod
    async def spawn_monitor(node: str, target: Any, /, *args: Any, **kwargs: Any) -> tuple[Pid, Ref]:
        """`Node.spawn_monitor`, awaitable."""
        context.require("aio.Node.spawn_monitor()")
        pid, ref = await node_requests.spawn(node, target, args, kwargs, monitor=True)
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

    @staticmethod
    async def send(
        dest: Pid | str | tuple[str, str] | Ref | Via,
        message: Any,
        *,
        noconnect: bool = False,
        nosuspend: bool = False,
    ) -> str:
        """`Process.send`, awaitable."""
        here = this_node()
        checked = checked_destination(here, dest)
        if noconnect and not here.reaches(node_of_destination(checked)):
            return "noconnect"
        sending = here.sending
        sent = (
            sending.send_unless_busy(checked, message)
            if nosuspend
            else await sending.send_async(checked, message)
        )
        return str(answer_to_send(dest, message, sent, nosuspend=True))
