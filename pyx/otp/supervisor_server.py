"""What a supervisor does in its process: carries out the plans of its decisions, and answers requests.

Requests and replies are those of OTP's `supervisor` (`"which_children"`, `("terminate_child", id)` ...), but
for `start_child`: see `child_work.py`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, TypeVar
from weakref import WeakValueDictionary

from pyx.errors import RpcRefused
from pyx.execution.node_log import log
from pyx.otp.child_errors import ChildError, ChildSpecInvalid
from pyx.otp.child_processes import start_child, stop_child, stop_together
from pyx.otp.child_work import spec_in
from pyx.otp.dynamic_restarts import DynamicRestarts
from pyx.otp.protocol import cast_message, refused_value, undefined_value
from pyx.otp.remote_work import parts_of
from pyx.otp.restarts import Restarts
from pyx.otp.supervision_reports import report_line, stop_line
from pyx.otp.supervision_steps import (
    GIVE_UP,
    FailedToStart,
    NotStarted,
    Start,
    Started,
    StopChild,
    StopTogether,
    TryAgain,
)
from pyx.otp.task_children import task_spec
from pyx.primitives import self as own_pid
from pyx.primitives import send
from pyx.process import Process
from pyx.runtime.local_node import this_node

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyx.otp.child_processes import Stopped
    from pyx.otp.restarts import SupervisedChild
    from pyx.otp.supervision_steps import Plan
    from pyx.terms import Incarnation, Pid

_T = TypeVar("_T")

TRY_AGAIN: Final = "try_again_restart"
"""A supervisor's cast to itself after a failed restart: what came meanwhile is answered first."""

_RUNNING: Final[WeakValueDictionary[Pid, SupervisorServer]] = WeakValueDictionary()
"""The supervisors of this OS process."""


class SupervisorServer:
    """One supervisor, in its process.

    Args:
        decisions: about its children.
        start_all: the plan that starts the first ones.
        settings: what `Supervisor.tree` says about it.
        pids_under: a key of the process dictionary, for a dict from the id of each child to its pid; None: no
            such dict is kept.
        title: begins its log lines; by default "supervisor" and its name.
    """

    def __init__(
        self,
        decisions: Restarts | DynamicRestarts,
        start_all: Callable[[], Plan[FailedToStart | None]] | None,
        settings: str,
        *,
        pids_under: str | None = None,
        title: str = "",
    ) -> None:
        self._decisions = decisions
        self._start_all = start_all
        self._settings = settings
        self._pids_under = pids_under
        self._title = title
        self._pids: dict[Any, Pid | None] = {}

    # ------------------------------------------------------------ callbacks

    def init(self) -> FailedToStart | None:
        """Starts the children; returns the one that failed, after the earlier ones were stopped."""
        Process.flag("trap_exit", True)
        _RUNNING[own_pid()] = self
        if self._pids_under is not None:
            Process.put(self._pids_under, self._pids)
        self._title = self._title or f"supervisor {own_name()}"
        return self._carry_out(self._start_all()) if self._start_all is not None else None

    def handle_call(self, request: Any, origin: Incarnation | None) -> Any:
        """Returns the reply to a request; *origin* is the node that sent it, None for this one."""
        try:
            return self._answer(request, origin)
        except (ChildError, ChildSpecInvalid) as refused:
            return "error", refused.reason
        except RpcRefused as refused:
            return refused_value(str(refused))

    def handle_retry(self, child: Any) -> bool:
        """Repeats a restart that has failed; returns False if the supervisor gives up."""
        return self._follow(self._carry_out(self._decisions.try_again(child, time.monotonic())))

    def handle_exit(self, pid: Pid, reason: Any) -> bool:
        """A linked process has ended; returns False if the supervisor gives up."""
        return self._follow(self._carry_out(self._decisions.exited(pid, reason, time.monotonic())))

    def terminate(self) -> None:
        """Stops all children."""
        self._carry_out(self._decisions.stop_all())

    def state(self) -> dict[str, Any]:
        """Returns what `Sys.get_state` shows."""
        rows = [listed(child)[:3] for child in self._decisions.children]
        return {"supervisor": self._settings, "children": rows}

    def ids(self) -> list[Any]:
        """Returns the ids of the children, oldest first; those of a dynamic supervisor have none."""
        has_ids = isinstance(self._decisions, Restarts)
        return [child.spec.id for child in reversed(self._decisions.children)] if has_ids else []

    # ------------------------------------------------------------ requests

    def _answer(self, request: Any, origin: Incarnation | None) -> Any:
        decisions = self._decisions
        match parts_of(request):
            case "which_children":
                has_ids = isinstance(decisions, Restarts)
                return [listed(child, has_id=has_ids) for child in decisions.children]
            case "count_children":
                return counted(decisions.children)
            case "tree":
                return self._settings, [
                    (*listed(child)[:3], child.restarts) for child in reversed(decisions.children)
                ]
            case ("start_child", wanted):
                return started_reply(self._carry_out(decisions.start_child(spec_in(wanted, origin))))
            case ("start_task", *_) as parts if isinstance(decisions, DynamicRestarts):
                return started_reply(self._carry_out(decisions.start_child(task_spec(parts, origin))))
            case ("terminate_child", child):
                self._carry_out(decisions.terminate_child(child))
                return "ok"
            case ("restart_child", child) if isinstance(decisions, Restarts):
                return started_reply(self._carry_out(decisions.restart_child(child)))
            case ("delete_child", child) if isinstance(decisions, Restarts):
                decisions.delete_child(child)
                return "ok"
            case _:
                of_ids = ["delete_child", "restart_child"] if isinstance(decisions, Restarts) else []
                names = ["count_children", "start_child", "terminate_child", "which_children", *of_ids]
                return undefined_value(sorted(names))

    # ------------------------------------------------------------ plans

    def _carry_out(self, plan: Plan[_T]) -> _T:
        """Carries out a plan, step by step; returns what it returns."""
        answer: Started | NotStarted | None = None
        while True:
            try:
                step = plan.send(answer)
            except StopIteration as end:
                outcome: _T = end.value
                return outcome
            answer = None
            match step:
                case Start(spec):
                    answer = start_child(spec)
                    if self._pids_under is not None:
                        self._pids[spec.id] = answer.pid if isinstance(answer, Started) else None
                case StopChild():
                    self._report_stop(stop_child(step))
                case StopTogether(children):
                    for stopped in stop_together(children):
                        self._report_stop(stopped)
                case report:
                    log_line(report_line(self._title, report))

    def _report_stop(self, stopped: Stopped) -> None:
        if (line := stop_line(self._title, stopped)) is not None:
            log_line(line)

    def _follow(self, outcome: TryAgain | str | None) -> bool:
        if isinstance(outcome, TryAgain):
            send(own_pid(), cast_message((TRY_AGAIN, outcome.child)))
        return outcome != GIVE_UP


def child_ids(supervisor: Pid) -> list[Any]:
    """Returns the ids of the children of a supervisor of this node, oldest first; `[]` for any other process.

    The supervisor is not asked, so this returns at once, on any thread.
    """
    server = _RUNNING.get(supervisor)
    return server.ids() if server is not None else []


def log_line(line: str) -> None:
    """Logs an error."""
    with this_node().dispatch.critical_section():  # no kill may leave the log's lock taken
        log.error("%s", line)


def own_name() -> str:
    """Returns the registered name of the running process, or its pid, as log lines have it."""
    facts = Process.info(own_pid(), "registered_name")
    return facts[1] or str(own_pid())


def listed(child: SupervisedChild, *, has_id: bool = True) -> tuple[Any, Pid | str, str, list[str]]:
    """Returns a child as OTP's `which_children` lists it; the id of one that *has_id* False is not shown."""
    spec, state = child.spec, child.state
    shown = spec.id if has_id else "undefined"
    return shown, "undefined" if state is None else state, spec.type, [spec.module]


def counted(children: Sequence[SupervisedChild]) -> list[tuple[str, int]]:
    """Returns the counts of OTP's `count_children`."""
    supervisors = sum(child.spec.type == "supervisor" for child in children)
    return [
        ("specs", len(children)),
        ("active", sum(child.pid is not None for child in children)),
        ("supervisors", supervisors),
        ("workers", len(children) - supervisors),
    ]


def started_reply(answer: Started | NotStarted) -> tuple[str, Any]:
    """Returns the reply to a request that has started a child, or has not."""
    if isinstance(answer, NotStarted):
        return "error", answer.reason
    return "ok", "undefined" if answer.pid is None else answer.pid
