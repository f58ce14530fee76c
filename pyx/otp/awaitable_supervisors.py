"""`aio.Supervisor` and its relatives: the awaitable twins of what waits for a supervisor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pyx.otp import supervisor_requests as requests
from pyx.otp.application import start_application, stop_application
from pyx.otp.dynamic_supervisor import dynamic_supervisor_of
from pyx.otp.partition_supervisor import partition_supervisor_of
from pyx.otp.restart_intensity import DEFAULT_RESTARTS, DEFAULT_SECONDS
from pyx.otp.server_calls import stop
from pyx.otp.supervision_tree import tree_text
from pyx.otp.supervisor import start_supervisor, supervisor_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyx.otp.partition_supervisor import WithArguments
    from pyx.otp.server_calls import Server
    from pyx.otp.supervisor import AutoShutdown, Strategy
    from pyx.otp.via import ProcessName
    from pyx.terms import Pid

__all__ = ["Application", "DynamicSupervisor", "PartitionSupervisor", "Supervisor"]


class Supervisor:
    """The twins of the functions in `Supervisor`; a namespace, never instantiated."""

    @staticmethod
    async def start_link(
        children: Iterable[Any],
        *,
        strategy: Strategy,
        max_restarts: int = DEFAULT_RESTARTS,
        max_seconds: float = DEFAULT_SECONDS,
        auto_shutdown: AutoShutdown = "never",
        name: ProcessName | None = None,
    ) -> Pid:
        """`Supervisor.start_link`, awaitable."""
        server = supervisor_of(children, strategy, max_restarts, max_seconds, auto_shutdown)
        return await start_supervisor(server, "Supervisor", name, link=True)

    @staticmethod
    async def start(
        children: Iterable[Any],
        *,
        strategy: Strategy,
        max_restarts: int = DEFAULT_RESTARTS,
        max_seconds: float = DEFAULT_SECONDS,
        auto_shutdown: AutoShutdown = "never",
        name: ProcessName | None = None,
    ) -> Pid:
        """`Supervisor.start`, awaitable."""
        server = supervisor_of(children, strategy, max_restarts, max_seconds, auto_shutdown)
        return await start_supervisor(server, "Supervisor", name, link=False)

    @staticmethod
    async def stop(supervisor: Server, reason: Any = "normal", timeout: float | None = None) -> str:
        """`Supervisor.stop`, awaitable."""
        return await stop(supervisor, reason, timeout)

    @staticmethod
    async def which_children(supervisor: Server) -> list[requests.ChildRow]:
        """`Supervisor.which_children`, awaitable."""
        return await requests.which_children(supervisor)

    @staticmethod
    async def count_children(supervisor: Server) -> dict[str, int]:
        """`Supervisor.count_children`, awaitable."""
        return await requests.count_children(supervisor)

    @staticmethod
    async def start_child(supervisor: Server, what: Any) -> Pid | None:
        """`Supervisor.start_child`, awaitable."""
        return await requests.start_child(supervisor, what)

    @staticmethod
    async def terminate_child(supervisor: Server, id: Any) -> str:  # noqa: A002 - OTP's word
        """`Supervisor.terminate_child`, awaitable."""
        return await requests.terminate_child(supervisor, id)

    @staticmethod
    async def restart_child(supervisor: Server, id: Any) -> Pid | None:  # noqa: A002 - OTP's word
        """`Supervisor.restart_child`, awaitable."""
        return await requests.restart_child(supervisor, id)

    @staticmethod
    async def delete_child(supervisor: Server, id: Any) -> str:  # noqa: A002 - OTP's word
        """`Supervisor.delete_child`, awaitable."""
        return await requests.delete_child(supervisor, id)

    @staticmethod
    async def tree(supervisor: Server) -> None:
        """`Supervisor.tree`, awaitable."""
        print(await tree_text(supervisor))  # noqa: T201 - what it is for


class DynamicSupervisor:
    """The twins of the functions in `DynamicSupervisor`; a namespace, never instantiated."""

    @staticmethod
    async def start_link(
        *,
        name: ProcessName | None = None,
        strategy: Literal["one_for_one"] = "one_for_one",
        max_children: int | None = None,
        max_restarts: int = DEFAULT_RESTARTS,
        max_seconds: float = DEFAULT_SECONDS,
    ) -> Pid:
        """`DynamicSupervisor.start_link`, awaitable."""
        server = dynamic_supervisor_of(strategy, max_children, max_restarts, max_seconds)
        return await start_supervisor(server, "DynamicSupervisor", name, link=True)

    @staticmethod
    async def start(
        *,
        name: ProcessName | None = None,
        strategy: Literal["one_for_one"] = "one_for_one",
        max_children: int | None = None,
        max_restarts: int = DEFAULT_RESTARTS,
        max_seconds: float = DEFAULT_SECONDS,
    ) -> Pid:
        """`DynamicSupervisor.start`, awaitable."""
        server = dynamic_supervisor_of(strategy, max_children, max_restarts, max_seconds)
        return await start_supervisor(server, "DynamicSupervisor", name, link=False)

    @staticmethod
    async def terminate_child(supervisor: Server, pid: Pid) -> str:
        """`DynamicSupervisor.terminate_child`, awaitable."""
        return await requests.terminate_child(supervisor, pid)

    start_child = Supervisor.start_child
    which_children = Supervisor.which_children
    count_children = Supervisor.count_children
    stop = Supervisor.stop


class PartitionSupervisor:
    """The twins of the functions in `PartitionSupervisor`; a namespace, never instantiated."""

    @staticmethod
    async def start_link(
        child: Any,
        *,
        name: str,
        partitions: int | None = None,
        strategy: Strategy = "one_for_one",
        max_restarts: int = DEFAULT_RESTARTS,
        max_seconds: float = DEFAULT_SECONDS,
        with_arguments: WithArguments | None = None,
    ) -> Pid:
        """`PartitionSupervisor.start_link`, awaitable."""
        server = partition_supervisor_of(
            child, partitions, strategy, max_restarts, max_seconds, with_arguments
        )
        return await start_supervisor(server, "PartitionSupervisor", name, link=True)

    which_children = Supervisor.which_children
    count_children = Supervisor.count_children
    stop = Supervisor.stop


class Application:
    """The twins of the functions in `Application`; a namespace, never instantiated."""

    @staticmethod
    async def start(application: str) -> Pid:
        """`Application.start`, awaitable."""
        return await start_application(application)

    @staticmethod
    async def stop(name: str) -> str:
        """`Application.stop`, awaitable."""
        return await stop_application(name)
