"""`Supervisor`: starts children in order, and starts them again when they end; OTP's, with Elixir's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, TypeAlias

from pyx.otp import supervisor_requests as requests
from pyx.otp.child_errors import ChildSpecInvalid
from pyx.otp.child_work import kept
from pyx.otp.children import specs_of
from pyx.otp.restart_intensity import DEFAULT_RESTARTS, DEFAULT_SECONDS, RestartIntensity
from pyx.otp.restarts import Restarts
from pyx.otp.server_calls import stop
from pyx.otp.starting import start_process
from pyx.otp.supervision_tree import tree_text
from pyx.otp.supervisor_process import run_supervisor
from pyx.otp.supervisor_server import SupervisorServer
from pyx.runtime.request import wait

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyx.otp.server_calls import Server
    from pyx.otp.supervisor_requests import ChildRow
    from pyx.otp.via import ProcessName
    from pyx.terms import Pid

Strategy: TypeAlias = Literal["one_for_one", "one_for_all", "rest_for_one"]
AutoShutdown: TypeAlias = Literal["never", "any_significant", "all_significant"]

_STRATEGIES: Final = ("one_for_one", "one_for_all", "rest_for_one")
_AUTO_SHUTDOWNS: Final = ("never", "any_significant", "all_significant")


def checked_option(option: str, value: Any, choices: tuple[str, ...]) -> Any:
    """Returns *value* if it is one of *choices*.

    Raises:
        ChildSpecInvalid: it is not.
    """
    if value not in choices:
        msg = f"{option} is one of {', '.join(map(repr, choices))}, not {value!r}"
        raise ChildSpecInvalid(msg, ("bad_start_spec", (f"invalid_{option}", value)))
    return value


def supervisor_of(
    children: Iterable[Any],
    strategy: Strategy,
    max_restarts: int = DEFAULT_RESTARTS,
    max_seconds: float = DEFAULT_SECONDS,
    auto_shutdown: AutoShutdown = "never",
    *,
    pids_under: str | None = None,
) -> SupervisorServer:
    """Returns what `Supervisor.start_link` runs in a process; raises as it does.

    Its *pids_under* is that of `SupervisorServer`.
    """
    checked_option("strategy", strategy, _STRATEGIES)
    checked_option("auto_shutdown", auto_shutdown, _AUTO_SHUTDOWNS)
    intensity = RestartIntensity(max_restarts, max_seconds)
    decisions = Restarts(strategy, intensity, auto_shutdown)
    specs = [kept(spec) for spec in specs_of(children)]
    for spec in specs:
        decisions.check(spec)
    settings = f"{strategy}, {intensity.text}"
    return SupervisorServer(decisions, lambda: decisions.start_all(specs), settings, pids_under=pids_under)


async def start_supervisor(
    server: SupervisorServer, api: str, name: ProcessName | None, *, link: bool
) -> Pid:
    """Starts the process of a supervisor, and waits until its children are started."""
    pid = await start_process(
        lambda: run_supervisor(server, is_linked=link),
        what=f"{api} {name}" if name is not None else api,
        name=name,
        link=link,
        initial_call=(f"pyx.otp.{api}", "init", 1),
    )
    assert pid is not None
    return pid


class Supervisor:
    """Functions of supervisors, and the class of a supervisor that is a child of another one.

        children = [child(Stock, {"nike": 30}, name="stock"), (Cache, "prices"), poll_prices]
        Supervisor.start_link(children, strategy="rest_for_one", name="shop")
        Supervisor.tree("shop")                        # the processes below it
        Supervisor.terminate_child("shop", "stock")    # a child by its id
        Supervisor.stop("shop")

    Every *supervisor* is a pid, a name, `(name, node)` or `via(...)`.
    """

    child_options: ClassVar[Mapping[str, Any]] = {"type": "supervisor"}

    @staticmethod
    def start_link(
        children: Iterable[Any],
        *,
        strategy: Strategy,
        max_restarts: int = DEFAULT_RESTARTS,
        max_seconds: float = DEFAULT_SECONDS,
        auto_shutdown: AutoShutdown = "never",
        name: ProcessName | None = None,
    ) -> Pid:
        """Starts a supervisor that is linked to the running process, and its children in order.

        It returns when all children are ready.  When the supervisor ends, it stops them in reverse order.

        Args:
            children: items as `child` makes them, classes, functions, or tuples of one and its arguments.
            strategy: what a child's end restarts: `"one_for_one"` the child, `"rest_for_one"` also those that
                were started after it, `"one_for_all"` all children.
            max_restarts: restarts within *max_seconds* that are borne; at one more the supervisor stops all
                children and ends with the reason `"shutdown"`.
            max_seconds: the length of that window.
            auto_shutdown: with `"any_significant"` the supervisor ends when a significant child has ended for
                good, with `"all_significant"` when the last one has.
            name: of the supervisor.

        Raises:
            ChildSpecInvalid: an item is not a child, two have one id, or an option has no meaning; nothing
                was started.
            StartFailed: a child did not start; the earlier ones were stopped.  Its `reason` is `("shutdown",
                ("failed_to_start_child", id, reason))`, as OTP's.
            ServerAlreadyStarted: *name* is taken; nothing was started.
            EncodeError: an argument of a child is not data.
            NotAProcess: the calling thread is not a process; `Supervisor.start` needs none.
        """
        server = supervisor_of(children, strategy, max_restarts, max_seconds, auto_shutdown)
        return wait("Supervisor.start_link", start_supervisor(server, "Supervisor", name, link=True))

    @staticmethod
    def start(
        children: Iterable[Any],
        *,
        strategy: Strategy,
        max_restarts: int = DEFAULT_RESTARTS,
        max_seconds: float = DEFAULT_SECONDS,
        auto_shutdown: AutoShutdown = "never",
        name: ProcessName | None = None,
    ) -> Pid:
        """`start_link` without a link, from any thread: the supervisor goes on until it is stopped.

        Differs from Elixir: there a supervisor is always linked.
        """
        server = supervisor_of(children, strategy, max_restarts, max_seconds, auto_shutdown)
        return wait("Supervisor.start", start_supervisor(server, "Supervisor", name, link=False))

    @staticmethod
    def stop(supervisor: Server, reason: Any = "normal", timeout: float | None = None) -> str:
        """Stops a supervisor, and before it its children, the newest first; returns `"ok"`.

        Raises:
            CallNoProcess: there is no such supervisor.
            CallTimeout: it has not ended within *timeout* seconds (None: no limit); it goes on stopping.
            CallExited: it ended with another reason.
        """
        return wait("Supervisor.stop", stop(supervisor, reason, timeout))

    @staticmethod
    def which_children(supervisor: Server) -> list[ChildRow]:
        """Returns (id, state, type) of each child, the newest first.

        The state is its pid; None where it does not run; `"restarting"` if a restart has failed and is about
        to be tried again.  The type is `"worker"` or `"supervisor"`.

        Raises:
            CallError: see `GenServer.call`.
        """
        return wait("Supervisor.which_children", requests.which_children(supervisor))

    @staticmethod
    def count_children(supervisor: Server) -> dict[str, int]:
        """Returns how many specifications (`"specs"`), live children (`"active"`), supervisors and workers.

        Raises:
            CallError: see `GenServer.call`.
        """
        return wait("Supervisor.count_children", requests.count_children(supervisor))

    @staticmethod
    def start_child(supervisor: Server, what: Any) -> Pid | None:
        """Adds a child and starts it; returns its pid, or None if it does not want to run.

        A supervisor of another node starts what its `--rpc` policy allows: functions and classes that are
        loaded there under that name.

        Args:
            supervisor: see the class.
            what: an item as in the list of `start_link`.

        Raises:
            ServerAlreadyStarted: a child of that id runs.
            ChildAlreadyPresent: a child of that id is there and does not run.
            StartFailed: it did not start, and is not kept; its exit reason is in `reason`.
            ChildSpecInvalid: *what* is not a child.
            EncodeError: an argument is not data.
            CallError: see `GenServer.call`; `CallRefused` by that policy.
        """
        return wait("Supervisor.start_child", requests.start_child(supervisor, what))

    @staticmethod
    def terminate_child(supervisor: Server, id: Any) -> str:  # noqa: A002 - OTP's word
        """Stops a child as its specification says; returns `"ok"` when it has ended, or does not run.

        It stays in the list, for `restart_child`, unless it is temporary.

        Raises:
            ChildNotFound: there is none of that id.
            CallError: see `GenServer.call`.
        """
        return wait("Supervisor.terminate_child", requests.terminate_child(supervisor, id))

    @staticmethod
    def restart_child(supervisor: Server, id: Any) -> Pid | None:  # noqa: A002 - OTP's word
        """Starts a child that does not run; returns its pid, or None if it does not want to run.

        Raises:
            ChildNotFound, ChildRunning, ChildRestarting: there is none of that id, or not such a one.
            StartFailed: it did not start.
            CallError: see `GenServer.call`.
        """
        return wait("Supervisor.restart_child", requests.restart_child(supervisor, id))

    @staticmethod
    def delete_child(supervisor: Server, id: Any) -> str:  # noqa: A002 - OTP's word
        """Forgets a child that does not run; returns `"ok"`.

        Raises:
            ChildNotFound, ChildRunning, ChildRestarting: there is none of that id, or not such a one.
            CallError: see `GenServer.call`.
        """
        return wait("Supervisor.delete_child", requests.delete_child(supervisor, id))

    @staticmethod
    def tree(supervisor: Server) -> None:
        """Prints a supervisor and all that is below it: pids, queues, restarts; of any node.

        Raises:
            CallError: see `GenServer.call`.
        """
        print(wait("Supervisor.tree", tree_text(supervisor)))  # noqa: T201 - what it is for
