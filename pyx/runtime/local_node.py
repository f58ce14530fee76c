"""The node of this OS process, and its parts: one kernel, one lock, threads, timers, the network.

    kernel, dispatch    the decisions, and the way to them (`core`, `dispatch.py`)
    effects             what each effect of the kernel does (`effect_handlers.py`)
    sending, receiving  messages on their way out, and a mailbox read
    processes           how processes start and end (`lifecycle.py`)
    transport           the network side, while the node has a name (`transport.py`)

Each part holds the parts that it uses; none holds the node.
"""

from __future__ import annotations

import _thread
import os
import socket
from typing import TYPE_CHECKING, Final

from pyx.core.kernel import Kernel
from pyx.core.peers import BEAM
from pyx.core.tables import NO_NODE
from pyx.execution.context import current
from pyx.execution.interrupts import forget_pending, forget_pending_handlers
from pyx.execution.loop_thread import LoopThread
from pyx.execution.tasks import ProcessLoop
from pyx.execution.thread_pool import Pool
from pyx.execution.thread_state import thread
from pyx.runtime.dispatch import Dispatch
from pyx.runtime.effect_handlers import EffectHandlers
from pyx.runtime.lifecycle import Lifecycle
from pyx.runtime.node_console import NodeConsole
from pyx.runtime.rate_limited_log import RateLimitedLog
from pyx.runtime.receiving import Receiving
from pyx.runtime.sending import Sending
from pyx.runtime.timers import Timers
from pyx.terms import full_name, host_of, short_host, sort_this_node_as

if TYPE_CHECKING:
    from pyx.execution.runner import Runner
    from pyx.runtime.transport import Transport
    from pyx.terms import Pid


_KNOWN_NAMES: Final = 1000
"""Number of node names whose full form is kept."""


class LocalNode:
    """One node: usually the only one of its OS process (tests make several)."""

    def __init__(self) -> None:
        self.kernel = Kernel()
        self.transport_loop = LoopThread("pyx-transport", runs_transport=True)
        self.dispatch = Dispatch(self.kernel, self.transport_loop)
        self.kernel_call = self.dispatch.kernel_call
        self.pool = Pool()
        self.tasks = ProcessLoop(self.transport_loop.later)
        self.limited_log = RateLimitedLog(self.transport_loop.later)
        """For lines that peers can cause at will."""
        self.output = NodeConsole(self.kernel.tables.console)
        self.sending = Sending(self.dispatch, self.tasks)
        self.receiving = Receiving(self.dispatch, self.tasks, self.limited_log)
        self.processes = Lifecycle(self, self.dispatch, self.sending, self.pool, self.tasks)
        self.timers = Timers(self.dispatch)
        self.effects = EffectHandlers(
            self.dispatch, self.processes, self.sending, self.pool, self.output, self.limited_log
        )
        self.transport: Transport | None = None
        """The network side, while this node has a name."""
        self.speaks_with_erlang = False
        """True for a node that is started with `--beam`."""
        self.cluster_counts: dict[str, int] = {}
        """What the clusters of this node have done so far (`pyx.cluster`), by counter."""
        self.seeded: Pid | None = None
        """The process that follows the seeds, if this node has some."""
        self._full_names: dict[tuple[str, str], str] = {}
        """By a name that was given and this node's own: that name in full."""
        self.hosts_are_one = False
        """The nodes of all hosts, with short names and long ones, are found on this one: in a scenario."""
        self.changing = _thread.allocate_lock()
        """Held while the node gets its name or gives it up."""

    @property
    def host(self) -> str:
        """The host part of this node's name; without one, this host's short name."""
        return host_of(self.kernel.tables.name) or short_host(socket.gethostname())

    def full_name(self, name: str) -> str:
        """Returns a checked node name; a bare first part gets this node's host (raises NodeNameInvalid)."""
        tables = self.kernel.tables
        own_name = tables.name
        if type(name) is str:
            if name in tables.peers:
                return name
            known = self._full_names.get((name, own_name))
            if known is not None:
                return known
        complete = full_name(name, self.host)
        if own_name:  # else the host's name decides, which may change
            if len(self._full_names) >= _KNOWN_NAMES:
                self._full_names.clear()
            self._full_names[name, own_name] = complete
        return complete

    @property
    def max_message_bytes(self) -> int:
        """The longest message that leaves a process here, and that is accepted from other nodes."""
        return self.sending.max_message_bytes

    def is_erlang(self, node: str) -> bool:
        """Returns True for an Erlang node that is connected."""
        peer = self.kernel.tables.peers.get(node)
        return peer is not None and peer.dialect == BEAM

    def reaches(self, node: str) -> bool:
        """Returns True for this node ("" or its name) and for one that is connected."""
        peer = self.kernel.tables.peers.get(node)
        return self.kernel.tables.is_here(node) or (peer is not None and peer.state == "up")

    def use_transport(self, transport: Transport | None) -> None:
        """Has the kernel's dials made by *transport*; None when the node gives up its name."""
        self.transport = self.effects.dial_watcher = transport
        self.speaks_with_erlang = transport is not None and transport.speaks_with_erlang

    # ------------------------------------------------------------ the `Host` of its processes

    def flush(self, runner: Runner) -> None:
        """Writes what the process has queued for other nodes since it waited last."""
        self.dispatch.flush(runner)

    def print_lines(self, runner: Runner, *, everything: bool = False) -> None:
        """Sends the lines that the process has printed; with *everything* the unfinished one too."""
        self.sending.print_lines(runner, everything=everything)


_node: LocalNode | None = None
_making = _thread.allocate_lock()


def this_node() -> LocalNode:
    """Returns the node of the current process, else of this OS process (made when first asked for)."""
    runner = current.get()
    if runner is not None:
        return runner.node  # type: ignore[return-value] # as `node_of`, a call less for each message
    node = _node
    return node if node is not None else _make()


def node_of(runner: Runner) -> LocalNode:
    """Returns the node that a process runs on."""
    return runner.node  # type: ignore[return-value] # always a LocalNode; `execution` knows a `Host`


def _make() -> LocalNode:
    global _node
    node = LocalNode()  # outside the lock: a finalizer that runs meanwhile may ask for the node too
    with _making:
        if _node is None:
            _node = node
        return _node


def _forget_after_fork() -> None:
    """Leaves a forked child without a node: the threads are not there, and the name is the parent's."""
    global _node, _making
    if _node is not None:
        _node.dispatch.was_forked()
    _node = None  # its descriptors are closed by net/forks.py
    sort_this_node_as(NO_NODE, 0)
    _making = _thread.allocate_lock()
    current.set(None)
    thread.state.inside = False
    thread.state.is_main = True
    forget_pending()
    forget_pending_handlers()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
