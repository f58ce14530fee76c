"""The kernel's spaces as registries and scopes have them: by name, each with a process that owns it.

The owner only waits: entries are dropped by the kernel, so there is nothing that it could fail at, and it is
linked to no holder.  A supervisor may own it; with it all entries of the space go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.core.spaces import PLAIN_USE, SpaceUse
from pyx.execution.context import require
from pyx.otp.starting import init_done, init_failed, start_process
from pyx.runtime.encoding import decoded
from pyx.runtime.local_node import node_of
from pyx.signals import LONGEST_KEY_BYTES, Payload
from pyx.terms import LONGEST_WORD
from pyx.wire.codec import encode_key

if TYPE_CHECKING:
    from pyx.core.kernel import Kernel
    from pyx.runtime.local_node import LocalNode
    from pyx.terms import Pid

REGISTRY: Final = "registry "
"""Begins the name of the space of a registry; its own name follows."""

SCOPE: Final = "pg "
"""Begins the name of the space of a scope."""

_LONGEST_NAME: Final = LONGEST_WORD - max(len(REGISTRY), len(SCOPE))


def space_name(prefix: str, name: Any, what: str) -> str:
    """Returns the name of a space; raises TypeError or ValueError if *name* cannot be that of a *what*."""
    if type(name) is not str:
        msg = f"the name of a {what} is a str, not {name!r}"
        raise TypeError(msg)
    if not 0 < len(name) <= _LONGEST_NAME:
        msg = f"the name of a {what} has 1 to {_LONGEST_NAME} characters, not {len(name)}"
        raise ValueError(msg)
    return prefix + name


async def start_owner(
    space: str,
    name: str,
    what: str,
    *,
    unique: bool,
    replicated: bool,
    link: bool,
    listeners: tuple[str, ...] = (),
) -> Pid:
    """Starts the process that owns a space, registered as *name*; returns its pid once the space is there.

    Raises:
        ServerAlreadyStarted: a process has that name.
        StartFailed: there is a space of that name, without a process.
        NotAProcess: *link*, and the caller is not a process.
    """
    pid = await start_process(
        _own_space, (space, unique, replicated, listeners), what=what, name=name, link=link
    )
    assert pid is not None
    return pid


async def _own_space(space: str, unique: bool, replicated: bool, listeners: tuple[str, ...]) -> None:
    """The body of the owner: it throws away what is sent to it."""
    runner = require("a registry")
    use = SpaceUse(listeners=tuple(listeners)) if listeners else PLAIN_USE
    with node_of(runner).kernel_call as kernel:
        is_open = kernel.keys.open_space(
            space, owner=runner.process, unique=unique, replicated=replicated, use=use
        )
    if not is_open:
        init_failed("already_started")
    init_done()
    while True:
        await node_of(runner).receiving.receive_async(runner, (), None)


def key_bytes(here: LocalNode, value: Any, what: str, *, replicated: bool) -> bytes:
    """Returns a key as bytes.

    Raises:
        TypeError: it is not hashable.
        EncodeError: it is not data.
        ValueError: it is too long for a replicated space.
    """
    key = encode_key(value, what=what, max_bytes=here.max_message_bytes)
    if replicated and len(key) > LONGEST_KEY_BYTES:
        msg = f"a {what} has at most {LONGEST_KEY_BYTES:,} bytes as a message, not {len(key):,}"
        raise ValueError(msg)
    return key


def key_of(kernel: Kernel, key: bytes, *, trusted: bool) -> Any:
    """Returns the value of a key; of one that a peer may have chosen (not *trusted*) as of its message."""
    return decoded(Payload(key, None if trusted else kernel.tables.here), kernel)
