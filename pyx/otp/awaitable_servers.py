"""`aio.GenServer`: the awaitable twins of the functions of `GenServer` that wait."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from pyx.errors import NoProcess
from pyx.otp import genserver as servers
from pyx.otp import multi_calls, server_calls
from pyx.otp.protocol import cast_message
from pyx.otp.server_calls import CALL_SECONDS, Server
from pyx.otp.via import destination_of_cast
from pyx.runtime.arguments import checked_destination
from pyx.runtime.local_node import this_node

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyx.otp.protocol import From
    from pyx.otp.via import ProcessName
    from pyx.terms import Pid

__all__ = ["GenServer"]


class AwaitableServers:
    """The twins of the functions in `GenServer` that wait; a namespace, never instantiated."""

    @staticmethod
    async def start_link(
        kind: type[servers.GenServer],
        /,
        *args: Any,
        name: ProcessName | None = None,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> Pid | Any:
        """`Stock.start_link(...)`, awaitable: `await aio.GenServer.start_link(Stock, ...)`."""
        return await servers.start_server(kind, args, kwargs, name=name, timeout=timeout, link=True)

    @staticmethod
    async def start(
        kind: type[servers.GenServer],
        /,
        *args: Any,
        name: ProcessName | None = None,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> Pid | Any:
        """`Stock.start(...)`, awaitable."""
        return await servers.start_server(kind, args, kwargs, name=name, timeout=timeout, link=False)

    @staticmethod
    async def call(server: Server, request: Any, timeout: float | None = CALL_SECONDS) -> Any:
        """`GenServer.call`, awaitable; cancelled, the call is given up."""
        return await server_calls.call(server, request, timeout)

    @staticmethod
    async def cast(server: Server, request: Any) -> str:
        """`GenServer.cast`, awaitable: it waits for a busy node, and never raises NodeBusy."""
        here, message = this_node(), cast_message(request)
        dest = destination_of_cast(server)
        if dest is not None or server is None:
            with contextlib.suppress(NoProcess):
                await here.sending.send_async(checked_destination(here, dest), message)
        return "ok"

    @staticmethod
    async def reply(frm: From, value: Any) -> str:
        """`GenServer.reply`, awaitable: it waits for a busy node, and never raises NodeBusy."""
        return await server_calls.reply_async(frm, value)

    @staticmethod
    async def multi_call(
        nodes: Sequence[str] | None, name: str, request: Any, timeout: float | None = None
    ) -> tuple[dict[str, Any], list[str]]:
        """`GenServer.multi_call`, awaitable."""
        return await multi_calls.multi_call(nodes, name, request, timeout)

    @staticmethod
    async def stop(server: Server, reason: Any = "normal", timeout: float | None = None) -> str:
        """`GenServer.stop`, awaitable."""
        return await server_calls.stop(server, reason, timeout)


GenServer = AwaitableServers
