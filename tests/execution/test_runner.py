"""runner.py, slots.py: Waits of a process, and their ends: slots, kills, timeouts."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pyx.errors import ProcessKilled
from pyx.execution.loop_thread import FutureSlot
from pyx.execution.runner import Runner, sleep, sleep_async
from pyx.execution.slots import LockSlot
from pyx.execution.thread_state import thread
from pyx.terms import Ref
from tests.local_nodes import HANG, until

if TYPE_CHECKING:
    from collections.abc import Callable


class FakeConnection:
    """A connection that records whether each flush is inside a kernel call."""

    def __init__(self) -> None:
        self.flushed: list[bool] = []

    def flush(self) -> None:
        self.flushed.append(thread.state.inside)


class TestLockSlot:
    def test_wake_up_before_the_wait_is_not_lost(self) -> None:
        slot = LockSlot()
        slot.wake()
        slot.wake()
        assert slot.wait(None)
        assert not slot.wait(0)

    def test_slot_wakes_a_waiting_thread(self) -> None:
        slot, woken = LockSlot(), list[bool]()
        waiter = threading.Thread(target=lambda: woken.append(slot.wait(HANG)))
        waiter.start()
        slot.wake()
        waiter.join(HANG)
        assert woken == [True]

    @pytest.mark.parametrize("timeout", [-1.0, 0.0, 0.001])
    def test_wait_times_out(self, timeout: float) -> None:
        assert not LockSlot().wait(timeout)

    def test_wait_accepts_timeouts_beyond_those_of_the_system(self) -> None:
        slot = LockSlot()
        slot.wake()
        assert slot.wait(float("inf"))

    def test_wait_is_marked_as_interruptible(self) -> None:
        slot = LockSlot()
        states: list[bool] = []

        def sleeps() -> None:
            state = thread.state
            watched.append(state)
            slot.wait(HANG)
            states.append(state.waiting)

        watched: list[Any] = []
        waiter = threading.Thread(target=sleeps)
        waiter.start()
        until(lambda: bool(watched) and watched[0].waiting)
        slot.wake()
        waiter.join(HANG)
        assert states == [False]

    def test_wait_through_is_not_interruptible(self) -> None:
        slot = LockSlot()
        slot.wake()
        states: list[bool] = []
        slot.lock = _WatchedLock(lambda: states.append(thread.state.waiting))  # type: ignore[assignment]
        assert slot.wait_through(None)
        assert slot.wait(None)
        assert states == [False, True]


class _WatchedLock:
    """A lock that calls a function when it is acquired."""

    def __init__(self, on_acquire: Callable[[], object]) -> None:
        self._on_acquire = on_acquire

    def acquire(self) -> bool:
        self._on_acquire()
        return True


class TestFutureSlot:
    def test_future_slot_is_woken_from_another_thread(self) -> None:
        async def waiter() -> None:
            slot = FutureSlot(asyncio.get_running_loop(), None)
            threading.Thread(target=lambda: (slot.wake(), slot.wake())).start()
            await asyncio.wait_for(slot.wait(None), HANG)

        asyncio.run(waiter())

    def test_wait_times_out(self) -> None:
        async def waited_seconds() -> float:
            loop = asyncio.get_running_loop()
            begun = loop.time()
            await FutureSlot(loop, None).wait(0.01)
            return loop.time() - begun

        assert asyncio.run(waited_seconds()) >= 0.01

    def test_wake_on_a_closed_loop_is_ignored(self) -> None:
        async def make() -> FutureSlot:
            return FutureSlot(asyncio.get_running_loop(), None)

        slot = asyncio.run(make())
        slot.wake()
        assert not slot.future.done()

    def test_renewed_slot_waits_again(self) -> None:
        async def waiter() -> None:
            slot = FutureSlot(asyncio.get_running_loop(), None)
            for _ in range(3):
                threading.Thread(target=slot.wake).start()
                await asyncio.wait_for(slot.wait(None), HANG)
                assert slot.renew()
                assert not slot.future.done()

        asyncio.run(waiter())

    def test_slot_is_not_renewed_on_another_loop(self) -> None:
        async def make() -> FutureSlot:
            return FutureSlot(asyncio.get_running_loop(), None)

        async def is_renewed(slot: FutureSlot) -> bool:
            return slot.renew()

        assert not asyncio.run(is_renewed(asyncio.run(make())))


class TestSleep:
    def test_sleep_ends_when_the_condition_holds(self, runner: Runner) -> None:
        slot, over = LockSlot(), list[bool]()
        waiter = threading.Thread(target=lambda: over.append(sleep(runner, slot, None, lambda: bool(rung))))
        rung: list[bool] = []
        waiter.start()
        until(lambda: runner.is_waiting)
        slot.wake()  # in vain: the condition does not hold yet
        assert over == []
        rung.append(True)
        slot.wake()
        waiter.join(HANG)
        assert over == [True]
        assert not runner.is_waiting

    def test_sleep_times_out(self, runner: Runner) -> None:
        assert not sleep(runner, LockSlot(), 0.001, lambda: False)
        assert not sleep(None, LockSlot(), 0, lambda: False)
        assert sleep(None, LockSlot(), 0, lambda: True)

    def test_kill_ends_the_sleep(self, runner: Runner) -> None:
        killed: list[bool] = []

        def sleeps() -> None:
            try:
                sleep(runner, LockSlot(), None, lambda: False)
            except ProcessKilled:
                killed.append(True)

        waiter = threading.Thread(target=sleeps)
        waiter.start()
        until(lambda: runner.is_waiting)
        runner.stop()
        waiter.join(HANG)
        assert killed == [True]
        assert runner.waits == set()

    def test_sleep_of_a_dead_process_does_not_begin(self, runner: Runner) -> None:
        runner.stop()
        with pytest.raises(ProcessKilled):
            sleep(runner, LockSlot(), None, lambda: False)

    def test_queued_signals_are_flushed_before_the_sleep_and_inside_the_gate(self, runner: Runner) -> None:
        connection: Any = FakeConnection()
        runner.has_filled(connection)
        runner.fresh = False
        sleep(runner, LockSlot(), 0, lambda: False)
        assert connection.flushed == [True]
        assert runner.dirty == set()
        assert runner.fresh

    def test_kill_ends_all_waits_of_a_process(self, runner: Runner) -> None:
        """A coroutine may start threads that wait as its process (`asyncio.to_thread`)."""
        ends: list[str] = []

        def sleeps() -> None:
            try:
                sleep(runner, LockSlot(), None, lambda: False)
            except ProcessKilled:
                ends.append("killed")

        waiters = [threading.Thread(target=sleeps) for _ in range(3)]
        for waiter in waiters:
            waiter.start()
        until(lambda: len(runner.waits) == 3)
        runner.stop()
        for waiter in waiters:
            waiter.join(HANG)
        assert ends == ["killed"] * 3


class TestSleepAsync:
    def test_async_sleep_ends_by_a_wake_up_or_its_timeout(self, runner: Runner) -> None:
        async def sleeps() -> None:
            slot = FutureSlot(asyncio.get_running_loop(), None)
            threading.Thread(target=slot.wake).start()
            await sleep_async(runner, slot, HANG)
            await sleep_async(None, FutureSlot(asyncio.get_running_loop(), None), 0.001)

        asyncio.run(sleeps())
        assert not runner.is_waiting

    def test_kill_ends_the_sleep(self, runner: Runner) -> None:
        async def sleeps() -> None:
            asyncio.get_running_loop().call_soon(runner.stop)
            with pytest.raises(ProcessKilled):
                await sleep_async(runner, FutureSlot(asyncio.get_running_loop(), None), None)
            with pytest.raises(ProcessKilled):
                await sleep_async(runner, FutureSlot(asyncio.get_running_loop(), None), None)

        asyncio.run(sleeps())
        assert runner.waits == set()


class TestMarks:
    def test_latest_marks_are_kept(self, runner: Runner) -> None:
        for number in range(100):
            runner.remember(Ref(number), number)
        assert len(runner.marks) == 64
        assert runner.marks[Ref(99)] == 99
        assert Ref(35) not in runner.marks


def test_runner_is_waiting_in_a_receive_and_in_other_waits(runner: Runner) -> None:
    assert not runner.is_waiting
    runner.process.waiting = True
    assert runner.is_waiting
    runner.process.waiting = False  # type: ignore[unreachable]
    runner.own_waits().add(LockSlot())
    assert runner.is_waiting


def test_stop_closes_the_gate_wakes_the_slot_and_cancels_the_task(runner: Runner) -> None:
    cancelled: list[str] = []
    runner.stop_task = lambda _: cancelled.append("cancelled")
    slot = runner.own_slot
    runner.stop()
    assert runner.gate.closed
    assert slot.wait(0)
    assert cancelled == ["cancelled"]


def test_stop_of_a_runner_that_does_not_receive_wakes_no_slot(runner: Runner) -> None:
    runner.stop()
    assert runner.gate.closed
    assert not LockSlot().wait(0)


def test_ended_runner_keeps_no_reference_to_its_task(runner: Runner) -> None:
    """Otherwise the runner, its task and the coroutine would form a cycle until a collection."""
    runner.stop_task = lambda _: None
    runner.ended()
    assert [runner.over, runner.stop_task, runner.task] == [True, None, None]
