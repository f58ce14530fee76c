"""`Task`: a process that computes one value, and the process that waits for it.  Elixir's module `Task`.

    task = Task.async_(fetch, "https://example.org")      or Task.async_("web", "fetch", ["https://example.org"])
    Task.await_(task)                                     in a coroutine: await task

`async`, `await` and `yield` are keywords of Python: these names end with an underscore, as PEP 8 advises.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, Final, Generic, ParamSpec, TypeVar, overload

from pyx.execution import context
from pyx.otp import task_waits
from pyx.otp.dynamic_supervisor import dynamic_supervisor_of
from pyx.otp.remote_work import admitted, work_for
from pyx.otp.restart_intensity import DEFAULT_RESTARTS, DEFAULT_SECONDS
from pyx.otp.supervised_tasks import TASK_SHUTDOWN, SupervisedTasks, running_children, start_under
from pyx.otp.supervisor import start_supervisor
from pyx.otp.supervisor_requests import terminate_child
from pyx.otp.task_children import PLAIN
from pyx.otp.task_process import callers_of, spawn_unanswered, start_linked_task
from pyx.otp.task_stream import LinkedTasks, on_this_thread, results, stream_options
from pyx.primitives import make_ref, send
from pyx.primitives import self as own_pid
from pyx.runtime.request import wait

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Iterable, Mapping, Sequence
    from types import ModuleType

    from pyx.otp.children import RestartKind, Shutdown
    from pyx.otp.server_calls import Server
    from pyx.otp.task_process import InitialCall
    from pyx.otp.task_waits import Outcome
    from pyx.otp.via import ProcessName
    from pyx.terms import Pid, Ref

__all__ = ["Task"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
R_co = TypeVar("R_co", covariant=True)

AWAIT_SECONDS: Final = 5.0
"""The time limit of a wait that is given none, as in Elixir."""


class TaskSupervisor:
    """`Task.Supervisor`: supervisors of tasks, here and on other nodes, as Elixir's module of that name.

        Task.Supervisor.start_link(name="tasks")                  # on the node b
        task = Task.Supervisor.async_(("tasks", "b"), price, "nike")
        Task.await_(task)

    Each is a dynamic supervisor, and a child of another one as `child(Task.Supervisor, name="tasks")`.
    Every *supervisor* below is a pid, a name, `(name, node)` or `via(...)`.  On another node the function
    goes by its name or as source, as by `rpc.call`, passes the `--rpc` policy there, and prints here.
    """

    child_options: ClassVar[Mapping[str, Any]] = {"type": "supervisor"}

    @staticmethod
    def start_link(
        *,
        name: ProcessName | None = None,
        max_children: int | None = None,
        max_restarts: int = DEFAULT_RESTARTS,
        max_seconds: float = DEFAULT_SECONDS,
    ) -> Pid:
        """Starts a task supervisor that is linked to the caller; returns its pid.

        Args:
            name: its name.
            max_children: the most tasks at one time; None: any number.
            max_restarts: restarts of tasks within *max_seconds* that are borne; see `DynamicSupervisor`.
            max_seconds: the length of that window.

        Raises:
            ChildSpecInvalid, ServerAlreadyStarted, NotAProcess: as `DynamicSupervisor.start_link`.
        """
        server = dynamic_supervisor_of("one_for_one", max_children, max_restarts, max_seconds)
        started = start_supervisor(server, "Task.Supervisor", name, link=True)
        return wait("Task.Supervisor.start_link", started)

    @overload
    @staticmethod
    def async_(
        supervisor: Server,
        function: Callable[P, Coroutine[Any, Any, R]],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Task[R]: ...
    @overload
    @staticmethod
    def async_(
        supervisor: Server, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> Task[R]: ...
    @overload
    @staticmethod
    def async_(
        supervisor: Server,
        module: ModuleType | str,
        /,
        function: str,
        args: Sequence[Any] = (),
        *,
        kwargs: Mapping[str, Any] | None = None,
    ) -> Task[Any]: ...
    @staticmethod
    def async_(supervisor: Server, target: Any, /, *args: Any, **kwargs: Any) -> Task[Any]:
        """Starts a task under a supervisor, linked to the supervisor and to the caller.

        Args:
            supervisor: see the class.
            target: see `Task.async_`.
            args: data, or after a module the name of its function and a list.
            kwargs: data, by name.

        Raises:
            CallNoProcess, CallNoConnection: there is no such supervisor, or its node cannot be reached.
            CallRefused: the `--rpc` policy of its node forbids the function.
            TooManyChildren: it has `max_children` tasks.
            NotAProcess: the calling thread is not a pyx process.
            EncodeError: an argument is not data, or the function cannot be sent.
            WouldBlock: the thread runs an event loop (use `await aio.Task.Supervisor.async_()`).
        """
        api = "Task.Supervisor.async_"
        tasks = SupervisedTasks(api, supervisor, target, args, kwargs, link=True)
        return Task(*wait(api, tasks.start_one()))

    @overload
    @staticmethod
    def async_nolink(
        supervisor: Server,
        function: Callable[P, Coroutine[Any, Any, R]],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Task[R]: ...
    @overload
    @staticmethod
    def async_nolink(
        supervisor: Server, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> Task[R]: ...
    @overload
    @staticmethod
    def async_nolink(
        supervisor: Server,
        module: ModuleType | str,
        /,
        function: str,
        args: Sequence[Any] = (),
        *,
        kwargs: Mapping[str, Any] | None = None,
    ) -> Task[Any]: ...
    @staticmethod
    def async_nolink(supervisor: Server, target: Any, /, *args: Any, **kwargs: Any) -> Task[Any]:
        """`async_` without the link to the caller: neither ends with the other; raises as `async_`."""
        api = "Task.Supervisor.async_nolink"
        tasks = SupervisedTasks(api, supervisor, target, args, kwargs, link=False)
        return Task(*wait(api, tasks.start_one()))

    @staticmethod
    def async_stream(
        supervisor: Server,
        items: Iterable[Any],
        target: Any,
        /,
        *rest: Any,
        max_concurrency: int | None = None,
        ordered: bool = True,
        timeout: float | None = AWAIT_SECONDS,
        on_timeout: str = "exit",
        shutdown: Shutdown = TASK_SHUTDOWN,
    ) -> Generator[tuple[str, Any], None, None]:
        """`Task.async_stream`, with tasks under a supervisor, linked to the process that asks.

        Where the supervisor is on another node, each task takes a round trip to be started.

        Raises:
            CallError, TooManyChildren: as `async_`, when the task of an item is started.
            Exception: as `Task.async_stream`.
        """
        options = stream_options(max_concurrency, ordered=ordered, timeout=timeout, on_timeout=on_timeout)
        api = "Task.Supervisor.async_stream"
        starter = SupervisedTasks(api, supervisor, target, rest, {}, link=True, shutdown=shutdown)
        return on_this_thread(api, results(f"{api}()", items, starter, options))

    @staticmethod
    def async_stream_nolink(
        supervisor: Server,
        items: Iterable[Any],
        target: Any,
        /,
        *rest: Any,
        max_concurrency: int | None = None,
        ordered: bool = True,
        timeout: float | None = AWAIT_SECONDS,
        on_timeout: str = "exit",
        shutdown: Shutdown = TASK_SHUTDOWN,
    ) -> Generator[tuple[str, Any], None, None]:
        """`async_stream` without links to the process that asks: a task that crashes does not end it."""
        options = stream_options(max_concurrency, ordered=ordered, timeout=timeout, on_timeout=on_timeout)
        api = "Task.Supervisor.async_stream_nolink"
        starter = SupervisedTasks(api, supervisor, target, rest, {}, link=False, shutdown=shutdown)
        return on_this_thread(api, results(f"{api}()", items, starter, options))

    @staticmethod
    def start_child(
        supervisor: Server,
        target: Any,
        /,
        *rest: Any,
        restart: RestartKind = "temporary",
        shutdown: Shutdown = TASK_SHUTDOWN,
    ) -> Pid:
        """Starts a task whose value nothing waits for, from any thread; returns its pid.

        Args:
            supervisor: see the class.
            target: a function, or a module or its name.
            rest: its arguments; after a module the name of the function and a list.
            restart: `"temporary"`, `"transient"` or `"permanent"`: whether it is started again when it
                has ended.  The pid is then another one.
            shutdown: seconds that it may take to stop, as of a child; or `"brutal_kill"`.

        Raises:
            CallError, TooManyChildren, EncodeError, WouldBlock: as `async_`.
            ChildSpecInvalid: *restart* or *shutdown* has no meaning.
        """
        api = "Task.Supervisor.start_child"
        started = start_under(api, supervisor, PLAIN, target, rest, {}, restart, shutdown)
        return wait(api, started)[0]

    @staticmethod
    def children(supervisor: Server) -> list[Pid]:
        """Returns the pids of the tasks that run under a supervisor, the newest first."""
        return wait("Task.Supervisor.children", running_children(supervisor))

    @staticmethod
    def terminate_child(supervisor: Server, pid: Pid) -> str:
        """Stops a task, and returns `"ok"` when it has ended.

        Raises:
            ChildNotFound: it is not a task of this supervisor.
            CallError: see `GenServer.call`.
        """
        return wait("Task.Supervisor.terminate_child", terminate_child(supervisor, pid))


@dataclass(frozen=True, slots=True)
class Task(Generic[R_co]):
    """A task, and the functions about tasks.

        task = Task.async_(price, "nike")              # runs price("nike") in a process of its own
        Task.await_(task)                              # its value, within 5 s; `await task` in a coroutine
        Task.yield_(task, 1) or Task.shutdown(task)    # ("ok", value), ("exit", reason) or None
        for result in Task.async_stream(names, price, max_concurrency=4): ...
        Task.Supervisor.async_(("tasks", "b"), price, "nike")    # on the node b

    The process that started it, its `owner`, gets two messages: `(ref, value)`, and `("DOWN", ref, "process",
    pid, reason)`.  The functions below wait for them; `receive` may as well.

    Attributes:
        ref: the reference in its messages.
        pid: the pid of its process; None for `completed`.
        owner: the pid of the process that started it.
        mfa: module, name and number of arguments of its function.
    """

    child_options: ClassVar[Mapping[str, Any]] = {"restart": "temporary"}

    ref: Ref
    pid: Pid | None
    owner: Pid
    mfa: InitialCall
    Supervisor = TaskSupervisor

    def __await__(self) -> Generator[Any, None, R_co]:
        """Waits in a coroutine as `Task.await_` does on a thread, with its time limit of 5 s.

        A process receives in one place at a time: for several tasks `aio.Task.await_many`.
        """
        return task_waits.await_task("await task", self, AWAIT_SECONDS).__await__()

    # ------------------------------------------------------------ starting

    @overload
    @staticmethod
    def async_(
        function: Callable[P, Coroutine[Any, Any, R]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Task[R]: ...
    @overload
    @staticmethod
    def async_(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Task[R]: ...
    @overload
    @staticmethod
    def async_(
        module: ModuleType | str,
        /,
        function: str,
        args: Sequence[Any] = (),
        *,
        kwargs: Mapping[str, Any] | None = None,
    ) -> Task[Any]: ...
    @staticmethod
    def async_(target: Any, /, *args: Any, **kwargs: Any) -> Task[Any]:
        """Starts a task that is linked to the caller, which waits for its value with `await_`.

        A task that raises ends its owner too, by the link, unless that traps exits; an owner that crashes
        ends the task, one that ends normally does not.

        Args:
            target: a function, `def` or `async def`; or a module, or its name, before the name of a function
                and a list of arguments, as of `spawn`.
            args: data; the task gets its own copies.
            kwargs: data, by name.

        Returns:
            The task.  Its value is data too: the caller gets a copy.

        Raises:
            NotAProcess: the calling thread is not a pyx process.
            EncodeError: an argument is not data.
        """
        work = admitted(None, work_for("Task.async_", "", target, args, kwargs))
        return Task(*start_linked_task("Task.async_()", work))

    @overload
    @staticmethod
    def start(function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> Pid: ...
    @overload
    @staticmethod
    def start(
        module: ModuleType | str,
        /,
        function: str,
        args: Sequence[Any] = (),
        *,
        kwargs: Mapping[str, Any] | None = None,
    ) -> Pid: ...
    @staticmethod
    def start(target: Any, /, *args: Any, **kwargs: Any) -> Pid:
        """Starts a task whose value nothing waits for, and returns its pid; from any thread.

        Differs from Elixir: the pid is returned, not `{:ok, pid}`.
        """
        work = admitted(None, work_for("Task.start", "", target, args, kwargs))
        return spawn_unanswered(work, callers_of(context.current.get()), link=False)

    @overload
    @staticmethod
    def start_link(function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> Pid: ...
    @overload
    @staticmethod
    def start_link(
        module: ModuleType | str,
        /,
        function: str,
        args: Sequence[Any] = (),
        *,
        kwargs: Mapping[str, Any] | None = None,
    ) -> Pid: ...
    @staticmethod
    def start_link(target: Any, /, *args: Any, **kwargs: Any) -> Pid:
        """Starts a task as `start` does, linked to the caller: under a supervisor, `child(Task, function)`.

        Raises:
            NotAProcess: the calling thread is not a pyx process.
        """
        runner = context.require("Task.start_link()")
        work = admitted(None, work_for("Task.start_link", "", target, args, kwargs))
        return spawn_unanswered(work, callers_of(runner), link=True)

    @staticmethod
    def completed(value: R) -> Task[R]:
        """Returns a task that has its value already, and no process: for code that expects a task."""
        ref, owner = make_ref(), own_pid()
        send(owner, (ref, value))
        return Task(ref, None, owner, ("pyx.otp.task", "Task.completed", 1))

    # ------------------------------------------------------------ many

    @overload
    @staticmethod
    def async_stream(
        items: Iterable[T],
        function: Callable[Concatenate[T, P], object],
        /,
        *args: Any,
        max_concurrency: int | None = None,
        ordered: bool = True,
        timeout: float | None = AWAIT_SECONDS,
        on_timeout: str = "exit",
    ) -> Generator[tuple[str, Any], None, None]: ...
    @overload
    @staticmethod
    def async_stream(
        items: Iterable[Any],
        module: ModuleType | str,
        function: str,
        args: Sequence[Any] = (),
        /,
        *,
        max_concurrency: int | None = None,
        ordered: bool = True,
        timeout: float | None = AWAIT_SECONDS,
        on_timeout: str = "exit",
    ) -> Generator[tuple[str, Any], None, None]: ...
    @staticmethod
    def async_stream(
        items: Iterable[Any],
        target: Any,
        /,
        *rest: Any,
        max_concurrency: int | None = None,
        ordered: bool = True,
        timeout: float | None = AWAIT_SECONDS,
        on_timeout: str = "exit",
    ) -> Generator[tuple[str, Any], None, None]:
        """Runs a function on each item in a task of its own, a few at a time, as results are asked for.

        An item is taken when its task is started.  The tasks are linked to the process that asks: one that
        crashes ends it, unless it traps exits.  When the generator is closed, the tasks that run are killed,
        and nothing of them is left in the mailbox.

        Args:
            items: any iterable.
            target: a function, which gets an item, and then *rest*; or a module, or its name.
            rest: after a module the name of its function and a list of further arguments.
            max_concurrency: the most tasks at a time; None: the number of cores.
            ordered: results come in the order of the items, else as they are there.
            timeout: seconds that each task may take; None: no limit.
            on_timeout: `"exit"` raises TaskTimeout, `"kill_task"` kills that task and goes on.

        Yields:
            `("ok", value)`, or `("exit", reason)`: `"timeout"` for a task that was killed so.

        Raises:
            TaskTimeout: a task took too long.
            TaskNotMine: another process than the first asks for a result.
            NotAProcess: the thread is not a pyx process.
            WouldBlock: the thread runs an event loop (use `async for ... in aio.Task.async_stream()`).
            ValueError, TypeError: an option has no meaning.
        """
        options = stream_options(max_concurrency, ordered=ordered, timeout=timeout, on_timeout=on_timeout)
        starter = LinkedTasks("Task.async_stream", target, rest)
        return on_this_thread("Task.async_stream", results("Task.async_stream()", items, starter, options))

    # ------------------------------------------------------------ waiting

    @staticmethod
    def await_(task: Task[R], timeout: float | None = AWAIT_SECONDS) -> R:
        """Returns the value of a task, and waits for it.

        Args:
            task: a task of the calling process.
            timeout: seconds; None: no limit.  After a time-out the task goes on, and its late result is
                dropped: a task can be awaited once.

        Raises:
            TaskExited: it ended without a value, or its node was lost; see `reason` and `__cause__`.
            TaskTimeout: it has no value yet.
            TaskNotMine: another process started it.
            WouldBlock: the thread runs an event loop (use `await task`).
        """
        value: R = wait("Task.await_", task_waits.await_task("Task.await_()", task, timeout))
        return value

    @staticmethod
    def await_many(tasks: Iterable[Task[R]], timeout: float | None = AWAIT_SECONDS) -> list[R]:
        """Returns the values of several tasks, in their order.

        Args:
            tasks: tasks of the calling process.
            timeout: seconds for all of them together; None: no limit.

        Raises:
            TaskExited, TaskTimeout, TaskNotMine, WouldBlock: as `await_`; the first failure ends the wait for
                all of them, and they go on.
        """
        return wait("Task.await_many", task_waits.await_many("Task.await_many()", tasks, timeout))

    @staticmethod
    def yield_(task: Task[Any], timeout: float | None = AWAIT_SECONDS) -> Outcome | None:
        """Waits for a task, and can be repeated: `Task.yield_(task, 1) or Task.shutdown(task)`.

        Returns:
            `("ok", value)`, `("exit", reason)`, or None after *timeout* seconds.

        Raises:
            TaskExited: the node of the task was lost.
            TaskNotMine, WouldBlock: as `await_`.
        """
        return wait("Task.yield_", task_waits.yield_task("Task.yield_()", task, timeout))

    @staticmethod
    def yield_many(
        tasks: Iterable[Task[R]], timeout: float | None = AWAIT_SECONDS
    ) -> list[tuple[Task[R], Outcome | None]]:
        """Waits for several tasks; returns each with what `yield_` would return, in their order.

        Args:
            tasks: tasks of the calling process.
            timeout: seconds for all of them together; None: no limit.

        Raises:
            TaskExited, TaskNotMine, WouldBlock: as `yield_`.
        """
        return wait("Task.yield_many", task_waits.yield_many("Task.yield_many()", tasks, timeout))

    @staticmethod
    def shutdown(task: Task[Any], timeout: float | str | None = AWAIT_SECONDS) -> Outcome | None:
        """Unlinks a task and ends it; waits until it has ended.

        Args:
            task: a task of the calling process.
            timeout: seconds that it may take after the exit signal `"shutdown"` until it is killed; None: no
                limit; or `"brutal_kill"`, which kills it at once.

        Returns:
            None if it ended by that; `("ok", value)` if its value had come; `("exit", reason)` if it ended by
            something else, `"killed"` after the time limit, and `"noproc"` if it had been awaited before.

        Raises:
            TaskExited: the node of the task was lost.
            TaskNotMine, WouldBlock: as `await_`.
            ValueError: the task is `completed`, and has no process.
        """
        return wait("Task.shutdown", task_waits.shut_down("Task.shutdown()", task, timeout))

    @staticmethod
    def ignore(task: Task[Any]) -> Outcome | None:
        """Unlinks a task and lets it go on; its value never comes.

        Returns:
            None; `("ok", value)` or `("exit", reason)` if it has ended already.

        Raises:
            TaskExited: the node of the task was lost.
            TaskNotMine: another process started it.
            ValueError: the task is `completed`, and has no process.
        """
        return task_waits.ignore_task("Task.ignore()", task)
