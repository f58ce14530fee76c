"""The refusals of registries and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyx.errors import PyxError, RegistrationError

if TYPE_CHECKING:
    from pyx.terms import Pid


class AlreadyRegistered(RegistrationError):
    """A key of a unique registry has a holder.  Attributes: `registry`, `key`, `pid` (the holder)."""

    def __init__(self, registry: str, key: Any, pid: Pid) -> None:
        self.registry = registry
        self.key = key
        self.pid = pid
        super().__init__(f"{key!r} is registered in {registry!r} already, by {pid}")


class NotLocal(PyxError, ValueError):
    """A process of another node cannot join or leave a group here, nor be tracked.  Attribute: `pid`."""

    def __init__(self, pid: Pid, *, is_presence: bool = False) -> None:
        self.pid = pid
        here = "are tracked here" if is_presence else "join and leave groups here"
        there = "Presence.track, topic, key, meta, pid=pid" if is_presence else "pg.join, group, pid"
        super().__init__(
            f"{pid} is a process of {pid.node}, and only processes of this node {here}",
            hint=f'have its node do it, for example rpc.call("{pid.node}", {there})'
            if is_presence
            else f'have it join there, for example rpc.call("{pid.node}", {there})',
        )
