"""tasks.py: `async def` processes as tasks, on pyx's loop or the application's, from spawn to each kind
of end.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import inspect
import queue
import signal
import threading
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from pyx import Process, aio, rpc, send, spawn
from pyx.errors import ProcessKilled
from pyx.execution import kill_retry
from pyx.execution import tasks as tasks_module
from pyx.execution.context import current
from pyx.execution.slots import LockSlot
from pyx.execution.tasks import ProcessLoop, ReturnedCoroutine
from pyx.runtime import start_stop
from pyx.terms import Pid
from tests.local_nodes import HANG, Ended, LocalNodes, in_kernel, new_runner, start_node, until, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from pyx.execution.runner import Runner
    from pyx.runtime.local_node import LocalNode


class Ends:
    """Records the reported ends, in order."""

    def __init__(self) -> None:
        self._ends: queue.SimpleQueue[tuple[BaseException | None, Any]] = queue.SimpleQueue()

    def report(self, _: Runner, error: BaseException | None, value: Any) -> None:
        self._ends.put((error, value))

    def next(self) -> tuple[BaseException | None, Any]:
        return self._ends.get(timeout=HANG)

    def empty(self) -> bool:
        return self._ends.empty()


@pytest.fixture
def runner(node: LocalNode) -> Runner:
    return new_runner(node, "async def")


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """The application's loop, which a test runs explicitly."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


async def answer() -> int:
    return 42


async def receives() -> None:
    await aio.receive("end")


async def waits(node: LocalNode, pid: Pid) -> None:
    """Runs the loop until that process waits for a message."""
    process = node.kernel.tables.find(pid)
    assert process is not None
    async with asyncio.timeout(HANG):
        while not process.waiting:  # noqa: ASYNC110 - no event reports that it begins to wait
            await asyncio.sleep(0)


async def for_ever() -> None:
    await asyncio.get_running_loop().create_future()


def blocked(node: LocalNode) -> threading.Event:
    is_blocked, go_on = threading.Event(), threading.Event()
    node.tasks._own.soon(lambda: (is_blocked.set(), go_on.wait(HANG)))
    wait_for(is_blocked)
    return go_on


class TestProcess:
    def test_process_reports_its_value(self, node: LocalNode, runner: Runner) -> None:
        ends = Ends()
        node.tasks.start(runner, answer, ends.report)
        assert ends.next() == (None, 42)

    @pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3), asyncio.CancelledError()])
    def test_process_reports_its_exception(
        self, node: LocalNode, runner: Runner, error: BaseException
    ) -> None:
        async def fail() -> None:
            raise error

        ends = Ends()
        node.tasks.start(runner, fail, ends.report)
        assert ends.next() == (error, None)
        assert node.tasks._own.call(lambda: "the loop goes on") == "the loop goes on"

    def test_process_is_current_in_its_body_and_not_in_its_report(
        self, node: LocalNode, runner: Runner
    ) -> None:
        ended: queue.SimpleQueue[Any] = queue.SimpleQueue()

        async def who() -> Any:
            return current.get()

        node.tasks.start(runner, who, lambda _, __, value: ended.put((value, current.get())))
        assert ended.get(timeout=HANG) == (runner, None)

    def test_process_is_current_in_its_tasks(self, node: LocalNode, runner: Runner) -> None:
        async def who() -> Any:
            return current.get()

        async def asks_its_task() -> Any:
            return await asyncio.create_task(who())

        ends = Ends()
        node.tasks.start(runner, asks_its_task, ends.report)
        assert ends.next() == (None, runner)

    def test_process_spawned_on_the_loop_does_not_run_before_spawn_returns(
        self, node: LocalNode, runner: Runner
    ) -> None:
        ends = Ends()

        def on_the_loop() -> bool:
            node.tasks.start(runner, answer, ends.report)
            return ends.empty()

        assert node.tasks._own.call(on_the_loop)
        assert ends.next() == (None, 42)

    def test_process_task_is_strongly_referenced_until_its_end(self, node: LocalNode, runner: Runner) -> None:
        """The loop has weak references only, so a collection would remove the task."""
        ended = threading.Event()
        node.tasks.start(runner, for_ever, lambda *_: ended.set())
        until(lambda: runner.task is not None)
        task = weakref.ref(runner.task)
        node.tasks._own.call(gc.collect)
        assert task() is runner.task
        runner.stop()
        wait_for(ended)
        runner.ended()
        until(lambda: task() is None)

    def test_killed_process_whose_task_goes_on_is_strongly_referenced(
        self, node: LocalNode, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The kernel has forgotten it by then."""
        monkeypatch.setattr(kill_retry, "AGAIN_SECONDS", HANG)
        over, ended = threading.Event(), threading.Event()
        references: list[weakref.ref[asyncio.Future[None]]] = []

        async def swallows() -> None:
            with contextlib.suppress(asyncio.CancelledError, ProcessKilled):
                await aio.receive()
            while not over.is_set():  # a kill on its way into the wait may cancel it once more
                wakes = asyncio.get_running_loop().create_future()
                references.append(weakref.ref(wakes))
                with contextlib.suppress(asyncio.CancelledError):
                    await wakes
            ended.set()

        def wake() -> None:
            for reference in references:
                if (wakes := reference()) is not None:
                    wakes.cancel()

        pid, _ = node.processes.spawn(swallows, ())
        until(lambda: all(process.waiting for process in node.kernel.tables.processes.all()))
        in_kernel(node, node.kernel.process_signals.exit, Pid(0), pid, "kill")
        until(lambda: bool(references))
        node.tasks._own.call(gc.collect)
        until(lambda: references[-1]() is not None)
        over.set()
        node.tasks._own.call(wake)
        wait_for(ended)


class TestKills:
    def test_running_process_is_cancelled(self, node: LocalNode, runner: Runner) -> None:
        ends, begun = Ends(), threading.Event()

        async def body() -> None:
            begun.set()
            await for_ever()

        node.tasks.start(runner, body, ends.report)
        wait_for(begun)
        runner.stop()
        error, _ = ends.next()
        assert isinstance(error, asyncio.CancelledError)

    def test_process_killed_before_its_first_step_does_not_run(self, node: LocalNode, runner: Runner) -> None:
        ran: list[str] = []
        ends = Ends()

        async def body() -> None:
            ran.append("a line")

        go_on = blocked(node)
        node.tasks.start(runner, body, ends.report)
        runner.stop()
        go_on.set()
        error, _ = ends.next()
        assert isinstance(error, ProcessKilled)
        assert ran == []

    @pytest.mark.filterwarnings("error")
    def test_coroutine_made_on_a_thread_is_closed_if_the_process_is_killed_before_its_first_step(
        self, node: LocalNode, runner: Runner
    ) -> None:
        ends, steps = Ends(), list[str]()

        async def made() -> None:
            steps.append("a line of it")

        coroutine = made()
        runner.stop()
        node.tasks.start(runner, ReturnedCoroutine(coroutine), ends.report)
        error, _ = ends.next()
        assert isinstance(error, ProcessKilled)
        with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
            coroutine.send(None)
        assert steps == []

    def test_process_cancelled_before_its_first_step_reports_its_end(
        self, node: LocalNode, runner: Runner
    ) -> None:
        ran: list[str] = []
        ends = Ends()

        async def body() -> None:
            ran.append("a line")

        def on_the_loop() -> None:
            asyncio.get_running_loop().call_soon(runner.stop)  # after its start, before its first step
            node.tasks.start(runner, body, ends.report)

        node.tasks._own.call(on_the_loop)
        error, _ = ends.next()
        assert isinstance(error, ProcessKilled)
        assert ran == []


@pytest.mark.parametrize("error", [GeneratorExit(), asyncio.CancelledError(), StopAsyncIteration()], ids=repr)
def test_process_that_raises_what_python_ends_coroutines_with_has_ended(
    node: LocalNode, runner: Runner, error: BaseException
) -> None:
    ends = Ends()

    async def body() -> None:
        raise error

    node.tasks.start(runner, body, ends.report)
    raised, _ = ends.next()
    assert raised is error


class TestApplicationsLoop:
    def test_processes_run_on_the_applications_loop(
        self, node: LocalNode, runner: Runner, loop: asyncio.AbstractEventLoop
    ) -> None:
        tasks, done = ProcessLoop(node.transport_loop.later), asyncio.Event()
        tasks.use(loop)
        ran_on: list[Any] = []

        async def body() -> None:
            ran_on.append(asyncio.get_running_loop())

        tasks.start(runner, body, lambda *_: done.set())
        loop.run_until_complete(done.wait())
        assert ran_on == [loop]

    def test_closed_loop_ends_a_new_process(
        self, node: LocalNode, runner: Runner, loop: asyncio.AbstractEventLoop
    ) -> None:
        tasks, ends = ProcessLoop(node.transport_loop.later), Ends()
        loop.close()
        tasks.use(loop)
        tasks.start(runner, answer, ends.report)
        error, _ = ends.next()
        assert isinstance(error, RuntimeError)
        assert str(error) == "the event loop that Node.start was given is closed"

    def test_loop_closed_before_a_process_begins_ends_it(
        self, node: LocalNode, loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tasks_module, "_CLOSED_LOOP_SECONDS", 0.01)
        node.tasks.use(loop)
        pid, _ = node.processes.spawn(receives, ())
        ended = Ended(node, pid)
        loop.close()
        wait_for(ended)
        assert ended.reason == "shutdown"

    @pytest.mark.filterwarnings("error")
    def test_coroutine_made_on_a_thread_is_closed_with_the_loop_on_which_it_should_begin(
        self,
        node: LocalNode,
        runner: Runner,
        loop: asyncio.AbstractEventLoop,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(tasks_module, "_CLOSED_LOOP_SECONDS", 0.01)
        tasks, ends, coroutine = ProcessLoop(node.transport_loop.later), Ends(), answer()
        tasks.use(loop)
        tasks.start(runner, ReturnedCoroutine(coroutine), ends.report)
        loop.close()
        error, _ = ends.next()
        assert repr(error) == "Exit('shutdown')"
        assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED

    def test_ctrl_c_in_a_process_is_raised_to_the_application_too(
        self, node: LocalNode, runner: Runner, loop: asyncio.AbstractEventLoop
    ) -> None:
        tasks, ends = ProcessLoop(node.transport_loop.later), Ends()
        tasks.use(loop)

        async def interrupted() -> None:
            signal.raise_signal(signal.SIGINT)

        tasks.start(runner, interrupted, ends.report)
        with pytest.raises(KeyboardInterrupt):
            loop.run_forever()
        error, _ = ends.next()
        assert isinstance(error, KeyboardInterrupt)
        loop.call_soon(loop.stop)
        loop.run_forever()  # else asyncio logs the exception when the task is freed, in another test

    def test_closed_loop_ends_its_processes(
        self, node: LocalNode, loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tasks_module, "_CLOSED_LOOP_SECONDS", 0.01)
        cleaned = threading.Event()
        node.tasks.use(loop)

        async def body() -> None:
            try:
                await aio.receive("end")
            finally:
                cleaned.set()

        pid, _ = node.processes.spawn(body, ())
        in_kernel(node, node.kernel.registry.register, pid, "worker")
        loop.run_until_complete(waits(node, pid))
        ended = Ended(node, pid)
        loop.close()
        wait_for(ended)
        assert ended.reason == "shutdown"
        assert in_kernel(node, node.kernel.registry.registered) == []
        wait_for(cleaned)

    def test_killed_process_of_a_closed_loop_ends_at_once(
        self, node: LocalNode, loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its end does not wait for the next check of the loop."""
        monkeypatch.setattr(tasks_module, "_CLOSED_LOOP_SECONDS", 60 * HANG)
        node.tasks.use(loop)
        pid, _ = node.processes.spawn(receives, ())
        loop.run_until_complete(waits(node, pid))
        loop.close()
        in_kernel(node, node.kernel.process_signals.exit, Pid(0), pid, "kill")
        until(lambda: len(node.processes.kills) == 0)

    def test_loop_closed_by_asyncio_run_ends_its_processes_without_a_log_line(
        self, node: LocalNode, caplog: pytest.LogCaptureFixture
    ) -> None:
        ended: list[Ended] = []

        async def main() -> None:
            node.tasks.use(asyncio.get_running_loop())
            pid, _ = node.processes.spawn(receives, ())
            await waits(node, pid)
            ended.append(await asyncio.to_thread(Ended, node, pid))

        asyncio.run(main())
        wait_for(ended[0])
        assert ended[0].reason == "shutdown"
        assert caplog.messages == []

    def test_applications_loop_is_not_used_after_the_node_has_stopped(self, nodes: LocalNodes) -> None:
        node = nodes.make()

        async def first() -> None:
            await asyncio.to_thread(start_node, node, "a@test", loop=asyncio.get_running_loop())
            await asyncio.to_thread(start_stop.stop, node)

        asyncio.run(first())
        ran = threading.Event()

        async def later() -> None:
            ran.set()

        node.processes.spawn(later, ())
        wait_for(ran)

    def test_slot_of_the_applications_loop_is_woken_from_another_thread(
        self, node: LocalNode, loop: asyncio.AbstractEventLoop
    ) -> None:
        async def waiter() -> None:
            slot = node.tasks.slot()
            threading.Thread(target=slot.wake).start()
            await asyncio.wait_for(slot.wait(None), HANG)

        loop.run_until_complete(waiter())


ACTS_THAT_AWAIT: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {
    "receive": aio.receive,
    "call": lambda: aio.rpc.call("absent", "os", "getpid"),
    "spawn": lambda: aio.Node.spawn("absent", "os", "getpid"),
    "sleep": lambda: aio.sleep(1000),
}
ACTS: dict[str, Callable[[], Any]] = {
    "send": lambda: send("x", 1),
    "cast": lambda: rpc.cast("absent", "os", "getpid"),
    "exit": lambda: Process.exit(Pid(99), "x"),
    "monitor": lambda: Process.monitor(Pid(99)),
    "link": lambda: Process.link(Pid(99)),
    "local spawn": lambda: spawn(for_ever),
}


class TestWhatAProcessLeavesBehind:
    """Tasks made by an `async def` process end with it, and can call pyx no more."""

    def test_task_is_cancelled_at_the_end_of_its_process(self, node: LocalNode) -> None:
        cancelled = threading.Event()

        async def helper() -> None:
            try:
                await for_ever()
            except asyncio.CancelledError:
                cancelled.set()
                raise

        async def body() -> None:
            keep.append(asyncio.create_task(helper()))
            await asyncio.sleep(0)

        keep: list[Any] = []
        node.processes.spawn(body, ())
        wait_for(cancelled)

    def test_task_that_goes_on_after_its_process_is_refused(self, node: LocalNode) -> None:
        refused: queue.SimpleQueue[str] = queue.SimpleQueue()
        over = threading.Event()

        async def helper() -> None:
            while not over.is_set():
                try:
                    await asyncio.sleep(0.001)
                except asyncio.CancelledError:
                    continue
            for name, act in ACTS_THAT_AWAIT.items():
                try:
                    await act()
                except ProcessKilled:
                    refused.put(name)
            for name, plain in ACTS.items():
                try:
                    plain()
                except ProcessKilled:
                    refused.put(name)
            refused.put("done")

        async def body() -> None:
            keep.append(asyncio.create_task(helper()))
            await asyncio.sleep(0)

        keep: list[Any] = []
        pid, _ = node.processes.spawn(body, ())
        until(lambda: node.kernel.tables.find(pid) is None)
        over.set()
        expected = [*ACTS_THAT_AWAIT, *ACTS, "done"]
        assert [refused.get(timeout=HANG) for _ in expected] == expected

    def test_detached_task_outlives_its_process(self, node: LocalNode) -> None:
        seen: queue.SimpleQueue[Any] = queue.SimpleQueue()
        going_on: list[asyncio.Future[None]] = []

        async def shared() -> None:
            going_on.append(asyncio.get_running_loop().create_future())
            await going_on[0]
            seen.put(current.get())

        async def body() -> None:
            with aio.detached():
                keep.append(asyncio.create_task(shared()))
            assert current.get() is not None
            await asyncio.sleep(0)

        keep: list[Any] = []
        pid, _ = node.processes.spawn(body, ())
        until(lambda: node.kernel.tables.find(pid) is None)
        node.tasks._own.soon(lambda: going_on[0].set_result(None))
        assert seen.get(timeout=HANG) is None

    def test_task_factory_of_the_applications_loop_stays_in_use(
        self, node: LocalNode, loop: asyncio.AbstractEventLoop
    ) -> None:
        made: list[str] = []

        def factory(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> Any:
            made.append(coroutine.__name__)
            return asyncio.Task(coroutine, loop=loop, **options)

        loop.set_task_factory(factory)
        node.tasks.use(loop)
        loop.run_until_complete(answer())
        assert made == ["answer"]


class TestCoroutineRun:
    def run(self, node: LocalNode, runner: Runner, make: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        done = LockSlot()
        coroutine_run = node.tasks.run(runner, make(), done, contextvars.Context())
        assert done.wait(HANG)
        assert coroutine_run.over
        return coroutine_run.outcome()

    def test_coroutine_runs_as_the_process_of_its_caller(self, node: LocalNode, runner: Runner) -> None:
        async def who() -> Any:
            return current.get()

        assert self.run(node, runner, who) is runner

    def test_exception_of_a_coroutine_is_raised_to_the_waiting_caller(
        self, node: LocalNode, runner: Runner
    ) -> None:
        async def leave() -> None:
            raise SystemExit(3)

        with pytest.raises(SystemExit):
            self.run(node, runner, leave)
        assert node.tasks._own.call(lambda: "the loop goes on") == "the loop goes on"

    def test_coroutine_is_refused_by_a_closed_loop(
        self, node: LocalNode, runner: Runner, loop: asyncio.AbstractEventLoop
    ) -> None:
        loop.close()
        node.tasks.use(loop)
        with pytest.raises(RuntimeError, match=r"^the event loop that Node\.start was given is closed$"):
            self.run(node, runner, answer)

    def test_cancelled_coroutine_raises_cancelled_error(self, node: LocalNode, runner: Runner) -> None:
        done = LockSlot()
        coroutine_run = node.tasks.run(runner, for_ever(), done, contextvars.Context())
        coroutine_run.cancel()
        assert done.wait(HANG)
        with pytest.raises(asyncio.CancelledError):
            coroutine_run.outcome()

    def test_coroutine_cancelled_before_its_first_step_raises_cancelled_error(
        self, node: LocalNode, runner: Runner
    ) -> None:
        done = LockSlot()
        go_on = blocked(node)
        coroutine_run = node.tasks.run(runner, for_ever(), done, contextvars.Context())
        coroutine_run.cancel()
        go_on.set()
        assert done.wait(HANG)
        with pytest.raises(asyncio.CancelledError):
            coroutine_run.outcome()
