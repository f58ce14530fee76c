"""The kernel's spaces as registries and scopes have them: by name, each with a process that owns it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.core.spaces import PLAIN_USE, SpaceUse
from pyx.otp.server_loop import serve
from pyx.otp.space_owner import SpaceOwner
from pyx.otp.starting import start_process
from pyx.runtime.arguments import checked_new_name
from pyx.runtime.encoding import decoded
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
    return prefix + checked_new_name(name, what, longest=_LONGEST_NAME)


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
    use = SpaceUse(listeners=listeners) if listeners else PLAIN_USE

    async def own() -> None:
        await serve(SpaceOwner, link, space, unique, replicated, use)

    pid = await start_process(
        own,
        what=what,
        name=name,
        link=link,
        initial_call=(f"pyx.otp.{what}", "init", 1),
    )
    assert pid is not None
    return pid


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
