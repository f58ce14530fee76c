"""Why a cluster was not started, or is too small."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyx.errors import PyxError

if TYPE_CHECKING:
    from collections.abc import Sequence


class ClusterError(PyxError):
    """The root of the errors of clusters."""


class ClusterInvalid(ClusterError, ValueError):
    """A topology or a seed has a wrong setting.  Attributes: `topology` (or the seed), `problem`."""

    def __init__(self, topology: str, problem: str, *, hint: str | None = None) -> None:
        self.topology = topology
        self.problem = problem
        super().__init__(f"{topology}: {problem}", hint=hint)


class ClusterIncomplete(ClusterError, TimeoutError):
    """Too few nodes were there in time.

    Attributes: `wanted` (a number), `nodes` (the names of those that are there, this node's included),
    `timeout` (seconds).
    """

    def __init__(self, wanted: int, nodes: Sequence[str], timeout: float) -> None:
        self.wanted = wanted
        self.nodes = list(nodes)
        self.timeout = timeout
        super().__init__(
            f"{len(self.nodes)} of {wanted} nodes are there after {timeout:g} s: {', '.join(self.nodes)}",
            hint="Cluster.info() says what was found, and why it is not connected",
        )


class ClusterNotStarted(ClusterError, LookupError):
    """There is no cluster of that name.  Attribute: `name`."""

    def __init__(self, name: object) -> None:
        self.name = name
        own, where = (name[0], f"the node {name[1]}") if type(name) is tuple else (name, "this node")
        super().__init__(
            f"there is no cluster {own!r} on {where}",
            hint="start the node with --seed, or call Cluster.start_link(...)",
        )
