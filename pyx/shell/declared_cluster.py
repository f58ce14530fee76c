"""`[tool.pyx.cluster.*]` in a project's pyproject.toml: where a named node looks for others."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from pyx.shell.project_file import ProjectFileInvalid, entry_of_project

if TYPE_CHECKING:
    from pyx.options import NodeOptions


def with_declared_cluster(node: NodeOptions, directory: str) -> NodeOptions:
    """Returns the options of a node with the topologies of its project among its seeds.

    Raises:
        ProjectFileInvalid: the file cannot be read, or what stands there has another form.
    """
    entry = entry_of_project(directory, "cluster")
    if entry is None:
        return node
    path, found = entry
    if not isinstance(found, dict) or not all(isinstance(table, dict) for table in found.values()):
        msg = f"{path}: cluster in [tool.pyx] is {found!r}, and not tables with a name each"
        raise ProjectFileInvalid(msg, hint='[tool.pyx.cluster.k8s] and below it strategy = "dns"')
    tables: list[dict[str, Any]] = [{**table, "name": name} for name, table in found.items()]
    return dataclasses.replace(node, seeds=(*node.seeds, *tables))
