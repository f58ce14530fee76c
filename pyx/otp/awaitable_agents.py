"""`aio.Agent`: the awaitable twins of the functions of `Agent` that wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.otp import agent as agents
from pyx.otp import server_calls
from pyx.otp.server_calls import CALL_SECONDS
from pyx.runtime.arguments import checked_seconds

if TYPE_CHECKING:
    from pyx.otp.server_calls import Server
    from pyx.otp.via import ProcessName
    from pyx.terms import Pid

__all__ = ["Agent"]


class AwaitableAgents:
    """The twins of the functions in `Agent` that wait; a namespace, never instantiated."""

    @staticmethod
    async def start_link(target: Any, /, *args: Any, name: ProcessName | None = None, **kwargs: Any) -> Pid:
        """`Agent.start_link`, awaitable."""
        return await agents.started("aio.Agent.start_link", target, args, kwargs, name, link=True)

    @staticmethod
    async def start(target: Any, /, *args: Any, name: ProcessName | None = None, **kwargs: Any) -> Pid:
        """`Agent.start`, awaitable."""
        return await agents.started("aio.Agent.start", target, args, kwargs, name, link=False)

    @staticmethod
    def within(seconds: float | None) -> AwaitableAgentWithin:
        """`Agent.within`: `await aio.Agent.within(0.5).get(agent, function)`."""
        return AwaitableAgentWithin(seconds)

    @staticmethod
    async def get(agent: Server, target: Any, /, *args: Any, **kwargs: Any) -> Any:
        """`Agent.get`, awaitable."""
        return await agents.asked("aio.Agent.get", agent, "get", target, args, kwargs, CALL_SECONDS)

    @staticmethod
    async def update(agent: Server, target: Any, /, *args: Any, **kwargs: Any) -> str:
        """`Agent.update`, awaitable."""
        api = "aio.Agent.update"
        return str(await agents.asked(api, agent, "update", target, args, kwargs, CALL_SECONDS))

    @staticmethod
    async def get_and_update(agent: Server, target: Any, /, *args: Any, **kwargs: Any) -> Any:
        """`Agent.get_and_update`, awaitable."""
        api = "aio.Agent.get_and_update"
        return await agents.asked(api, agent, "get_and_update", target, args, kwargs, CALL_SECONDS)

    @staticmethod
    async def stop(agent: Server, reason: Any = "normal", timeout: float | None = None) -> str:
        """`Agent.stop`, awaitable."""
        return await server_calls.stop(agent, reason, timeout)


class AwaitableAgentWithin:
    """The awaitable `get`, `update` and `get_and_update` with a time limit; see `Agent.within`."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds: Final = checked_seconds(seconds)

    async def get(self, agent: Server, target: Any, /, *args: Any, **kwargs: Any) -> Any:
        """`Agent.get`, awaitable."""
        return await agents.asked("aio.Agent.get", agent, "get", target, args, kwargs, self._seconds)

    async def update(self, agent: Server, target: Any, /, *args: Any, **kwargs: Any) -> str:
        """`Agent.update`, awaitable."""
        api = "aio.Agent.update"
        return str(await agents.asked(api, agent, "update", target, args, kwargs, self._seconds))

    async def get_and_update(self, agent: Server, target: Any, /, *args: Any, **kwargs: Any) -> Any:
        """`Agent.get_and_update`, awaitable."""
        api = "aio.Agent.get_and_update"
        return await agents.asked(api, agent, "get_and_update", target, args, kwargs, self._seconds)


Agent = AwaitableAgents
