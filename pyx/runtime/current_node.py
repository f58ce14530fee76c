"""The node on which a process runs, as its full type."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from pyx.execution.runner import Runner
    from pyx.runtime.local_node import LocalNode


def node_of(runner: Runner) -> LocalNode:
    """Returns the node on which a process runs; `execution` knows no more of it than a `Host`."""
    return cast("LocalNode", runner.node)
