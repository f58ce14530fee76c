"""The process of a strategy: what it finds, and how it ends, become messages to its cluster."""

from __future__ import annotations

from types import AsyncGeneratorType
from typing import TYPE_CHECKING, Final

from pyx.errors import brief
from pyx.primitives import send
from pyx.printable import on_one_line
from pyx.terms import full_name, host_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyx.cluster.configuration import ConfiguredTopology
    from pyx.terms import Pid

SIGHTED: Final = "$sighted"
"""`("$sighted", topology, nodes, whole)`"""

SEARCH_FAILED: Final = "$search_failed"
"""`("$search_failed", topology, sentence)`: the strategy has raised."""

SEARCH_ENDED: Final = "$search_ended"
"""`("$search_ended", topology)`: it has found all that it will ever find."""

MOST_FOUND: Final = 4096
"""Nodes of one sighting."""

_LONGEST: Final = 300


async def search(cluster: Pid, topology: ConfiguredTopology, here: str) -> None:
    """Runs a strategy to its end; an exception becomes a message, so that the log has one line of it."""
    try:
        sightings = topology.strategy(here, topology.config).sightings()
        try:
            async for nodes, whole in sightings:
                send(cluster, (SIGHTED, topology.name, _checked_names(nodes, here), bool(whole)))
        finally:
            if isinstance(sightings, AsyncGeneratorType):
                await sightings.aclose()  # its sockets are closed now, and not when it is collected
    except Exception as error:  # the strategy may be the user's
        send(cluster, (SEARCH_FAILED, topology.name, sentence_of(error)))
    else:
        send(cluster, (SEARCH_ENDED, topology.name))


def _checked_names(nodes: Iterable[str], here: str) -> list[str]:
    names = [full_name(node, host_of(here)) for node in sorted(nodes)]
    if len(names) > MOST_FOUND:
        msg = f"it has found {len(names):,} nodes, and at most {MOST_FOUND:,} are dialled"
        raise ValueError(msg)
    return names


def sentence_of(error: BaseException) -> str:
    """Returns an exception as one line: pyx's own by their sentence, others with their class."""
    try:
        text = str(error)
    except Exception:  # it is user code
        text = brief(error)
    name = type(error).__name__
    if type(error).__module__.startswith("pyx."):
        return on_one_line(text, _LONGEST)
    return on_one_line(f"{name}: {text}" if text else name, _LONGEST)
