"""What a handler may return beside a reply, or raise: Reply, NoReply, Stop, Continue, Ignore.

To raise one means the same as to return it, as `throw` in Elixir.  See `results.py` for their types.
"""

from __future__ import annotations

from typing import Any, Final

from pyx.runtime.arguments import checked_seconds


class _Nothing:
    """The class of NOTHING."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "nothing"


NOTHING: Final = _Nothing()
"""No value was given (None is one)."""


class HandlerResult(Exception):
    """The root of what handlers return or raise for the loop of their server."""


class Reply(HandlerResult):
    """The reply of a call, and what follows: `Reply(value, timeout=5.0)`, `Reply(value, then=x)`.

    OTP's `{:reply, value, state, timeout}` and `{:reply, value, state, {:continue, x}}`.

    Args:
        value: data.
        timeout: seconds; without a message in that time, `handle_info("timeout")` is called.  Any message
            cancels it.  What is not a number of seconds raises TypeError or ValueError.
        then: `handle_continue(then)` is called before the next message.
    """

    def __init__(self, value: Any = None, *, timeout: float | None = None, then: Any = NOTHING) -> None:
        super().__init__(value)
        self.value = value
        self.timeout = checked_seconds(timeout)
        self.then = then


class NoReply(HandlerResult):
    """No reply now: `GenServer.reply(self.frm, value)` sends it, from anywhere.  Also `NoReply(timeout=5.0)`.

    OTP's `{:noreply, state}`.  Arguments are as of `Reply`.
    """

    def __init__(self, *, timeout: float | None = None, then: Any = NOTHING) -> None:
        super().__init__()
        self.timeout = checked_seconds(timeout)
        self.then = then


class Stop(HandlerResult):
    """Ends the server, after `terminate(reason)`; the caller, if any, gets *reply*.

    OTP's `{:stop, reason, reply, state}`.  From `init`: the server does not start (`{:stop, reason}`).

    Args:
        reason: data; `"normal"`, `"shutdown"` and `("shutdown", x)` are not reported as crashes.
        reply: data; without it the caller gets `CallExited`.
    """

    def __init__(self, reason: Any = "normal", *, reply: Any = NOTHING) -> None:
        super().__init__(reason)
        self.reason = reason
        self.reply = reply


class Continue(NoReply):
    """From `init`: `handle_continue(then)` is called before any message.  OTP's `{:continue, then}`."""

    def __init__(self, then: Any) -> None:
        super().__init__(then=then)


class Ignore(HandlerResult):
    """From `init`: the server is not wanted, and `start` returns None.  OTP's `:ignore`."""


def as_result(value: Any) -> HandlerResult | None:
    """Returns *value* if it is one of this file's, an instance for a bare class; None for any other value."""
    if isinstance(value, HandlerResult):
        return value
    if isinstance(value, type) and issubclass(value, HandlerResult):
        try:
            return value()
        except TypeError:  # a bare `Continue`, which has nothing to go on with
            return None
    return None
