"""`Agent`: a process that keeps a state, for functions that its clients bring.  Elixir's module `Agent`.

Agent.start_link(dict, name="basket")
Agent.update("basket", lambda basket: {**basket, "milk": 2})
Agent.get("basket", dict.get, "milk")
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar, overload

from pyx.execution import context
from pyx.otp import server_calls
from pyx.otp.agent_server import AgentServer
from pyx.otp.protocol import cast_message
from pyx.otp.remote_work import LocalWork, WorkRequest, admitted, meet_server, work_for
from pyx.otp.server_calls import CALL_SECONDS, placed
from pyx.otp.server_loop import run_on_thread, serve
from pyx.otp.starting import start_process
from pyx.otp.via import destination_of_cast
from pyx.runtime.arguments import checked_seconds
from pyx.runtime.local_node import this_node
from pyx.runtime.request import wait
from pyx.runtime.rpc_functions import is_coroutine_function
from pyx.runtime.via_names import Via

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import ModuleType

    from pyx.otp.remote_work import NamedParts, NamedWork
    from pyx.otp.server_calls import Server
    from pyx.otp.via import ProcessName
    from pyx.terms import Pid

__all__ = ["Agent"]

P = ParamSpec("P")
R = TypeVar("R")


class Agent:
    """Functions of agents.  The class is a namespace and is never instantiated.

        Agent.start_link(dict, name="basket")
        Agent.update("basket", lambda basket: {**basket, "milk": 2})
        Agent.get("basket", len)                       # 1

    An agent calls the functions one by one, each in its own process, with its state as the first argument:
    the state itself, not a copy.  A caller gets a copy of what `get` returns.

    On this node a function is used as it is.  To an agent of another node it goes by its name or as source,
    as by `rpc.call`, and passes the `--rpc` policy there.

    Every *agent* is a pid, a name, `(name, node)` or `via(...)`.  After a function come its own arguments;
    instead of a function there may be a module, or its name, the name of a function and a list.
    """

    @staticmethod
    def start_link(target: Any, /, *args: Any, name: ProcessName | None = None, **kwargs: Any) -> Pid:
        """Starts an agent that is linked to the caller, and returns its pid once its state is there.

        Args:
            target: a function, which returns the first state; or a module, or its name.
            args: data; after a module the name of its function and a list.
            name: of the agent.
            kwargs: data, by name.

        Raises:
            StartFailed: the function raised.
            ServerAlreadyStarted: *name* is taken.
            NotAProcess: the calling thread is not a process; `start` needs none.
            WouldBlock: the thread runs an event loop (use `await aio.Agent.start_link()`).
        """
        return wait("Agent.start_link", started("Agent.start_link", target, args, kwargs, name, link=True))

    @staticmethod
    def start(target: Any, /, *args: Any, name: ProcessName | None = None, **kwargs: Any) -> Pid:
        """Starts an agent without a link, from any thread; see `start_link`."""
        return wait("Agent.start", started("Agent.start", target, args, kwargs, name, link=False))

    @staticmethod
    def within(seconds: float | None) -> AgentWithin:
        """Returns `get`, `update` and `get_and_update` with another time limit than 5 s.

        Args:
            seconds: None: no limit.
        """
        return AgentWithin(seconds)

    @overload
    @staticmethod
    def get(
        agent: Server, function: Callable[Concatenate[Any, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R: ...
    @overload
    @staticmethod
    def get(agent: Server, module: ModuleType | str, function: str, args: Sequence[Any] = (), /) -> Any: ...
    @staticmethod
    def get(agent: Server, target: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Returns what a function makes of the state.

        Raises:
            CallTimeout: no answer within 5 s; the agent calls the function all the same.
            CallExited: the function raised, which has ended the agent.
            CallRefused: the `--rpc` policy of the agent's node forbids the function.
            CallError: see `GenServer.call`.
            EncodeError: an argument is not data, or the function cannot be sent to another node.
            WouldBlock: the thread runs an event loop (use `await aio.Agent.get()`).
        """
        return wait("Agent.get", asked("Agent.get", agent, "get", target, args, kwargs, CALL_SECONDS))

    @overload
    @staticmethod
    def update(
        agent: Server, function: Callable[Concatenate[Any, P], object], /, *args: P.args, **kwargs: P.kwargs
    ) -> str: ...
    @overload
    @staticmethod
    def update(
        agent: Server, module: ModuleType | str, function: str, args: Sequence[Any] = (), /
    ) -> str: ...
    @staticmethod
    def update(agent: Server, target: Any, /, *args: Any, **kwargs: Any) -> str:
        """Makes what a function returns the new state; returns `"ok"`.  Raises as `get`."""
        answer = asked("Agent.update", agent, "update", target, args, kwargs, CALL_SECONDS)
        return str(wait("Agent.update", answer))

    @overload
    @staticmethod
    def get_and_update(
        agent: Server,
        function: Callable[Concatenate[Any, P], tuple[R, Any]],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R: ...
    @overload
    @staticmethod
    def get_and_update(
        agent: Server, module: ModuleType | str, function: str, args: Sequence[Any] = (), /
    ) -> Any: ...
    @staticmethod
    def get_and_update(agent: Server, target: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Calls a function that returns a pair: the value for the caller, and the new state.

        Raises:
            CallExited: as of `get`; `("bad_return_value", value)` where the function returned something else
                than a pair, which has ended the agent.
            Exception: as `get`.
        """
        api = "Agent.get_and_update"
        return wait(api, asked(api, agent, "get_and_update", target, args, kwargs, CALL_SECONDS))

    @staticmethod
    def cast(agent: Server, target: Any, /, *args: Any, **kwargs: Any) -> str:
        """`update` without an answer: returns `"ok"` at once, also where there is no such agent.

        Raises:
            EncodeError: as `get`.
        """
        dest = destination_of_cast(agent)
        server, node = placed(dest) if dest is not None or agent is None else (agent, "")
        work = _work("Agent.cast", node, target, args, kwargs)
        if node:
            return server_calls.cast(server, ("cast", work))
        return cast_as_it_is(server, WorkRequest("cast", work))

    @staticmethod
    def stop(agent: Server, reason: Any = "normal", timeout: float | None = None) -> str:
        """Ends an agent and returns `"ok"` once it is dead; see `GenServer.stop`."""
        return wait("Agent.stop", server_calls.stop(agent, reason, timeout))


class AgentWithin:
    """`get`, `update` and `get_and_update` with a time limit; see `Agent.within`."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds: Final = checked_seconds(seconds)

    def get(self, agent: Server, target: Any, /, *args: Any, **kwargs: Any) -> Any:
        """`Agent.get`."""
        return wait("Agent.get", asked("Agent.get", agent, "get", target, args, kwargs, self._seconds))

    def update(self, agent: Server, target: Any, /, *args: Any, **kwargs: Any) -> str:
        """`Agent.update`."""
        answer = asked("Agent.update", agent, "update", target, args, kwargs, self._seconds)
        return str(wait("Agent.update", answer))

    def get_and_update(self, agent: Server, target: Any, /, *args: Any, **kwargs: Any) -> Any:
        """`Agent.get_and_update`."""
        api = "Agent.get_and_update"
        return wait(api, asked(api, agent, "get_and_update", target, args, kwargs, self._seconds))


# ---------------------------------------------------------------- for threads and for coroutines


async def started(
    api: str,
    target: Any,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    name: ProcessName | None,
    *,
    link: bool,
) -> Pid:
    """Starts an agent; see `Agent.start_link`."""
    if link:
        context.require(f"{api}()")
    work = admitted(None, _work(api, "", target, args, kwargs))
    pid = await start_process(
        functools.partial(_serve, work, link),
        what=f"Agent {name}" if name is not None else "Agent",
        name=name,
        link=link,
        initial_call=work.initial_call,
    )
    assert pid is not None
    return pid


async def asked(
    api: str,
    agent: Server,
    kind: str,
    target: Any,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    timeout: float | None,
) -> Any:
    """Has an agent call a function; returns the answer."""
    server, node = placed(agent)
    await meet_server(node)
    work = _work(api, node, target, args, kwargs)
    return await server_calls.call(server, WorkRequest(kind, work), timeout)


def cast_as_it_is(server: Any, request: WorkRequest) -> str:
    """Casts a request that is not data to a process of this node; returns `"ok"`."""
    if isinstance(server, Via):  # it names no process
        return "ok"
    here = this_node()
    with here.kernel_call as kernel:
        kernel.router.send(context.acting_pid(), server, cast_message(request))
    return "ok"


def _work(
    api: str, node: str, target: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> LocalWork | NamedParts:
    work = work_for(api, node, target, args, kwargs)
    if type(work) is LocalWork and is_coroutine_function(work.function):
        msg = f"{api} takes a def, not {work!r}: an agent calls its functions on a thread"
        raise TypeError(msg)
    return work


def _serve(work: LocalWork | NamedWork, is_linked: bool) -> None:
    run_on_thread(serve(AgentServer, is_linked, work))
