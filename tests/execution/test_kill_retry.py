"""kill_retry.py: Killed code that is in a library or resists ends, its locks are free, and stuck processes
are named.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import gc
import importlib
import itertools
import logging
import os
import queue
import sqlite3
import sys
import threading
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pyx.execution import kill_retry
from pyx.terms import Pid
from tests.local_nodes import HANG, in_kernel, until, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyx.runtime.local_node import LocalNode

KILLS = int(os.environ.get("PYX_KILLS", "500"))
"""The number in the usual run; the long form is PYX_KILLS=5000."""

log = logging.getLogger("tests.kills")
shared: queue.Queue[int] = queue.Queue()
event = threading.Event()


def logs() -> None:
    while True:
        log.warning("at work")


def passes_on() -> None:
    while True:
        shared.put(1)
        shared.get()


def waits_for_an_event() -> None:
    while True:
        event.wait(0.0001)


def imports() -> None:
    while True:
        sys.modules.pop("imported_by_a_victim", None)
        importlib.import_module("imported_by_a_victim")


def queries() -> None:
    with contextlib.closing(sqlite3.connect(":memory:", check_same_thread=False)) as database:
        while True:
            database.execute("select 1").fetchall()


def submits() -> None:
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        while True:
            pool.submit(len, "abc").result()


def warns() -> None:
    while True:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                warnings.warn("at work", stacklevel=1)
            except UserWarning:  # filters are shared by all threads: a thread that ends restores pytest's
                pass


def lock_works(use: Callable[[], object]) -> None:
    """Calls *use* on a new thread, which would block on a lock that was never released."""
    used = threading.Event()

    def uses() -> None:
        use()
        used.set()

    threading.Thread(target=uses, daemon=True).start()
    wait_for(used)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "imported_by_a_victim.py").write_text("import string\nVALUE = string.digits\n")
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.fixture
def handler() -> Iterator[logging.Handler]:
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        handler = logging.StreamHandler(nowhere)
        log.addHandler(handler)
        log.propagate = False
        yield handler
        log.removeHandler(handler)
        log.propagate = True


@pytest.mark.filterwarnings(
    # A database that was opened in the instruction before the kill has no owner yet that closes it.
    "ignore::pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.usefixtures("module", "handler")
def test_kills_in_the_standard_library_leave_its_locks_free(node: LocalNode) -> None:
    works = itertools.cycle([logs, passes_on, waits_for_an_event, imports, queries, submits, warns])
    for work in itertools.islice(works, KILLS):
        pid, _ = node.processes.spawn(work, ())
        process = node.kernel.tables.find(pid)
        assert process is not None
        until(lambda process=process: process.runner.gate.thread_ident is not None)  # type: ignore[misc]
        in_kernel(node, node.kernel.process_signals.exit, Pid(0), pid, "kill")
    until(lambda: len(node.processes.kills) == 0)
    lock_works(lambda: log.warning("still here"))
    lock_works(lambda: (shared.put(1), shared.get()))
    lock_works(lambda: (event.set(), event.wait(HANG)))
    lock_works(lambda: importlib.reload(importlib.import_module("imported_by_a_victim")))
    lock_works(lambda: concurrent.futures.ThreadPoolExecutor(1).submit(len, "abc").result(HANG))
    assert in_kernel(node, node.kernel.registry.registered) == []


def test_killed_loop_over_a_library_wait_ends_when_the_wait_returns(node: LocalNode) -> None:
    begun = threading.Event()
    waiting: queue.Queue[str] = queue.Queue()
    taken: list[str] = []

    def loop() -> None:
        while True:
            begun.set()
            try:
                taken.append(waiting.get(timeout=60 * HANG))
            except queue.Empty:
                continue

    pid, _ = node.processes.spawn(loop, ())
    wait_for(begun)
    until(lambda: bool(waiting.not_empty._waiters))  # type: ignore[attr-defined]
    in_kernel(node, node.kernel.process_signals.exit, Pid(0), pid, "kill")
    assert len(node.processes.kills) == 1
    waiting.put("the last one")
    until(lambda: len(node.processes.kills) == 0)
    assert taken in ([], ["the last one"])
    assert not waiting.mutex.locked()


def test_coroutine_that_swallows_its_cancellation_is_cancelled_again(
    node: LocalNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    monkeypatch.setattr(kill_retry, "AGAIN_SECONDS", 0.01)
    begun = threading.Event()
    swallowed: list[int] = []

    async def resists() -> None:
        begun.set()
        for number in range(3):
            try:
                await asyncio.sleep(60 * HANG)
            except asyncio.CancelledError:
                swallowed.append(number)
        await asyncio.sleep(60 * HANG)

    pid, _ = node.processes.spawn(resists, ())
    wait_for(begun)
    in_kernel(node, node.kernel.process_signals.exit, Pid(0), pid, "kill")
    until(lambda: len(node.processes.kills) == 0)
    assert swallowed == [0, 1, 2]


def test_tasks_of_a_loop_run_by_a_killed_def_are_cancelled(
    node: LocalNode, caplog: pytest.LogCaptureFixture
) -> None:
    import asyncio

    begun = threading.Event()
    ended: list[str] = []

    async def spins() -> None:
        try:
            begun.set()
            while True:  # noqa: ASYNC110 - it is to be busy
                await asyncio.sleep(0)
        finally:
            await asyncio.sleep(0)
            ended.append("task")

    async def main() -> None:
        task = asyncio.create_task(spins())
        try:
            await asyncio.sleep(60 * HANG)
        finally:
            ended.append("main")
            await asyncio.wait([task])

    def runs_a_loop() -> None:
        try:
            asyncio.run(main())
        finally:
            ended.append("process")

    pid, _ = node.processes.spawn(runs_a_loop, ())
    wait_for(begun)
    in_kernel(node, node.kernel.process_signals.exit, Pid(0), pid, "kill")
    until(lambda: len(node.processes.kills) == 0)
    assert sorted(ended[:2]) == ["main", "task"]
    assert ended[2:] == ["process"]
    assert caplog.messages == []


class TestWhatStaysBehind:
    def test_stuck_process_is_named_once_its_time_is_over(
        self, node: LocalNode, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(kill_retry, "STUCK_SECONDS", 0.0)
        for_ever = threading.Event()

        def stuck() -> None:
            for_ever.wait()

        pid, _ = node.processes.spawn(stuck, ())
        until(lambda: bool(for_ever._cond._waiters))  # type: ignore[attr-defined]
        in_kernel(node, node.kernel.process_signals.exit, Pid(0), pid, "kill")
        assert [named for named, _ in node.processes.kills.stuck()] == [pid]
        until(lambda: node.processes.kills.stuck()[0][1].startswith("Condition.wait ("))
        for_ever.set()
        until(lambda: len(node.processes.kills) == 0)
        assert node.processes.kills.stuck() == []

    def test_killed_process_is_not_named_as_stuck_at_first(
        self, node: LocalNode, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(kill_retry, "STUCK_SECONDS", 60 * HANG)
        for_ever = threading.Event()
        pid, _ = node.processes.spawn(for_ever.wait, ())
        until(lambda: bool(for_ever._cond._waiters))  # type: ignore[attr-defined]
        in_kernel(node, node.kernel.process_signals.exit, Pid(0), pid, "kill")
        assert len(node.processes.kills) == 1
        assert node.processes.kills.stuck() == []
        for_ever.set()
        until(lambda: len(node.processes.kills) == 0)

    def test_stuck_async_def_is_named_with_the_place_of_its_await(
        self, node: LocalNode, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import asyncio

        monkeypatch.setattr(kill_retry, "STUCK_SECONDS", 0.0)
        go_on = threading.Event()
        swallowed = threading.Event()

        async def stays() -> None:
            while not go_on.is_set():
                try:
                    await asyncio.sleep(60 * HANG)
                except asyncio.CancelledError:
                    swallowed.set()

        pid, _ = node.processes.spawn(stays, ())
        until(lambda: node.kernel.tables.processes[pid.number].runner.task is not None)
        until(lambda: node.kernel.tables.processes[pid.number].runner.task.get_coro().cr_await is not None)
        in_kernel(node, node.kernel.process_signals.exit, Pid(0), pid, "kill")
        wait_for(swallowed)
        assert [named for named, _ in node.processes.kills.stuck()] == [pid]
        # Like a thread's, the place is that of the innermost frame.
        until(lambda: node.processes.kills.stuck()[0][1].startswith("sleep ("))
        go_on.set()
        monkeypatch.setattr(kill_retry, "AGAIN_SECONDS", 0.01)
        until(lambda: len(node.processes.kills) == 0)


class Victim:
    """What `KillRetry` needs of the runner of a task that has not ended."""

    over = False
    process = SimpleNamespace(keeps_pid=False)
    gate = SimpleNamespace(thread_ident=None, told=0)

    def stop(self) -> None:
        """The task was cancelled."""


class KillsWhenCollected:
    """Garbage in a cycle, whose finalizer kills another process, as a user's object may."""

    def __init__(self, kills: Callable[[Victim], None]) -> None:
        self.itself = self
        self.kills = kills

    def __del__(self) -> None:
        self.kills(Victim())


def test_collection_in_the_middle_of_a_look_may_kill_another_process() -> None:
    looks: list[Callable[[], None]] = []
    retry = kill_retry.KillRetry(later=lambda _, look: looks.append(look), now=lambda: 0.0)
    kill: Any = retry.kill
    for _ in range(500):
        kill(Victim())
    before = gc.get_threshold()
    gc.collect()
    for _ in range(20):
        KillsWhenCollected(kill)
        gc.set_threshold(20, 1000, 1000)
        try:
            looks.pop()()
            assert retry.stuck() == []
        finally:
            gc.set_threshold(*before)
    gc.collect()
    assert len(retry) == 520
