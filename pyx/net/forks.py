"""A forked child is not a node: it closes its copies of the node's descriptors.  Not here: anything else
about forks (what a child's primitives answer is the runtime's).

Without this a child that outlives its node (a pool worker, say) would hold the node's connections open, and
peers would wait for ticks instead of seeing the end at once.  Closing a copy takes nothing from the parent: a
lock by `flock` and a connection end with the last descriptor.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Inherited(Protocol):
    """Something with a descriptor that a forked child must not keep."""

    def close_in_child(self) -> None:
        """Closes the descriptor, and does nothing else: no goodbye, no unlinking, no lock taken."""


_kept: weakref.WeakSet[Inherited] = weakref.WeakSet()


def close_in_children(owner: Inherited) -> None:
    """From now on every forked child begins by `owner.close_in_child()`."""
    _kept.add(owner)


def _in_child() -> None:
    for owner in list(_kept):
        owner.close_in_child()
    _kept.clear()


os.register_at_fork(after_in_child=_in_child)
