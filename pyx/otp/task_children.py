"""Tasks as children of a task supervisor: what it starts when it is asked for one.

A task supervisor is a dynamic supervisor, which understands one request more than OTP's:

    ("start_task", kind, work, owner, leader, callers, restart, shutdown)

The work passes the policy on remote work.  With the kind `"async"` the process waits for its owner, as each
task (`task_process.py`); with `"plain"` it runs at once, and nothing waits for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pyx.otp.child_errors import ChildSpecInvalid
from pyx.otp.child_work import ChildWork
from pyx.otp.children import ChildSpec
from pyx.otp.remote_work import admitted
from pyx.otp.task_process import Supervised, spawn_task, spawn_unanswered
from pyx.terms import Pid

if TYPE_CHECKING:
    from pyx.otp.task_process import InitialCall, Work
    from pyx.terms import Incarnation

START_TASK: Final = "start_task"
ASYNC: Final = "async"
PLAIN: Final = "plain"


class TaskStart(NamedTuple):
    """What the supervisor does to start a task, and does again where it restarts one: OTP's `start_link`."""

    work: Work
    kind: str
    owner: Pid | None
    leader: Pid | None
    callers: list[Pid]

    @property
    def initial_call(self) -> InitialCall:
        """Module, function and number of arguments of the task."""
        return self.work.initial_call

    def __call__(self) -> Pid:
        """Starts the process, linked to the running one; returns its pid."""
        if self.kind == ASYNC:
            assert self.owner is not None
            return spawn_task(self.work, self.owner, link=True, supervised=Supervised(self.leader))
        return spawn_unanswered(self.work, self.callers, link=True, leader=self.leader)


def task_spec(parts: tuple[Any, ...], origin: Incarnation | None) -> ChildSpec:
    """Returns the specification of the child that a request to start a task means.

    Raises:
        RpcRefused: a peer asks, and the policy of this node forbids it to choose that function.
        ChildSpecInvalid: it is not such a request.
    """
    match parts:
        case (
            _,
            "async" | "plain" as kind,
            work,
            None | Pid() as owner,
            leader,
            list(callers),
            restart,
            stop,
        ):
            if owner is None and kind == ASYNC:
                raise _invalid()
            try:
                run = admitted(origin, work)
            except ValueError:
                raise _invalid() from None
            start = TaskStart(run, kind, owner, _leader(leader, origin), [*filter(_is_pid, callers)])
            what = ChildWork(start, is_spawned=False)
            return ChildSpec(title_of(run.initial_call), what, restart=restart, shutdown=stop)
    raise _invalid()


def _invalid() -> ChildSpecInvalid:
    msg = "a task is started by the functions of Task.Supervisor"
    return ChildSpecInvalid(msg, ("start_spec", "invalid_child_spec"))


def _is_pid(value: Any) -> bool:
    return type(value) is Pid


def _leader(leader: Any, origin: Incarnation | None) -> Pid | None:
    """Returns the group leader of a task; None for one of a third node, which a peer cannot speak for."""
    if type(leader) is not Pid:
        return None
    is_own = origin is None or not leader.node or leader.node == origin.name
    return leader if is_own else None


def title_of(call: InitialCall) -> str:
    """Returns a function in a line of the log: `math.sqrt/1`."""
    module, function, arguments = call
    return f"{module}.{function}/{arguments}"
