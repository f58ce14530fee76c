"""Nodes in this OS process, functions that run as their processes, and waits with a limit.

A wait ends by an event, or fails after `HANG` seconds.
"""

from __future__ import annotations

import contextlib
import contextvars
import os
import resource
import signal
import threading
import time
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from pyx import Node
from pyx.execution.context import current
from pyx.execution.node_log import log
from pyx.execution.runner import Runner
from pyx.options import NodeOptions
from pyx.runtime import local_node, start_stop
from pyx.runtime.local_node import LocalNode
from pyx.signals import Payload
from pyx.terms import Pid
from pyx.wire.codec import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

    from pyx.core.peers import Peer

T = TypeVar("T")

HANG = 30.0
"""The limit of a wait in seconds, reached by failing tests alone, on a slow machine too."""

COOKIE = "pyx1-" + "0" * 43
"""A cookie of the form that pyx makes, which needs no slow hash."""


def start_node(node: LocalNode, name: str, **options: Any) -> str:
    """Starts *node* under *name* with the cookie of tests; returns its full name."""
    return start_stop.start(node, NodeOptions(name, **{"cookie": COOKIE, **options}))


class LocalNodes:
    """The nodes of one test, all in this OS process; a context manager that stops them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self._nodes: list[LocalNode] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        Running.crashes_are_logged()
        for node in self._nodes:
            for process in in_kernel(node, node.kernel.tables.processes.all):
                in_kernel(node, node.kernel.process_signals.exit, Pid(0), process.pid, "kill")
            start_stop.stop(node)
            node.transport_loop.stop()
            node.tasks._own.stop()

    def make(self) -> LocalNode:
        """Makes a node without a name; the first one is the node of this OS process."""
        node = LocalNode()
        if not self._nodes:
            self._monkeypatch.setattr(local_node, "_node", node)
        self._nodes.append(node)
        return node

    def start(self, name: str, **options: Any) -> LocalNode:
        """Makes a node and starts it as *name*`@test`."""
        node = self.make()
        start_node(node, f"{name}@test", **options)
        return node


class Running:
    """A function that runs as a process: its pid, and its result or exception."""

    _failed: ClassVar[list[Running]] = []

    def __init__(self, node: LocalNode, function: Callable[[], Any]) -> None:
        self._node = node
        self._over = threading.Event()
        self._value: Any = None
        self._error: BaseException | None = None
        self.pid, _ = node.processes.spawn(lambda: self._run(function), ())

    def _run(self, function: Callable[[], Any]) -> None:
        try:
            self._value = function()
        except BaseException as error:
            self._error = error
            self._failed.append(self)
            raise
        finally:
            self._over.set()

    @classmethod
    def crashes_are_logged(cls) -> None:
        """Waits until those that have failed are logged: the next test is not to find them in its log."""
        while cls._failed:
            failed = cls._failed.pop()
            until(lambda failed=failed: failed._node.kernel.tables.find(failed.pid) is None)  # type: ignore[misc]
        log.settle(HANG)

    def outcome(self, *, hang: float = HANG) -> Any:
        """Waits for the end of the process; returns the result or raises the exception of the function."""
        wait_for(self._over, hang=hang)
        until(lambda: self._node.kernel.tables.find(self.pid) is None)
        if self._error is not None:
            raise self._error
        return self._value


def as_process(node: LocalNode, function: Callable[[], T], *, hang: float = HANG) -> T:
    """Runs *function* as a process of *node* to its end; returns its result or raises its exception."""
    outcome: T = Running(node, function).outcome(hang=hang)
    return outcome


def new_runner(node: LocalNode, kind: str = "def") -> Runner:
    """Returns the runner of a new process of *node* that has neither thread nor task."""
    process, _ = in_kernel(node, node.kernel.process_signals.process_started, kind)
    runner = process.runner = Runner(node, process)
    return runner


@contextlib.contextmanager
def killed_in_c(node: LocalNode) -> Iterator[None]:
    """Kills a process whose thread is in a call of C, which returns at the end of the block."""
    in_c = threading.Lock()
    in_c.acquire()
    pid, _ = node.processes.spawn(in_c.acquire, ())
    process = node.kernel.tables.find(pid)
    assert process is not None
    until(lambda: process.runner.gate.thread_ident is not None)
    in_kernel(node, node.kernel.process_signals.exit, Pid(0), pid, "kill")
    yield
    in_c.release()


def in_the_name_of_a_process(node: LocalNode, function: Callable[[Runner], T]) -> T:
    """Runs *function* on this thread in the context of a new process, which is not its own."""
    runner = new_runner(node)
    context = contextvars.Context()
    context.run(current.set, runner)
    return context.run(function, runner)


def connected(node: LocalNode) -> list[str]:
    """Returns the visible nodes that *node* is connected to."""
    return in_kernel(node, node.kernel.membership.nodes, ("visible",))


def peer_of(node: LocalNode, name: str) -> Peer:
    """Returns the peer `name@test` in the kernel's tables of *node*."""
    return node.kernel.tables.peers[f"{name}@test"]


def ping(node: LocalNode, name: str) -> str:
    """Calls `Node.ping` in a process of *node*."""
    return as_process(node, lambda: Node.ping(name))


def in_kernel(node: LocalNode, function: Callable[..., T], *args: Any, **options: Any) -> T:
    """Calls *function* in a kernel call of *node*."""
    with node.kernel_call:
        return function(*args, **options)


def encoded(value: Any) -> Payload:
    """Returns *value* as a payload, of any length."""
    return Payload(encode(value))


def wait_for(event: threading.Event, *, hang: float = HANG) -> None:
    """Returns when *event* is set."""
    assert event.wait(hang), "the wait has timed out"


def seen_from(viewer: LocalNode, owner: LocalNode, pid: Pid) -> Pid:
    """Returns a local pid of *owner* as *viewer* knows it."""
    assert viewer is not owner
    return Pid(pid.number, pid.serial, owner.kernel.tables.name, owner.kernel.tables.creation)


class Ended(threading.Event):
    """Set when a monitor of the process has fired; `reason` is that of the DOWN message."""

    def __init__(self, node: LocalNode, pid: Pid) -> None:
        super().__init__()
        self.reason: Any = None
        watching = threading.Event()

        def watch() -> None:
            from pyx import Process, receive

            ref = Process.monitor(pid)
            watching.set()
            self.reason = receive(("DOWN", ref, "process", ..., ...))[4]
            self.set()

        node.processes.spawn(watch, ())
        wait_for(watching)


def end_of(node: LocalNode, pid: Pid) -> Any:
    """Waits until the process of *pid* has ended; returns its reason (`"noproc"` if it had ended before)."""
    ended = Ended(node, pid)
    wait_for(ended)
    return ended.reason


def until(is_so: Callable[[], bool]) -> None:
    """Polls *is_so*, yielding to other threads, until it returns True.

    Only for conditions without an event: that a thread waits, or has ended.
    """
    give_up = time.monotonic() + HANG
    while not is_so():
        assert time.monotonic() < give_up, "the wait has timed out"
        time.sleep(0)


def freeze(pid: int) -> None:
    """Stops a child process, and returns when all its threads stand; SIGCONT lets it go on."""
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    """Limits all files of this OS process to 64 bytes, that of a test's report included: so not a fixture."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
