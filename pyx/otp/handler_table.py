"""The handlers of one class of servers, found when the class is made."""

from __future__ import annotations

from typing import Any, Final

from pyx.otp.handle import Handler
from pyx.runtime.rpc_functions import is_coroutine_function

CALLBACKS: Final = (
    "init",
    "handle_call",
    "handle_cast",
    "handle_info",
    "handle_continue",
    "terminate",
    "code_change",
)

_STARTS: Final = ("start", "start_link")


class HandlerTable:
    """The decorated methods of a class by name, and which of OTP's callbacks it has.

    Args:
        kind: the class; a base class's handler counts unless the class has an attribute of its name.
        root: the class whose callbacks are those of a server that has none.

    Raises:
        TypeError: a decorated method has the name of a callback, or of what starts a server.
    """

    __slots__ = ("callbacks", "calls", "casts", "on_loop")

    def __init__(self, kind: type, root: type) -> None:
        self.calls: Final[dict[str, Handler]] = {}
        self.casts: Final[dict[str, Handler]] = {}
        for base in reversed(kind.__mro__):
            for name, value in vars(base).items():
                self.calls.pop(name, None)
                self.casts.pop(name, None)
                if isinstance(value, Handler):
                    (self.calls if value.is_call else self.casts)[name] = value
        if taken := sorted({*self.calls, *self.casts} & {*CALLBACKS, *_STARTS}):
            msg = f"{kind.__qualname__}.{taken[0]} cannot be a handler: GenServer has its own {taken[0]}"
            raise TypeError(msg)
        self.callbacks: Final = frozenset(
            name for name in CALLBACKS if getattr(kind, name) is not getattr(root, name)
        )
        self.on_loop: Final = any(
            handler.on_loop for handler in (*self.calls.values(), *self.casts.values())
        ) or any(is_coroutine_function(getattr(kind, name)) for name in self.callbacks)
        """True if one of its methods is an `async def`: its servers run as coroutines on the process loop."""

    def known_calls(self, request: Any) -> list[str]:
        """Returns what there is for a caller: all names, or the parameters of the handler that was named."""
        name = request[0] if type(request) is tuple and request else request
        handler = self.calls.get(name) if isinstance(name, str) else None
        return sorted(self.calls) if handler is None else [f"{name}{handler.signature}"]
