"""One dial of a node that was found, and its reason if it fails."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pyx.runtime.acquaintance import DIAL_SECONDS
from pyx.runtime.request import PendingAnswer
from pyx.wire.handshake.failure_texts import wrong_cookie

if TYPE_CHECKING:
    from pyx.runtime.local_node import LocalNode


async def dial(here: LocalNode, node: str) -> str | None:
    """Connects to *node*, a full name; returns why that failed, None if it did not."""
    with PendingAnswer(here) as pending:
        with here.kernel_call as kernel:
            kernel.sessions.connect(pending, node, time.monotonic(), quiet=True)
        if not await pending.wait(DIAL_SECONDS):
            return f"no answer within {DIAL_SECONDS:g} s"
    if pending.outcome == "connected":
        return None
    return str(pending.body) or "it cannot be reached"


def is_refusal(node: str, reason: str | None) -> bool:
    """Returns True if *reason* says that the two nodes have different cookies, which no other try changes."""
    return reason is not None and reason.startswith(wrong_cookie(node).reason)
