"""loop_thread.py: The door to a loop of its own thread: order, bursts, failures, timers, the end."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pyx.execution.loop_thread import LoopThread, new_event_loop
from pyx.execution.node_log import log
from pyx.execution.thread_state import thread
from tests.staging import HANG, until, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def portal() -> Iterator[LoopThread]:
    portal = LoopThread("test-loop")
    yield portal
    portal.stop()


def standing_still(portal: LoopThread) -> threading.Event:
    """The loop does nothing until this is set."""
    standing, go_on = threading.Event(), threading.Event()
    portal.soon(lambda: (standing.set(), go_on.wait(HANG)))
    wait_for(standing)
    return go_on


class TestStart:
    def test_loop_thread_starts_when_needed_and_once(self, portal: LoopThread) -> None:
        assert portal.loop is None
        loop = portal.start()
        assert portal.start() is loop
        assert portal.call(asyncio.get_running_loop) is loop

    def test_concurrent_starts_start_one_loop(self, portal: LoopThread) -> None:
        barrier, loops = threading.Barrier(8), list[Any]()

        def start() -> None:
            barrier.wait(HANG)
            loops.append(portal.start())

        starters = [threading.Thread(target=start) for _ in range(8)]
        for starter in starters:
            starter.start()
        for starter in starters:
            starter.join(HANG)
        assert len(loops) == 8
        assert len(set(loops)) == 1

    def test_only_the_transports_thread_is_marked_as_such(self, portal: LoopThread) -> None:
        transport = LoopThread("transport", runs_transport=True)
        assert transport.call(lambda: thread.state.runs_transport)
        assert not portal.call(lambda: thread.state.runs_transport)
        transport.stop()

    def test_loop_is_asyncios_without_uvloop(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(__import__("sys").modules, "uvloop", None)
        loop = new_event_loop()
        assert isinstance(loop, asyncio.SelectorEventLoop)
        loop.close()


class TestSoon:
    def test_calls_of_one_thread_run_in_order(self, portal: LoopThread) -> None:
        seen: list[int] = []
        for number in range(1000):
            portal.soon(lambda number=number: seen.append(number))  # type: ignore[misc]
        portal.call(lambda: None)
        assert seen == list(range(1000))

    def test_call_on_the_loops_own_thread_runs_at_once(self, portal: LoopThread) -> None:
        seen: list[str] = []

        def on_the_loop() -> None:
            portal.soon(lambda: seen.append("at once"))
            seen.append("then")

        portal.call(on_the_loop)
        assert seen == ["at once", "then"]

    def test_call_on_the_loops_own_thread_runs_after_earlier_calls(self, portal: LoopThread) -> None:
        seen: list[str] = []
        go_on = standing_still(portal)
        portal.soon(lambda: portal.soon(lambda: seen.append("second")))
        portal.soon(lambda: seen.append("first"))
        go_on.set()
        until(lambda: len(seen) == 2)
        assert seen == ["first", "second"]

    def test_burst_of_calls_wakes_the_loop_once(self, portal: LoopThread) -> None:
        loop = portal.start()
        portal.call(lambda: None)
        wakes: list[Any] = []

        class Counting:
            def call_soon_threadsafe(self, function: Any) -> None:
                wakes.append(function)
                loop.call_soon_threadsafe(function)

        go_on = standing_still(portal)
        portal.loop = Counting()  # type: ignore[assignment]
        for _ in range(100):
            portal.soon(lambda: None)
        portal.loop = loop
        go_on.set()
        portal.call(lambda: None)
        assert len(wakes) == 1

    def test_failing_call_is_logged_and_the_others_run(
        self, portal: LoopThread, caplog: pytest.LogCaptureFixture
    ) -> None:
        seen: list[str] = []
        go_on = standing_still(portal)
        portal.soon(lambda: [][0])
        portal.soon(lambda: seen.append("the next"))
        go_on.set()
        portal.call(lambda: None)
        assert seen == ["the next"]
        log.settle(HANG)
        assert "a call on the loop of test-loop failed" in caplog.text

    def test_endless_calls_do_not_starve_the_loops_own_callbacks(self, portal: LoopThread) -> None:
        """Each call given makes the next one, from outside: the loop's own callback has its turn too."""
        given: queue.SimpleQueue[None] = queue.SimpleQueue()
        turn = threading.Event()

        def give() -> None:
            while not turn.is_set():
                portal.soon(lambda: given.put(None))
                given.get(timeout=HANG)
                portal._soon.append(lambda: None)  # there is always one more

        giver = threading.Thread(target=give)
        giver.start()
        portal.start().call_soon_threadsafe(lambda: portal.start().call_soon(turn.set))
        giver.join(HANG)
        assert turn.is_set()


class TestCall:
    def test_call_returns_the_value_or_raises_the_exception(self, portal: LoopThread) -> None:
        assert portal.call(divmod, 7, 3) == (2, 1)
        with pytest.raises(ZeroDivisionError):
            portal.call(divmod, 7, 0)

    def test_call_on_the_loops_own_thread_does_not_deadlock(self, portal: LoopThread) -> None:
        assert portal.call(portal.call, portal.call, divmod, 7, 3) == (2, 1)

    def test_loop_thread_recognises_its_own_thread(self, portal: LoopThread) -> None:
        portal.start()
        assert not portal.is_current
        assert portal.call(lambda: portal.is_current)


class TestLater:
    def test_later_runs_at_its_time(self, portal: LoopThread) -> None:
        done = threading.Event()
        portal.later(0, done.set)
        wait_for(done)

    def test_cancelled_call_does_not_run(self, portal: LoopThread) -> None:
        seen: list[str] = []
        go_on = standing_still(portal)
        cancel_unarmed = portal.later(0, lambda: seen.append("too early to cancel"))
        cancel_unarmed()
        go_on.set()
        cancel = portal.later(3600, lambda: seen.append("never"))
        portal.call(lambda: None)
        cancel()
        cancel()
        portal.call(lambda: None)
        done = threading.Event()
        portal.later(0, done.set)
        wait_for(done)
        assert seen == []


class TestEnd:
    def test_system_exit_in_a_task_does_not_stop_the_loop(
        self, portal: LoopThread, caplog: pytest.LogCaptureFixture
    ) -> None:
        """SystemExit in a task of the user's passes through asyncio's loop."""

        async def leave() -> None:
            raise SystemExit(3)

        tasks = portal.call(lambda: [asyncio.get_running_loop().create_task(leave())])
        until(lambda: "something left the loop of test-loop" in caplog.text)
        assert portal.call(lambda: "still here") == "still here"
        assert isinstance(tasks[0].exception(), SystemExit)

    def test_calls_after_the_end_are_dropped(self, portal: LoopThread) -> None:
        loop = portal.start()
        portal.call(lambda: None)
        portal.stop()
        portal.stop()
        until(loop.is_closed)
        portal.soon(lambda: pytest.fail("it ran"))
        portal.later(0, lambda: pytest.fail("it ran"))

    def test_stop_before_the_start_makes_no_loop(self) -> None:
        unstarted = LoopThread("never")
        unstarted.stop()
        assert unstarted.loop is None
        assert not any(thread.name == "never" for thread in threading.enumerate())


@pytest.fixture(autouse=True)
def log_everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
