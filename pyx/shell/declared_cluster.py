"""`[tool.pyx.cluster.*]` in a project's pyproject.toml: where a named node looks for others."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from pyx.shell.settings_files import SettingsFileInvalid

if TYPE_CHECKING:
    from pyx.options import NodeOptions
    from pyx.shell.settings_files import SettingsTable


def with_declared_cluster(node: NodeOptions, table: SettingsTable) -> NodeOptions:
    """Returns the options of a node with the topologies of its project among its seeds.

    Raises:
        SettingsFileInvalid: what stands there has another form.
    """
    found = table.entries.get("cluster")
    if found is None:
        return node
    if not isinstance(found, dict) or not all(isinstance(topology, dict) for topology in found.values()):
        msg = f"{table.path}: cluster in [tool.pyx] is {found!r}, and not tables with a name each"
        raise SettingsFileInvalid(msg, hint='[tool.pyx.cluster.k8s] and below it strategy = "dns"')
    for name, topology in found.items():
        if "name" in topology:
            msg = f"{table.path}: [tool.pyx.cluster.{name}] has a setting 'name': its name is {name!r}"
            raise SettingsFileInvalid(msg, hint="leave it out, or rename the table")
    tables: list[dict[str, Any]] = [{**topology, "name": name} for name, topology in found.items()]
    return dataclasses.replace(node, seeds=(*node.seeds, *tables))
