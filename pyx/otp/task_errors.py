"""Why a task has no result for the process that asks: a branch of the tree in `errors.py`.

    PyxError
    └── TaskError                      attribute `task`
        ├── TaskExited                 the task ended without a result; `reason` is its exit reason
        ├── TaskTimeout (TimeoutError) it has no result yet
        └── TaskNotMine (ValueError)   another process started it

Where a process of OTP exits with `{reason, {Task, :await, [task, timeout]}}`, it gets the exception here.
"""

from __future__ import annotations

from typing import Any, Final

from pyx.errors import PyxError, RemoteError, brief
from pyx.terms import Pid, Raised

_SELF: Final = "this node"


class TaskError(PyxError):
    """A process asked about a task, and there is no result.  Attribute: `task`."""

    def __init__(self, task: Any, message: str, *, hint: str | None = None) -> None:
        self.task = task
        super().__init__(message, hint=hint)


class TaskExited(TaskError):
    """A task ended without a result.

    Attribute: `reason`, its exit reason, as data.  That is a `Raised` for an exception, and then `__cause__`
    is a `RemoteError` with the traceback of the task; `("nodedown", node)` if its node was lost.
    """

    def __init__(self, task: Any, reason: Any) -> None:
        self.reason = reason
        if isinstance(reason, Raised):
            why = f"{reason.type}: {reason.text}" if reason.text else reason.type
            self.__cause__ = RemoteError(_node_of(task), reason.type, reason.text, reason.traceback)
        else:
            why = brief(reason)
        super().__init__(task, f"{_named(task)} ended without a result: {why}")


class TaskTimeout(TaskError, TimeoutError):
    """A task had no result in time; it goes on, and its late result is dropped.  In a stream all are killed.

    A task whose result was taken already, or dropped (*is_settled*), has none for a second wait.

    Attribute: `timeout` (seconds).
    """

    def __init__(
        self, task: Any, timeout: float, *, is_killed: bool = False, is_settled: bool = False
    ) -> None:
        self.timeout = timeout
        hint = (
            "the task goes on, and its late result is dropped; Task.yield_ waits and can be repeated, "
            "Task.shutdown ends the task"
        )
        if is_killed:
            hint = 'the stream has killed its tasks; on_timeout="kill_task" kills this one, and goes on'
        if is_settled:
            hint = "its result was taken or dropped before: the result of a task comes once"
        super().__init__(task, f"{_named(task)} has no result after {timeout:g} s", hint=hint)


class TaskNotMine(TaskError, ValueError):
    """A process asked about a task that another one started.  Attributes: `owner`, `asking` (pids)."""

    def __init__(self, task: Any, owner: Pid, asking: Pid) -> None:
        self.owner = owner
        self.asking = asking
        super().__init__(
            task,
            f"{_named(task)} belongs to {owner}, which alone can wait for it, and {asking} asked",
            hint="the owner can send the result on",
        )


def _named(task: Any) -> str:
    """Returns how a task, or several, are called in a sentence."""
    if isinstance(task, list):
        return f"one of {len(task)} tasks" if len(task) != 1 else _named(task[0])
    pid = getattr(task, "pid", None)
    module, function, arguments = getattr(task, "mfa", ("", "", 0))
    return f"the task {pid} ({module}.{function}/{arguments})" if pid is not None else "the task"


def _node_of(task: Any) -> str:
    pid = getattr(task, "pid", None)
    return pid.node if pid is not None and pid.node else _SELF
