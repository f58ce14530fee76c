"""Servers whose OS process is killed, stopped, or left by its callers in the middle of calls.

Each call ends once, with the reply or the failure that is true; nothing is left in a kernel or a mailbox.
"""

from __future__ import annotations

import asyncio
import os
import random
import threading
from signal import SIGCONT, SIGKILL
from typing import TYPE_CHECKING, Any

import pytest

from pyx import CallError, CallNoConnection, CallTimeout, Process, ProcessKilled, aio, spawn
from pyx.otp import server_calls
from pyx.otp.call_request import CallRequest
from pyx.otp.multi_calls import multi_call
from pyx.primitives import drain
from pyx.runtime.request import wait
from tests.load.child import HANG, Child
from tests.local_nodes import COOKIE, LocalNodes, Running, as_process, freeze, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyx.runtime.local_node import LocalNode

THERE = ("bucket", "b@test")


def call(server: Any, what: Any, timeout: float | None = HANG) -> Any:
    return wait("GenServer.call", server_calls.call(server, what, timeout))


def leaves_nothing(node: LocalNode) -> None:
    kernel = node.kernel
    until(lambda: not (kernel.replies.awaited or kernel.pending or kernel.tables.monitors))
    until(lambda: not any(process.callers for process in kernel.tables.processes.all()))


@pytest.fixture
def a(nodes: LocalNodes) -> LocalNode:
    """The node of the callers."""
    return nodes.start("a")


@pytest.fixture
def b(a: LocalNode, tmp_path: Path) -> Iterator[Child]:
    """The node of the server."""
    child = Child("served_node.py", "b@test", [COOKIE], {**os.environ, "HOME": str(tmp_path)})
    child.wait_for(lambda: bool(child.seen("ready")), "ready")
    yield child
    child.end()


def test_kill_of_the_servers_node_ends_every_call(a: LocalNode, b: Child) -> None:
    pid = call(THERE, "who")
    begun = threading.Barrier(21)
    failures: list[BaseException] = []

    def calls(server: Any) -> None:
        assert call(server, 1) == 1
        begun.wait(HANG)
        try:
            while True:
                call(server, random.choice(("x", "hold")), None)
        except CallError as error:
            failures.append(error)

    async def calls_async() -> None:
        failures.append((await asyncio.gather(aio.GenServer.call(THERE, "hold"), return_exceptions=True))[0])

    threads = [threading.Thread(target=calls, args=((pid, THERE)[n % 2],)) for n in range(10)]
    processes = [Running(a, lambda n=n: calls((pid, THERE)[n % 2])) for n in range(10)]  # type: ignore[misc]
    threads.append(threading.Thread(target=lambda: asyncio.run(calls_async())))
    for thread in threads:
        thread.start()
    late = CallRequest(pid, "hold")
    begun.wait(HANG)
    b.signal(SIGKILL)
    for thread in threads:
        thread.join(HANG)
    for process in processes:
        process.outcome(hang=HANG)
    with pytest.raises(CallNoConnection):
        late.result(HANG)
    assert {type(failure) for failure in failures} == {CallNoConnection}
    assert len(failures) == 21
    leaves_nothing(a)


def test_kill_of_a_node_makes_it_a_bad_node_and_ends_a_stop(a: LocalNode, b: Child) -> None:
    pid = call(THERE, "who")
    asking = Running(a, lambda: wait("", multi_call(["a", "b"], "bucket", "hold", None)))
    stopping = Running(a, lambda: wait("", server_calls.stop(pid, timeout=None)))
    until(lambda: len(a.kernel.replies.awaited) == 2)
    b.signal(SIGKILL)
    assert asking.outcome(hang=HANG) == ({}, ["a@test", "b@test"])
    with pytest.raises(CallNoConnection):
        stopping.outcome(hang=HANG)
    leaves_nothing(a)


def test_stopped_node_answers_late_and_nothing_of_it_comes(a: LocalNode, b: Child) -> None:
    assert call(THERE, 1) == 1
    freeze(b.pid)

    def times_out() -> list[Any]:
        for number in range(1_000):
            with pytest.raises(CallTimeout):
                call(THERE, number, 0)
        b.signal(SIGCONT)
        assert call(THERE, "after") == "after"  # the late replies came before it
        return drain()

    assert as_process(a, times_out, hang=HANG) == []
    leaves_nothing(a)


def test_killed_callers_leave_nothing(a: LocalNode, b: Child) -> None:
    def calls() -> None:
        while True:
            call(THERE, "x", None)

    async def calls_async() -> None:
        while True:
            await aio.GenServer.call(THERE, random.choice(("x", "hold")), None)

    assert call(THERE, 1) == 1
    for _ in range(20):
        pids = [spawn(body) for body in (calls, calls_async) for _ in range(5)]
        assert call(THERE, 2) == 2
        for pid in pids:
            Process.exit(pid, "kill")
    leaves_nothing(a)
    assert call(THERE, 3) == 3


def test_killed_caller_is_told_nothing_but_its_end(a: LocalNode, b: Child) -> None:
    waiting = Running(a, lambda: call(THERE, "hold", None))
    until(lambda: bool(a.kernel.replies.awaited))
    Process.exit(waiting.pid, "kill")
    with pytest.raises(ProcessKilled):
        waiting.outcome()
    leaves_nothing(a)
