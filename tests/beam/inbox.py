"""A registered process that keeps what it receives, and acts as it is told."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING, Any

from pyx import Process, receive, self, send
from pyx.errors import Exit
from tests.local_nodes import HANG

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.runtime.local_node import LocalNode
    from pyx.terms import Pid

_DO = "do what stands in the queue"


class Inbox:
    """Starts the process, and returns once it has its name."""

    def __init__(self, node: LocalNode, name: str) -> None:
        self._got: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._asked: queue.SimpleQueue[Callable[[], Any]] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._node = node
        self._name = name
        self.pid: Pid
        node.processes.spawn(self._run, ())
        self.pid = self._done.get(timeout=HANG)

    def _run(self) -> None:
        Process.register(_me(), self._name)
        self._done.put(_me())
        while True:
            message = receive()
            if message == _DO:
                self._done.put(self._asked.get()())
            else:
                self._got.put(message)

    def next(self) -> Any:
        """The oldest message that it has kept."""
        return self._got.get(timeout=HANG)

    def calls(self, function: Callable[[], Any]) -> Any:
        """Calls *function* in that process; returns its result."""
        self._asked.put(function)
        self._node.sending.send(self.pid, _DO)
        return self._done.get(timeout=HANG)

    def sends(self, to: Any, message: Any) -> None:
        """Sends a message in its name."""
        self.calls(lambda: send(to, message))

    def exits(self, reason: Any) -> None:
        """Ends it with that reason."""

        def leave() -> None:
            raise Exit(reason)

        self._asked.put(leave)
        self._node.sending.send(self.pid, _DO)

    def end(self) -> None:
        """Ends it normally."""
        self.exits("normal")


def _me() -> Pid:
    return self()
