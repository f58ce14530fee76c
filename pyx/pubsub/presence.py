"""`Presence`: which processes are in a topic, on all visible nodes, as Phoenix.Presence.

Presence.track("room", "gus", {"device": "web"})
Presence.list("room")          # {"gus": [{"device": "web", "ref": "..."}]}
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, TypeAlias

from pyx.core.keys import BATCH
from pyx.errors import EncodeError
from pyx.execution.context import require
from pyx.otp.key_errors import NotLocal
from pyx.pubsub.instance_names import DEFAULT_PRESENCE, DEFAULT_PUBSUB
from pyx.pubsub.instances import (
    presences_of,
    start_presence,
    topic_bytes,
)
from pyx.pubsub.presence_errors import AlreadyTracked, NotTracked
from pyx.runtime.arguments import checked_pid, checked_seconds
from pyx.runtime.encoding import decode_body, encoded, presences
from pyx.runtime.local_node import this_node
from pyx.runtime.request import wait
from pyx.runtime.sending import SendingCall
from pyx.signals import LONGEST_VALUE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.core.kernel import Kernel
    from pyx.core.processes import ProcessRecord
    from pyx.runtime.local_node import LocalNode
    from pyx.signals import Payload
    from pyx.terms import Pid

__all__ = ["Presence"]

Meta: TypeAlias = "dict[str, Any]"
"""What is known of one presence: the caller's dict, with `"ref"`, and `"ref_prev"` after an update."""


class Presence:
    """Who is there, by topic; a namespace, never instantiated.

    A process is tracked under a key of a topic (a user, say), with a dict that describes it, its *meta*.
    Several processes may have the same key: two devices of one user.  Each node owns the entries of its
    processes; they end with these, and are seen on all visible nodes from before the `nodeup` until before
    the `nodedown` of that node.

    The subscribers of the topic get each change, and that once:
    `("presence_diff", topic, {"joins": {key: [meta, ...]}, "leaves": {key: [meta, ...]}})`.  The loss of a
    node is one diff of all its leaves, and its return one of all its joins.

    Differs from Elixir: a lost node is gone at once, and not after `down_period` (but see `start_link`);
    only processes of this node are tracked here; diffs are messages, and there is no callback for them.
    """

    # ------------------------------------------------------------ start

    @staticmethod
    def start_link(*, name: str, down_after: float = 0.0, pubsub: str = DEFAULT_PUBSUB) -> Pid:
        """Starts an instance whose process is linked to the caller; returns the pid of that process.

        The instance `"presence"` is always there, with `down_after=0`.

        Args:
            name: of the instance; its process is registered under it.
            down_after: seconds by which the leaves of a lost node are held back, so that a connection that
                breaks for a moment shows nothing.  A node that has been restarted is not waited for.
            pubsub: the instance of PubSub whose subscribers get the diffs.

        Raises:
            ServerAlreadyStarted: a process has that name.
            ValueError: the instance of PubSub is not started here.
            NotAProcess: the calling thread is not a pyx process.
        """
        require("Presence.start_link()")
        return wait("Presence.start_link", start(name, down_after, pubsub, link=True))

    @staticmethod
    def start(*, name: str, down_after: float = 0.0, pubsub: str = DEFAULT_PUBSUB) -> Pid:
        """`start_link` without the link, on any thread."""
        return wait("Presence.start", start(name, down_after, pubsub, link=False))

    # ------------------------------------------------------------ entries of this node

    @staticmethod
    def track(
        topic: str,
        key: str,
        meta: Meta | None = None,
        *,
        pid: Pid | None = None,
        presence: str = DEFAULT_PRESENCE,
    ) -> str:
        """Tracks a process under a key of a topic; returns the reference of the entry, `meta["ref"]`.

        Args:
            topic: any str.
            key: what the process stands for, as the id of a user.
            meta: a dict of data; `{}` by default.
            pid: a process of this node; None: the running one.
            presence: the instance.

        Raises:
            AlreadyTracked: that process is tracked under that key there.
            NotLocal: a process of another node.
            TypeError, ValueError: an argument has no meaning, or the instance is not started here.
            NotAProcess: no pid is given, and the calling thread is not a pyx process.
        """
        here = this_node()
        key, tracked = _checked_key(key), _pid(pid, "Presence.track()")
        space_key = topic_bytes(here, topic)
        ref = secrets.token_hex(8)
        value = _value(here, key, {**_checked_meta({} if meta is None else meta), "ref": ref})
        with SendingCall(here.kernel_call, "") as kernel:
            space, process = presences_of(kernel, presence), _process(kernel, tracked)
            is_new = process is None or kernel.keys.labelled(process, space, space_key, key) is None
            if is_new and process is not None:
                kernel.keys.hold(space, space_key, value, [process], label=key)
        if not is_new:
            raise AlreadyTracked(topic, key, tracked)
        return ref

    @staticmethod
    def update(
        topic: str,
        key: str,
        meta: Meta | Callable[[Meta], Meta],
        *,
        pid: Pid | None = None,
        presence: str = DEFAULT_PRESENCE,
    ) -> str:
        """Replaces the meta of a tracked process: one diff with a leave of the old and a join of the new one.

        Args:
            topic: any str.
            key: under which it is tracked.
            meta: a dict, or a function from the old one to it, which is called anew if the entry has been
                changed meanwhile.
            pid: as of `track`.
            presence: the instance.

        Returns:
            The new reference; the old one is `meta["ref_prev"]`.

        Raises:
            NotTracked: the process is not tracked under that key there.
            NotLocal, TypeError, ValueError, NotAProcess: as `track`.
        """
        here = this_node()
        key, tracked = _checked_key(key), _pid(pid, "Presence.update()")
        space_key = topic_bytes(here, topic)
        while True:
            with here.kernel_call as kernel:
                space, process = presences_of(kernel, presence), _process(kernel, tracked)
                entry = kernel.keys.labelled(process, space, space_key, key) if process is not None else None
                held = entry.held if entry is not None else None
            if process is None or held is None:
                raise NotTracked(topic, key, tracked)
            old: Meta = decode_body(here.kernel, held.value)[1]
            # A function of the user's runs outside of the kernel.
            new = _checked_meta(meta(dict(old)) if callable(meta) else meta)
            ref = secrets.token_hex(8)
            value = _value(here, key, {**new, "ref": ref, "ref_prev": old["ref"]})
            with SendingCall(here.kernel_call, "") as kernel:
                entry = kernel.keys.labelled(process, space, space_key, key)
                if entry is not None and entry.held is held:
                    kernel.keys.replace(entry, value)
                    return ref

    @staticmethod
    def untrack(topic: str, key: str, *, pid: Pid | None = None, presence: str = DEFAULT_PRESENCE) -> str:
        """Ends the tracking of a process under a key of a topic; returns `"ok"`, also if there is none."""
        here = this_node()
        key, tracked = _checked_key(key), _pid(pid, "Presence.untrack()")
        space_key = topic_bytes(here, topic)
        with SendingCall(here.kernel_call, "") as kernel:
            space, process = presences_of(kernel, presence), _process(kernel, tracked)
            entry = process and kernel.keys.labelled(process, space, space_key, key)
            if entry:
                kernel.keys.drop(space, [entry])
        return "ok"

    @staticmethod
    def untrack_all(*, pid: Pid | None = None, presence: str = DEFAULT_PRESENCE) -> str:
        """Ends all tracking of a process, a hundred entries at a time; returns `"ok"`."""
        here = this_node()
        tracked = _pid(pid, "Presence.untrack_all()")
        with here.kernel_call as kernel:
            space, process = presences_of(kernel, presence), _process(kernel, tracked)
            entries = kernel.keys.held_by(process, space) if process is not None else []
        for start in range(0, len(entries), BATCH):  # as at the end of a process: no kernel call is long
            with SendingCall(here.kernel_call, "") as kernel:
                kernel.keys.drop(space, entries[start : start + BATCH])
        return "ok"

    # ------------------------------------------------------------ looking

    @staticmethod
    def list(topic: str, *, presence: str = DEFAULT_PRESENCE) -> dict[str, list[Meta]]:
        """Returns the metas in a topic by their keys, those of this node first."""
        here = this_node()
        space_key = topic_bytes(here, topic)
        with here.kernel_call as kernel:
            space = presences_of(kernel, presence)
            held = kernel.groups.members(space, space_key) + kernel.presence_diffs.absent(space, space_key)
        return presences(here.kernel, held)

    @staticmethod
    def get_by_key(topic: str, key: str, *, presence: str = DEFAULT_PRESENCE) -> Metas:
        """Returns the metas of one key, `[]` if there are none."""
        return Presence.list(topic, presence=presence).get(_checked_key(key), [])


Metas: TypeAlias = "list[Meta]"
"""The metas of one key: `list` is a function of `Presence`."""


async def start(name: Any, down_after: Any, pubsub: Any, *, link: bool) -> Pid:
    """Starts an instance; see `Presence.start_link`."""
    return await start_presence(name, pubsub, checked_seconds(down_after, "down_after") or 0.0, link=link)


def _checked_key(key: Any) -> str:
    if type(key) is not str:
        msg = f"the key of a presence is a str, not {key!r}"
        raise TypeError(msg)
    return key


def _checked_meta(meta: Any) -> Meta:
    if type(meta) is not dict:
        msg = f"the meta of a presence is a dict, not {meta!r}"
        raise TypeError(msg)
    return meta


def _pid(pid: Any, what: str) -> Pid:
    return require(what).process.pid if pid is None else checked_pid(pid)


def _process(kernel: Kernel, pid: Pid) -> ProcessRecord | None:
    """Returns a process of this node, None if it has ended; raises NotLocal for one of another node."""
    if pid.node and pid.node != kernel.tables.name:
        raise NotLocal(pid, is_presence=True)
    return kernel.tables.find(pid)


def _value(here: LocalNode, key: str, meta: Meta) -> Payload:
    try:
        value = encoded((key, meta), here.max_message_bytes, what="meta")
    except EncodeError:
        encoded(meta, here.max_message_bytes, what="meta")  # raises again, with a path that the caller knows
        raise
    if len(value.data) > LONGEST_VALUE_BYTES:
        msg = f"a meta has at most {LONGEST_VALUE_BYTES:,} bytes as a message, not {len(value.data):,}"
        raise ValueError(msg)
    return value
