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
    """A process of another node cannot join or leave a group here.  Attribute: `pid`."""

    def __init__(self, pid: Pid) -> None:
        self.pid = pid
        super().__init__(
            f"{pid} is a process of {pid.node}, and only processes of this node join and leave groups here",
            hint=f'have it join there, for example rpc.call("{pid.node}", pg.join, group, pid)',
        )
