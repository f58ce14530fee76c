"""`static`: nodes by their names, as libcluster's strategy Epmd; `--seed gus@10.0.0.5`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.cluster.sighting import Sighting
from pyx.cluster.strategy_settings import check_names
from pyx.terms import full_name, host_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping


class StaticNodes:
    """Finds the nodes that its setting `nodes` lists; see `Strategy`."""

    seed_setting: Final = "nodes"

    def __init__(self, here: str, config: Mapping[str, Any]) -> None:
        check_names(config, "nodes")
        nodes = config.get("nodes")
        names = [nodes] if isinstance(nodes, str) else nodes
        if not isinstance(names, (list, tuple)) or not names:
            msg = f"nodes is a list like ['gus@10.0.0.5'], not {nodes!r}"
            raise ValueError(msg)
        self._nodes = frozenset(full_name(name, host_of(here)) for name in names)

    async def sightings(self) -> AsyncIterator[Sighting]:
        """Yields them once."""
        yield Sighting(self._nodes)
