"""`aio.Registry`, `aio.pg`: the awaitable twins of the starts of registries and scopes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyx.execution.context import require
from pyx.otp import key_registry
from pyx.otp import pg as groups

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyx.otp.key_registry import KeysOfRegistry
    from pyx.terms import Pid

__all__ = ["Registry", "pg"]


class AwaitableRegistry:
    """The twins of the functions in `Registry` that wait; a namespace, never instantiated."""

    @staticmethod
    async def start_link(*, keys: KeysOfRegistry, name: str, listeners: Iterable[str] = ()) -> Pid:
        """`Registry.start_link`, awaitable."""
        require("aio.Registry.start_link()")
        return await key_registry.start(keys, name, listeners, link=True)

    @staticmethod
    async def start(*, keys: KeysOfRegistry, name: str, listeners: Iterable[str] = ()) -> Pid:
        """`Registry.start`, awaitable."""
        return await key_registry.start(keys, name, listeners, link=False)


class AwaitableGroups:
    """The twins of the functions in `pg` that wait; a namespace, never instantiated."""

    @staticmethod
    async def start_link(scope: str) -> Pid:
        """`pg.start_link`, awaitable."""
        require("aio.pg.start_link()")
        return await groups.start(scope, link=True)

    @staticmethod
    async def start(scope: str) -> Pid:
        """`pg.start`, awaitable."""
        return await groups.start(scope, link=False)


Registry = AwaitableRegistry
pg = AwaitableGroups
