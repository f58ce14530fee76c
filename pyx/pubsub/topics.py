"""`PubSub`: broadcasts to the processes that have subscribed to a topic, on all visible nodes.

PubSub.subscribe("orders")
PubSub.broadcast("orders", ("created", 7))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyx.core.keys import BATCH
from pyx.core.tables import NO_NODE
from pyx.execution.context import require
from pyx.pubsub.instance_names import DEFAULT_PUBSUB
from pyx.pubsub.instances import (
    adapter_of,
    start_pubsub,
    subscriptions,
    topic_bytes,
)
from pyx.pubsub.publishing import broadcast_of, publish
from pyx.runtime.arguments import checked_pid
from pyx.runtime.encoding import encoded
from pyx.runtime.local_node import node_of, this_node
from pyx.runtime.request import wait
from pyx.wire.codec import is_flat

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.pubsub.adapter import Adapter
    from pyx.terms import Pid

__all__ = ["PubSub"]


class PubSub:
    """Topics and their subscribers, as Phoenix.PubSub; a namespace, never instantiated.

    A broadcast reaches the subscribers on all visible nodes at most once: what is lost on the way shows as
    `nodedown`.  It takes its place among the other messages of its sender, to each subscriber.  The message
    is encoded once, and goes once to each node.  Topics are str, matched exactly; a subscription ends with
    its process.

    Each function takes the name of an *instance*, which has topics of its own; the instance `"pubsub"` is
    always there.  Broadcasts and questions work on any thread, subscriptions in processes alone.

    Differs from Elixir: the dispatcher is chosen by the node of the subscribers, and no message is overtaken
    by a broadcast or overtakes one of its sender.
    """

    # ------------------------------------------------------------ start

    @staticmethod
    def start_link(
        *, name: str, adapter: Adapter | None = None, dispatcher: Callable[..., object] | None = None
    ) -> Pid:
        """Starts an instance whose process is linked to the caller; returns the pid of that process.

        Under a supervisor: `child(PubSub, name="chat")`.

        Args:
            name: of the instance; its process is registered under it.
            adapter: carries broadcasts between nodes; None: the mesh does.  See `pubsub/adapter.py`.
            dispatcher: a `def`, which is called as `dispatcher(entries, pid, message)` for each broadcast
                with subscribers on this node, in the process of the instance, and delivers it.  *entries* is
                `[(subscriber, metadata), ...]`, *pid* that of `broadcast_from`, else None.

        Raises:
            ServerAlreadyStarted: a process has that name.
            StartFailed: the adapter did not start.
            NotAProcess: the calling thread is not a pyx process.
        """
        require("PubSub.start_link()")
        return wait("PubSub.start_link", start_pubsub(name, adapter, dispatcher, link=True))

    @staticmethod
    def start(
        *, name: str, adapter: Adapter | None = None, dispatcher: Callable[..., object] | None = None
    ) -> Pid:
        """`start_link` without the link, on any thread."""
        return wait("PubSub.start", start_pubsub(name, adapter, dispatcher, link=False))

    # ------------------------------------------------------------ subscribers

    @staticmethod
    def subscribe(topic: str, *, metadata: Any = None, pubsub: str = DEFAULT_PUBSUB) -> str:
        """Subscribes the running process to a topic; returns `"ok"`.

        A process that subscribes twice gets everything twice.

        Args:
            topic: any str.
            metadata: data, for the dispatcher of the instance.
            pubsub: the instance.

        Raises:
            TypeError: the topic is not a str.
            ValueError: the instance is not started here, or the topic is too long.
            NotAProcess: the calling thread is not a pyx process.
        """
        runner = require("PubSub.subscribe()")
        here = node_of(runner)
        key = topic_bytes(here, topic)
        limit = here.max_message_bytes
        value = metadata if is_flat(metadata) else encoded(metadata, limit, what="metadata")
        with here.kernel_call as kernel:
            kernel.keys.hold(subscriptions(kernel, pubsub), key, value, [runner.process])
        return "ok"

    @staticmethod
    def unsubscribe(topic: str, *, pubsub: str = DEFAULT_PUBSUB) -> str:
        """Takes all subscriptions of the running process to a topic back; returns `"ok"`, also for none.

        Thousands are taken back in portions.  Raises as `subscribe`.
        """
        runner = require("PubSub.unsubscribe()")
        here = node_of(runner)
        key = topic_bytes(here, topic)
        with here.kernel_call as kernel:
            space = subscriptions(kernel, pubsub)
            entries = kernel.keys.held_by(runner.process, space, key)
        for start in range(0, len(entries), BATCH)[::-1]:  # the latest first: each of them is at the end
            with here.kernel_call as kernel:
                kernel.keys.drop(space, entries[start : start + BATCH])
        return "ok"

    @staticmethod
    def subscribers(topic: str, *, pubsub: str = DEFAULT_PUBSUB) -> list[Pid]:
        """Returns the subscribers of a topic on this node, each as often as it has subscribed."""
        here = this_node()
        key = topic_bytes(here, topic)
        with here.kernel_call as kernel:
            entries = subscriptions(kernel, pubsub).entries_of(key)
        return [entry.held.frm for entry in entries if entry.process.alive]

    # ------------------------------------------------------------ broadcasts

    @staticmethod
    def broadcast(
        topic: str, message: Any, *, pubsub: str = DEFAULT_PUBSUB, nosuspend: bool = False
    ) -> str | list[str]:
        """Sends a message to all subscribers of a topic, on all visible nodes, the caller too if it is one.

        If a node takes too little, the caller waits as in `send`; `aio.PubSub.broadcast` is the twin for
        coroutines.

        Args:
            topic: any str.
            message: data.
            pubsub: the instance.
            nosuspend: such nodes are left out instead.

        Returns:
            `"ok"`, which says nothing of delivery; with *nosuspend* the names of the nodes left out.

        Raises:
            EncodeError: the message is not data.
            NodeBusy: the caller cannot wait, and too much is queued for a node; nothing was sent.
            TypeError: the topic is not a str.
            ValueError: the instance is not started here, or the topic is too long.
        """
        return publish(broadcast_of(topic, message, pubsub, nosuspend=nosuspend))

    @staticmethod
    def broadcast_from(
        pid: Pid, topic: str, message: Any, *, pubsub: str = DEFAULT_PUBSUB, nosuspend: bool = False
    ) -> str | list[str]:
        """`broadcast` to all subscribers but *pid*, mostly `self()`."""
        skip = checked_pid(pid)
        return publish(broadcast_of(topic, message, pubsub, skip=skip, nosuspend=nosuspend))

    @staticmethod
    def local_broadcast(topic: str, message: Any, *, pubsub: str = DEFAULT_PUBSUB) -> str:
        """`broadcast` to the subscribers of this node; returns `"ok"`."""
        publish(broadcast_of(topic, message, pubsub, reach="here"))
        return "ok"

    @staticmethod
    def local_broadcast_from(pid: Pid, topic: str, message: Any, *, pubsub: str = DEFAULT_PUBSUB) -> str:
        """`local_broadcast` to all subscribers but *pid*."""
        publish(broadcast_of(topic, message, pubsub, skip=checked_pid(pid), reach="here"))
        return "ok"

    @staticmethod
    def direct_broadcast(
        node: str, topic: str, message: Any, *, pubsub: str = DEFAULT_PUBSUB, nosuspend: bool = False
    ) -> str | list[str]:
        """`broadcast` to the subscribers of one node, which is connected if it is not; lost if it cannot be.

        Raises:
            NodeNameInvalid: no node can have that name.
        """
        reach = (node_for_direct(node, pubsub),)
        return publish(broadcast_of(topic, message, pubsub, reach=reach, nosuspend=nosuspend))

    @staticmethod
    def node_name(*, pubsub: str = DEFAULT_PUBSUB) -> str:
        """Returns the name under which `direct_broadcast` finds this node."""
        here = this_node()
        with here.kernel_call as kernel:
            adapter = adapter_of(subscriptions(kernel, pubsub))
        return adapter.node_name() if adapter is not None else here.kernel.tables.name or NO_NODE


def node_for_direct(node: str, pubsub: str) -> str:
    """Returns the full name of a node of the mesh; what an adapter calls its nodes is its own, a str."""
    here = this_node()
    space = here.kernel.broadcasts.space(pubsub) if type(pubsub) is str else None
    adapter = adapter_of(space) if space is not None else None
    if adapter is None:
        return here.full_name(node)
    if type(node) is not str:
        msg = f"a node name is a str, not {node!r}"
        raise TypeError(msg)
    return "" if node == adapter.node_name() else node
