"""Instances of PubSub and Presence: their spaces in the kernel, and the processes that own these.

The default instances are always there and have no process.  With the process of another one its
subscriptions end.  A dispatcher runs in that process, and belongs to the node of the subscribers: no message
names one, so a peer does not choose what runs here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.core.broadcasts import PUBSUB
from pyx.core.spaces import SpaceUse
from pyx.errors import DecodeError
from pyx.execution.context import require
from pyx.execution.node_log import log
from pyx.execution.tracebacks import sentence_of, traceback_text
from pyx.otp.named_spaces import space_name
from pyx.otp.start_errors import ServerAlreadyStarted
from pyx.otp.starting import init_done, init_failed, start_process
from pyx.pubsub.adapter import payload_in
from pyx.pubsub.instance_names import DEFAULT_PRESENCE, DEFAULT_PUBSUB, PRESENCE, unknown_instance
from pyx.runtime.encoding import PUBLISH_TAG, decode_body
from pyx.runtime.local_node import node_of, this_node
from pyx.runtime.rpc_functions import is_coroutine_function
from pyx.signals import LONGEST_KEY_BYTES
from pyx.terms import Pid
from pyx.wire.codec import encode_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.core.kernel import Kernel
    from pyx.core.spaces import Space
    from pyx.pubsub.adapter import Adapter
    from pyx.runtime.local_node import LocalNode

_METHODS: Final = ("start", "stop", "node_name", "broadcast", "direct_broadcast")
"""Of an adapter."""

_ADAPTER: Final = b"adapter"
"""The key of an instance's adapter among the values of its space."""


def topic_bytes(here: LocalNode, topic: Any) -> bytes:
    """Returns a topic as an encoded key; raises TypeError, or ValueError if it is too long."""
    if type(topic) is not str:
        msg = f"a topic is a str, not {topic!r}"
        raise TypeError(msg)
    key = encode_key(topic, what="topic", max_bytes=here.max_message_bytes)
    if len(key) > LONGEST_KEY_BYTES:
        msg = f"a topic has at most {LONGEST_KEY_BYTES:,} bytes as a message, not {len(key):,}"
        raise ValueError(msg)
    return key


# ---------------------------------------------------------------- spaces; inside kernel calls


def subscriptions(kernel: Kernel, pubsub: Any) -> Space:
    """Returns the space of an instance of PubSub; raises ValueError if it is not started here.

    With the default instance, the default space of presences is opened, whose changes it is told of.
    """
    if pubsub == DEFAULT_PUBSUB and PUBSUB + DEFAULT_PUBSUB not in kernel.tables.spaces:
        kernel.keys.open_space(PUBSUB + DEFAULT_PUBSUB, owner=None, unique=False, replicated=False)
        presences_of(kernel, DEFAULT_PRESENCE)
    space = kernel.broadcasts.space(pubsub) if type(pubsub) is str else None
    if space is None:
        raise unknown_instance(kernel, "PubSub", pubsub)
    return space


def presences_of(kernel: Kernel, presence: Any) -> Space:
    """Returns the space of an instance of Presence; raises ValueError if it is not started here."""
    name = f"{PRESENCE}{presence}"
    if presence == DEFAULT_PRESENCE and name not in kernel.tables.spaces:
        use = SpaceUse(diffs_to=DEFAULT_PUBSUB)
        kernel.keys.open_space(name, owner=None, unique=False, replicated=True, use=use)
    space = kernel.tables.spaces.get(name) if type(presence) is str else None
    if space is None:
        raise unknown_instance(kernel, "Presence", presence)
    return space


def adapter_of(space: Space) -> Adapter | None:
    """Returns the adapter of an instance; None for the mesh."""
    return space.meta.get(_ADAPTER)


# ---------------------------------------------------------------- starts


async def start_pubsub(name: Any, adapter: Adapter | None, dispatcher: Any, *, link: bool) -> Pid:
    """Starts an instance; see `PubSub.start_link`."""
    space = space_name(PUBSUB, name, "PubSub")
    _must_not_be_default(name, DEFAULT_PUBSUB, "PubSub")
    if dispatcher is not None and (not callable(dispatcher) or is_coroutine_function(dispatcher)):
        msg = f"the dispatcher of a PubSub is a def: function(entries, pid, message), not {dispatcher!r}"
        raise TypeError(msg)
    missing = [name for name in _METHODS if not callable(getattr(adapter, name, None))]
    if adapter is not None and missing:
        msg = f"the adapter of a PubSub has the methods {', '.join(_METHODS)}; {adapter!r} lacks {missing[0]}"
        raise TypeError(msg)
    use = SpaceUse(dispatches=dispatcher is not None)

    async def idle() -> None:
        _open(space, use, replicated=False)
        init_done()
        await _drop_all()

    def serve() -> None:
        _serve(name, _open(space, use, replicated=False), adapter, dispatcher)

    body = idle if adapter is None and dispatcher is None else serve
    return await _started(body, "PubSub", name, link=link)


async def start_presence(name: Any, pubsub: Any, down_after: float, *, link: bool) -> Pid:
    """Starts an instance; see `Presence.start_link`."""
    space = space_name(PRESENCE, name, "Presence")
    _must_not_be_default(name, DEFAULT_PRESENCE, "Presence")
    with this_node().kernel_call as kernel:
        subscriptions(kernel, pubsub)
    use = SpaceUse(diffs_to=pubsub, down_after=down_after)

    async def idle() -> None:
        _open(space, use, replicated=True)
        init_done()
        await _drop_all()

    return await _started(idle, "Presence", name, link=link)


def _must_not_be_default(name: str, default: str, what: str) -> None:
    if name == default:
        msg = f"the {what} {default!r} is always there: give another one a name of its own"
        raise ValueError(msg)


async def _started(body: Callable[[], Any], what: str, name: str, *, link: bool) -> Pid:
    try:
        pid = await start_process(
            body, what=what, name=name, link=link, initial_call=(__name__, f"start_{what.lower()}", 1)
        )
    except ServerAlreadyStarted as error:
        hint = f"a {what} is a process of that name: give it one that no PubSub, Presence or server here has"
        raise ServerAlreadyStarted(name, error.pid, hint=hint) from None
    assert pid is not None
    return pid


def _open(name: str, use: SpaceUse, *, replicated: bool) -> Space:
    runner = require("an instance")
    with node_of(runner).kernel_call as kernel:
        is_open = kernel.keys.open_space(
            name, owner=runner.process, unique=False, replicated=replicated, use=use
        )
        space = kernel.tables.spaces.get(name)
    if not is_open:
        init_failed("already_started")
    assert space is not None
    return space


async def _drop_all() -> None:
    """Throws away what is sent to the process of an instance."""
    runner = require("an instance")
    while True:
        await node_of(runner).receiving.receive_async(runner, (), None)


# ---------------------------------------------------------------- an instance with code of its own


def _serve(
    name: str, space: Space, adapter: Adapter | None, dispatcher: Callable[..., object] | None
) -> None:
    """Runs the process of an instance with an adapter or a dispatcher."""
    runner = require("an instance")
    here = node_of(runner)
    if adapter is not None:
        adapter.start(_deliver_to(here, space))
        with here.kernel_call:
            space.meta[_ADAPTER] = adapter
    try:
        init_done()
        while True:
            message = here.receiving.receive(runner, (), None)
            match message:
                case (tag, skip, str(topic), body) if tag == PUBLISH_TAG and dispatcher is not None:
                    _dispatch(here, name, space, topic, skip, body, dispatcher)
    finally:
        if adapter is not None:
            _stop(name, adapter)


def _stop(name: str, adapter: Adapter) -> None:
    """Stops an adapter; an exception is logged, and does not replace the reason of the instance's end."""
    try:
        adapter.stop()
    except Exception as error:
        log.error("the adapter of the PubSub %r raised %s (in stop())", name, sentence_of(error))


def _dispatch(
    here: LocalNode,
    name: str,
    space: Space,
    topic: str,
    skip: Pid | None,
    message: Any,
    dispatcher: Callable[..., object],
) -> None:
    """Calls the dispatcher with the subscribers of a topic, if there are any; an exception is logged."""
    key = topic_bytes(here, topic)
    with here.kernel_call:
        held = space.entries_of(key)
    entries = [(one.held.frm, decode_body(here.kernel, one.held.value)) for one in held if one.process.alive]
    if not entries:
        return
    try:
        dispatcher(entries, skip if type(skip) is Pid else None, message)
    except Exception as error:
        log.error(
            "the dispatcher of the PubSub %r raised %s (a message on %r)\n%s",
            name,
            sentence_of(error),
            topic,
            traceback_text(error).rstrip(),
        )


def _deliver_to(here: LocalNode, space: Space) -> Callable[[str, bytes], None]:
    """Returns what an adapter calls with a letter of another node."""

    def deliver(topic: str, letter: bytes) -> None:
        try:
            key = topic_bytes(here, topic)
            payload = payload_in(letter, here.kernel.tables.here)
        except (DecodeError, TypeError, ValueError) as error:
            name = space.name.removeprefix(PUBSUB)
            log.warning("the adapter of the PubSub %r delivered a broadcast that is dropped: %s", name, error)
            return
        here.dispatch.call_or_defer(here.kernel.broadcasts.publish, None, space, key, payload)

    return deliver
