"""Tasks under a supervisor, as their owners ask for them; `task_children.py` is the supervisor's side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.execution import context
from pyx.execution.context import require
from pyx.otp.remote_work import LocalWork, WorkRequest, meet_server, work_for
from pyx.otp.server_calls import call, placed
from pyx.otp.supervisor_requests import refusal, which_children
from pyx.otp.task_children import ASYNC, START_TASK, title_of
from pyx.otp.task_process import callers_of, claim, end
from pyx.otp.task_stream import with_item
from pyx.process import Process
from pyx.terms import Pid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyx.otp.children import RestartKind, Shutdown
    from pyx.otp.server_calls import Server
    from pyx.otp.task_process import InitialCall, TaskParts

TASK_SHUTDOWN: Final = 5.0
"""Seconds that a task may take to stop when its supervisor stops it, as in Elixir."""


class SupervisedTasks:
    """Starts tasks under a supervisor for the running process, and for each item of a stream.

    Args:
        api: the public function, for errors.
        supervisor: a pid, a name, `(name, node)` or `via(...)`.
        target, rest: see `work_for`; of a stream what follows the item.
        kwargs: of the function.
        link: links the tasks to the running process.
        shutdown: as of a child.
    """

    def __init__(
        self,
        api: str,
        supervisor: Server,
        target: Any,
        rest: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        *,
        link: bool,
        shutdown: Shutdown = TASK_SHUTDOWN,
    ) -> None:
        self._api = api
        self._supervisor = supervisor
        self._target = target
        self._rest = rest
        self._kwargs = kwargs
        self._link = link
        self._shutdown = shutdown

    async def start_one(self) -> TaskParts:
        """Starts one task, with the arguments as they are."""
        return await self._start(self._rest)

    async def start(self, item: Any) -> TaskParts:
        """Starts the task of an item."""
        return await self._start(with_item(self._target, item, self._rest))

    async def _start(self, rest: tuple[Any, ...]) -> TaskParts:
        runner = require(f"{self._api}()")
        pid, mfa = await start_under(
            self._api, self._supervisor, ASYNC, self._target, rest, self._kwargs, "temporary", self._shutdown
        )
        try:
            if self._link:
                Process.link(pid)
            return claim(runner, pid, mfa)
        except BaseException:  # Ctrl-C: nothing knows the task
            end(runner, pid, "kill")
            raise


async def start_under(
    api: str,
    supervisor: Server,
    kind: str,
    target: Any,
    rest: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    restart: RestartKind,
    shutdown: Shutdown,
) -> tuple[Pid, InitialCall]:
    """Has a task supervisor start a process; returns its pid and its function.

    Raises:
        TooManyChildren: the supervisor has `max_children` of them.
        CallError: see `GenServer.call`; `CallRefused` by the `--rpc` policy of another node.
        EncodeError, TypeError: as `work_for`.
    """
    runner = context.current.get()
    server, node = placed(supervisor)
    await meet_server(node)
    work = work_for(api, node, target, rest, kwargs)
    owner, leader = context.acting_pid(), context.acting_leader()
    parts = (START_TASK, kind, work, owner, leader, callers_of(runner), restart, shutdown)
    reply = await call(server, WorkRequest(*parts), None)
    match reply:
        case ("ok", Pid() as pid):
            return pid, work.initial_call if type(work) is LocalWork else _initial_call(work)
    raise refusal(reply, _title(work))


async def running_children(supervisor: Server) -> list[Pid]:
    """Returns the pids of the tasks that run under a supervisor, the newest first."""
    return [pid for _, pid, _ in await which_children(supervisor) if isinstance(pid, Pid)]


def _initial_call(work: Any) -> InitialCall:
    module, function, args, kwargs, _ = work
    return module, function, len(args) + len(kwargs)


def _title(work: Any) -> str:
    return title_of(work.initial_call if type(work) is LocalWork else _initial_call(work))
