"""The process of a task, and what its owner has of it: a link, a monitor, an alias for the result.

OTP's way, for tasks of this node and of others: the process starts without knowing where its result goes.
Its owner monitors it, and sends `(START, ref, callers)`; then the function runs, and `(ref, value)` goes to
the reference, which is the alias of the monitor.  So the owner waits for two messages, the result and
`("DOWN", ref, ...)`, by one reference, and without the monitor neither comes.
"""

from __future__ import annotations

import functools
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from pyx.errors import EncodeError, Exit, ReceiveTimeout
from pyx.execution.context import require
from pyx.execution.thread_state import runs_loop
from pyx.otp.remote_work import LocalWork
from pyx.otp.starting import spawn_process
from pyx.primitives import self as own_pid
from pyx.primitives import send
from pyx.process import Process
from pyx.runtime.encoding import encoded
from pyx.runtime.local_node import node_of, this_node
from pyx.runtime.request import wait
from pyx.runtime.rpc_functions import is_coroutine_function
from pyx.terms import Ref

if TYPE_CHECKING:
    from pyx.execution.runner import Runner
    from pyx.otp.remote_work import NamedWork
    from pyx.terms import Pid

    Work: TypeAlias = LocalWork | NamedWork
    InitialCall: TypeAlias = tuple[str, str, int]

START: Final = "$task_start"

CALLERS: Final = "$callers"
"""The key of the process dictionary that holds the processes which asked for this one, the latest first."""

START_SECONDS: Final = 5.0
"""A task whose owner does not send `START` in time ends: the owner was killed in between."""


class TaskParts(NamedTuple):
    """What a `Task` holds."""

    ref: Ref
    pid: Pid | None
    owner: Pid
    mfa: InitialCall


class Supervised(NamedTuple):
    """A task that a task supervisor starts for an owner: it ends with the owner until it has got `START`."""

    leader: Pid | None
    """The group leader of the owner, at whose terminal the task prints."""


# ---------------------------------------------------------------- the owner


def start_linked_task(call: str, work: Work) -> TaskParts:
    """Starts a task of this node that is linked to the running process; *call* names the function of pyx."""
    runner = require(call)
    pid = spawn_task(work, runner.process.pid, link=True)
    try:
        return claim(runner, pid, work.initial_call)
    except BaseException:  # Ctrl-C: nothing knows the task
        end(runner, pid, "kill")
        raise


def spawn_task(work: Work, owner: Pid, *, link: bool, supervised: Supervised | None = None) -> Pid:
    """Starts the process of a task, which waits for the `START` of its owner; returns the pid.

    Args:
        work: what it runs.
        owner: sends `START`.
        link: links it to the running process.
        supervised: set if a task supervisor starts it.
    """
    body = _run_on_loop if is_on_loop(work) else _run
    return spawn_process(
        functools.partial(body, work, owner, supervised), link=link, initial_call=work.initial_call
    )


def spawn_unanswered(work: Work, callers: list[Pid], *, link: bool, leader: Pid | None = None) -> Pid:
    """Starts a process that runs *work*, whose result nothing waits for; returns the pid.

    The *leader* is that of its group; None: as of the running process.
    """
    body = _run_unanswered_on_loop if is_on_loop(work) else _run_unanswered
    return spawn_process(
        functools.partial(body, work, callers, leader), link=link, initial_call=work.initial_call
    )


def is_on_loop(work: Work) -> bool:
    """True for an `async def` that is known as one before it runs: it begins on the process loop."""
    return type(work) is LocalWork and is_coroutine_function(work.function)


def claim(runner: Runner, pid: Pid, mfa: InitialCall) -> TaskParts:
    """Monitors a task for the running process, and has it begin."""
    ref = Process.monitor(pid, alias="demonitor")
    send(pid, (START, ref, callers_of(runner)))
    return TaskParts(ref, pid, runner.process.pid, mfa)


def callers_of(runner: Runner | None) -> list[Pid]:
    """Returns what `$callers` is in a process that *runner*'s asks for; a thread adds nothing."""
    if runner is None:
        return []
    earlier = runner.process.dictionary.get(CALLERS)
    return [runner.process.pid, *(earlier if isinstance(earlier, list) else ())]


def end(runner: Runner, pid: Pid, reason: str) -> None:
    """Unlinks a task and sends it an exit signal, in one step: nothing of its end comes back."""
    with node_of(runner).kernel_call as kernel:
        kernel.process_signals.unlink(runner.process, pid)
        kernel.process_signals.exit(runner.process.pid, pid, reason)


# ---------------------------------------------------------------- the task


def _run(work: Work, owner: Pid, supervised: Supervised | None) -> Any:
    ref = wait("receive", _started(owner, supervised))
    value = work()
    if isinstance(value, Coroutine):  # a function that was found by its name is an `async def`
        return _answer_later(value, ref)
    with _naming_the_result(value):
        send(ref, (ref, value))
    return None


async def _run_on_loop(work: Work, owner: Pid, supervised: Supervised | None) -> None:
    ref = await _started(owner, supervised)
    await _answer_later(work(), ref)


def _run_unanswered(work: Work, callers: list[Pid], leader: Pid | None) -> Any:
    Process.put(CALLERS, callers)
    _print_at(leader)
    value = work()
    return value if isinstance(value, Coroutine) else None


async def _run_unanswered_on_loop(work: Work, callers: list[Pid], leader: Pid | None) -> None:
    Process.put(CALLERS, callers)
    _print_at(leader)
    await work()


def _print_at(leader: Pid | None) -> None:
    if leader is not None:
        Process.group_leader(own_pid(), leader)


async def _started(owner: Pid, supervised: Supervised | None) -> Ref:
    """Waits for `START`; returns the reference that the result goes to.

    Raises:
        Exit: `"timeout"`, or `("shutdown", reason)` if the owner has ended.
    """
    watch = None
    if supervised is not None:
        _print_at(supervised.leader)
        watch = Process.monitor(owner)
    patterns: list[Any] = [(START, Ref, list)]
    if watch is not None:
        patterns.append(("DOWN", watch, "process", ..., ...))
    try:
        message = await receive_here(*patterns, timeout=START_SECONDS)
    except ReceiveTimeout:
        raise Exit("timeout") from None
    if message[0] == "DOWN":
        raise Exit(("shutdown", message[4]))
    if watch is not None:
        Process.demonitor(watch, flush=True)
    _, ref, callers = message
    Process.put(CALLERS, callers)
    assert isinstance(ref, Ref)
    return ref


async def _answer_later(value: Coroutine[Any, Any, Any], ref: Ref) -> None:
    result = await value
    with _naming_the_result(result):
        await this_node().sending.send_async(ref, (ref, result))


class _naming_the_result:  # noqa: N801 - reads as a `with`
    """Has the error about a result that is not data name the result, and not its place in a message."""

    __slots__ = ("_result",)

    def __init__(self, result: Any) -> None:
        self._result = result

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is EncodeError:
            encoded(self._result, this_node().max_message_bytes, what="result")


# ---------------------------------------------------------------- both


async def receive_here(*patterns: Any, timeout: float | None) -> Any:
    """`receive`, for a thread and for a coroutine: on a thread it blocks; see `runtime/request.py`."""
    runner = require("receive()")
    receiving = node_of(runner).receiving
    if runs_loop():
        return await receiving.receive_async(runner, patterns, timeout)
    return receiving.receive(runner, patterns, timeout)
