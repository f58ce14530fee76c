"""Servers that the tests of `otp` start, each as a `def` and as an `async def` server; and raw clients."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from pyx import GenServer, NoReply, Process, Reply, Stop, handle, receive, send
from pyx.errors import Exit

if TYPE_CHECKING:
    from pyx.otp.protocol import From


class Stock(GenServer):
    """The stock of a shop, with a handler for every kind of result."""

    def init(self, items: Any = None, boss: Any = None) -> None:
        if isinstance(items, list):  # what to do instead of starting
            raise items[0] if isinstance(items[0], Exception) else Stop(items[0])
        self.items: dict[str, int] = dict(items or {})
        self.boss = boss

    @handle.call
    def add(self, name: str, qty: int = 1, *, note: str = "") -> int:
        self.items[name] = self.items.get(name, 0) + qty
        if note:
            self.note = note
        return self.items[name]

    @handle.call(raises=(KeyError,))
    def take(self, name: str) -> int:
        return self.items.pop(name)

    @handle.call
    def total(self) -> int:
        return sum(self.items.values())

    @handle.call
    def crash(self) -> None:
        raise ValueError("boom")

    @handle.call
    def leave(self, reason: Any = "normal") -> None:
        raise Exit(reason)

    @handle.call
    def stop_with(self, reason: Any, *reply: Any) -> Any:
        return Stop(reason, reply=reply[0]) if reply else Stop(reason)

    @handle.call
    def thrown(self) -> str:
        raise Reply("thrown")

    @handle.call
    def silent(self) -> None:
        self.waiting = self.frm
        raise NoReply

    @handle.call
    def soon(self) -> str:
        return NoReply(then=("answer", self.frm))

    @handle.call
    def waits(self, seconds: float) -> str:
        return Reply("ok", timeout=seconds)

    @handle.call
    def unsendable(self) -> Any:
        return {"lock": threading.Lock()}

    @handle.cast
    def clear(self) -> None:
        self.items.clear()

    @handle.cast
    def misbehave(self) -> Any:
        return "rubbish"

    def handle_continue(self, argument: Any) -> None:
        match argument:
            case ("answer", frm):
                GenServer.reply(frm, "from continue")
            case _:
                self.tell(argument)

    def handle_info(self, message: Any) -> None:
        self.tell(message)

    def terminate(self, reason: Any) -> None:
        self.tell(("terminate", reason))

    def tell(self, what: Any) -> None:
        if self.boss is not None:
            send(self.boss, what)


class AsyncStock(Stock):
    """The same on the process loop: one `async def` is enough."""

    @handle.call
    async def nap(self) -> str:
        return "rested"


class Trapping(Stock):
    """A stock that traps exits."""

    def init(self, items: Any = None, boss: Any = None) -> None:
        Process.flag("trap_exit", True)
        super().init(items, boss)


class AsyncTrapping(Trapping, AsyncStock):
    """The same on the process loop."""


class Bare(GenServer):
    """A server without any handler."""


class Recorder(GenServer):
    """OTP's callbacks alone."""

    async def init(self, boss: Any) -> None:
        self.boss = boss

    async def handle_call(self, request: Any, frm: From) -> Any:
        if request == "later":
            send(self.boss, ("from", frm))
            return NoReply
        return "called", request

    async def handle_cast(self, request: Any) -> None:
        send(self.boss, ("cast", request))


def is_mailbox_empty() -> bool:
    """Returns True if the calling process has no message."""
    from pyx.primitives import drain

    return drain() == []


def received(*patterns: Any) -> Any:
    """Receives a message that matches, which comes."""
    return receive(*patterns, timeout=60)
