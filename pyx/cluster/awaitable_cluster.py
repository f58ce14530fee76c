"""`aio.Cluster`: the awaitable twins of what waits for a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyx.cluster.cluster import cluster_info, stop_cluster, wait_for_nodes
from pyx.cluster.cluster_server import Hooks
from pyx.cluster.cluster_start import CLUSTER, start_cluster
from pyx.execution.context import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyx.otp.server_calls import Server
    from pyx.otp.via import ProcessName
    from pyx.terms import Pid

__all__ = ["Cluster"]


class Cluster:
    """The twins of the functions in `Cluster`; a namespace, never instantiated."""

    @staticmethod
    async def start_link(
        topologies: Mapping[str, Mapping[str, Any]],
        *,
        connect: Callable[[str], Any] | None = None,
        disconnect: Callable[[str], Any] | None = None,
        list_nodes: Callable[[], Any] | None = None,
        name: ProcessName | None = CLUSTER,
    ) -> Pid:
        """`Cluster.start_link`, awaitable."""
        require("aio.Cluster.start_link()")
        return await start_cluster(topologies, Hooks(connect, disconnect, list_nodes), name, link=True)

    @staticmethod
    async def start(
        topologies: Mapping[str, Mapping[str, Any]],
        *,
        connect: Callable[[str], Any] | None = None,
        disconnect: Callable[[str], Any] | None = None,
        list_nodes: Callable[[], Any] | None = None,
        name: ProcessName | None = CLUSTER,
    ) -> Pid:
        """`Cluster.start`, awaitable."""
        return await start_cluster(topologies, Hooks(connect, disconnect, list_nodes), name, link=False)

    @staticmethod
    async def stop(cluster: Server = CLUSTER) -> str:
        """`Cluster.stop`, awaitable."""
        return await stop_cluster(cluster)

    @staticmethod
    async def wait(number: int, timeout: float, *, cluster: Server = CLUSTER) -> list[str]:
        """`Cluster.wait`, awaitable."""
        return await wait_for_nodes(number, timeout, cluster)

    @staticmethod
    async def info(cluster: Server = CLUSTER) -> dict[str, Any]:
        """`Cluster.info`, awaitable."""
        return await cluster_info(cluster)
