"""`def` processes: plain functions on warm threads, and how such a thread survives being killed.

A thread that ran a process waits a while for the next one, because starting a thread costs ten times a hand
over.  See `core` for when a process is killed, and `thread_kill.py` for how the exception gets in.
"""

from __future__ import annotations

import contextvars
import itertools
import threading
from typing import TYPE_CHECKING, Any, Final

from pyx.errors import ProcessKilled
from pyx.execution.context import current
from pyx.execution.runner import LockSlot
from pyx.execution.thread_kill import receive_what_is_due, stop_tracing

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.execution.runner import Finished, Runner

_IDLE_SECONDS: Final = 10.0

_names = itertools.count(1)


class Pool:
    """Warm threads.  `run(job)` never waits: without an idle thread it starts one."""

    def __init__(self) -> None:
        self._idle: list[_Worker] = []

    def run(self, job: Callable[[], None]) -> None:
        """Runs *job* on a thread of its own, at once."""
        try:
            worker = self._idle.pop()  # the youngest: its stack is still in the cache
        except IndexError:
            _Worker(self._idle, job).start()
        else:
            worker.work(job)


class _Worker(threading.Thread):
    def __init__(self, idle: list[_Worker], job: Callable[[], None]) -> None:
        super().__init__(name=f"pyx-process-{next(_names)}", daemon=True)
        self._idle = idle
        self._job: Callable[[], None] | None = job
        self._slot = LockSlot()

    def work(self, job: Callable[[], None]) -> None:
        self._job = job
        self._slot.wake()

    def run(self) -> None:
        while True:
            job, self._job = self._job, None
            if job is not None:
                job()
                del job  # or an idle thread would keep a dead process's arguments alive
                self._idle.append(self)
            if not self._slot.wait(_IDLE_SECONDS):
                try:
                    self._idle.remove(self)
                except ValueError:  # somebody has just taken it: the job is on its way
                    continue
                return


def run_process(runner: Runner, body: Callable[[], Any], finished: Finished) -> None:
    """Runs *body* as the process of *runner* on this thread; *finished* gets (runner, error or None, value).

    ProcessKilled that was raised from outside in the last instruction of *body* arrives up to the last line
    of `try`.
    """
    error: BaseException | None = None
    value: Any = None
    try:
        try:
            runner.gate.begin()
            value = contextvars.Context().run(_as_process, runner, body)
        except BaseException as raised:
            error = raised
        runner.gate.end()
        if runner.gate.closed:
            receive_what_is_due()
    except ProcessKilled as killed:
        error = killed
    stop_tracing()
    try:
        finished(runner, error, value)
    finally:
        error = value = None  # its traceback holds this frame


def _as_process(runner: Runner, body: Callable[[], Any]) -> Any:
    current.set(runner)
    return body()
