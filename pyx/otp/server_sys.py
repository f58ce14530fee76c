"""`Sys`: looks into servers and changes them while they run, as OTP's `sys`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyx.core.tables import THE_NODE
from pyx.errors import EncodeError
from pyx.execution.context import acting_leader
from pyx.otp.remote_work import WorkRequest, meet_server, work_for
from pyx.otp.server_calls import CALL_SECONDS, placed, system_call
from pyx.runtime.local_node import this_node
from pyx.runtime.request import wait

if TYPE_CHECKING:
    from pyx.otp.server_calls import Server

__all__ = ["Sys"]


class Sys:
    """Looks into servers and changes them: GenServers, supervisors, agents, of this node or another one.

        Sys.get_state("stock")                         # {'items': {'nike': 30}}
        Sys.trace(("stock", "b"), True)                # shows here what it receives and replies

    A server answers between two messages.  What shows or changes the state of a server of another node needs
    `--rpc open` there.  All functions raise a `CallError`, as `GenServer.call`.

    The class is a namespace and is never instantiated.
    """

    @staticmethod
    def get_state(server: Server, timeout: float | None = CALL_SECONDS) -> Any:
        """Returns the state of a server: of a GenServer its attributes, as a dict.

        What is not data arrives as its repr.
        """
        return wait("Sys.get_state", get_state(server, timeout))

    @staticmethod
    def replace_state(server: Server, function: Any, timeout: float | None = CALL_SECONDS) -> Any:
        """Has a server replace its state by `function(state)`, and returns the new one.

        Args:
            server: see `GenServer.call`.
            function: runs in the server; of another node, it has to be there, or travels as source.
            timeout: seconds; None: no limit.
        """
        return wait("Sys.replace_state", replace_state(server, function, timeout))

    @staticmethod
    def get_status(server: Server, timeout: float | None = CALL_SECONDS) -> Any:
        """Returns `("status", pid, ("module", class), [dictionary, status, parent, debug, details])`."""
        return wait("Sys.get_status", system_call(server, "get_status", timeout))

    @staticmethod
    def suspend(server: Server, timeout: float | None = CALL_SECONDS) -> str:
        """Makes a server let its messages wait until `resume`, but for those of `Sys`; returns `"ok"`."""
        return str(wait("Sys.suspend", system_call(server, "suspend", timeout)))

    @staticmethod
    def resume(server: Server, timeout: float | None = CALL_SECONDS) -> str:
        """Makes a suspended server go on with what has come meanwhile; returns `"ok"`."""
        return str(wait("Sys.resume", system_call(server, "resume", timeout)))

    @staticmethod
    def trace(server: Server, is_on: bool, timeout: float | None = CALL_SECONDS) -> str:
        """Shows at this terminal what a server receives and replies, or ends that; returns `"ok"`."""
        return str(wait("Sys.trace", trace(server, is_on, timeout)))

    @staticmethod
    def change_code(server: Server, timeout: float | None = CALL_SECONDS) -> str:
        """Makes a server one of the class that its module has now, after a reload; returns `"ok"`.

        Its attributes stay, and its method `code_change(self)` may change them; if that raises, the server
        keeps its old class, and the exception is raised here.

        Differs from Elixir: the server need not be suspended; its messages wait meanwhile all the same.
        """
        return str(wait("Sys.change_code", change_code(server, timeout)))


async def get_state(server: Server, timeout: float | None) -> Any:
    """See `Sys.get_state`."""
    return (await system_call(server, "get_state", timeout))[1]


async def replace_state(server: Server, function: Any, timeout: float | None) -> Any:
    """See `Sys.replace_state`."""
    placed_server, node = placed(server)
    await meet_server(node)
    parts = "replace_state", work_for("Sys.replace_state", node, function, (), {})
    return (await system_call(placed_server, WorkRequest(*parts), timeout))[1]


async def trace(server: Server, is_on: bool, timeout: float | None) -> Any:
    """See `Sys.trace`."""
    request = ("debug", ("trace", is_on, acting_leader() or THE_NODE))
    return await system_call(server, request, timeout)


async def change_code(server: Server, timeout: float | None) -> Any:
    """See `Sys.change_code`."""
    _, node = placed(server)
    await meet_server(node)
    here = this_node()
    if here.speaks_with_erlang and here.is_erlang(node):
        raise EncodeError("request", "change_code", "is about a class of Python, and Erlang nodes have none")
    return await system_call(server, ("change_code", None, None, None), timeout)
