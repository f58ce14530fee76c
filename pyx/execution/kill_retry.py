"""Dead processes whose code still runs, and when each kill is repeated.

A kill closes the gate of a process and wakes the process where it waits; there, and at each primitive, its
code raises ProcessKilled.  In code that calls no primitive the exception is raised from outside
(`thread_kill.py`): at once, or, where its thread is in a library, as soon as the library returns.  Code that
swallows the exception gets another one a second later, and so on; a cancelled task that goes on is cancelled
again.  Where a thread runs an event loop, the tasks of that loop are cancelled first.  `Node.info()` names
the processes that still run after five seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.execution import tracebacks
from pyx.execution.private_loops import cancel_tasks_of
from pyx.execution.stacks import current_frames
from pyx.execution.thread_kill import kill_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

    from pyx.execution.runner import Runner

AGAIN_SECONDS: Final = 1.0
"""Seconds between two exceptions for code that swallows them: time for its `finally` blocks."""

STUCK_SECONDS: Final = 5.0
"""Seconds after which `Node.info()` names a dead process that still runs."""

_FIRST_LOOK_SECONDS: Final = 0.002
_LAST_LOOK_SECONDS: Final = 0.1
"""Seconds between two looks at a thread inside a library, at first and at most."""


class _Dying:
    """One dead process whose code still runs."""

    __slots__ = ("due", "look", "since", "told", "was_cancelled")

    def __init__(self, now: float) -> None:
        self.since = now
        self.due = now
        """Time of the next exception, at the earliest."""
        self.look = _FIRST_LOOK_SECONDS
        self.told = 0
        """`Gate.told` at the last look."""
        self.was_cancelled = False
        """True if the thread ran an event loop at the last exception, and its tasks were cancelled."""


class KillRetry:
    """The killed processes of one node whose code still runs.

    Args:
        later: `later(seconds, function)` calls the function on a thread that never blocks.
        now: returns the time, in monotonic seconds.
    """

    def __init__(
        self, later: Callable[[float, Callable[[], None]], object], now: Callable[[], float]
    ) -> None:
        self._later = later
        self._now = now
        self.dying: Final[dict[Runner, _Dying]] = {}
        """The killed processes whose code still runs."""
        self._looks = False

    def kill(self, runner: Runner) -> None:
        """Ends the code of a process that an exit signal has killed, as soon as possible; any thread."""
        if runner.process.keeps_pid:  # a shell's prompt goes on with the same pid
            runner.stop()
            return
        dying = self.dying[runner] = _Dying(self._now())
        runner.stop()
        if runner.over:  # read after the entry is made: the process may be ending at this moment
            self.ended(runner)
            return
        if runner.gate.thread_ident is None:
            dying.due += AGAIN_SECONDS  # a task was cancelled by `stop`
        elif not runner.is_waiting:
            self._tell(runner, dying, current_frames())
        self._look_later(_FIRST_LOOK_SECONDS)

    def ended(self, runner: Runner) -> None:
        """Forgets a process whose code has ended."""
        self.dying.pop(runner, None)

    def __len__(self) -> int:
        return len(self.dying)

    def stuck(self) -> list[tuple[Any, str]]:
        """Returns (pid, `"wait (a.py:7)"`) of each process that still runs after `STUCK_SECONDS`."""
        now = self._now()
        found = [runner for runner, dying in self.dying.copy().items() if now - dying.since >= STUCK_SECONDS]
        frames: Mapping[int, FrameType] = current_frames() if found else {}
        return [(runner.process.pid, _place(runner, frames)) for runner in found]

    def _look_later(self, seconds: float) -> None:
        if not self._looks:
            self._looks = True
            self._later(seconds, self._look)

    def _look(self) -> None:
        self._looks = False
        now = self._now()
        frames: Mapping[int, FrameType] | None = None
        wait = _LAST_LOOK_SECONDS
        for runner, dying in self.dying.copy().items():
            if runner.over:
                self.ended(runner)
                continue
            told = runner.gate.told
            if told != dying.told:  # by a primitive or a trap
                dying.told, dying.due = told, now + AGAIN_SECONDS
            if now >= dying.due:
                frames = current_frames() if frames is None else frames
                self._tell(runner, dying, frames)
            wait = min(wait, dying.look)
            dying.look = min(2 * dying.look, _LAST_LOOK_SECONDS)
        del frames
        if self.dying:
            self._look_later(wait)

    def _tell(self, runner: Runner, dying: _Dying, frames: Mapping[int, FrameType]) -> None:
        ident = runner.gate.thread_ident
        if ident is None:
            runner.stop()
            dying.due = self._now() + AGAIN_SECONDS
            return
        frame = frames.get(ident)
        if frame is None:  # the thread has just ended
            return
        was_cancelled, dying.was_cancelled = dying.was_cancelled, cancel_tasks_of(frame)
        is_due = was_cancelled or not dying.was_cancelled
        was_raised = is_due and kill_thread(runner.gate, frame, dying.told)
        dying.told += was_raised
        if was_raised or dying.was_cancelled:
            dying.due = self._now() + AGAIN_SECONDS


def _place(runner: Runner, frames: Mapping[int, FrameType]) -> str:
    """Returns the place where the code of a dead process is, as text."""
    task = runner.task
    ident = runner.gate.thread_ident or 0
    frame = frames.get(ident) if task is None else tracebacks.innermost_frame(task.get_coro())
    if frame is None:
        return "a task that goes on" if task is not None else "its last instructions"
    code = frame.f_code
    return f"{code.co_qualname} ({code.co_filename}:{frame.f_lineno})"
