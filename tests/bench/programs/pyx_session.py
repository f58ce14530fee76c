"""The asking side of the measurements of pyx: what a case knows, and functions run as processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from pyx import Pid, receive, rpc, self, send, spawn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

MESSAGE = ("add", {"name": "nike", "qty": 30})
"""The usual message: a tuple with a word and a small dict."""

LONG = 120.0
"""Seconds after which a wait has failed."""


class Session(NamedTuple):
    """What a case of pyx measures with."""

    server: str
    secs: float
    pids: tuple[int, ...]
    """The OS processes whose costs count: this one and the server's."""

    def started(self, name: str, *args: Any) -> Pid:
        """Starts a process of `work.py` on the server; returns its pid."""
        pid = rpc.call(self.server, "work", "start", [name, *args])
        assert isinstance(pid, Pid)
        return pid


def in_def(function: Callable[[], T]) -> T:
    """Runs *function* as a `def` process, and returns its value."""
    reader = self()
    outcome: list[T | BaseException] = []

    def process() -> None:
        try:
            outcome.append(function())
        except Exception as error:
            outcome.append(error)
        finally:
            send(reader, "over")

    spawn(process)
    receive("over", timeout=LONG)
    return _value(outcome)


def in_async(function: Callable[[], Awaitable[T]]) -> T:
    """Runs *function* as an `async def` process, and returns its value."""
    reader = self()
    outcome: list[T | BaseException] = []

    async def process() -> None:
        try:
            outcome.append(await function())
        except Exception as error:
            outcome.append(error)
        finally:
            send(reader, "over")

    spawn(process)
    receive("over", timeout=LONG)
    return _value(outcome)


def _value(outcome: list[T | BaseException]) -> T:
    [value] = outcome
    if isinstance(value, BaseException):
        raise value
    return value
