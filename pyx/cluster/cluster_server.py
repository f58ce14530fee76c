"""The process of a cluster: carries out what the machine of `topology.py` decides.

Its strategies are processes that are linked to it.  It learns of connections by `nodeup` and `nodedown`, and
by `list_nodes` whenever something has happened.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import random
import time
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from pyx.cluster import cluster_log
from pyx.cluster.dialling import dial, is_refusal
from pyx.cluster.search import SEARCH_ENDED, SEARCH_FAILED, SIGHTED, search, sentence_of
from pyx.cluster.topology import BeginSearch, DialFound, Prune, Topology
from pyx.errors import ProcessKilled
from pyx.execution.context import current
from pyx.nodes import Node
from pyx.otp.genserver import GenServer
from pyx.otp.handle import handle
from pyx.otp.results import NoReply
from pyx.primitives import self as own_pid
from pyx.primitives import spawn_link
from pyx.process import Process
from pyx.runtime.local_node import this_node
from pyx.terms import Pid

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from pyx.cluster.configuration import ConfiguredTopology
    from pyx.otp.protocol import From
    from pyx.terms import Ref

_LOOK: Final = "$look"
"""The message of the timer."""

_DIALLED: Final = "$dialled"

POLL_SECONDS: Final = 5.0
"""How often the connected nodes are listed where `nodeup` does not tell of all: `list_nodes` was given, or a
node is hidden."""

LONGEST_WAIT: Final = 86_400 * 365
"""Seconds."""


class Hooks(NamedTuple):
    """The functions that a cluster connects by; None: pyx's own.  A `def` is called on another thread."""

    connect: Callable[[str], Any] | None = None
    disconnect: Callable[[str], Any] | None = None
    list_nodes: Callable[[], Any] | None = None


class _Waiter(NamedTuple):
    """A caller of `Cluster.wait`."""

    number: int
    until: float
    frm: From


class ClusterServer(GenServer):
    """The `GenServer` of a cluster."""

    __behaviour__: ClassVar[str] = "Cluster"
    __asks_origin__: ClassVar[bool] = True

    async def init(self, topologies: Sequence[ConfiguredTopology], hooks: Hooks) -> None:
        """Begins all searches."""
        here = this_node()
        self._here = here
        self._name = here.kernel.tables.name
        self._hooks = hooks
        self._configured = {topology.name: topology for topology in topologies}
        prunes = {topology.name: topology.prune for topology in topologies}
        self._topology = Topology(prunes, self._name, here.cluster_counts)
        self._searches: dict[Pid, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiters: list[_Waiter] = []
        self._timer: Ref | None = None
        Process.flag("trap_exit", True)
        Node.monitor_nodes(True)
        await self._look()

    @handle.call(raises=(ValueError,))
    async def wait(self, number: int, seconds: float) -> list[str]:
        """Replies with the nodes that are there once they are *number*, or after *seconds*."""
        if not (type(number) is int and type(seconds) is float and 0 <= seconds <= LONGEST_WAIT):
            msg = f"a cluster waits for a number of nodes, for 0 to {LONGEST_WAIT:,} s"
            raise ValueError(msg)
        self._waiters.append(_Waiter(number, time.monotonic() + seconds, self.frm))
        await self._look()
        return NoReply()

    @handle.call
    def info(self) -> dict[str, Any]:
        """Replies with what `Cluster.info` shows."""
        facts = self._topology.facts()
        for name, about in facts["topologies"].items():
            about["strategy"] = self._configured[name].kind
        return facts

    async def handle_info(self, message: Any) -> None:
        """Follows what strategies have found, connections that come and go, dials that end, and the timer."""
        if self.origin is not None:
            return  # no other node says what is found here
        now, jitter = time.monotonic(), random.random()  # noqa: S311 - spreads retries
        match message:
            case (str(word), str(name), list(nodes), bool(whole), str(problem)) if word == SIGHTED:
                if self._topology.sighted(name, nodes, now, whole=whole, problem=problem):
                    cluster_log.search_failed(name, self._topology.reason(name))
            case (str(word), str(name), str(reason)) if word == SEARCH_FAILED:
                self._failed(name, reason, now, jitter)
            case (str(word), str(name)) if word == SEARCH_ENDED:
                self._searches = {pid: one for pid, one in self._searches.items() if one != name}
                self._topology.search_ended(name)
            case (str(word), str(node), reason, str(topology)) if word == _DIALLED:
                await self._look_at_nodes()
                refused = is_refusal(node, reason)
                if self._topology.dialled(node, reason, now, jitter, refused=refused):
                    cluster_log.not_connected(topology, node, self._topology.dial_reason(node))
            case ("EXIT", Pid() as pid, reason):
                ended = self._searches.pop(pid, None)
                if ended is not None and reason != "normal":
                    self._failed(ended, f"its process was ended ({reason})", now, jitter)
        await self._look()

    def terminate(self, reason: Any) -> None:  # noqa: ARG002 - OTP's callback
        """Ends the searches: a link tells nothing of a planned end."""
        for search_pid in self._searches:
            Process.exit(search_pid, "kill")

    def __getstate__(self) -> dict[str, Any]:
        """Returns what `Sys.get_state` shows."""
        return self._topology.facts()

    # ------------------------------------------------------------ what follows

    def _failed(self, name: str, reason: str, now: float, jitter: float) -> None:
        self._searches = {pid: one for pid, one in self._searches.items() if one != name}
        if self._topology.search_failed(name, reason, now, jitter):
            cluster_log.search_failed(name, reason)

    async def _look(self) -> None:
        """Lists the nodes, does what is due, answers those who wait, and sets the timer."""
        await self._look_at_nodes()
        for action in self._topology.due(time.monotonic()):
            match action:
                case BeginSearch(topology=name):
                    self._begin_search(name)
                case DialFound(node=node, topology=name):
                    self._keep(self._dial(node, name))
                case Prune(node=node, topology=name):
                    cluster_log.pruned(name, node)
                    self._keep(self._disconnect(node))
        now = time.monotonic()
        nodes = self._topology.nodes
        for waiter in list(self._waiters):
            if len(nodes) >= waiter.number or waiter.until <= now:
                self._waiters.remove(waiter)
                GenServer.reply(waiter.frm, nodes)
        self._set_timer(now)

    def _set_timer(self, now: float) -> None:
        if self._timer is not None:
            Process.cancel_timer(self._timer)
        ats = [waiter.until for waiter in self._waiters]
        if (due := self._topology.next_due()) is not None:
            ats.append(due)
        if self._hooks.list_nodes is not None or self._here.kernel.tables.hidden:
            ats.append(now + POLL_SECONDS)
        self._timer = Process.send_after(own_pid(), _LOOK, max(0.0, min(ats) - now)) if ats else None

    async def _look_at_nodes(self) -> None:
        nodes = await self._nodes()
        if nodes is None:
            return
        now, jitter = time.monotonic(), random.random()  # noqa: S311 - spreads retries
        hidden = Node.list("hidden") if self._hooks.list_nodes is None else []
        come, gone = self._topology.connected(nodes, now, jitter, hidden=hidden)
        for node in come:
            cluster_log.connected(self._topology.finder(node), node)
            if node in hidden:
                Node.monitor(node, True)  # there is no other word of the loss of a hidden node
        for node in gone:
            cluster_log.lost(self._topology.finder(node), node)

    def _begin_search(self, name: str) -> None:
        cluster, topology, here = own_pid(), self._configured[name], self._name

        async def search_for_nodes() -> None:
            await search(cluster, topology, here)

        self._searches[spawn_link(search_for_nodes)] = name

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(_until_killed(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ------------------------------------------------------------ by the hooks, or by pyx

    async def _nodes(self) -> list[str] | None:
        """Returns the connected nodes; None where they cannot be listed."""
        if self._hooks.list_nodes is None:
            return Node.list("connected")
        try:
            return [self._here.full_name(node) for node in await _called(self._hooks.list_nodes)]
        except Exception as error:  # the user's function
            cluster_log.hook_failed("list_nodes", sentence_of(error))
            return None

    async def _dial(self, node: str, topology: str) -> None:
        reason: str | None
        if self._hooks.connect is None:
            reason = await dial(self._here, node)
        else:
            try:
                answer = await _called(self._hooks.connect, node)
                reason = None if answer is True else f"connect() returned {answer!r}"
            except Exception as error:  # the user's function
                reason = sentence_of(error)
        self._here.sending.send_unless_busy(own_pid(), (_DIALLED, node, reason, topology))

    async def _disconnect(self, node: str) -> None:
        try:
            if self._hooks.disconnect is None:
                Node.disconnect(node)
            else:
                await _called(self._hooks.disconnect, node)
        except Exception as error:  # the user's function
            cluster_log.hook_failed("disconnect", sentence_of(error))


async def _until_killed(work: Coroutine[Any, Any, None]) -> None:
    """Runs a task of the process: killed with it, it has nothing to tell."""
    with contextlib.suppress(ProcessKilled):
        await work


async def _called(function: Callable[..., Any], *args: Any) -> Any:
    """Calls a function of the user's: a `def` on another thread, outside of this process."""
    if inspect.iscoroutinefunction(function):
        return await function(*args)

    def outside() -> Any:
        current.set(None)  # of the thread's copy of the context
        try:
            return function(*args)
        except StopIteration as error:  # a future cannot bear it
            msg = "StopIteration"
            raise RuntimeError(msg) from error

    return await asyncio.to_thread(outside)
