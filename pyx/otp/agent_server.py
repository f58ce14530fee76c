"""The server of an agent: keeps a state, and calls on it the functions that requests bring.

The requests are `("get", work)`, `("update", work)`, `("get_and_update", work)`; a cast is `("cast", work)`.
The work passes the policy on remote work, by the origin of the message.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, ClassVar

from pyx.errors import RpcRefused
from pyx.execution.node_log import log
from pyx.otp.genserver import GenServer
from pyx.otp.handler_results import HandlerResult, Reply, Stop
from pyx.otp.protocol import refused_value, undefined_value
from pyx.otp.remote_work import admitted, parts_of

if TYPE_CHECKING:
    from pyx.otp.protocol import From
    from pyx.otp.remote_work import LocalWork, NamedWork

REQUESTS = ("get", "get_and_update", "update")


class AgentServer(GenServer):
    """The state of one agent, whatever the first function returned."""

    __behaviour__: ClassVar[str] = "Agent"
    __asks_origin__: ClassVar[bool] = True

    state: Any

    def init(self, work: LocalWork | NamedWork) -> None:
        """Has the first function make the state."""
        self.state = _called(work)

    def handle_call(self, request: Any, frm: From) -> Any:  # noqa: ARG002 - OTP's arguments
        """Calls the function of a request with the state."""
        match parts_of(request):
            case ("get" | "update" | "get_and_update" as kind, work):
                try:
                    run = admitted(self.origin, work)
                except RpcRefused as refused:
                    return Reply(refused_value(str(refused)))
                except ValueError:
                    return Reply(undefined_value([*REQUESTS]))
                value = _called(run, self.state)
            case _:
                return Reply(undefined_value([*REQUESTS]))
        if kind == "get":
            return Reply(value)
        if kind == "update":
            self.state = value
            return Reply("ok")
        if type(value) is not tuple or len(value) != 2:
            return Stop(("bad_return_value", value))
        reply, self.state = value
        return Reply(reply)

    def handle_cast(self, request: Any) -> Any:
        """Makes the state what the function of a cast returns."""
        match parts_of(request):
            case ("cast", work):
                try:
                    run = admitted(self.origin, work)
                except (RpcRefused, ValueError) as refused:
                    log.warning("an agent drops a cast of %s: %s", self.origin, refused)
                else:
                    self.state = _called(run, self.state)

    def __getstate__(self) -> Any:
        return self.state

    def __setstate__(self, state: Any) -> None:
        self.state = state


def _called(work: LocalWork | NamedWork, *state: Any) -> Any:
    try:
        value = work(*state)
    except HandlerResult as thrown:  # a function of the agent's is not a handler, as in Elixir
        raise Stop(("bad_return_value", thrown)) from None
    if isinstance(value, Coroutine):
        value.close()
        module, name, _ = work.initial_call
        msg = f"{module}.{name} is an async def, and an agent calls its functions on a thread: it takes a def"
        raise TypeError(msg)
    return value
