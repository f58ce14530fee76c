"""Client functions of decorated handlers: `Stock.add("stock", "nike", 3)`, `Stock.clear("stock")`."""

from __future__ import annotations

from asyncio.events import _get_running_loop
from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar

from pyx.errors import WouldBlock
from pyx.otp import server_calls
from pyx.otp.call_request import CallRequest
from pyx.otp.server_calls import CALL_SECONDS
from pyx.runtime.arguments import checked_seconds
from pyx.runtime.request import wait

if TYPE_CHECKING:
    from inspect import Signature

    from pyx.otp.handler_signatures import HandlerSignature
    from pyx.otp.server_calls import Server

P = ParamSpec("P")
R = TypeVar("R")


class CallClient(Generic[P, R]):
    """The client function of a `@handle.call` method.

        Stock.add("stock", "nike", 3)                     waits at most 5 s for the reply, and returns it
        Stock.add.within(0.5)("stock", "nike")            another limit; None waits for ever
        await Stock.add.aio("stock", "nike")              in a coroutine; also Stock.add.within(0.5).aio(...)
        request = Stock.add.request("stock", "nike")      asks now, and `request.result(timeout=1.0)` waits

    The first argument is the server: a pid, a name, `(name, node)` or `via(...)`.  The others are those of
    the method: data.  It raises a `CallError`, or an exception that the handler declares by `raises=`.
    """

    def __init__(
        self, name: str, signature: HandlerSignature, shown: str, seconds: float | None = CALL_SECONDS
    ) -> None:
        self.name = name
        self._signature = signature
        self._shown = shown
        self._seconds = seconds

    def __repr__(self) -> str:
        return f"<call {self._shown}{self._signature}>"

    @property
    def __signature__(self) -> Signature:
        """What `inspect.signature` returns."""
        return self._signature.of_client()

    def __call__(self, server: Server, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Calls the server; see the class."""
        request = self._signature.request(self.name, args, kwargs, shown=self._shown)
        if _get_running_loop() is not None:
            raise WouldBlock(f"{self._shown}()", f"{self._shown}.aio()")
        reply: R = wait("GenServer.call", server_calls.call(server, request, self._seconds))
        return reply

    def within(self, seconds: float | None) -> CallClient[P, R]:
        """Returns the function with another time limit, in seconds; None: no limit."""
        return CallClient(self.name, self._signature, self._shown, checked_seconds(seconds))

    async def aio(self, server: Server, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Returns the call, awaitable."""
        request = self._signature.request(self.name, args, kwargs, shown=self._shown)
        reply: R = await server_calls.call(server, request, self._seconds)
        return reply

    def request(self, server: Server, /, *args: P.args, **kwargs: P.kwargs) -> CallRequest:
        """Sends the request and returns what waits for its reply: OTP's `gen_server:send_request`."""
        return CallRequest(server, self._signature.request(self.name, args, kwargs, shown=self._shown))


class CastClient(Generic[P, R]):
    """The client function of a `@handle.cast` method: sends the request, and returns `"ok"` at once.

    Whether there is such a server is not looked at, as in OTP.
    """

    def __init__(self, name: str, signature: HandlerSignature, shown: str) -> None:
        self.name = name
        self._signature = signature
        self._shown = shown

    def __repr__(self) -> str:
        return f"<cast {self._shown}{self._signature}>"

    @property
    def __signature__(self) -> Signature:
        """What `inspect.signature` returns."""
        return self._signature.of_client()

    def __call__(self, server: Server, /, *args: P.args, **kwargs: P.kwargs) -> str:
        """Casts to the server; see the class."""
        return server_calls.cast(server, self._signature.request(self.name, args, kwargs, shown=self._shown))
