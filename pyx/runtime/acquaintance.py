"""Which dialect a node speaks: known while it is connected, so what is encoded by it connects first.

Only in a node that is started with `--beam`; without it, every node speaks pyx's own dialect.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from pyx.runtime.request import PendingAnswer

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode

DIAL_SECONDS: Final = 10.0
"""A dial ends by itself within 5 s; this is for a transport that does not answer."""


async def met(here: LocalNode, node: str) -> None:
    """Connects to a node, if there is no connection; a failure is left to what is asked next."""
    tables = here.kernel.tables
    peer = tables.peers.get(node)
    if not tables.is_here(node) and (peer is None or peer.state != "up"):
        await connected(here, node, quiet=True)


async def connected(here: LocalNode, node: str, *, quiet: bool = False) -> bool:
    """Returns True once there is a connection to *node*, a full name; False if it cannot be reached.

    With *quiet* a failure is not logged.
    """
    with PendingAnswer(here) as pending:
        with here.kernel_call as kernel:
            kernel.sessions.connect(pending, node, time.monotonic(), quiet=quiet)
        in_time = await pending.wait(DIAL_SECONDS)
    is_connected = pending.outcome == "connected"
    if in_time and not is_connected and not quiet:
        from pyx.runtime.asker_warnings import tell  # for a failure

        tell(f"cannot connect to {node}: {pending.body}")
    return is_connected
