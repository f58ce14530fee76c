"""`Process.send_interval`: when the next message is due, and when there is none to come."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from pyx.terms import Pid, Ref

if TYPE_CHECKING:
    from pyx.core.tables import Tables

SHORTEST_INTERVAL_SECONDS: Final = 0.001
"""The unit of Erlang's timers."""


def following(due: float, every: float, now: float) -> float:
    """Returns when the next message of an interval is due, after the one that was due at *due*.

    Messages are due at multiples of the interval after the start, so lateness does not add up.  Of those that
    are overdue (the OS process stood still) none is sent, so no burst follows.
    """
    missed = math.floor(max(0.0, now - due) / every)
    return due + (missed + 1) * every


def interval_has_ended(tables: Tables, dest: Any, owner: Pid | None) -> bool:
    """Decides whether an interval is over: its receiver of this node has ended, or is not there any more.

    That of an interval towards another node is over when the process that set it has ended.
    """
    if type(dest) is Pid and tables.is_here(dest.node):
        return tables.find(dest) is None
    if type(dest) is Ref and tables.is_here(dest.node):
        return dest.number not in tables.aliases
    if type(dest) is str or (type(dest) is tuple and tables.is_here(dest[1])):
        return (dest if type(dest) is str else dest[0]) not in tables.names
    return owner is not None and tables.find(owner) is None
