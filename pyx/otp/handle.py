"""`handle`: decorators that make a method of a server its handler and, on the class, the client function.

class Stock(GenServer):
    @handle.call
    def add(self, name: str, qty: int = 1) -> int: ...

Stock.add("stock", "nike", 3)                  the client function: a call of the server "stock"
self.add("nike", 3)                            inside the server, and in `GenServer.harness`: the method
"""

from __future__ import annotations

import functools
from types import FunctionType
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from pyx.otp.client_functions import CallClient, CastClient
from pyx.otp.handler_signatures import HandlerSignature
from pyx.runtime.rpc_functions import is_coroutine_function

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class Handler:
    """A decorated method: a descriptor, whose value on the class is the client function."""

    def __init__(
        self, function: Callable[..., Any], *, is_call: bool, raises: tuple[type[Exception], ...] = ()
    ) -> None:
        if type(function) is not FunctionType:
            msg = f"handle decorates a method, not {function!r}"
            raise TypeError(msg)
        if not _are_exceptions(raises):
            msg = f"{function.__qualname__}: raises is a tuple of exceptions, as (KeyError,), not {raises!r}"
            raise TypeError(msg)
        self.function = function
        self.is_call = is_call
        self.raises = raises
        self.on_loop = is_coroutine_function(function)
        self.signature = HandlerSignature(function)
        self.client: CallClient[..., Any] | CastClient[..., Any] = self._client(function.__name__)
        self.__doc__ = function.__doc__

    def _client(self, name: str) -> CallClient[..., Any] | CastClient[..., Any]:
        kind: Any = CallClient if self.is_call else CastClient
        client: CallClient[..., Any] | CastClient[..., Any] = kind(
            name, self.signature, self.function.__qualname__
        )
        functools.update_wrapper(client, self.function)
        return client

    def __set_name__(self, owner: type, name: str) -> None:
        if name != self.client.name:  # `put = handle.call(_put)`
            self.client = self._client(name)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self.client
        return self.function.__get__(instance, owner)  # type: ignore[attr-defined,unused-ignore] # a function


def _are_exceptions(raises: Any) -> bool:
    return isinstance(raises, tuple) and all(
        isinstance(one, type) and issubclass(one, Exception) for one in raises
    )


if TYPE_CHECKING:

    class DefCall(Generic[P, R]):
        """A call handler that is a `def`, for type checkers."""

        @overload
        def __get__(self, instance: None, owner: type) -> CallClient[P, R]: ...
        @overload
        def __get__(self, instance: object, owner: type) -> Callable[P, R]: ...
        def __get__(self, instance: Any, owner: type) -> Any: ...

    class AsyncDefCall(Generic[P, R]):
        """A call handler that is an `async def`, for type checkers."""

        @overload
        def __get__(self, instance: None, owner: type) -> CallClient[P, R]: ...
        @overload
        def __get__(self, instance: object, owner: type) -> Callable[P, Coroutine[Any, Any, R]]: ...
        def __get__(self, instance: Any, owner: type) -> Any: ...

    class CastMethod(Generic[P, T]):
        """A cast handler, for type checkers."""

        @overload
        def __get__(self, instance: None, owner: type) -> CastClient[P, T]: ...
        @overload
        def __get__(self, instance: object, owner: type) -> Callable[P, T]: ...
        def __get__(self, instance: Any, owner: type) -> Any: ...

    class CallDecorator:
        """`handle.call(raises=...)`, for type checkers."""

        @overload
        def __call__(  # type: ignore[overload-overlap] # the first one that fits counts
            self, function: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]], /
        ) -> AsyncDefCall[P, R]: ...
        @overload
        def __call__(self, function: Callable[Concatenate[Any, P], R], /) -> DefCall[P, R]: ...
        def __call__(self, function: Any, /) -> Any:
            """Decorates a method; see `handle.call`."""


class handle:  # noqa: N801 - a namespace of decorators
    """The decorators of a server's methods, `@handle.call` and `@handle.cast`; see `GenServer`.

        @handle.call
        def add(self, name: str, qty: int = 1) -> int: ...

        @handle.call(raises=(KeyError,))               # a KeyError is the caller's, and the server goes on
        def take(self, name: str) -> int: ...

        @handle.cast
        def clear(self) -> None: ...

    The class is a namespace and is never instantiated.
    """

    def __new__(cls, *_: Any) -> Self:
        """Refuses: `@handle` alone does not say which it is."""
        msg = "a method is decorated with @handle.call or @handle.cast, not with @handle alone"
        raise TypeError(msg)

    @overload
    @staticmethod
    def call(  # type: ignore[overload-overlap] # the first one that fits counts
        function: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]], /
    ) -> AsyncDefCall[P, R]: ...
    @overload
    @staticmethod
    def call(function: Callable[Concatenate[Any, P], R], /) -> DefCall[P, R]: ...
    @overload
    @staticmethod
    def call(*, raises: tuple[type[Exception], ...]) -> CallDecorator: ...
    @staticmethod
    def call(function: Any = None, /, *, raises: tuple[type[Exception], ...] = ()) -> Any:
        """Makes a method the handler of calls of its name, and the class's attribute their client function.

        The value that the method returns is the reply; see `Reply`, `NoReply` and `Stop` for others.

        Args:
            function: the method, a `def` or an `async def`.
            raises: exceptions that are the caller's: they are raised there, and the server goes on.  Any
                other one ends the server.
        """
        if function is None:
            return functools.partial(Handler, is_call=True, raises=raises)
        return Handler(function, is_call=True)

    @staticmethod
    def cast(function: Callable[Concatenate[Any, P], T], /) -> CastMethod[P, T]:
        """Makes a method the handler of casts of its name, and the class's attribute their client function.

        A cast has no reply, and the client function returns `"ok"` at once, also where there is no server.

        Args:
            function: the method, a `def` or an `async def`; it returns None, or `NoReply` or `Stop`.
        """
        return Handler(function, is_call=False)  # type: ignore[return-value] # as type checkers see it
