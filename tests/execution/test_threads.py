"""threads.py, thread_pool.py: Pooled threads, which survive each kind of end of a process."""

from __future__ import annotations

import _thread
import ctypes
import functools
import queue
import threading
import types
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from pyx.errors import ProcessKilled
from pyx.execution import thread_pool
from pyx.execution.context import current
from pyx.execution.gate import Gate
from pyx.execution.thread_pool import Pool
from pyx.execution.threads import run_process
from tests.local_nodes import HANG, until, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.execution.runner import Runner


class FakeRunner:
    """The attributes of a runner that `run_process` uses."""

    def __init__(self) -> None:
        self.gate = Gate()


def run(runner: FakeRunner, body: Callable[[], Any]) -> list[tuple[BaseException | None, Any]]:
    """Runs *body* as a process on a new thread; returns the reported ends (there is one)."""
    ends: list[tuple[BaseException | None, Any]] = []
    thread = threading.Thread(
        target=run_process, args=(runner, body, lambda _, error, value: ends.append((error, value)))
    )
    thread.start()
    thread.join(HANG)
    assert not thread.is_alive()
    return ends


class TestRunProcess:
    def test_process_reports_its_value(self) -> None:
        assert run(FakeRunner(), lambda: 42) == [(None, 42)]

    @pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
    def test_process_reports_its_exception(self, error: BaseException) -> None:
        def body() -> None:
            raise error

        assert run(FakeRunner(), body) == [(error, None)]

    def test_process_is_current_in_its_body_and_not_in_its_report(self) -> None:
        runner = FakeRunner()
        seen: list[Any] = []
        run_process(
            as_runner(runner), lambda: seen.append(current.get()), lambda *_: seen.append(current.get())
        )
        assert seen == [runner, None]

    def test_each_process_has_a_context_of_its_own(self) -> None:
        before = current.get()
        run(FakeRunner(), lambda: None)
        assert current.get() is before

    def test_dead_process_does_not_run(self) -> None:
        runner = FakeRunner()
        runner.gate.closed = True
        [(error, value)] = run(runner, lambda: pytest.fail("it ran"))
        assert isinstance(error, ProcessKilled)
        assert value is None

    def test_kill_in_the_body_is_reported(self) -> None:
        runner = FakeRunner()

        def body() -> None:
            runner.gate.closed = True
            runner.gate.enter()

        [(error, _)] = run(runner, body)
        assert isinstance(error, ProcessKilled)

    def test_kill_after_the_body_is_reported(self) -> None:
        """It arrives while the gate is being closed, in C code, so it is raised in `run_process` itself."""
        runner = FakeRunner()

        def body() -> None:
            raise_killed = functools.partial(
                ctypes.pythonapi.PyThreadState_SetAsyncExc,
                ctypes.c_ulong(_thread.get_ident()),
                ctypes.py_object(ProcessKilled),
            )
            runner.gate = types.SimpleNamespace(end=raise_killed)  # type: ignore[assignment]
            raise ValueError("its own")

        [(error, _)] = run(runner, body)
        assert isinstance(error, ProcessKilled)

    def test_kill_in_the_last_instruction_does_not_reach_the_next_process(self) -> None:
        """The body is C code, so the kill arrives after it, while the thread goes on to the next process."""
        ends: list[BaseException | None] = []

        def one_and_the_next() -> None:
            first = FakeRunner()
            first.gate = types.SimpleNamespace(  # type: ignore[assignment]
                begin=lambda: None, end=functools.partial(raise_here, ProcessKilled), closed=True
            )
            run_process(as_runner(first), lambda: None, lambda _, error, __: ends.append(error))
            run_process(as_runner(FakeRunner()), lambda: None, lambda _, error, __: ends.append(error))

        thread = threading.Thread(target=one_and_the_next)
        thread.start()
        thread.join(HANG)
        killed, following = ends
        assert isinstance(killed, ProcessKilled)
        assert following is None


def raise_here(error: type[BaseException]) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(_thread.get_ident()), ctypes.py_object(error))


def as_runner(runner: Any) -> Runner:
    return runner  # type: ignore[no-any-return]


class TestPool:
    def test_job_runs_at_once_on_another_thread(self) -> None:
        idents: queue.SimpleQueue[int] = queue.SimpleQueue()
        Pool().run(lambda: idents.put(threading.get_ident()))
        assert idents.get(timeout=HANG) != threading.get_ident()

    def test_job_never_waits_for_a_busy_thread(self) -> None:
        pool, barrier = Pool(), threading.Barrier(10)
        for _ in range(9):
            pool.run(barrier.wait)  # type: ignore[arg-type]
        barrier.wait(HANG)  # all ten run at the same time

    def test_idle_thread_takes_the_next_job(self) -> None:
        pool, idents = Pool(), set[int]()
        for _ in range(100):
            done = threading.Event()
            pool.run(lambda: (idents.add(threading.get_ident()), done.set()))  # type: ignore[arg-type]  # noqa: B023
            wait_for(done)
            until(lambda: bool(pool._idle))
        assert len(idents) == 1

    def test_idle_thread_keeps_no_reference_to_its_job(self) -> None:
        class Argument: ...

        pool, argument = Pool(), Argument()
        watched = weakref.ref(argument)
        pool.run(functools.partial(lambda _: None, argument))
        del argument
        until(lambda: bool(pool._idle))
        assert watched() is None

    def test_idle_thread_ends_after_its_idle_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(thread_pool, "_IDLE_SECONDS", 0.0)
        pool, done = Pool(), threading.Event()
        workers: list[threading.Thread] = []
        pool.run(lambda: (workers.append(threading.current_thread()), done.set()))  # type: ignore[arg-type]
        wait_for(done)
        workers[0].join(HANG)
        assert not workers[0].is_alive()
        assert pool._idle == []

    def test_thread_called_just_before_its_end_takes_the_job(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(thread_pool, "_IDLE_SECONDS", 0.0)
        pool = Pool()
        done: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in range(500):
            pool.run(functools.partial(done.put, number))
        assert {done.get(timeout=HANG) for _ in range(500)} == set(range(500))

    def test_failure_to_start_a_thread_is_raised_to_the_caller(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def none_left(_: object) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", none_left)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            Pool().run(lambda: None)
