"""loop_thread.py: Calls on an event loop of its own thread: order, bursts, failures, timers, the end."""

from __future__ import annotations

import asyncio
import logging
import queue
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pyx.execution.loop_thread import LoopThread, new_event_loop
from pyx.execution.node_log import log
from pyx.execution.thread_state import thread
from tests.local_nodes import HANG, until, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def loop_thread() -> Iterator[LoopThread]:
    loop_thread = LoopThread("test-loop")
    yield loop_thread
    loop_thread.stop()


def blocked(loop_thread: LoopThread) -> threading.Event:
    """Blocks the loop until the returned event is set."""
    is_blocked, go_on = threading.Event(), threading.Event()
    loop_thread.soon(lambda: (is_blocked.set(), go_on.wait(HANG)))
    wait_for(is_blocked)
    return go_on


class TestStart:
    def test_loop_thread_starts_when_needed_and_once(self, loop_thread: LoopThread) -> None:
        assert loop_thread.loop is None
        loop = loop_thread.start()
        assert loop_thread.start() is loop
        assert loop_thread.call(asyncio.get_running_loop) is loop

    def test_concurrent_starts_start_one_loop(self, loop_thread: LoopThread) -> None:
        barrier, loops = threading.Barrier(8), list[Any]()

        def start() -> None:
            barrier.wait(HANG)
            loops.append(loop_thread.start())

        starters = [threading.Thread(target=start) for _ in range(8)]
        for starter in starters:
            starter.start()
        for starter in starters:
            starter.join(HANG)
        assert len(loops) == 8
        assert len(set(loops)) == 1

    def test_only_the_transports_thread_is_marked_as_such(self, loop_thread: LoopThread) -> None:
        transport = LoopThread("transport", runs_transport=True)
        assert transport.call(lambda: thread.state.runs_transport)
        assert not loop_thread.call(lambda: thread.state.runs_transport)
        transport.stop()

    def test_loop_is_asyncios_without_uvloop(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(__import__("sys").modules, "uvloop", None)
        loop = new_event_loop()
        assert isinstance(loop, asyncio.SelectorEventLoop)
        loop.close()


class TestSoon:
    def test_calls_of_one_thread_run_in_order(self, loop_thread: LoopThread) -> None:
        seen: list[int] = []
        for number in range(1000):
            loop_thread.soon(lambda number=number: seen.append(number))  # type: ignore[misc]
        loop_thread.call(lambda: None)
        assert seen == list(range(1000))

    def test_call_on_the_loops_own_thread_runs_at_once(self, loop_thread: LoopThread) -> None:
        seen: list[str] = []

        def on_the_loop() -> None:
            loop_thread.soon(lambda: seen.append("at once"))
            seen.append("then")

        loop_thread.call(on_the_loop)
        assert seen == ["at once", "then"]

    def test_call_on_the_loops_own_thread_runs_after_earlier_calls(self, loop_thread: LoopThread) -> None:
        seen: list[str] = []
        go_on = blocked(loop_thread)
        loop_thread.soon(lambda: loop_thread.soon(lambda: seen.append("second")))
        loop_thread.soon(lambda: seen.append("first"))
        go_on.set()
        until(lambda: len(seen) == 2)
        assert seen == ["first", "second"]

    def test_burst_of_calls_wakes_the_loop_once(self, loop_thread: LoopThread) -> None:
        loop = loop_thread.start()
        loop_thread.call(lambda: None)
        wakes: list[Any] = []

        class Counting:
            def call_soon_threadsafe(self, function: Any) -> None:
                wakes.append(function)
                loop.call_soon_threadsafe(function)

        go_on = blocked(loop_thread)
        loop_thread.loop = Counting()  # type: ignore[assignment]
        for _ in range(100):
            loop_thread.soon(lambda: None)
        loop_thread.loop = loop
        go_on.set()
        loop_thread.call(lambda: None)
        assert len(wakes) == 1

    def test_failing_call_is_logged_and_the_others_run(
        self, loop_thread: LoopThread, caplog: pytest.LogCaptureFixture
    ) -> None:
        seen: list[str] = []
        go_on = blocked(loop_thread)
        loop_thread.soon(lambda: [][0])
        loop_thread.soon(lambda: seen.append("the next"))
        go_on.set()
        loop_thread.call(lambda: None)
        assert seen == ["the next"]
        log.settle(HANG)
        assert "a call on the loop of test-loop failed" in caplog.text

    def test_endless_calls_do_not_starve_the_loops_own_callbacks(self, loop_thread: LoopThread) -> None:
        """Each call causes the next one from another thread; the loop's own callback runs all the same."""
        called: queue.SimpleQueue[None] = queue.SimpleQueue()
        turn = threading.Event()

        def call_endlessly() -> None:
            while not turn.is_set():
                loop_thread.soon(lambda: called.put(None))
                called.get(timeout=HANG)
                loop_thread.waiting_calls.append(lambda: None)  # there is always one more

        caller = threading.Thread(target=call_endlessly)
        caller.start()
        loop_thread.start().call_soon_threadsafe(lambda: loop_thread.start().call_soon(turn.set))
        caller.join(HANG)
        assert turn.is_set()


class TestCall:
    def test_call_returns_the_value_or_raises_the_exception(self, loop_thread: LoopThread) -> None:
        assert loop_thread.call(divmod, 7, 3) == (2, 1)
        with pytest.raises(ZeroDivisionError):
            loop_thread.call(divmod, 7, 0)

    def test_call_on_the_loops_own_thread_does_not_deadlock(self, loop_thread: LoopThread) -> None:
        assert loop_thread.call(loop_thread.call, loop_thread.call, divmod, 7, 3) == (2, 1)

    def test_loop_thread_recognises_its_own_thread(self, loop_thread: LoopThread) -> None:
        loop_thread.start()
        assert not loop_thread.is_current
        assert loop_thread.call(lambda: loop_thread.is_current)


class TestLater:
    def test_later_runs_at_its_time(self, loop_thread: LoopThread) -> None:
        done = threading.Event()
        loop_thread.later(0, done.set)
        wait_for(done)

    def test_cancelled_call_does_not_run(self, loop_thread: LoopThread) -> None:
        seen: list[str] = []
        go_on = blocked(loop_thread)
        cancel_unarmed = loop_thread.later(0, lambda: seen.append("too early to cancel"))
        cancel_unarmed()
        go_on.set()
        cancel = loop_thread.later(3600, lambda: seen.append("never"))
        loop_thread.call(lambda: None)
        cancel()
        cancel()
        loop_thread.call(lambda: None)
        done = threading.Event()
        loop_thread.later(0, done.set)
        wait_for(done)
        assert seen == []


class TestEnd:
    def test_system_exit_in_a_task_does_not_stop_the_loop(
        self, loop_thread: LoopThread, caplog: pytest.LogCaptureFixture
    ) -> None:
        """SystemExit in a task of the user's passes through asyncio's loop."""

        async def leave() -> None:
            raise SystemExit(3)

        tasks = loop_thread.call(lambda: [asyncio.get_running_loop().create_task(leave())])
        until(lambda: "something left the loop of test-loop" in caplog.text)
        assert loop_thread.call(lambda: "still here") == "still here"
        assert isinstance(tasks[0].exception(), SystemExit)

    def test_calls_after_the_end_are_dropped(self, loop_thread: LoopThread) -> None:
        loop = loop_thread.start()
        loop_thread.call(lambda: None)
        loop_thread.stop()
        loop_thread.stop()
        until(loop.is_closed)
        loop_thread.soon(lambda: pytest.fail("it ran"))
        loop_thread.later(0, lambda: pytest.fail("it ran"))

    def test_stop_before_the_start_makes_no_loop(self) -> None:
        unstarted = LoopThread("never")
        unstarted.stop()
        assert unstarted.loop is None
        assert not any(thread.name == "never" for thread in threading.enumerate())


@pytest.fixture(autouse=True)
def log_everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


ENDS = """
import atexit, threading
atexit.register(lambda: print([thread.name for thread in threading.enumerate()]))
from pyx.execution import loop_thread
loop_thread._HALT_SECONDS = 60  # a busy machine changes nothing
loop_thread.LoopThread("busy").start().call_soon_threadsafe(print, "runs")
"""


def test_no_loop_runs_on_when_the_interpreter_ends() -> None:
    """A timer of uvloop that is due when the interpreter has gone would be a SIGSEGV."""
    ended = subprocess.run([sys.executable, "-c", ENDS], capture_output=True, text=True, check=False)
    assert (ended.stdout, ended.stderr, ended.returncode) == ("runs\n['MainThread']\n", "", 0)


def test_halted_loop_refuses_calls_instead_of_waiting_for_ever() -> None:
    running = LoopThread("halted")
    running.start()
    running.halt()
    with pytest.raises(RuntimeError, match="ended with the interpreter"):
        running.call(int)
