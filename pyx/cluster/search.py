"""The process of a strategy: what it finds, and how it ends, become messages to its cluster."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Collection
from types import AsyncGeneratorType, CoroutineType
from typing import TYPE_CHECKING, Any, Final

from pyx.errors import NodeNameInvalid, brief
from pyx.execution import tracebacks
from pyx.execution.context import require
from pyx.execution.tasks import is_end_of_process
from pyx.primitives import send
from pyx.printable import on_one_line
from pyx.terms import full_name, host_of

if TYPE_CHECKING:
    from pyx.cluster.configuration import ConfiguredTopology
    from pyx.terms import Pid

SIGHTED: Final = "$sighted"
"""`("$sighted", topology, nodes, whole, sentence)`: the sentence is about a wrong name; empty for none."""

SEARCH_FAILED: Final = "$search_failed"
"""`("$search_failed", topology, sentence)`: the strategy has raised."""

SEARCH_ENDED: Final = "$search_ended"
"""`("$search_ended", topology)`: it has found all that it will ever find."""

MOST_FOUND: Final = 4096
"""Nodes of one sighting."""

LEAST_PAUSE: Final = 0.01
"""Seconds between two sightings: a strategy that forgot its own pause would fill the mailbox, and no other
coroutine would run."""


async def search(cluster: Pid, topology: ConfiguredTopology, here: str) -> None:
    """Runs a strategy to its end; an exception becomes a message, so that the log has one line of it."""
    try:
        sightings = _sightings_of(topology, here)
        try:
            async for sighting in sightings:
                names, whole, problem = _checked(sighting, here)
                send(cluster, (SIGHTED, topology.name, names, whole, problem))
                await asyncio.sleep(LEAST_PAUSE)
        finally:
            if isinstance(sightings, AsyncGeneratorType):
                await sightings.aclose()  # its sockets are closed now, and not when it is collected
    except BaseException as error:  # the strategy may be the user's, and a SystemExit or a CancelledError too
        if is_end_of_process(error, require("a search")):
            raise
        send(cluster, (SEARCH_FAILED, topology.name, sentence_of(error)))
    else:
        send(cluster, (SEARCH_ENDED, topology.name))


def _sightings_of(topology: ConfiguredTopology, here: str) -> AsyncIterable[Any]:
    """Makes the strategy, and has it begin; raises TypeError if that is not an asynchronous generator."""
    sightings: Any = topology.strategy(here, topology.config).sightings()
    if isinstance(sightings, AsyncIterable):
        return sightings
    if isinstance(sightings, CoroutineType):
        sightings.close()  # else Python warns that it was never awaited
    msg = f"sightings() returns {brief(sightings)}, which is not an asynchronous generator"
    raise TypeError(msg)


def _checked(sighting: Any, here: str) -> tuple[list[str], bool, str]:
    """Returns the full names of a sighting, whether these are all, and what is wrong with one of them.

    A wrong one does not keep the others from being found; all there are they are not then.

    Raises:
        TypeError: it is not a Sighting.
        ValueError: there are too many.
    """
    match sighting:
        case (Collection() as nodes, bool(whole)) if not isinstance(nodes, (str, bytes)):
            pass
        case _:
            msg = f"it has yielded {brief(sighting)}, which is not Sighting(nodes, whole)"
            raise TypeError(msg)
    if len(nodes) > MOST_FOUND:
        msg = f"it has found {len(nodes):,} nodes, and at most {MOST_FOUND:,} are dialled"
        raise ValueError(msg)
    names, problems = set(), []
    for node in nodes:
        try:
            names.add(full_name(node, host_of(here)))
        except NodeNameInvalid as error:
            problems.append(f"{brief(node)} is not a node name: {error.problem}")
        except TypeError:
            problems.append(f"{brief(node)} is not a node name: it is not a text")
    problem = on_one_line(min(problems, default=""), tracebacks.LONGEST_SENTENCE)  # the same one each time
    return sorted(names), whole and not problem, problem


def sentence_of(error: BaseException) -> str:
    """Returns an exception as one line: pyx's own by their sentence, others with their class."""
    if type(error).__module__.startswith("pyx."):
        return on_one_line(tracebacks.message_of(error), tracebacks.LONGEST_SENTENCE)
    return tracebacks.sentence_of(error)
