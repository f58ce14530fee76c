"""`nodes()` at the prompt: the nodes that this one is connected to, or tries to be."""

from __future__ import annotations

from typing import Final

from pyx.runtime.local_node import this_node
from pyx.runtime.round_trips import round_trips
from pyx.shell.text_table import text_table

PING_SECONDS: Final = 1.0
"""A node that does not answer by then has `none` in the column of round trips."""


def node_table() -> str:
    """Returns the table of `nodes`, after a ping to each node that is connected."""
    here = this_node()
    with here.kernel_call as kernel:
        peers = sorted(kernel.tables.peers.values(), key=lambda peer: peer.name)
    trips = round_trips(here, [peer.name for peer in peers if peer.state == "up"], PING_SECONDS)
    rows = []
    for peer in peers:
        trip = trips.get(peer.name)
        state = peer.state + (", hidden" if peer.hidden else "")
        received = peer.connection.received_bytes if peer.connection is not None else 0
        rows.append(
            (
                peer.name,
                state,
                f"{trip * 1e3:.2f} ms" if trip is not None else "none",
                f"{peer.out.written:,}",
                f"{received:,}",
                f"{peer.out.queued:,}",
            )
        )
    head = ("node", "state", "round trip", "bytes sent", "received", "queued")
    return text_table(head, rows, right=(2, 3, 4, 5)) if rows else "no node is connected\n"
