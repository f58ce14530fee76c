"""Node: this node's name, and the others: ping, connect, list, spawn there.

Every function follows Elixir's `Node` module.  A failure of a peer is a value (`"pang"`, `False`), a misuse
an exception.  Not here: calls with a result (`rpc`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyx.core.tables import NO_NODE
from pyx.errors import NodeNotAlive
from pyx.execution import context
from pyx.options import NodeOptions, takes_options
from pyx.runtime import node_requests, start_stop
from pyx.runtime.arguments import checked_choice
from pyx.runtime.local_node import node_of, this_node
from pyx.runtime.request import wait

if TYPE_CHECKING:
    import builtins

    from pyx.net.cookie import Cookie
    from pyx.terms import Pid, Ref

__all__ = ["Node"]


class Node:
    """Functions about nodes; never instantiated."""

    # ------------------------------------------------------------ this node

    @staticmethod
    def self() -> str:
        """The name of this node; `"nonode@nohost"` without one."""
        return this_node().kernel.tables.name or NO_NODE

    @staticmethod
    def is_alive() -> bool:
        """True if this process is a node with a name, so others can reach it."""
        return bool(this_node().kernel.tables.name)

    @staticmethod
    @takes_options(NodeOptions)
    def start(options: NodeOptions) -> str:
        """Makes this process a node and returns its full name; any Python program may.

        The name is `"billing"`, completed with this host's name, or `"billing@host"`.  Such a node is reached
        from this host only.  With *long* it is reached from other hosts as well, over TCP and TLS, and its
        name is `"billing@10.0.0.5"` or `"billing@host.example"`.  The two kinds do not connect to each other.

        Raises:
            NodeNameInvalid, NameTaken, AlreadyStarted, CookieUnsafe, RuntimeDirectoryUnsafe.
            PyxError: the cookie is empty or cannot be read, this user has no home, the address cannot be
                listened on, there is no EPMD; the hint says what to do.
        """
        return start_stop.start(this_node(), options)

    @staticmethod
    def stop() -> bool:
        """Says goodbye to all peers and gives the name up; processes live on.  False without a name.

        First the peers take what is queued for them: as long as any of them takes something, and 5 s without
        that.  What is dropped then is logged as a warning with the node and the bytes.
        """
        return start_stop.stop(this_node())

    @staticmethod
    def info() -> dict[str, Any]:
        """Facts about this node: name, connections, processes, threads that outlive their process.

        `queued_bytes` is what waits for each node that takes too little.  `loop_lag` is how late the
        transport's loop was at worst in the last minute, in seconds.  `dying_threads` counts the dead
        processes whose code still runs; `stuck` lists, as `(pid, place)`, those that run 5 s after their end.
        """
        return start_stop.info(this_node())

    @staticmethod
    def get_cookie() -> Cookie | None:
        """The cookie in force; its repr shows a fingerprint only.  None without a name."""
        transport = this_node().transport
        return transport.cookie if transport is not None else None

    @staticmethod
    def set_cookie(*args: str) -> bool:
        """`set_cookie(cookie)` for this node, `set_cookie(node, cookie)` towards one; returns True.

        Connections that stand are left alone, as in Erlang.

        Raises:
            NodeNotAlive: this process is no node.
            PyxError: the cookie cannot be one.
        """
        node = this_node()
        if node.transport is None:
            raise NodeNotAlive("set a cookie")
        if len(args) not in {1, 2} or not all(type(one) is str and one for one in args):
            msg = "Node.set_cookie takes a cookie, or a node and a cookie, all of them str and not empty"
            raise TypeError(msg)
        peer = node.full_name(args[0]) if len(args) == 2 else None
        node.transport.set_cookie(args[-1], peer)
        return True

    # ------------------------------------------------------------ the others

    @staticmethod
    def list(*kinds: str | builtins.list[str]) -> builtins.list[str]:
        """The connected nodes, sorted.

        Args:
            kinds: `"visible"` (the default), `"hidden"`, `"connected"` (both), `"this"`, `"known"` (those
                met lately, 4096 at most); several, or a list of them as in IEx, give the union.

        Raises:
            ValueError: an unknown kind; the sentence lists them.
        """
        given = kinds or ("visible",)
        wanted = [one for kind in given for one in (kind if isinstance(kind, list) else [kind])]
        with this_node().kernel_call as kernel:
            return kernel.membership.nodes(wanted)

    @staticmethod
    def ping(node: str) -> str:
        """`"pong"` if the node answers (connecting to it first if need be), else `"pang"`, within 5 s.

        Why it is "pang" is logged here.
        """
        return wait("Node.ping", node_requests.ping(node))

    @staticmethod
    def connect(node: str) -> bool | str:
        """True if connected (now or already), False if that failed, `"ignored"` if this process is no node.

        Joining one member joins the whole mesh.  Why it is False is logged here.
        """
        return wait("Node.connect", node_requests.connect(node))

    @staticmethod
    def disconnect(node: str) -> bool | str:
        """Ends the connection to one node (and no other: Differs from IEx); True if there was one."""
        here = this_node()
        if not here.kernel.tables.name:
            return "ignored"
        full = here.full_name(node)
        with here.kernel_call as kernel:
            return kernel.mesh.disconnect(full)

    @staticmethod
    def spawn(node: str, module: Any, *rest: Any) -> Pid:
        """Starts a process on *node* and returns its pid; it prints here.

        `Node.spawn(node, module, "function", [args])` or `Node.spawn(node, function, [args])`, where the
        function is sent by name.  A node that cannot be reached gives a dead pid and a warning in the log, as
        in IEx.
        """
        return wait("Node.spawn", node_requests.spawn(node, module, rest))[0]

    @staticmethod
    def spawn_link(node: str, module: Any, *rest: Any) -> Pid:
        """`Node.spawn`, linked to the caller: a node that cannot be reached is an exit `"noconnection"`."""
        context.require("Node.spawn_link()")
        return wait("Node.spawn_link", node_requests.spawn(node, module, rest, link=True))[0]

    @staticmethod
    def spawn_monitor(node: str, module: Any, *rest: Any) -> tuple[Pid, Ref]:
        """`Node.spawn`, monitored by the caller."""
        context.require("Node.spawn_monitor()")
        pid, ref = wait("Node.spawn_monitor", node_requests.spawn(node, module, rest, monitor=True))
        assert ref is not None
        return pid, ref

    @staticmethod
    def monitor(node: str, on: bool) -> bool:
        """Asks for one `("nodedown", node)` (or takes one such wish back); wishes stack.  Returns True.

        Raises:
            NodeNotAlive: this process is no node.
        """
        runner = context.require("Node.monitor()")
        here = node_of(runner)
        if not here.kernel.tables.name:
            raise NodeNotAlive("monitor a node")
        full, on = here.full_name(node), checked_choice(on)
        with here.kernel_call as kernel:
            kernel.membership.monitor_node(runner.process, full, on)
        return True

    @staticmethod
    def monitor_nodes(on: bool) -> bool:
        """Asks for `("nodeup", node)` and `("nodedown", node)` of all visible nodes, or ends that."""
        runner = context.require("Node.monitor_nodes()")
        on = checked_choice(on)
        with node_of(runner).kernel_call as kernel:
            kernel.membership.monitor_nodes(runner.process, on)
        return True
