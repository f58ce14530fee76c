"""The node of this OS process: one kernel, one lock, and what carries the kernel's decisions out.

The top layer, and the door to the others: `dispatch.py` (into the kernel), `effect_handlers.py` (its
effects), `sending.py` (messages).  Not here: decisions (`core`), sockets (`transport.py`), the lives of
processes (`lifecycle.py`), what the faces look like.
"""

from __future__ import annotations

import _thread
import os
import socket

from pyx.execution import context, thread_state
from pyx.execution.interrupts import forget_pending, forget_pending_handlers
from pyx.runtime.current_node import node_of
from pyx.runtime.lifecycle import Lifecycle
from pyx.runtime.sending import Sending
from pyx.runtime.timers import Timers
from pyx.terms import full_name, host_of, short_host


class LocalNode(Sending):
    """One node: usually the only one of its OS process (tests make several)."""

    def __init__(self) -> None:
        super().__init__()
        self.processes = Lifecycle(self)
        self.timers = Timers(self)
        self.hosts_are_one = False
        """The nodes of all hosts, with short names and long ones, are found on this one: in a scenario."""
        self.changing = _thread.allocate_lock()
        """Held while the node gets its name or gives it up."""

    @property
    def host(self) -> str:
        """The host part of this node's name; without one, this host's short name."""
        return host_of(self.kernel.name) or short_host(socket.gethostname())

    def full_name(self, name: str) -> str:
        """A checked node name; a bare first part gets this node's host (raises NodeNameInvalid)."""
        return full_name(name, self.host)


_node: LocalNode | None = None
_making = _thread.allocate_lock()


def this_node() -> LocalNode:
    """The node of the current process, else of this OS process (made when first asked for)."""
    runner = context.current.get()
    if runner is not None:
        return node_of(runner)
    node = _node
    return node if node is not None else _make()


def _make() -> LocalNode:
    global _node
    node = LocalNode()  # outside the lock: a finalizer that runs meanwhile may ask for the node too
    with _making:
        if _node is None:
            _node = node
        return _node


def _forget_after_fork() -> None:
    """A forked child is not a node: it has none of the threads, and must not hold the parent's name."""
    global _node, _making
    if _node is not None:
        _node.was_forked()
    _node = None  # its descriptors are closed by net/forks.py
    _making = _thread.allocate_lock()
    context.current.set(None)
    thread_state.thread.state.inside = False
    thread_state.thread.state.is_main = True
    forget_pending()
    forget_pending_handlers()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
