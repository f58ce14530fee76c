"""`aio.Task`: the awaitable twins of the functions of `Task` that wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pyx.otp import task_waits
from pyx.otp.task import AWAIT_SECONDS
from pyx.otp.task_stream import LinkedTasks, results, stream_options

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Iterable

    from pyx.otp import task
    from pyx.otp.task_waits import Outcome

__all__ = ["Task"]

R = TypeVar("R")


class AwaitableTasks:
    """The twins of the functions in `Task` that wait; a namespace, never instantiated."""

    @staticmethod
    async def await_(task: task.Task[R], timeout: float | None = AWAIT_SECONDS) -> R:
        """`Task.await_`, awaitable; `await task` is the same."""
        value: R = await task_waits.await_task("aio.Task.await_()", task, timeout)
        return value

    @staticmethod
    async def await_many(tasks: Iterable[task.Task[R]], timeout: float | None = AWAIT_SECONDS) -> list[R]:
        """`Task.await_many`, awaitable."""
        return await task_waits.await_many("aio.Task.await_many()", tasks, timeout)

    @staticmethod
    async def yield_(task: task.Task[Any], timeout: float | None = AWAIT_SECONDS) -> Outcome | None:
        """`Task.yield_`, awaitable."""
        return await task_waits.yield_task("aio.Task.yield_()", task, timeout)

    @staticmethod
    async def yield_many(
        tasks: Iterable[task.Task[R]], timeout: float | None = AWAIT_SECONDS
    ) -> list[tuple[task.Task[R], Outcome | None]]:
        """`Task.yield_many`, awaitable."""
        return await task_waits.yield_many("aio.Task.yield_many()", tasks, timeout)

    @staticmethod
    async def shutdown(task: task.Task[Any], timeout: float | str | None = AWAIT_SECONDS) -> Outcome | None:
        """`Task.shutdown`, awaitable."""
        return await task_waits.shut_down("aio.Task.shutdown()", task, timeout)

    @staticmethod
    def async_stream(
        items: Iterable[Any] | AsyncIterable[Any],
        target: Any,
        /,
        *rest: Any,
        max_concurrency: int | None = None,
        ordered: bool = True,
        timeout: float | None = AWAIT_SECONDS,
        on_timeout: str = "exit",
    ) -> AsyncGenerator[tuple[str, Any], None]:
        """`Task.async_stream` as an asynchronous generator; *items* may be asynchronous too.

        A loop that leaves it early closes it: `async with contextlib.aclosing(aio.Task.async_stream(...))`.
        """
        options = stream_options(max_concurrency, ordered=ordered, timeout=timeout, on_timeout=on_timeout)
        starter = LinkedTasks("aio.Task.async_stream", target, rest)
        return results("aio.Task.async_stream()", items, starter, options)


Task = AwaitableTasks
