"""`aio.Task`: the awaitable twins of the functions of `Task` that wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pyx.otp import supervisor_requests, task_waits
from pyx.otp.dynamic_supervisor import dynamic_supervisor_of
from pyx.otp.restart_intensity import DEFAULT_RESTARTS, DEFAULT_SECONDS
from pyx.otp.supervised_tasks import TASK_SHUTDOWN, SupervisedTasks, running_children, start_under
from pyx.otp.supervisor import start_supervisor
from pyx.otp.task import AWAIT_SECONDS
from pyx.otp.task import Task as Started
from pyx.otp.task_children import PLAIN
from pyx.otp.task_stream import LinkedTasks, results, stream_options

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Iterable

    from pyx.otp.children import RestartKind, Shutdown
    from pyx.otp.server_calls import Server
    from pyx.otp.task_waits import Outcome
    from pyx.otp.via import ProcessName
    from pyx.terms import Pid

__all__ = ["Task"]

R = TypeVar("R")


class AwaitableTaskSupervisor:
    """The twins of the functions in `Task.Supervisor` that wait; a namespace, never instantiated."""

    @staticmethod
    async def start_link(
        *,
        name: ProcessName | None = None,
        max_children: int | None = None,
        max_restarts: int = DEFAULT_RESTARTS,
        max_seconds: float = DEFAULT_SECONDS,
    ) -> Pid:
        """`Task.Supervisor.start_link`, awaitable."""
        server = dynamic_supervisor_of("one_for_one", max_children, max_restarts, max_seconds)
        return await start_supervisor(server, "Task.Supervisor", name, link=True)

    @staticmethod
    async def async_(supervisor: Server, target: Any, /, *args: Any, **kwargs: Any) -> Started[Any]:
        """`Task.Supervisor.async_`, awaitable: the task runs after the `await`."""
        api = "aio.Task.Supervisor.async_"
        tasks = SupervisedTasks(api, supervisor, target, args, kwargs, link=True)
        return Started(*await tasks.start_one())

    @staticmethod
    async def async_nolink(supervisor: Server, target: Any, /, *args: Any, **kwargs: Any) -> Started[Any]:
        """`Task.Supervisor.async_nolink`, awaitable."""
        api = "aio.Task.Supervisor.async_nolink"
        tasks = SupervisedTasks(api, supervisor, target, args, kwargs, link=False)
        return Started(*await tasks.start_one())

    @staticmethod
    def async_stream(
        supervisor: Server,
        items: Iterable[Any] | AsyncIterable[Any],
        target: Any,
        /,
        *rest: Any,
        max_concurrency: int | None = None,
        ordered: bool = True,
        timeout: float | None = AWAIT_SECONDS,
        on_timeout: str = "exit",
        shutdown: Shutdown = TASK_SHUTDOWN,
    ) -> AsyncGenerator[tuple[str, Any], None]:
        """`Task.Supervisor.async_stream` as an asynchronous generator."""
        options = stream_options(max_concurrency, ordered=ordered, timeout=timeout, on_timeout=on_timeout)
        api = "aio.Task.Supervisor.async_stream"
        starter = SupervisedTasks(api, supervisor, target, rest, {}, link=True, shutdown=shutdown)
        return results(f"{api}()", items, starter, options)

    @staticmethod
    def async_stream_nolink(
        supervisor: Server,
        items: Iterable[Any] | AsyncIterable[Any],
        target: Any,
        /,
        *rest: Any,
        max_concurrency: int | None = None,
        ordered: bool = True,
        timeout: float | None = AWAIT_SECONDS,
        on_timeout: str = "exit",
        shutdown: Shutdown = TASK_SHUTDOWN,
    ) -> AsyncGenerator[tuple[str, Any], None]:
        """`Task.Supervisor.async_stream_nolink` as an asynchronous generator."""
        options = stream_options(max_concurrency, ordered=ordered, timeout=timeout, on_timeout=on_timeout)
        api = "aio.Task.Supervisor.async_stream_nolink"
        starter = SupervisedTasks(api, supervisor, target, rest, {}, link=False, shutdown=shutdown)
        return results(f"{api}()", items, starter, options)

    @staticmethod
    async def start_child(
        supervisor: Server,
        target: Any,
        /,
        *rest: Any,
        restart: RestartKind = "temporary",
        shutdown: Shutdown = TASK_SHUTDOWN,
    ) -> Pid:
        """`Task.Supervisor.start_child`, awaitable."""
        api = "aio.Task.Supervisor.start_child"
        return (await start_under(api, supervisor, PLAIN, target, rest, {}, restart, shutdown))[0]

    @staticmethod
    async def children(supervisor: Server) -> list[Pid]:
        """`Task.Supervisor.children`, awaitable."""
        return await running_children(supervisor)

    @staticmethod
    async def terminate_child(supervisor: Server, pid: Pid) -> str:
        """`Task.Supervisor.terminate_child`, awaitable."""
        return await supervisor_requests.terminate_child(supervisor, pid)


class AwaitableTasks:
    """The twins of the functions in `Task` that wait; a namespace, never instantiated."""

    @staticmethod
    async def await_(task: Started[R], timeout: float | None = AWAIT_SECONDS) -> R:
        """`Task.await_`, awaitable; `await task` is the same."""
        value: R = await task_waits.await_task("aio.Task.await_()", task, timeout)
        return value

    @staticmethod
    async def await_many(tasks: Iterable[Started[R]], timeout: float | None = AWAIT_SECONDS) -> list[R]:
        """`Task.await_many`, awaitable."""
        return await task_waits.await_many("aio.Task.await_many()", tasks, timeout)

    @staticmethod
    async def yield_(task: Started[Any], timeout: float | None = AWAIT_SECONDS) -> Outcome | None:
        """`Task.yield_`, awaitable."""
        return await task_waits.yield_task("aio.Task.yield_()", task, timeout)

    @staticmethod
    async def yield_many(
        tasks: Iterable[Started[R]], timeout: float | None = AWAIT_SECONDS
    ) -> list[tuple[Started[R], Outcome | None]]:
        """`Task.yield_many`, awaitable."""
        return await task_waits.yield_many("aio.Task.yield_many()", tasks, timeout)

    @staticmethod
    async def shutdown(task: Started[Any], timeout: float | str | None = AWAIT_SECONDS) -> Outcome | None:
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

    Supervisor = AwaitableTaskSupervisor


Task = AwaitableTasks
