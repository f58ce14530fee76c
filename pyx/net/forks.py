"""Closes the node's descriptors in forked children, which are not nodes.

Otherwise a child that outlives its node (a pool worker, say) would hold the node's connections open, and
peers would wait for missed ticks instead of seeing the end at once. Closing a copy does not affect the
parent: a lock by `flock` and a connection end with their last descriptor.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Inherited(Protocol):
    """An owner of a descriptor that a forked child must not keep."""

    def close_in_child(self) -> None:
        """Closes the descriptor alone: no goodbye, no unlinking, no lock."""


_kept: weakref.WeakSet[Inherited] = weakref.WeakSet()


def close_in_children(owner: Inherited) -> None:
    """Makes every forked child call `owner.close_in_child()` first."""
    _kept.add(owner)


def _in_child() -> None:
    for owner in list(_kept):
        owner.close_in_child()
    _kept.clear()


os.register_at_fork(after_in_child=_in_child)
