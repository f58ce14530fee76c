"""Warm threads: one that has run a process waits for the next; starting one costs ten times more."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Final

from pyx.execution.reading_waits import read_until_woken
from pyx.execution.slots import LockSlot
from pyx.execution.thread_state import thread

if TYPE_CHECKING:
    from collections.abc import Callable

_IDLE_SECONDS: Final = 10.0

_names = itertools.count(1)


class Pool:
    """A pool of warm threads.  `run(job)` never waits: without an idle thread it starts one."""

    def __init__(self) -> None:
        self._idle: list[_Worker] = []

    def run(self, job: Callable[[], None]) -> None:
        """Runs *job* on a thread of its own, at once."""
        try:
            worker = self._idle.pop()  # the one used last: its stack is still in the cache
        except IndexError:
            _Worker(self._idle, job).start()
        else:
            worker.job = job
            worker.slot.wake()


class _Worker(threading.Thread):
    def __init__(self, idle: list[_Worker], job: Callable[[], None]) -> None:
        super().__init__(name=f"pyx-process-{next(_names)}", daemon=True)
        self._idle = idle
        self.job: Callable[[], None] | None = job
        """The next job; set before `slot` is woken."""
        self.slot = LockSlot()

    def run(self) -> None:
        state = thread.state
        state.is_pooled = True
        while True:
            job, self.job = self.job, None
            if job is not None:
                job()
                del job  # or an idle thread would keep a dead process's arguments alive
                self._idle.append(self)
                answered, state.answered = state.answered, None
                if answered is not None and read_until_woken(answered, self.slot, None):
                    continue
            if not self.slot.wait_through(_IDLE_SECONDS):
                try:
                    self._idle.remove(self)
                except ValueError:  # another thread has just taken it: the job is on its way
                    continue
                return
