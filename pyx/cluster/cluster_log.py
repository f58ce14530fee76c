"""The log records of clusters: one line each, with the facts in fields of the record.

    event     "connect", "connect_failed", "lost", "prune", "search_failed", "hook_failed"
    topology  its name; not of "hook_failed"
    node      the node that it is about; not of "search_failed" and "hook_failed"
    reason    a sentence; of what has failed

As libcluster's telemetry, `[:libcluster, :connect_node, :error]` and its relatives.
"""

from __future__ import annotations

import logging

from pyx.execution.node_log import log


def connected(topology: str, node: str) -> None:
    """Logs that a node which was found is connected."""
    _record(logging.INFO, "connect", topology, f"{node} is connected", node)


def lost(topology: str, node: str) -> None:
    """Logs that the connection to a node which was found has ended."""
    _record(logging.INFO, "lost", topology, f"{node} is lost, and will be dialled again", node)


def not_connected(topology: str, node: str, reason: str) -> None:
    """Logs that a dial of a node which was found has failed."""
    _record(logging.WARNING, "connect_failed", topology, f"{node} cannot be reached: {reason}", node, reason)


def pruned(topology: str, node: str) -> None:
    """Logs that a node is disconnected, as two whole sightings in a row lacked it."""
    words = f"{node} is disconnected: it was found no more, twice in a row"
    _record(logging.WARNING, "prune", topology, words, node)


def search_failed(topology: str, reason: str) -> None:
    """Logs that a strategy has found nothing, has raised, or has found a name that is wrong."""
    _record(logging.WARNING, "search_failed", topology, f"the search has failed: {reason}", None, reason)


def hook_failed(hook: str, reason: str) -> None:
    """Logs that a function which was given as `connect`, `disconnect` or `list_nodes` has raised."""
    _record(logging.ERROR, "hook_failed", "", f"the function {hook} has raised: {reason}", None, reason)


def _record(
    level: int, event: str, topology: str, words: str, node: str | None, reason: str | None = None
) -> None:
    title = f"cluster {topology.rstrip(':')}" if topology else "cluster"
    facts = {"event": event, "topology": topology or None, "node": node, "reason": reason}
    fields = {field: value for field, value in facts.items() if value is not None}
    log.log(level, "%s: %s", title, words, fields=fields)
