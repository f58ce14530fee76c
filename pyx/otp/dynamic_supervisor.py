"""`DynamicSupervisor`: children that are started one by one, without an order; OTP's `simple_one_for_one`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pyx.otp import supervisor_requests as requests
from pyx.otp.child_errors import ChildSpecInvalid
from pyx.otp.dynamic_restarts import DynamicRestarts
from pyx.otp.restart_intensity import DEFAULT_RESTARTS, DEFAULT_SECONDS, RestartIntensity
from pyx.otp.supervisor import Supervisor, checked_option, start_supervisor
from pyx.otp.supervisor_server import SupervisorServer
from pyx.runtime.request import wait

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from pyx.otp.server_calls import Server
    from pyx.otp.via import ProcessName
    from pyx.terms import Pid


def dynamic_supervisor_of(
    strategy: str, max_children: int | None, max_restarts: int, max_seconds: float
) -> SupervisorServer:
    """Returns what `DynamicSupervisor.start_link` runs in a process; raises as it does."""
    checked_option("strategy", strategy, ("one_for_one",))
    if max_children is not None and (type(max_children) is not int or max_children < 0):
        msg = f"max_children is a number of children, or None for any, not {max_children!r}"
        raise ChildSpecInvalid(msg, ("bad_start_spec", ("invalid_max_children", max_children)))
    intensity = RestartIntensity(max_restarts, max_seconds)
    decisions = DynamicRestarts(intensity, max_children)
    most = "" if max_children is None else f", {max_children} children at most"
    return SupervisorServer(decisions, None, f"dynamic, {intensity.text}{most}")


class DynamicSupervisor:
    """Functions of dynamic supervisors, and the class of one that is a child of another supervisor.

        DynamicSupervisor.start_link(name="rooms", max_children=1000)
        pid = DynamicSupervisor.start_child("rooms", child(Room, "lobby", restart="transient"))
        DynamicSupervisor.terminate_child("rooms", pid)

    Every *supervisor* is a pid, a name, `(name, node)` or `via(...)`.
    """

    child_options: ClassVar[Mapping[str, Any]] = {"type": "supervisor"}

    @staticmethod
    def start_link(
        *,
        name: ProcessName | None = None,
        strategy: Literal["one_for_one"] = "one_for_one",
        max_children: int | None = None,
        max_restarts: int = DEFAULT_RESTARTS,
        max_seconds: float = DEFAULT_SECONDS,
    ) -> Pid:
        """Starts a supervisor without children, linked to the running process.

        When it ends, all its children are stopped at once.

        Args:
            name: of the supervisor.
            strategy: there is one.
            max_children: the most children at one time, those that are being restarted included; None: any
                number.
            max_restarts: restarts of all children within *max_seconds* that are borne; at one more the
                supervisor ends with the reason `"shutdown"`.
            max_seconds: the length of that window.

        Raises:
            ChildSpecInvalid: an option has no meaning.
            ServerAlreadyStarted: *name* is taken.
            NotAProcess: the calling thread is not a process; `DynamicSupervisor.start` needs none.
        """
        server = dynamic_supervisor_of(strategy, max_children, max_restarts, max_seconds)
        started = start_supervisor(server, "DynamicSupervisor", name, link=True)
        return wait("DynamicSupervisor.start_link", started)

    @staticmethod
    def start(
        *,
        name: ProcessName | None = None,
        strategy: Literal["one_for_one"] = "one_for_one",
        max_children: int | None = None,
        max_restarts: int = DEFAULT_RESTARTS,
        max_seconds: float = DEFAULT_SECONDS,
    ) -> Pid:
        """`start_link` without a link, from any thread: the supervisor goes on until it is stopped.

        Differs from Elixir: there a supervisor is always linked.
        """
        server = dynamic_supervisor_of(strategy, max_children, max_restarts, max_seconds)
        started = start_supervisor(server, "DynamicSupervisor", name, link=False)
        return wait("DynamicSupervisor.start", started)

    @staticmethod
    def start_child(supervisor: Server, what: Any) -> Pid | None:
        """Starts a child; returns its pid, or None if it does not want to run.

        A supervisor of another node starts what its `--rpc` policy allows: functions and classes that are
        loaded there under that name.

        Args:
            supervisor: see the class.
            what: an item as in the list of `Supervisor.start_link`; its id need not differ from others.

        Raises:
            TooManyChildren: there are `max_children` of them.
            StartFailed: it did not start; its exit reason is in `reason`.
            ChildSpecInvalid: *what* is not a child.
            EncodeError: an argument is not data.
            CallError: see `GenServer.call`; `CallRefused` by that policy.
        """
        return wait("DynamicSupervisor.start_child", requests.start_child(supervisor, what))

    @staticmethod
    def terminate_child(supervisor: Server, pid: Pid) -> str:
        """Stops a child and forgets it; returns `"ok"` when it has ended.

        Args:
            supervisor: see the class.
            pid: of the child; the last one of a child that is being restarted.

        Raises:
            ChildNotFound: it is not a child of this supervisor.
            CallError: see `GenServer.call`.
        """
        return wait("DynamicSupervisor.terminate_child", requests.terminate_child(supervisor, pid))

    @staticmethod
    def which_children(supervisor: Server) -> list[requests.ChildRow]:
        """Returns (None, pid | "restarting", type) of each child, the newest first.

        Raises:
            CallError: see `GenServer.call`.
        """
        return wait("DynamicSupervisor.which_children", requests.which_children(supervisor))

    count_children = Supervisor.count_children
    stop = Supervisor.stop
