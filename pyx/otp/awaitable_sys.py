"""`aio.Sys`: the awaitable twins of the functions of `Sys`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyx.otp import server_sys
from pyx.otp.server_calls import CALL_SECONDS, system_call

if TYPE_CHECKING:
    from pyx.otp.server_calls import Server

__all__ = ["Sys"]


class AwaitableSys:
    """The twins of the functions in `Sys`; a namespace, never instantiated."""

    @staticmethod
    async def get_state(server: Server, timeout: float | None = CALL_SECONDS) -> Any:
        """`Sys.get_state`, awaitable."""
        return await server_sys.get_state(server, timeout)

    @staticmethod
    async def replace_state(server: Server, function: Any, timeout: float | None = CALL_SECONDS) -> Any:
        """`Sys.replace_state`, awaitable."""
        return await server_sys.replace_state(server, function, timeout)

    @staticmethod
    async def get_status(server: Server, timeout: float | None = CALL_SECONDS) -> Any:
        """`Sys.get_status`, awaitable."""
        return await system_call(server, "get_status", timeout)

    @staticmethod
    async def suspend(server: Server, timeout: float | None = CALL_SECONDS) -> str:
        """`Sys.suspend`, awaitable."""
        return str(await system_call(server, "suspend", timeout))

    @staticmethod
    async def resume(server: Server, timeout: float | None = CALL_SECONDS) -> str:
        """`Sys.resume`, awaitable."""
        return str(await system_call(server, "resume", timeout))

    @staticmethod
    async def trace(server: Server, is_on: bool, timeout: float | None = CALL_SECONDS) -> str:
        """`Sys.trace`, awaitable."""
        return str(await server_sys.trace(server, is_on, timeout))

    @staticmethod
    async def change_code(server: Server, timeout: float | None = CALL_SECONDS) -> str:
        """`Sys.change_code`, awaitable."""
        return str(await server_sys.change_code(server, timeout))


Sys = AwaitableSys
