"""`GenServer`: a process that keeps a state and serves requests one by one, as OTP's `gen_server`."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from pyx.errors import brief
from pyx.otp import multi_calls, server_calls
from pyx.otp.call_request import CallRequest
from pyx.otp.handler_table import HandlerTable
from pyx.otp.server_calls import CALL_SECONDS
from pyx.otp.server_harness import harness
from pyx.otp.server_loop import run_on_thread, serve
from pyx.otp.starting import start_process
from pyx.runtime.request import wait

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyx.otp.protocol import From
    from pyx.otp.server_calls import Server
    from pyx.otp.via import ProcessName
    from pyx.terms import Incarnation, Pid

S = TypeVar("S", bound="GenServer")


class GenServer:
    """A server: one process that keeps a state, `self`, and handles requests and messages one by one.

        class Stock(GenServer):
            def init(self, items=None):
                self.items = dict(items or {})

            @handle.call
            def add(self, name: str, qty: int = 1) -> int:
                self.items[name] = self.items.get(name, 0) + qty
                return self.items[name]

            @handle.call(raises=(KeyError,))
            def take(self, name: str) -> int:
                return self.items.pop(name)

            @handle.cast
            def clear(self) -> None:
                self.items.clear()

        Stock.start_link({"nike": 30}, name="stock")
        Stock.add("stock", "nike", 3)                  # 33; the server by its name, pid or (name, node)
        await Stock.add.aio("stock", "nike")           # in a coroutine
        Stock.add.within(0.5)("stock", "nike")         # another time limit than 5 s
        GenServer.call("stock", ("add", "nike", 3))    # the same message, as an Elixir node sends it

    A handler returns the reply, or `Reply`, `NoReply` or `Stop`.  An exception ends the server, unless the
    handler declares it by `raises=`: then the caller gets it.  `self.frm` is the caller that is being served.
    Beside decorated methods, a class may have OTP's callbacks, which are described below.

    A class without `async def` runs each of its servers on a thread, which may block.  With one or more
    `async def`s its servers are coroutines on the process loop: all its methods run there, one message at a
    time, and must not block.

    Differs from Elixir: a request that no handler takes ends nothing; its caller gets `CallUndefined`.
    """

    __slots__ = ("frm", "origin")

    frm: From
    """The caller of the call that is being handled, `(pid, reference)`: what `GenServer.reply` takes."""

    __handlers__: ClassVar[HandlerTable]
    __behaviour__: ClassVar[str] = "GenServer"
    """The first word of a report."""
    __asks_origin__: ClassVar[bool] = False
    """True for a server that runs what peers ask it to: then `origin` is set before each handler."""

    origin: Incarnation | None
    """The node that sent the message which is being handled; None for this node.  See `remote_work.py`."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" in cls.__dict__:
            msg = f"{cls.__qualname__} has __init__: a server prepares itself in `init`, in its own process"
            raise TypeError(msg)
        cls.__handlers__ = HandlerTable(cls, GenServer)

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """Refuses: an object alone is not a server."""
        name = cls.__qualname__
        msg = (
            f"{name} is a server: start it by {name}.start_link(...), or test it by GenServer.harness({name})"
        )
        raise TypeError(msg)

    # ------------------------------------------------------------ callbacks: a class defines those it needs

    def init(self, *args: Any, **kwargs: Any) -> Any:
        """Prepares the server, in its process, with the arguments of `start_link`.

        Returns:
            None; or `Continue(x)`: `handle_continue(x)` runs before any message; `Ignore`: the server is not
            wanted; `Stop(reason)`: it cannot start; `NoReply(timeout=...)`: see `Reply`.
        """
        if args or kwargs:
            name = type(self).__qualname__
            msg = f"{name} was started with arguments, and has no `init` that takes them"
            raise TypeError(msg)

    def handle_call(self, request: Any, frm: From) -> Any:
        """Handles the calls that no decorated method takes; returns what a `@handle.call` method does."""

    def handle_cast(self, request: Any) -> Any:
        """Handles the casts that no decorated method takes; returns None, `NoReply(...)` or `Stop(...)`."""

    def handle_info(self, message: Any) -> Any:
        """Handles messages other than requests, `"timeout"` among them; returns what `handle_cast` does."""

    def handle_continue(self, argument: Any) -> Any:
        """Goes on after `init`, or a handler, asked for that; returns what `handle_cast` does."""

    def terminate(self, reason: Any) -> Any:
        """Is called before the server ends by `Stop`, an exception, or, if it traps exits, its parent's end.

        Not called when the process is killed, or gets an exit signal that it does not trap, as in OTP.
        """

    def code_change(self) -> None:
        """Is called by `Sys.change_code`, once `self` is of the reloaded class; a `def`."""

    def __getstate__(self) -> Any:
        """Returns what `Sys.get_state` and reports show as the state."""
        return dict(getattr(self, "__dict__", {}))

    def __setstate__(self, state: Any) -> None:
        """Sets the state that `Sys.replace_state` has made.

        Raises:
            TypeError: it is not a dict of names; or the class shows another state by a `__getstate__` of its
                own, which a `__setstate__` of its own has to take back.
        """
        cls = type(self)
        if cls.__setstate__ is GenServer.__setstate__ and cls.__getstate__ is not GenServer.__getstate__:
            msg = f"{cls.__qualname__} shows its state by __getstate__, and has no __setstate__ that takes it"
            raise TypeError(msg)
        if not (isinstance(state, dict) and all(isinstance(name, str) for name in state)):
            msg = f"the state of a server is a dict of its attributes by their names, not {brief(state)}"
            raise TypeError(msg)
        self.__dict__.clear()
        self.__dict__.update(state)

    # ------------------------------------------------------------ starting

    @classmethod
    def start_link(
        cls, *args: Any, name: ProcessName | None = None, timeout: float | None = None, **kwargs: Any
    ) -> Pid | Any:
        """Starts a server that is linked to the calling process, waits until `init` has run, returns its pid.

        Args:
            *args: of `init`: data; the server gets its own copies.
            name: a str, or `via(...)`; taken before `init` runs.
            timeout: seconds that `init` may take, after which the server is killed; None: no limit.
            **kwargs: of `init`.

        Returns:
            The pid; None where `init` returned `Ignore`.

        Raises:
            StartFailed: `init` raised, returned `Stop(reason)`, or was too slow.  A caller that traps exits
                gets the EXIT message too; another one ends, as in OTP.
            ServerAlreadyStarted: the name is taken; `init` was not run.
            NotAProcess: the calling thread is not a pyx process.
            WouldBlock: the thread runs an event loop (use `await aio.GenServer.start_link(Stock, ...)`).
        """
        start = start_server(cls, args, kwargs, name=name, timeout=timeout, link=True)
        return wait("GenServer.start_link", start)

    @classmethod
    def start(
        cls, *args: Any, name: ProcessName | None = None, timeout: float | None = None, **kwargs: Any
    ) -> Pid | Any:
        """Starts a server without a link, from any thread; otherwise `start_link`."""
        return wait(
            "GenServer.start", start_server(cls, args, kwargs, name=name, timeout=timeout, link=False)
        )

    # ------------------------------------------------------------ for clients of any server

    @staticmethod
    def call(server: Server, request: Any, timeout: float | None = CALL_SECONDS) -> Any:
        """Sends a request to a server and returns its reply; on any thread, in a process or not.

        Args:
            server: a pid, a registered name, `(name, node)`, or `via(...)`.
            request: data.
            timeout: seconds; None: no limit.

        Raises:
            CallError: there is no reply; its kinds say why (`CallTimeout`, `CallNoProcess` ...).
            Exception: what the handler raised and declares.
            EncodeError: the request is not data.
            WouldBlock: the thread runs an event loop (use `await aio.GenServer.call()`).

        Differs from Elixir: a failed call is an exception of the caller, which ends unless it catches it.
        """
        return wait("GenServer.call", server_calls.call(server, request, timeout))

    @staticmethod
    def request(server: Server, request: Any) -> CallRequest:
        """Sends a request to a server, and returns what waits for its reply: OTP's `send_request`."""
        return CallRequest(server, request)

    @staticmethod
    def cast(server: Server, request: Any) -> str:
        """Sends a request that has no reply; returns `"ok"`, also where there is no such server."""
        return server_calls.cast(server, request)

    @staticmethod
    def reply(frm: From, value: Any) -> str:
        """Replies to the caller *frm* of a call whose handler returned `NoReply`; from any process or thread.

        A caller that has given up gets nothing.
        """
        return server_calls.reply(frm, value)

    @staticmethod
    def multi_call(
        nodes: Sequence[str] | None, name: str, request: Any, timeout: float | None = None
    ) -> tuple[dict[str, Any], list[str]]:
        """Calls the servers of one name on several nodes (None: this one and all visible ones) at once.

        Returns:
            The replies by node, and the nodes without one.
        """
        return wait("GenServer.multi_call", multi_calls.multi_call(nodes, name, request, timeout))

    @staticmethod
    def abcast(nodes: Sequence[str] | None, name: str, request: Any) -> str:
        """Casts to the servers of one name on several nodes; returns `"abcast"`."""
        return multi_calls.abcast(nodes, name, request)

    @staticmethod
    def stop(server: Server, reason: Any = "normal", timeout: float | None = None) -> str:
        """Ends a server, after its `terminate(reason)`, and returns `"ok"` once it is dead.

        Raises:
            CallError: there is no such server, it ended with another reason, or *timeout* (seconds) is over.
        """
        return wait("GenServer.stop", server_calls.stop(server, reason, timeout))

    @staticmethod
    def whereis(server: Server) -> Pid | tuple[str, str] | None:
        """Returns the pid of a server of this node, or None; `(name, node)` of another node as it is."""
        return server_calls.whereis(server)

    @staticmethod
    def harness(kind: type[S], *args: Any, **kwargs: Any) -> S:
        """Returns a server's object with `init` run and no process, so that a test calls its methods.

            stock = GenServer.harness(Stock, {"nike": 1})
            assert stock.add("nike") == 2

        An `async def init` is run by `asyncio.run`.

        Raises:
            StartFailed: `init` returned `Stop` or `Ignore`.
        """
        return harness(kind, *args, **kwargs)


async def start_server(
    kind: type[GenServer],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    name: ProcessName | None,
    timeout: float | None,
    link: bool,
) -> Pid | None:
    """Starts a server, for threads and for coroutines; see `GenServer.start_link`."""
    if kind is GenServer:
        own = args[0] if args and isinstance(args[0], type) and issubclass(args[0], GenServer) else None
        advice = f"write {own.__name__}.start_link(...)" if own else "derive a class from it, and start that"
        msg = f"GenServer is not a server itself: {advice}"
        raise TypeError(msg)
    body = _serve_async if kind.__handlers__.on_loop else _serve_on_thread
    return await start_process(
        functools.partial(body, kind, link),
        args,
        kwargs,
        what=kind.__qualname__,
        name=name,
        link=link,
        timeout=timeout,
        initial_call=(kind.__module__, f"{kind.__qualname__}.init", len(args) + len(kwargs)),
    )


def _serve_on_thread(kind: type[GenServer], is_linked: bool, /, *args: Any, **kwargs: Any) -> None:
    run_on_thread(serve(kind, is_linked, *args, **kwargs))


_serve_async = serve
