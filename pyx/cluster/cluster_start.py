"""How the process of a cluster is started: by a program, and by the seeds of a node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.cluster.cluster_server import ClusterServer, Hooks
from pyx.cluster.configuration import configured, configured_seeds
from pyx.errors import NodeNotAlive
from pyx.execution.node_log import log
from pyx.otp.server_loop import serve
from pyx.otp.starting import start_process
from pyx.runtime.local_node import this_node

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyx.cluster.configuration import ConfiguredTopology
    from pyx.otp.via import ProcessName
    from pyx.runtime.local_node import LocalNode
    from pyx.terms import Pid

CLUSTER: Final = "cluster"
"""The name of a cluster that has no other."""


async def start_cluster(
    topologies: Mapping[str, Any], hooks: Hooks, name: ProcessName | None, *, link: bool
) -> Pid:
    """Starts a cluster; see `Cluster.start_link`."""
    here = this_node()
    own = here.kernel.tables.name
    for hook, function in hooks._asdict().items():
        if function is not None and not callable(function):
            msg = f"the {hook} of a cluster is a function, not {function!r}"
            raise TypeError(msg)
    if not own:
        raise NodeNotAlive("look for other nodes")
    found = configured(topologies, own)

    async def run() -> None:
        await serve(ClusterServer, link, found, hooks)

    pid = await start_process(
        run, what="Cluster", name=name, link=link, initial_call=("pyx.cluster.Cluster", "init", 1)
    )
    assert pid is not None
    return pid


def checked_seeds(seeds: Sequence[str | Mapping[str, Any]], here: str) -> list[ConfiguredTopology]:
    """Returns the topologies of a node's seeds, before it starts; raises as `configured_seeds`."""
    return configured_seeds(seeds, here)


def follow_seeds(node: LocalNode, topologies: Sequence[ConfiguredTopology]) -> Pid:
    """Starts the cluster of a node's seeds, once that has its name; returns the pid at once."""

    async def run() -> None:
        await serve(ClusterServer, False, topologies, Hooks())

    pid, _ = node.processes.spawn(run, ())
    with node.kernel_call as kernel:
        is_free = kernel.registry.whereis(CLUSTER) is None
        if is_free:
            kernel.registry.register(pid, CLUSTER)
    if not is_free:
        log.warning("the name %r is taken, so the cluster of the seeds has none", CLUSTER)
    return pid
