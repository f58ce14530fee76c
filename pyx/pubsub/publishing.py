"""One broadcast: encoded once, put into the kernel in one call, and then waited for.

What is left of a long fan-out is delivered by its sender, a portion in each kernel call; if the sender is
interrupted, the transport's thread goes on (`ContinueFanOuts`), so nothing of it is lost.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from pyx.errors import NodeBusy
from pyx.execution import context
from pyx.execution.thread_state import thread
from pyx.pubsub.adapter import letter_of
from pyx.pubsub.instances import adapter_of, subscriptions, topic_bytes
from pyx.runtime.local_node import this_node
from pyx.runtime.sending import (
    REFUSED_BYTES,
    encode_for,
    take_busy_queue,
    wait_for_room,
    wait_for_room_async,
)
from pyx.signals import Publish
from pyx.wire.codec import is_flat

if TYPE_CHECKING:
    from pyx.core.fan_outs import FanOut
    from pyx.core.kernel import Kernel
    from pyx.core.outbox import Outbox
    from pyx.pubsub.adapter import Adapter
    from pyx.runtime.local_node import LocalNode
    from pyx.runtime.sending import Queue
    from pyx.signals import Body, Payload
    from pyx.terms import Pid

_PORTIONS_IN_A_ROW: Final = 8
"""A thread lets others run after this number of portions, some 2 ms."""

_ANOTHER_NODE: Final = "encode"
"""A destination that is not this node: what is for peers is always a payload."""

Reach: TypeAlias = "Literal['all', 'here'] | tuple[str]"
"""Which nodes a broadcast is for; `(node,)` is one other node."""


class Broadcast(NamedTuple):
    """One broadcast as it is put into the kernel."""

    here: LocalNode
    frm: Pid | None
    skip: Pid | None
    pubsub: str
    topic: str
    key: bytes
    body: Body
    """For mailboxes of this node."""
    payload: Payload
    """The same for peers."""
    reach: Reach
    may_wait: bool
    nosuspend: bool


class Unfinished(NamedTuple):
    """What a kernel call has left to its sender."""

    fan_out: FanOut | None = None
    busy: tuple[Queue, ...] = ()
    left_out: tuple[str, ...] = ()
    """Nodes that take too little, and got nothing."""
    adapter: Adapter | None = None


def broadcast_of(
    topic: Any,
    message: Any,
    pubsub: Any,
    *,
    skip: Pid | None = None,
    reach: Reach = "all",
    may_wait: bool = False,
    nosuspend: bool = False,
) -> Broadcast:
    """Returns a broadcast of the running process, encoded; raises what is wrong with the arguments."""
    here = this_node()
    key = topic_bytes(here, topic)
    payload = encode_for(_ANOTHER_NODE, message, here.max_message_bytes)
    body = message if is_flat(message) else payload
    frm = context.acting_pid()
    waits = may_wait or not context.may_not_wait()
    return Broadcast(here, frm, skip, pubsub, topic, key, body, payload, reach, waits, nosuspend)


def publish(broadcast: Broadcast) -> str | list[str]:
    """Sends a broadcast, and makes its process wait as `send` does.

    Returns:
        `"ok"`; with *nosuspend* the names of the nodes that were left out.

    Raises:
        ValueError: the instance is not started here.
        NodeBusy: the caller cannot wait, and too much is queued for a node; nothing was sent.
        ProcessKilled, KeyboardInterrupt: as `send`.
    """
    here = broadcast.here
    if thread.state.inside:
        # A finalizer: at the end of the kernel call that its thread is in, and over no adapter.
        here.dispatch.defer(_decide, here.kernel, broadcast)
        return "ok"
    left = _enter(broadcast)
    portions = 0
    while left.fan_out is not None and not left.fan_out.is_done:
        portions += 1
        if portions % _PORTIONS_IN_A_ROW == 0:
            time.sleep(0)  # the kernel's lock is free here, for threads that wait for it
        with here.kernel_call as kernel:
            kernel.broadcasts.go_on()
    _carry(broadcast, left)
    if not broadcast.nosuspend:
        for queue in left.busy:
            wait_for_room(queue)
    return _answer(broadcast, left)


async def publish_async(broadcast: Broadcast) -> str | list[str]:
    """`publish` for a coroutine: it lets others run between two portions, and is never refused."""
    here = broadcast.here
    left = _enter(broadcast)
    while left.fan_out is not None and not left.fan_out.is_done:
        await asyncio.sleep(0)
        with here.kernel_call as kernel:
            kernel.broadcasts.go_on()
    if left.adapter is not None:
        await asyncio.to_thread(_carry, broadcast, left)
    if not broadcast.nosuspend:
        for queue in left.busy:
            await wait_for_room_async(here.tasks, queue)
    return _answer(broadcast, left)


def _enter(broadcast: Broadcast) -> Unfinished:
    take_busy_queue()
    with broadcast.here.kernel_call as kernel:
        left = _decide(kernel, broadcast)
    mailbox = take_busy_queue()  # of a subscriber here, with a limit that blocks; or one of `busy`
    return left if mailbox is None or mailbox in left.busy else left._replace(busy=(*left.busy, mailbox))


def _decide(kernel: Kernel, broadcast: Broadcast) -> Unfinished:
    """Puts a broadcast into mailboxes and queues; under the kernel's lock."""
    _, frm, skip, pubsub, _, key, body, payload, reach, may_wait, nosuspend = broadcast
    space = subscriptions(kernel, pubsub)
    if frm is not None and kernel.tables.has_ended(frm):
        return Unfinished()
    adapter = adapter_of(space)
    signal = Publish(frm, skip, pubsub, key, payload)
    is_here = reach == "here" or (type(reach) is tuple and kernel.tables.is_here(reach[0]))
    busy: list[Outbox] = []
    left_out: list[str] = []
    if adapter is None and not is_here:
        if not nosuspend and not may_wait:
            _refuse_if_busy(kernel, reach)
        if type(reach) is tuple:
            busy, left_out = kernel.broadcasts.publish_to(reach[0], signal, nosuspend=nosuspend)
        else:
            busy, left_out = kernel.broadcasts.publish_to_peers(signal, nosuspend=nosuspend)
    fan_out = None
    if reach == "all" or is_here:
        fan_out = kernel.broadcasts.publish(frm, space, key, body, skip=skip)
    return Unfinished(fan_out, tuple(busy), tuple(left_out), None if is_here else adapter)


def _refuse_if_busy(kernel: Kernel, reach: Reach) -> None:
    queued = kernel.router.queued()
    for node in queued if reach == "all" else reach:
        if queued.get(node, 0) > REFUSED_BYTES:
            raise NodeBusy(node, queued[node])


def _carry(broadcast: Broadcast, left: Unfinished) -> None:
    """Hands a broadcast to its adapter, if it has one."""
    if left.adapter is None:
        return
    letter = letter_of(broadcast.payload, broadcast.here.kernel.tables.here)
    if type(broadcast.reach) is tuple:
        left.adapter.direct_broadcast(broadcast.reach[0], broadcast.topic, letter)
    else:
        left.adapter.broadcast(broadcast.topic, letter, broadcast.frm)


def _answer(broadcast: Broadcast, left: Unfinished) -> str | list[str]:
    return list(left.left_out) if broadcast.nosuspend else "ok"
