"""Dead processes whose code still runs, and when each is struck again.

A kill closes the gate of a process and wakes it where it waits; there, and at each primitive, its code
raises.  Code that calls no primitive is struck (`thread_kill.py`): at once, or where its thread is in a
library, a moment later and as soon as that returns.  What swallows the exception gets another, a second
later, and so on; a cancelled task that goes on is cancelled again.  Where a thread runs an event loop, the
tasks there are cancelled first.  What still runs after five seconds is named by `Node.info()`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.execution import tracebacks
from pyx.execution.private_loops import cancel_tasks_of
from pyx.execution.stacks import current_frames
from pyx.execution.thread_kill import strike

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

    from pyx.execution.runner import Runner

AGAIN_SECONDS: Final = 1.0
"""From one exception to the next, for code that swallows them: time for its `finally` blocks."""

STUCK_SECONDS: Final = 5.0
"""After so long a dead process that still runs is named."""

_FIRST_LOOK_SECONDS: Final = 0.002
_LAST_LOOK_SECONDS: Final = 0.1
"""A thread inside a library is looked at again after this time, at first and at most."""


class _Dying:
    """One dead process whose code still runs."""

    __slots__ = ("due", "look", "since", "told", "was_cancelled")

    def __init__(self, now: float) -> None:
        self.since = now
        self.due = now
        """It is not struck before."""
        self.look = _FIRST_LOOK_SECONDS
        self.told = 0
        """How often its code had been told when it was looked at last."""
        self.was_cancelled = False
        """It is a thread that ran an event loop when it was told last, and the tasks there were cancelled."""


class KillRetry:
    """The dying of one node.

    Args:
        later: `later(seconds, function)` calls the function on a thread that never waits.
        now: the clock, in monotonic seconds.
    """

    def __init__(
        self, later: Callable[[float, Callable[[], None]], object], now: Callable[[], float]
    ) -> None:
        self._later = later
        self._now = now
        self._dying: dict[Runner, _Dying] = {}
        self._looks = False

    def kill(self, runner: Runner) -> None:
        """The process is dead by a signal: whatever runs it is to end, as soon as it can; any thread."""
        if runner.process.keeps_pid:  # a shell's prompt goes on, as another process
            runner.stop()
            return
        dying = self._dying[runner] = _Dying(self._now())
        runner.stop()
        if runner.over:  # looked at after it is in: it may be ending this very moment
            self.ended(runner)
            return
        if runner.gate.thread_ident is None:
            dying.due += AGAIN_SECONDS  # a task was cancelled by `stop`
        elif not runner.is_waiting:
            self._tell(runner, dying, current_frames())
        self._look_later(_FIRST_LOOK_SECONDS)

    def ended(self, runner: Runner) -> None:
        """Nothing runs for that process any more."""
        self._dying.pop(runner, None)

    def __len__(self) -> int:
        return len(self._dying)

    def stuck(self) -> list[tuple[Any, str]]:
        """The pids of those that still run after `STUCK_SECONDS`, and where: `"wait (threading.py:327)"`."""
        now = self._now()
        found = [runner for runner, dying in list(self._dying.items()) if now - dying.since >= STUCK_SECONDS]
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
        for runner, dying in list(self._dying.items()):
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
        if self._dying:
            self._look_later(wait)

    def _tell(self, runner: Runner, dying: _Dying, frames: Mapping[int, FrameType]) -> None:
        ident = runner.gate.thread_ident
        if ident is None:
            runner.stop()
            dying.due = self._now() + AGAIN_SECONDS
            return
        frame = frames.get(ident)
        if frame is None:  # it has just ended
            return
        was_cancelled, dying.was_cancelled = dying.was_cancelled, cancel_tasks_of(frame)
        is_due = was_cancelled or not dying.was_cancelled
        is_struck = is_due and strike(runner.gate, frame, dying.told)
        dying.told += is_struck
        if is_struck or dying.was_cancelled:
            dying.due = self._now() + AGAIN_SECONDS


def _place(runner: Runner, frames: Mapping[int, FrameType]) -> str:
    """Where the code of a dead process is."""
    task = runner.task
    ident = runner.gate.thread_ident or 0
    frame = frames.get(ident) if task is None else tracebacks.innermost_frame(task.get_coro())
    if frame is None:
        return "a task that goes on" if task is not None else "its last instructions"
    code = frame.f_code
    return f"{code.co_qualname} ({code.co_filename}:{frame.f_lineno})"
