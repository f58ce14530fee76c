"""Streams of tasks: one for each item, a few at a time, their results as they are asked for.

An asynchronous generator, written once: `on_this_thread` runs it for a thread that blocks.  Its tasks belong
to the process that asks for the first result.
"""

from __future__ import annotations

import contextlib
import os
import time
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from pyx.errors import ReceiveTimeout
from pyx.execution import context
from pyx.otp.remote_work import admitted, work_for
from pyx.otp.stream_window import NOTHING_YET, StreamWindow
from pyx.otp.task_errors import TaskNotMine, TaskTimeout
from pyx.otp.task_process import end, receive_here, start_linked_task
from pyx.otp.task_waits import forget, of_one_of, ref_of, settled, take_now
from pyx.process import Process
from pyx.runtime.arguments import checked_seconds
from pyx.runtime.call_forms import is_function
from pyx.runtime.local_node import node_of
from pyx.runtime.request import wait

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable

    from pyx.core.kernel import Kernel
    from pyx.core.processes import ProcessRecord
    from pyx.execution.runner import Runner
    from pyx.otp.task_process import TaskParts
    from pyx.terms import Ref

EXIT: Final = "exit"
KILL_TASK: Final = "kill_task"


class TaskStarter(Protocol):
    """What starts the task of an item: a process here, or a task supervisor."""

    async def start(self, item: Any) -> TaskParts:
        """Starts a task for the running process."""


class LinkedTasks:
    """Starts tasks of this node, linked to the running process.

    Args:
        call: the public function, for errors.
        target, rest: a function and what it takes after the item; or a module, a function's name and a list.
    """

    def __init__(self, call: str, target: Any, rest: tuple[Any, ...]) -> None:
        self._call = call
        self._target = target
        self._rest = rest

    async def start(self, item: Any) -> TaskParts:
        """Starts the task of an item."""
        work = work_for(self._call, "", self._target, with_item(self._target, item, self._rest), {})
        return start_linked_task(self._call, admitted(None, work))


def with_item(target: Any, item: Any, rest: tuple[Any, ...]) -> tuple[Any, ...]:
    """Returns what follows *target* in a call with *item* as the first argument of the function.

    Raises:
        TypeError: *target* is neither a function nor a module, or after a module comes something else than a
            function's name and a list.
    """
    if is_function(target):
        return item, *rest
    match rest:
        case (str(name),):
            return name, [item]
        case (str(name), list() | tuple() as args):
            return name, [item, *args]
    if not isinstance(target, (str, ModuleType)):
        msg = f"after the items come a function, or a module and the name of its function, not {target!r}"
    else:
        msg = f"after a module come the name of its function and a list of arguments, not {rest!r}"
    raise TypeError(msg)


class StreamOptions(NamedTuple):
    """How the tasks of a stream run; see `Task.async_stream`."""

    max_concurrency: int
    ordered: bool
    timeout: float | None
    on_timeout: str


def stream_options(
    max_concurrency: int | None, *, ordered: bool, timeout: float | None, on_timeout: str
) -> StreamOptions:
    """Returns the checked options of a stream.

    Raises:
        ValueError, TypeError: one of them has no meaning.
    """
    if max_concurrency is None:
        max_concurrency = os.cpu_count() or 1
    if type(max_concurrency) is not int or max_concurrency < 1:
        msg = f"max_concurrency is a number of tasks from 1 on, not {max_concurrency!r}"
        raise ValueError(msg)
    if on_timeout not in {EXIT, KILL_TASK}:
        msg = f'on_timeout is "exit" or "kill_task", not {on_timeout!r}'
        raise ValueError(msg)
    return StreamOptions(max_concurrency, bool(ordered), checked_seconds(timeout), on_timeout)


async def results(
    call: str, items: Iterable[Any] | AsyncIterable[Any], starter: TaskStarter, options: StreamOptions
) -> AsyncGenerator[tuple[str, Any], None]:
    """Gives out the results of a stream; see `Task.async_stream`."""
    runner = context.require(call)
    stream = _Stream(runner, starter, options)
    more = _as_async(items)
    try:
        while not stream.window.is_over():
            while stream.window.starts():
                try:
                    item = await anext(more)
                except StopAsyncIteration:
                    stream.window.has_no_more_items()
                    break
                await stream.start(item)
            if stream.window.running:
                await stream.settle_one()
            while (result := stream.window.take()) is not NOTHING_YET:
                yield result
                stream.check_process()
    finally:
        stream.close()
        await more.aclose()


class _Stream:
    """The tasks of one stream, for the process that asks for its results."""

    def __init__(self, runner: Runner, starter: TaskStarter, options: StreamOptions) -> None:
        self._runner = runner
        self._starter = starter
        self._options = options
        self._tasks: dict[Ref, TaskParts] = {}
        self.window: StreamWindow[Ref] = StreamWindow(
            options.max_concurrency, options.timeout, ordered=options.ordered
        )

    async def start(self, item: Any) -> None:
        """Starts the task of an item."""
        task = await self._starter.start(item)
        self._tasks[task.ref] = task
        self.window.started(task.ref, time.monotonic())

    async def settle_one(self) -> None:
        """Waits until a task has a result or has ended, or its time is over.

        Raises:
            TaskTimeout: its time is over, and the stream does not go on without it.
        """
        deadline = self.window.next_deadline
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        try:
            message = await receive_here(of_one_of(self._tasks), timeout=left)
        except ReceiveTimeout:
            self._time_is_over()
            return
        task = self._tasks.pop(ref_of(message))
        self.window.settled(task.ref, settled(task, message))
        assert task.pid is not None
        if self._runner.process.trap_exit:  # else the link, which is still there, ends this process as well
            Process.unlink(task.pid)
            take_now(("EXIT", task.pid, ...))

    def _time_is_over(self) -> None:
        for ref in self.window.expired(time.monotonic()):
            if self._options.on_timeout == EXIT:
                assert self._options.timeout is not None
                raise TaskTimeout(self._tasks[ref], self._options.timeout, is_killed=True)
            self._end(self._tasks.pop(ref))
            self.window.settled(ref, ("exit", "timeout"))

    def check_process(self) -> None:
        """Raises TaskNotMine where another process than the first one asks for a result."""
        if context.current.get() is not self._runner:
            asking = context.require("a stream of tasks").process.pid
            raise TaskNotMine(None, self._runner.process.pid, asking)

    def close(self) -> None:
        """Kills the tasks that run; nothing of them is left in the mailbox."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            if context.current.get() is self._runner:
                self._end(task)
            else:  # by a finalizer, which may run anywhere: what has arrived already stays
                node = node_of(self._runner)
                node.dispatch.call_or_defer(_give_up, node.kernel, self._runner.process, task)

    def _end(self, task: TaskParts) -> None:
        assert task.pid is not None
        end(self._runner, task.pid, "kill")
        forget(task)
        if self._runner.process.trap_exit:
            take_now(("EXIT", task.pid, ...))


def _give_up(kernel: Kernel, process: ProcessRecord, task: TaskParts) -> None:
    """Kills a task for its owner; with the kernel's lock held."""
    assert task.pid is not None
    kernel.process_signals.demonitor(process, task.ref)
    kernel.process_signals.unlink(process, task.pid)
    kernel.process_signals.exit(process.pid, task.pid, "kill")


async def _as_async(items: Iterable[Any] | AsyncIterable[Any]) -> AsyncGenerator[Any, None]:
    if hasattr(items, "__aiter__"):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item


def on_this_thread(
    call: str, source: AsyncGenerator[tuple[str, Any], None]
) -> Generator[tuple[str, Any], None, None]:
    """Gives out what *source* gives, to a thread that blocks meanwhile."""
    try:
        while True:
            try:
                result = wait(call, source.__anext__())
            except StopAsyncIteration:
                return
            yield result
    finally:
        closing = source.aclose()  # it waits for nothing, so it may be done anywhere
        with contextlib.suppress(StopIteration):
            closing.send(None)
