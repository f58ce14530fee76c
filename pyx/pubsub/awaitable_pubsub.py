"""`aio.PubSub`, `aio.Presence`: the awaitable twins of the functions that wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyx.execution.context import require
from pyx.pubsub import presence as presences
from pyx.pubsub.instance_names import DEFAULT_PUBSUB
from pyx.pubsub.instances import start_pubsub
from pyx.pubsub.publishing import broadcast_of, publish_async
from pyx.pubsub.topics import node_for_direct
from pyx.runtime.arguments import checked_pid

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.pubsub.adapter import Adapter
    from pyx.terms import Pid

__all__ = ["Presence", "PubSub"]


class AwaitablePubSub:
    """The twins of the functions in `PubSub` that wait; a namespace, never instantiated."""

    @staticmethod
    async def start_link(
        *, name: str, adapter: Adapter | None = None, dispatcher: Callable[..., object] | None = None
    ) -> Pid:
        """`PubSub.start_link`, awaitable."""
        require("aio.PubSub.start_link()")
        return await start_pubsub(name, adapter, dispatcher, link=True)

    @staticmethod
    async def start(
        *, name: str, adapter: Adapter | None = None, dispatcher: Callable[..., object] | None = None
    ) -> Pid:
        """`PubSub.start`, awaitable."""
        return await start_pubsub(name, adapter, dispatcher, link=False)

    @staticmethod
    async def broadcast(
        topic: str, message: Any, *, pubsub: str = DEFAULT_PUBSUB, nosuspend: bool = False
    ) -> str | list[str]:
        """`PubSub.broadcast`, awaitable: it waits for a busy node, and never raises NodeBusy."""
        return await publish_async(broadcast_of(topic, message, pubsub, may_wait=True, nosuspend=nosuspend))

    @staticmethod
    async def broadcast_from(
        pid: Pid, topic: str, message: Any, *, pubsub: str = DEFAULT_PUBSUB, nosuspend: bool = False
    ) -> str | list[str]:
        """`PubSub.broadcast_from`, awaitable."""
        skip = checked_pid(pid)
        return await publish_async(
            broadcast_of(topic, message, pubsub, skip=skip, may_wait=True, nosuspend=nosuspend)
        )

    @staticmethod
    async def local_broadcast(topic: str, message: Any, *, pubsub: str = DEFAULT_PUBSUB) -> str:
        """`PubSub.local_broadcast`, awaitable: it lets others run between two portions."""
        await publish_async(broadcast_of(topic, message, pubsub, reach="here", may_wait=True))
        return "ok"

    @staticmethod
    async def local_broadcast_from(
        pid: Pid, topic: str, message: Any, *, pubsub: str = DEFAULT_PUBSUB
    ) -> str:
        """`PubSub.local_broadcast_from`, awaitable."""
        skip = checked_pid(pid)
        await publish_async(broadcast_of(topic, message, pubsub, skip=skip, reach="here", may_wait=True))
        return "ok"

    @staticmethod
    async def direct_broadcast(
        node: str, topic: str, message: Any, *, pubsub: str = DEFAULT_PUBSUB, nosuspend: bool = False
    ) -> str | list[str]:
        """`PubSub.direct_broadcast`, awaitable."""
        reach = (node_for_direct(node, pubsub),)
        return await publish_async(
            broadcast_of(topic, message, pubsub, reach=reach, may_wait=True, nosuspend=nosuspend)
        )


class AwaitablePresence:
    """The twins of the functions in `Presence` that wait; a namespace, never instantiated."""

    @staticmethod
    async def start_link(*, name: str, down_after: float = 0.0, pubsub: str = DEFAULT_PUBSUB) -> Pid:
        """`Presence.start_link`, awaitable."""
        require("aio.Presence.start_link()")
        return await presences.start(name, down_after, pubsub, link=True)

    @staticmethod
    async def start(*, name: str, down_after: float = 0.0, pubsub: str = DEFAULT_PUBSUB) -> Pid:
        """`Presence.start`, awaitable."""
        return await presences.start(name, down_after, pubsub, link=False)


PubSub = AwaitablePubSub
Presence = AwaitablePresence
