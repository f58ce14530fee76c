"""What the owner of a task waits for: await, yield, shutdown and their relatives.

Each is written once, as a coroutine, for threads and for coroutines (`runtime/request.py`).  What has been
settled leaves nothing behind: neither monitor nor alias, and no message of theirs in the mailbox.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from pyx.errors import ReceiveTimeout
from pyx.execution.context import require
from pyx.otp.task_errors import TaskExited, TaskNotMine, TaskTimeout
from pyx.otp.task_process import end, receive_here
from pyx.process import Process
from pyx.runtime.arguments import checked_seconds
from pyx.runtime.local_node import node_of, this_node
from pyx.terms import Pid, Ref

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Outcome: TypeAlias = tuple[str, Any]
    """`("ok", value)` or `("exit", reason)`."""


class AwaitedTask(Protocol):
    """A task, as far as its owner waits for it."""

    @property
    def ref(self) -> Ref:
        """The reference in its messages: of the owner's monitor, and its alias."""

    @property
    def pid(self) -> Pid | None:
        """The pid of its process; None for one that was `completed` when it was made."""

    @property
    def owner(self) -> Pid:
        """The process that may wait."""


BRUTAL_KILL: Final = "brutal_kill"


async def await_task(call: str, task: AwaitedTask, timeout: float | None) -> Any:
    """See `Task.await_`."""
    check_owner(call, task)
    seconds = checked_seconds(timeout)
    try:
        message = await receive_here(*_messages_of(task), timeout=seconds)
    except ReceiveTimeout:
        assert seconds is not None
        is_settled = task.ref not in require(call).process.aliases
        forget(task)
        raise TaskTimeout(task, seconds, is_settled=is_settled) from None
    return _value(task, message)


async def await_many(call: str, tasks: Iterable[AwaitedTask], timeout: float | None) -> list[Any]:
    """See `Task.await_many`."""
    listed = _checked_tasks(call, tasks)
    seconds = checked_seconds(timeout)
    deadline = None if seconds is None else time.monotonic() + seconds
    waiting = {task.ref: task for task in listed}
    values: dict[Ref, Any] = {}
    try:
        while waiting:
            message = await receive_here(of_one_of(waiting), timeout=_left(deadline))
            task = waiting.pop(ref_of(message))
            values[task.ref] = _value(task, message)
    except ReceiveTimeout:
        assert seconds is not None
        raise TaskTimeout(listed, seconds) from None
    finally:  # any failure ends the wait for all
        for task in waiting.values():
            forget(task)
    return [values[task.ref] for task in listed]


async def yield_task(call: str, task: AwaitedTask, timeout: float | None) -> Outcome | None:
    """See `Task.yield_`."""
    check_owner(call, task)
    try:
        message = await receive_here(*_messages_of(task), timeout=checked_seconds(timeout))
    except ReceiveTimeout:
        return None
    return _outcome(task, message)


async def yield_many(
    call: str, tasks: Iterable[AwaitedTask], timeout: float | None
) -> list[tuple[Any, Outcome | None]]:
    """See `Task.yield_many`."""
    listed = _checked_tasks(call, tasks)
    seconds = checked_seconds(timeout)
    deadline = None if seconds is None else time.monotonic() + seconds
    waiting = {task.ref: task for task in listed}
    outcomes: dict[Ref, Outcome] = {}
    while waiting:
        try:
            message = await receive_here(of_one_of(waiting), timeout=_left(deadline))
        except ReceiveTimeout:
            break
        task = waiting.pop(ref_of(message))
        outcomes[task.ref] = _outcome(task, message)
    return [(task, outcomes.get(task.ref)) for task in listed]


async def shut_down(call: str, task: AwaitedTask, timeout: float | str | None) -> Outcome | None:
    """See `Task.shutdown`."""
    check_owner(call, task)
    pid = task.pid
    if pid is None:
        msg = f"{task!r} has no process that could be ended"
        raise ValueError(msg)
    is_brutal = timeout == BRUTAL_KILL
    seconds = None if is_brutal else checked_seconds(timeout)
    watch = Process.monitor(pid)
    down = ("DOWN", watch, "process", ..., ...)
    try:
        end(require(call), pid, "kill" if is_brutal else "shutdown")
        try:
            message = await receive_here(down, timeout=seconds)
        except ReceiveTimeout:
            Process.exit(pid, "kill")
            message = await receive_here(down, timeout=None)
    finally:
        Process.demonitor(watch, flush=True)
    reason = message[4]
    if reason == "noproc":  # it had ended before; its own monitor knows why, if that was not asked yet
        earlier = take_now(("DOWN", task.ref, "process", ..., ...))
        reason = earlier[4] if earlier is not None else reason
    reply = take_now((task.ref, ...))
    forget(task)
    if reply is not None:
        return "ok", reply[1]
    if reason == ("killed" if is_brutal else "shutdown"):
        return None
    _check_connection(task, reason)
    return "exit", reason


def ignore_task(call: str, task: AwaitedTask) -> Outcome | None:
    """See `Task.ignore`."""
    check_owner(call, task)
    if task.pid is None:
        msg = f"{task!r} has no process that could be ignored"
        raise ValueError(msg)
    Process.unlink(task.pid)
    message = take_now(*_messages_of(task))
    forget(task)
    if message is None:
        return None
    return _outcome(task, message)


# ---------------------------------------------------------------- what comes of a task


def _messages_of(task: AwaitedTask) -> tuple[Any, ...]:
    """Returns the patterns of the result of a task, and of its end."""
    return (task.ref, ...), ("DOWN", task.ref, "process", ..., ...)


def of_one_of(waiting: dict[Ref, Any]) -> Callable[[Any], bool]:
    """Returns the pattern of the messages of several tasks, by their references."""

    def is_of_one(message: Any) -> bool:
        if type(message) is not tuple or len(message) not in {2, 5}:
            return False
        ref = message[0]
        if len(message) == 5:
            ref = message[1] if message[0] == "DOWN" and message[2] == "process" else None
        return type(ref) is Ref and ref in waiting

    return is_of_one


def ref_of(message: Any) -> Ref:
    """Returns the reference in a message that `of_one_of` has matched."""
    ref: Ref = message[0] if len(message) == 2 else message[1]
    return ref


def _value(task: AwaitedTask, message: Any) -> Any:
    """Returns the result in a message of a task; raises TaskExited."""
    kind, value = _outcome(task, message)
    if kind == "exit":
        raise TaskExited(task, value)
    return value


def _outcome(task: AwaitedTask, message: Any) -> Outcome:
    """`settled`; raises TaskExited for a task whose node was lost."""
    outcome = settled(task, message)
    if outcome[0] == "exit":
        _check_connection(task, outcome[1])
    return outcome


def settled(task: AwaitedTask, message: Any) -> Outcome:
    """Returns what a message of a task says, and has no other one come."""
    if len(message) == 2:
        Process.demonitor(task.ref, flush=True)
        return "ok", message[1]
    return "exit", message[4]


def _check_connection(task: AwaitedTask, reason: Any) -> None:
    """Raises TaskExited if the node of a task was lost: not an end of its own, so every wait fails."""
    if reason == "noconnection" and task.pid is not None:
        raise TaskExited(task, ("nodedown", task.pid.node or this_node().kernel.tables.name))


def forget(task: AwaitedTask) -> None:
    """Gives up the messages of a task, those included that have come already."""
    Process.demonitor(task.ref, flush=True)
    take_now((task.ref, ...))


def take_now(*patterns: Any) -> Any:
    """Takes a message that is in the mailbox; None if none matches."""
    runner = require("Task")
    try:
        return node_of(runner).receiving.receive(runner, patterns, 0.0)
    except ReceiveTimeout:
        return None


# ---------------------------------------------------------------- checks


def check_owner(call: str, task: AwaitedTask) -> None:
    """Raises TaskNotMine in a process that has not started the task, and TypeError for another thing."""
    asking = require(call).process.pid
    if type(getattr(task, "owner", None)) is not Pid:
        msg = f"a task is needed, as Task.async_ returns it, not {task!r}"
        raise TypeError(msg)
    if task.owner != asking:
        raise TaskNotMine(task, task.owner, asking)


def _checked_tasks(call: str, tasks: Iterable[AwaitedTask]) -> list[AwaitedTask]:
    listed = list(tasks)
    for task in listed:
        check_owner(call, task)
    return listed


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())
