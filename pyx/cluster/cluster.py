"""`Cluster`: nodes that find each other; libcluster's `Cluster.Supervisor`.

    Cluster.start_link({"k8s": {"strategy": "dns", "query": "pyx.default.svc"}})
    Cluster.wait(3, timeout=30)

A node that is started with seeds has one already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pyx.cluster.cluster_errors import ClusterIncomplete, ClusterNotStarted
from pyx.cluster.cluster_server import LONGEST_WAIT, Hooks
from pyx.cluster.cluster_start import CLUSTER, start_cluster
from pyx.execution.context import require
from pyx.otp.call_errors import CallNoProcess
from pyx.otp.children import child
from pyx.otp.server_calls import call, stop
from pyx.runtime.arguments import checked_seconds
from pyx.runtime.request import wait

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyx.otp.children import ChildSpec
    from pyx.otp.server_calls import Server
    from pyx.otp.via import ProcessName
    from pyx.terms import Pid

__all__ = ["Cluster"]


class Cluster:
    """Functions about clusters, and the class of a cluster that is a child of a supervisor.

    Every *cluster* is a pid, a name, `(name, node)` or `via(...)`; by default the one of this node's seeds,
    or the one that was started without a name of its own.
    """

    child_options: ClassVar[Mapping[str, Any]] = {"id": "cluster"}

    @staticmethod
    def start_link(
        topologies: Mapping[str, Mapping[str, Any]],
        *,
        connect: Callable[[str], Any] | None = None,
        disconnect: Callable[[str], Any] | None = None,
        list_nodes: Callable[[], Any] | None = None,
        name: ProcessName | None = CLUSTER,
    ) -> Pid:
        """Starts to look for nodes and to connect to them; the cluster's process is linked to the caller.

        Args:
            topologies: by name, the `strategy` (`"static"`, `"hosts"`, `"local"`, `"dns"`, `"srv"`,
                `"kubernetes"`, `"lan"`, an entry point of the group `pyx.cluster`, or a class
                `"package.module:Class"`), its settings, and `prune`: True disconnects what two whole
                sightings in a row lack.  `docs/clusters.md` lists the settings.
            connect: called with the name of a node that was found, until *list_nodes* shows it; returns True
                if it has connected.  A `def`, which runs on another thread, or an `async def`.
            disconnect: called with the name of a node that is pruned.
            list_nodes: returns the names of the connected nodes.
            name: of the process.

        Returns:
            The pid of the cluster's process.

        Differs from Elixir: libcluster's DNSPoll disconnects what an empty answer lacks, its Epmd does not
        connect again to a node that is lost, and a failed connection has no reason.

        Raises:
            ClusterInvalid: a setting is missing or wrong; nothing was started.
            TypeError: one of the three functions is not a function.
            NodeNotAlive: this node has no name.
            ServerAlreadyStarted: *name* is taken: by the cluster of the node's seeds, perhaps.
            NotAProcess: the calling thread is not a process; `Cluster.start` needs none.
        """
        require("Cluster.start_link()")
        hooks = Hooks(connect, disconnect, list_nodes)
        return wait("Cluster.start_link", start_cluster(topologies, hooks, name, link=True))

    @staticmethod
    def start(
        topologies: Mapping[str, Mapping[str, Any]],
        *,
        connect: Callable[[str], Any] | None = None,
        disconnect: Callable[[str], Any] | None = None,
        list_nodes: Callable[[], Any] | None = None,
        name: ProcessName | None = CLUSTER,
    ) -> Pid:
        """`start_link` without a link, from any thread."""
        hooks = Hooks(connect, disconnect, list_nodes)
        return wait("Cluster.start", start_cluster(topologies, hooks, name, link=False))

    @staticmethod
    def stop(cluster: Server = CLUSTER) -> str:
        """Ends the search; connections stay.  Returns `"ok"`.

        Raises:
            ClusterNotStarted: there is no such cluster.
        """
        return wait("Cluster.stop", stop_cluster(cluster))

    @staticmethod
    def wait(number: int, timeout: float, *, cluster: Server = CLUSTER) -> list[str]:
        """Waits until *number* nodes are there, this one included; returns their names, sorted.

        Args:
            number: of nodes.
            timeout: seconds.
            cluster: see the class.

        Raises:
            ClusterIncomplete: they are not there in time; it has the names of those that are.
            ClusterNotStarted: there is no such cluster.
        """
        return wait("Cluster.wait", wait_for_nodes(number, timeout, cluster))

    @staticmethod
    def waiting(number: int, timeout: float, *, cluster: Server = CLUSTER) -> ChildSpec:
        """Returns a child that is ready when `wait` returns: those after it in a supervisor start then.

        It has no process.  Without the nodes its start fails, and with it that of the supervisor.
        """
        return child(_Waiting, number, timeout, cluster, id=f"cluster of {number}", restart="temporary")

    @staticmethod
    def info(cluster: Server = CLUSTER) -> dict[str, Any]:
        """Returns what a cluster knows.

        `nodes` are the names of the nodes that are there, this one included.  `topologies` has for each its
        `strategy`, what it has `found`, `prune`, and the `reason` if its last search has failed, a part
        of its answer was wrong, or it has not answered yet.  `found` has the state of each node that was
        found: `"up"`, `"dialling"`, `"waiting"`, or `("resting", reason)` while it is not dialled again.

        Raises:
            ClusterNotStarted: there is no such cluster.
        """
        return wait("Cluster.info", cluster_info(cluster))


class _Waiting:
    """The child of `Cluster.waiting`."""

    @staticmethod
    def start_link(number: int, timeout: float, cluster: Server) -> None:
        """Waits, and wants no process."""
        Cluster.wait(number, timeout, cluster=cluster)


async def wait_for_nodes(number: int, timeout: float, cluster: Server) -> list[str]:
    """`Cluster.wait` as a coroutine."""
    if type(number) is not int or number < 1:
        msg = f"Cluster.wait takes a number of nodes from 1, not {number!r}"
        raise ValueError(msg)
    seconds = checked_seconds(timeout)
    if seconds is None or seconds > LONGEST_WAIT:
        msg = f"Cluster.wait takes a timeout of 0 to {LONGEST_WAIT:,} s, not {timeout!r}"
        raise ValueError(msg)
    nodes: list[str] = await _asked(cluster, ("wait", number, float(seconds)))
    if len(nodes) < number:
        raise ClusterIncomplete(number, nodes, seconds)
    return nodes


async def cluster_info(cluster: Server) -> dict[str, Any]:
    """`Cluster.info` as a coroutine."""
    facts: dict[str, Any] = await _asked(cluster, "info")
    return facts


async def stop_cluster(cluster: Server) -> str:
    """`Cluster.stop` as a coroutine."""
    try:
        return await stop(cluster)
    except CallNoProcess:
        raise ClusterNotStarted(cluster) from None


async def _asked(cluster: Server, request: Any) -> Any:
    try:
        return await call(cluster, request, None)
    except CallNoProcess:
        raise ClusterNotStarted(cluster) from None
