"""aio.py: The awaitable twins return and raise what the plain functions do, on any event loop."""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
import weakref
from typing import TYPE_CHECKING, Any

import pytest

import pyx
from pyx import (
    NoConnection,
    NotAProcess,
    Process,
    ReceiveTimeout,
    RemoteError,
    RpcNoConnection,
    RpcRefused,
    RpcTimeout,
    RpcUndefined,
    aio,
    receive,
    rpc,
    send,
    spawn,
)
from pyx import self as own_pid
from pyx.primitives import drain
from pyx.terms import Pid
from tests.local_nodes import HANG, LocalNodes, as_process, seen_from, until, wait_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pyx.runtime.local_node import LocalNode

    Body = Callable[[], Awaitable[Any]]
    Runs = Callable[[LocalNode, Body], Any]


def as_a_task(node: LocalNode, body: Body) -> Any:
    """As an `async def` process, on the process loop."""
    over, outcome = threading.Event(), list[Any]()

    async def process() -> None:
        try:
            outcome.append((await body(), None))
        except BaseException as error:
            outcome.append((None, error))
            raise
        finally:
            over.set()

    node.processes.spawn(process, ())
    wait_for(over)
    value, error = outcome[0]
    if error is not None:
        raise error
    return value


def on_a_threads_own_loop(node: LocalNode, body: Body) -> Any:
    """As a `def` process that runs a loop of its own."""

    async def main() -> Any:
        return await body()

    return as_process(node, lambda: asyncio.run(main()))


@pytest.fixture(params=[as_a_task, on_a_threads_own_loop])
def run(request: pytest.FixtureRequest) -> Runs:
    runs: Runs = request.param
    return runs


class TestReceive:
    def test_receive_returns_waits_and_times_out(self, node: LocalNode, run: Runs) -> None:
        async def body() -> Any:
            spawn(lambda to: send(to, ("late", 1)), own_pid())
            first = await aio.receive(("late", int), timeout=HANG)
            with pytest.raises(ReceiveTimeout):
                await aio.receive(timeout=0)
            with pytest.raises(ReceiveTimeout):
                await aio.receive("never", timeout=0.001)
            return first

        assert run(node, body) == ("late", 1)

    def test_receive_checks_its_timeout(self, node: LocalNode, run: Runs) -> None:
        with pytest.raises(ValueError, match="timeout is a number of seconds"):
            run(node, lambda: aio.receive(timeout=-1))

    def test_receive_needs_a_process(self, node: LocalNode) -> None:
        with pytest.raises(NotAProcess, match=r"aio.receive\(\) needs a process"):
            asyncio.run(aio.receive())

    def test_cancelled_receive_has_taken_no_message(self, node: LocalNode, run: Runs) -> None:
        async def body() -> Any:
            waiting = asyncio.ensure_future(aio.receive("x"))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            send(own_pid(), "x")
            return await aio.receive(timeout=HANG)

        assert run(node, body) == "x"

    def test_receive_in_one_task_while_others_run(self, node: LocalNode, run: Runs) -> None:
        async def body() -> Any:
            async def answers() -> None:
                await aio.sleep(0)
                send(own_pid(), "hello")

            heard, _ = await asyncio.gather(aio.receive(timeout=HANG), answers())
            return heard

        assert run(node, body) == "hello"

    def test_thread_that_a_task_waits_for_acts_for_its_process(self, node: LocalNode) -> None:
        async def body() -> Any:
            heard, calling = await asyncio.gather(
                aio.receive(("from", ...), timeout=HANG),
                asyncio.to_thread(lambda: (send(own_pid(), ("from", own_pid())), Process.sleep(0.001))),
            )
            return heard[1] == own_pid(), calling

        assert as_a_task(node, body)[0] is True


class TestSleep:
    def test_sleep_waits_for_the_time(self, node: LocalNode, run: Runs) -> None:
        async def body() -> str:
            await aio.sleep(0)
            await aio.sleep(0.001)
            return "awake"

        assert run(node, body) == "awake"

    def test_sleep_works_on_any_loop(self, node: LocalNode) -> None:
        async def outlast() -> list[str]:
            order: list[str] = []
            asyncio.get_running_loop().call_soon(order.append, "while it sleeps")
            await aio.sleep(0.001)
            return [*order, "awake"]

        assert asyncio.run(outlast()) == ["while it sleeps", "awake"]

    def test_sleep_checks_its_argument(self, node: LocalNode, run: Runs) -> None:
        with pytest.raises(ValueError, match="seconds is a number of seconds"):
            run(node, lambda: aio.sleep(-1))

    def test_messages_do_not_end_a_sleep(self, node: LocalNode, run: Runs) -> None:
        async def body() -> Any:
            send(own_pid(), "early")
            await aio.sleep(0.001)
            return drain()

        assert run(node, body) == ["early"]


class TestRpc:
    def test_call_returns_values_and_raises_failures(self, nodes: LocalNodes, run: Runs) -> None:
        a, _ = nodes.start("a"), nodes.start("b")
        assert run(a, lambda: aio.rpc.call("b", "os", "getpid")) == os.getpid()
        assert run(a, lambda: aio.rpc.call("b", os.path.join, "a", "b")) == "a/b"
        for error, call in (
            (RpcUndefined, lambda: aio.rpc.call("b", "os", "nope")),
            (RemoteError, lambda: aio.rpc.call("b", "operator", "truediv", [1, 0])),
            (RpcNoConnection, lambda: aio.rpc.call("nobody", "os", "getpid")),
            (RpcTimeout, lambda: aio.rpc.call("b", "pyx", "receive", timeout=0.001)),
        ):
            with pytest.raises(error):
                run(a, call)
        assert a.kernel.pending == {}

    def test_function_is_called_with_its_keyword_arguments_and_within_seconds(
        self, nodes: LocalNodes, run: Runs
    ) -> None:
        a, _ = nodes.start("a"), nodes.start("b")
        within = aio.rpc.within(HANG)
        assert run(a, lambda: aio.rpc.call("b", sorted, [2, 1, 3], reverse=True)) == [3, 2, 1]
        assert run(a, lambda: within.call("b", sorted, [2, 1], reverse=True)) == [2, 1]
        assert run(a, lambda: within.multicall(["b"], sorted, [2, 1], reverse=True)) == ([[2, 1]], [])
        with pytest.raises(RpcTimeout):
            run(a, lambda: aio.rpc.within(0.001).call("b", receive))

        async def awaits_a_future() -> int:
            return await rpc.async_call("b", max, 1, 2)

        assert run(a, awaits_a_future) == 2

    def test_several_calls_at_once_are_answered(self, nodes: LocalNodes, run: Runs) -> None:
        a, _ = nodes.start("a"), nodes.start("b")

        async def body() -> Any:
            calls = (aio.rpc.call("b", "operator", "add", [1, number]) for number in range(50))
            return await asyncio.gather(*calls)

        assert run(a, body) == list(range(1, 51))

    def test_multicall_returns_results_and_unanswered_nodes(self, nodes: LocalNodes, run: Runs) -> None:
        a, _ = nodes.start("a"), nodes.start("b")
        assert run(a, lambda: aio.rpc.multicall(["b", "nobody", "a"], "Node", "self")) == (
            ["b@test", "a@test"],
            ["nobody@test"],
        )
        assert run(a, lambda: aio.rpc.multicall(["b"], "pyx", "receive", timeout=0.001)) == ([], ["b@test"])

    def test_cancelled_call_is_abandoned(self, nodes: LocalNodes, run: Runs) -> None:
        a, b = nodes.start("a"), nodes.start("b")

        async def body() -> None:
            call = asyncio.ensure_future(aio.rpc.call("b", "pyx", "receive"))
            while not b.kernel.tables.processes.all():  # noqa: ASYNC110 - nothing else tells
                await asyncio.sleep(0)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

        run(a, body)
        assert a.kernel.pending == {}


class TestNode:
    def test_ping_and_connect_of_another_node(self, nodes: LocalNodes, run: Runs) -> None:
        a, _ = nodes.start("a"), nodes.start("b")
        assert run(a, lambda: aio.Node.ping("b")) == "pong"
        assert run(a, lambda: aio.Node.connect("b")) is True
        assert run(a, lambda: aio.Node.ping("nobody")) == "pang"
        assert run(a, lambda: aio.Node.connect("nobody")) is False

    def test_node_without_a_name_reaches_no_other(self, node: LocalNode, run: Runs) -> None:
        assert run(node, lambda: aio.Node.ping("b")) == "pang"
        assert run(node, lambda: aio.Node.connect("b")) == "ignored"

    def test_spawn_on_another_node(self, nodes: LocalNodes, run: Runs) -> None:
        a, _ = nodes.start("a"), nodes.start("b")

        async def body() -> Any:
            Process.flag("trap_exit", True)
            alone = await aio.Node.spawn("b", "pyx", "receive")
            linked = await aio.Node.spawn_link("b", "sys", "exit", [3])
            pid, ref = await aio.Node.spawn_monitor("b", "sys", "exit", [4])
            exit_message = await aio.receive(("EXIT", linked, ...), timeout=HANG)
            down = await aio.receive(("DOWN", ref, "process", pid, ...), timeout=HANG)
            return alone.node, exit_message[2], down[4]

        assert run(a, body) == ("b@test", 3, 4)

    def test_spawn_forbidden_by_the_rpc_policy_is_refused(self, nodes: LocalNodes, run: Runs) -> None:
        a, _ = nodes.start("a"), nodes.start("b", rpc="off")
        with pytest.raises(RpcRefused):
            run(a, lambda: aio.Node.spawn("b", "os", "getpid"))

    def test_spawn_link_and_spawn_monitor_need_a_process(self, nodes: LocalNodes) -> None:
        nodes.start("a")
        for call in (aio.Node.spawn_link, aio.Node.spawn_monitor):
            with pytest.raises(NotAProcess):
                asyncio.run(call("a", "os", "getpid"))


class TestProcess:
    def test_info_and_is_alive_of_local_and_remote_processes(self, nodes: LocalNodes, run: Runs) -> None:
        a, b = nodes.start("a"), nodes.start("b")
        here, _ = a.processes.spawn(receive, ())
        there, _ = b.processes.spawn(receive, ())
        far = seen_from(a, b, there)
        assert run(a, lambda: aio.Process.info(here, "kind")) == ("kind", "def")
        assert run(a, lambda: aio.Process.info(far, ["kind"])) == {"kind": "def"}
        assert run(a, lambda: aio.Process.is_alive(far)) is True
        assert run(a, lambda: aio.Process.is_alive(Pid(1, node="nobody@test", creation=1))) is False
        with pytest.raises(NoConnection):
            run(a, lambda: aio.Process.info(Pid(1, node="nobody@test", creation=1)))
        with pytest.raises(ValueError, match="unknown key"):
            run(a, lambda: aio.Process.info(here, "colour"))


def parameters(function: Any) -> list[tuple[str, Any, Any]]:
    return [(one.name, one.kind, one.default) for one in inspect.signature(function).parameters.values()]


@pytest.mark.parametrize(
    ("twin", "plain"),
    [
        (aio.receive, pyx.receive),
        (aio.sleep, Process.sleep),
        *(
            (getattr(getattr(aio, owner), name), getattr(getattr(pyx, owner), name))
            for owner in ("rpc", "Node", "Process")
            for name in vars(getattr(aio, owner))
            if not name.startswith("_") and name != "within"
        ),
    ],
)
def test_twins_take_the_same_arguments(twin: Any, plain: Any) -> None:
    assert inspect.iscoroutinefunction(twin)
    assert not inspect.iscoroutinefunction(plain)
    assert parameters(twin) == parameters(plain)


def test_twin_that_would_block_names_exists() -> None:
    """`WouldBlock` sends the user to `aio`: every call that can raise it has its twin there."""
    import re
    from pathlib import Path

    named: set[str] = set()
    for source in Path(pyx.__file__).parent.rglob("*.py"):
        text = source.read_text()
        named |= set(re.findall(r'forbid_running_loop\("[\w.()]+", "aio\.([\w.]+)\(\)"\)', text))
        named |= set(re.findall(r'\bwait\("([\w.]+)", ', text))
    assert len(named) >= 8
    for twin in named:
        found: Any = aio
        for part in twin.split("."):
            found = getattr(found, part)
        assert inspect.iscoroutinefunction(found)


def test_nothing_is_left_of_ten_thousand_waits(node: LocalNode) -> None:
    async def body() -> int:
        tasks.append(weakref.ref(asyncio.current_task()))
        for _ in range(10_000):
            send(own_pid(), "x")
            await aio.receive(timeout=HANG)
        return len(asyncio.all_tasks())

    tasks: list[Any] = []
    assert as_a_task(node, body) >= 1
    until(lambda: tasks[0]() is None)


class TestTwinsOfOtp:
    """They are loaded when they are first used, as `aio` is below them."""

    def test_twin_is_loaded_by_its_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(aio._TWINS_OF_OTP, "CallError", "pyx.otp.call_errors")
        try:
            assert aio.CallError is pyx.CallError
            assert vars(aio)["CallError"] is pyx.CallError  # kept, so the second look is an ordinary one
        finally:
            vars(aio).pop("CallError", None)

    def test_missing_name_is_an_attribute_error(self) -> None:
        with pytest.raises(AttributeError, match=r"module 'pyx\.aio' has no attribute 'nope'"):
            aio.nope  # noqa: B018 - asking is the test
