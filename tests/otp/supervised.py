"""Children for supervisors that tell what happens to them, and tests that run in a process."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, ClassVar

from pyx import Exit, Pid, Process, child, receive, self, send
from pyx.otp.starting import init_done, init_failed, init_ignored, start_process
from pyx.runtime.request import wait
from tests.local_nodes import HANG, as_process

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.otp.children import ChildSpec
    from pyx.runtime.local_node import LocalNode


class Kid:
    """A child that traps exits; it tells `("start", id)`, and `("stop", id, reason)` when it ends.

    The reason of a start that is to fail is taken from `fails[id]`, which may list several.
    """

    fails: ClassVar[dict[Any, list[Any]]] = {}

    @classmethod
    def start_link(cls, boss: Pid, name: str) -> Pid | None:
        return wait("Kid.start_link", start_process(cls.run, (boss, name), what=name, link=True))

    @classmethod
    def run(cls, boss: Pid, name: str) -> None:
        if cls.fails.get(name):
            reason = cls.fails[name].pop(0)
            send(boss, ("failed", name))
            if reason == "ignore":
                init_ignored()
            init_failed(reason)
        Process.flag("trap_exit", True)
        send(boss, ("start", name))
        init_done()
        message = receive()
        if message == "raise":
            raise ValueError("boom")
        if message == "deaf":
            send(boss, "deaf")
            while receive() != "hear":
                pass
        if message == "unlink":
            links = Process.info(self(), "links")[1]
            for other in links:
                Process.unlink(other)
            send(boss, "unlinked")
            message = receive()
        reason = message[2] if isinstance(message, tuple) else message
        send(boss, ("stop", name, reason))
        raise Exit(reason)


def kid(name: str, **options: Any) -> ChildSpec:
    """A child that tells the running process."""
    return child(Kid, self(), name, id=name, **options)


def told(number: int) -> list[Any]:
    """The next messages of children, in order."""
    return [receive(("start", ...), ("stop", ..., ...), ("failed", ...), timeout=HANG) for _ in range(number)]


def starts(*names: str) -> list[Any]:
    return [("start", name) for name in names]


def stops(*names: str, reason: Any = "shutdown") -> list[Any]:
    return [("stop", name, reason) for name in names]


def end_message(pid: Pid) -> Any:
    """The reason of the EXIT message of a linked process."""
    return receive(("EXIT", pid, ...), timeout=HANG)[2]


def in_process(test: Callable[..., None]) -> Callable[..., None]:
    """Runs a test in a process of the fixture `node`, which traps exits."""

    @functools.wraps(test)
    def run(node: LocalNode, **fixtures: Any) -> None:
        def body() -> None:
            Process.flag("trap_exit", True)
            Kid.fails = {}
            test(**fixtures)

        as_process(node, body)

    signature = inspect.signature(test)
    extra = inspect.Parameter("node", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    run.__signature__ = signature.replace(parameters=[extra, *signature.parameters.values()])  # type: ignore[attr-defined] # what pytest reads
    return run
