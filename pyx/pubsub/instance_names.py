"""The names of instances and of topics: the default ones, and those that a node knows."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

from pyx.core.broadcasts import PUBSUB
from pyx.errors import DecodeError
from pyx.otp.named_spaces import key_of
from pyx.runtime.local_node import this_node

if TYPE_CHECKING:
    from pyx.core.kernel import Kernel

DEFAULT_PUBSUB: Final = "pubsub"
DEFAULT_PRESENCE: Final = "presence"
"""The instances that are always there; each is the default of its functions."""

PRESENCE: Final = "presence "
"""Begins the name of the space of presences; its own name follows."""


def known_instances(kernel: Kernel, what: str) -> list[str]:
    """Returns the instances of PubSub, or of Presence, the default one first; inside a kernel call."""
    begins, default = (PUBSUB, DEFAULT_PUBSUB) if what == "PubSub" else (PRESENCE, DEFAULT_PRESENCE)
    names = [name.removeprefix(begins) for name in kernel.tables.spaces if name.startswith(begins)]
    return [default, *(name for name in names if name != default)]


def unknown_instance(kernel: Kernel, what: str, name: Any) -> ValueError:
    """Returns the error about an instance that is not started here; inside a kernel call."""
    there = ", ".join(map(repr, known_instances(kernel, what)))
    msg = f"unknown {what}: {name!r} is not started on this node, which has {there}"
    return ValueError(f"{msg} ({what}.start_link starts one)")


def known_topics() -> list[str]:
    """Returns the topics with a subscriber here, or with a presence on any node, of all instances."""
    here = this_node()
    with here.kernel_call as kernel:
        spaces = [one for one in kernel.tables.spaces.values() if one.name.startswith((PUBSUB, PRESENCE))]
        keys = {key for space in spaces for key in kernel.groups.keys(space)}
    topics: list[str] = []
    for key in keys:
        with contextlib.suppress(DecodeError):  # a peer may have chosen it
            topic = key_of(here.kernel, key, trusted=False)
            topics += [topic] if type(topic) is str else []
    return topics
