"""The contract of strategies: what finds nodes gives sightings, and does nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping


class Sighting(NamedTuple):
    """Nodes that a strategy has found.

    A name without a host means this node's host; the name of this node itself may be among them, and changes
    nothing.  One that cannot be a name is told in the log, and the others are taken; `whole` counts as False
    then.
    """

    nodes: frozenset[str]
    whole: bool = True
    """True: these are all nodes that there are; False: these are there too."""


class Strategy(Protocol):
    """Says where nodes may be.  Whom to trust says the handshake, and when to dial says pyx.

        class Consul:
            seed_setting = "service"                      # --seed consul:pyx

            def __init__(self, here, config):
                self._service = config["service"]

            async def sightings(self):
                while True:
                    yield Sighting(frozenset(await ask_consul(self._service)))
                    await asyncio.sleep(5)

    A failure is an exception of `sightings`: it is logged once for each sentence, and the strategy is made
    and started anew after a back-off.  Connections stay as they are.  The coroutine must not block: it runs
    on the loop of all processes.

    Args:
        here: the full name of this node.
        config: the settings of the topology, without `strategy` and `prune`.

    Raises:
        ValueError, TypeError, KeyError: a setting is missing or wrong; the sentence says which one.
    """

    def __init__(self, here: str, config: Mapping[str, Any]) -> None: ...

    def sightings(self) -> AsyncIterator[Sighting]:
        """Yields what is found, for as long as the node runs; it ends if there is nothing more to find."""
        ...
