"""`Node`: the functions of Elixir's module `Node`, for this node and for others; and Elixir's `node`.

A failure of a peer is a value (`"pang"`, `False`); a misuse is an exception.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, ParamSpec, overload

from pyx.core.mailbox import NodeInterest
from pyx.core.tables import NO_NODE
from pyx.errors import NodeNotAlive
from pyx.execution import context
from pyx.options import NodeOptions, parse_tick, takes_options
from pyx.runtime import node_requests, start_stop
from pyx.runtime.arguments import checked_choice
from pyx.runtime.local_node import node_of, this_node
from pyx.runtime.request import wait
from pyx.terms import Pid, Ref

if TYPE_CHECKING:
    import builtins
    from collections.abc import Callable, Mapping, Sequence
    from types import ModuleType

    from pyx.erlang_terms import Port
    from pyx.net.cookie import Cookie

__all__ = ["Node", "node"]

P = ParamSpec("P")


def node(thing: Pid | Ref | Port | None = None, /) -> str:
    """Returns the name of the node of a pid, a reference or a port; without an argument that of this node.

    As `Node.self`, it is `"nonode@nohost"` without a name.

    Raises:
        TypeError: *thing* is something else.
    """
    if thing is not None and type(thing) is not Pid and type(thing) is not Ref:
        from pyx.erlang_terms import Port  # in messages of Erlang nodes alone

        if type(thing) is not Port:
            msg = f"node() takes a pid, a reference or a port, not {thing!r}"
            raise TypeError(msg)
    return (thing.node if thing is not None else "") or Node.self()


class Node:
    """Functions about nodes: start and stop this one; ping, connect and list others; spawn there.

    The class is a namespace and is never instantiated.
    """

    # ------------------------------------------------------------ this node

    @staticmethod
    def self() -> str:
        """Returns the name of this node; `"nonode@nohost"` without one."""
        return this_node().kernel.tables.name or NO_NODE

    @staticmethod
    def is_alive() -> bool:
        """Returns True if this node has a name, so that other nodes can connect to it."""
        return bool(this_node().kernel.tables.name)

    @staticmethod
    @takes_options(NodeOptions)
    def start(options: NodeOptions) -> str:
        """Makes this OS process a named node and returns its full name.

        The name is `"billing"`, which is completed with the name of this host, or `"billing@host"`; other
        nodes of this host can connect to it.  With *long* nodes of other hosts can, over TCP and TLS, and the
        name is `"billing@10.0.0.5"` or `"billing@host.example"`.  The two kinds do not connect to each other.

        Raises:
            NodeNameInvalid, NameTaken, AlreadyStarted, CookieUnsafe, RuntimeDirectoryUnsafe.
            PyxError: the cookie is empty or cannot be read, this user has no home directory, the address
                cannot be listened on, there is no EPMD; the hint says what to do.
        """
        return start_stop.start_in_program(this_node(), options)

    @staticmethod
    def stop() -> bool:
        """Closes all connections and gives up the name; processes go on.  Returns False without a name.

        Messages that are queued for peers are sent first, while any peer accepts data, and for 5 s after the
        last one did.  Bytes that are dropped then are logged as a warning, for each node.
        """
        return start_stop.stop(this_node())

    @staticmethod
    def info() -> dict[str, Any]:
        """Returns facts about this node: name, connections, processes, threads that outlive their process.

        `erlang_nodes` are the connected nodes that speak Erlang's protocol (`beam`).
        `queued_bytes` is a dict from each node with queued messages to their bytes.  `loop_lag` is the worst
        delay of the transport's event loop in the last minute, in seconds.  `dying_threads` counts the dead
        processes whose code still runs; `stuck` lists, as `(pid, place)`, those that run 5 s after their end.
        `cluster` counts what the clusters of this node have done (`Cluster`); empty without one.
        """
        return start_stop.info(this_node())

    @staticmethod
    def get_cookie() -> Cookie | None:
        """Returns the cookie of this node, whose repr shows a fingerprint only; None without a name."""
        transport = this_node().transport
        return transport.cookies.cookie if transport is not None else None

    @staticmethod
    def set_cookie(*args: str) -> bool:
        """Sets the cookie of this node, `set_cookie(cookie)`, or for one peer, `set_cookie(node, cookie)`.

        Established connections are kept, as in Erlang.  Returns True.

        Raises:
            NodeNotAlive: this node has no name.
            PyxError: the text is not a valid cookie.
            TypeError: an argument is not a str, or is empty.
        """
        node = this_node()
        if node.transport is None:
            raise NodeNotAlive("set a cookie")
        if len(args) not in {1, 2} or not all(type(one) is str and one for one in args):
            msg = "Node.set_cookie takes a cookie, or a node and a cookie, as str that are not empty"
            raise TypeError(msg)
        peer = node.full_name(args[0]) if len(args) == 2 else None
        node.transport.cookies.set(args[-1], peer)
        return True

    @staticmethod
    def get_net_ticktime() -> float | str:
        """Returns the seconds after which a silent peer is given up (`--tick`); unnamed `"ignored"`."""
        here = this_node()
        return here.kernel.sessions.tick_seconds if here.kernel.tables.name else "ignored"

    @staticmethod
    def set_net_ticktime(seconds: float) -> str:
        """Changes the time after which a silent peer is given up, as Erlang's `:net_kernel`, at once.

        Nodes with different times may be connected: a node asks a peer that ticks more slowly.

        Args:
            seconds: from 0.1 to 86400.

        Returns:
            `"change_initiated"`; or `"unchanged"`, as it is that already.

        Raises:
            NodeNotAlive: this node has no name.
            ValueError: *seconds* is out of range.
            TypeError: *seconds* is not a number.
        """
        here = this_node()
        if type(seconds) not in {int, float}:
            msg = f"a tick time is a number of seconds, not {seconds!r}"
            raise TypeError(msg)
        tick = parse_tick(str(seconds))
        if here.transport is None:
            raise NodeNotAlive("change the tick time")
        with here.kernel_call as kernel:
            before, kernel.sessions.tick_seconds = kernel.sessions.tick_seconds, tick
        if before == tick:
            return "unchanged"
        here.transport.change_tick(tick / 4)
        return "change_initiated"

    # ------------------------------------------------------------ the others

    @staticmethod
    def list(*kinds: str | builtins.list[str]) -> builtins.list[str]:
        """Returns the names of the connected nodes, sorted.

        Args:
            kinds: `"visible"` (the default), `"hidden"`, `"connected"` (both), `"this"`, `"known"` (the
                latest 4096 that were connected or dialled); several, or a list of them as in IEx, are united.

        Raises:
            ValueError: an unknown kind; the text lists the known ones.
        """
        given = kinds or ("visible",)
        wanted = [one for kind in given for one in (kind if isinstance(kind, list) else [kind])]
        with this_node().kernel_call as kernel:
            return kernel.membership.nodes(wanted)

    @staticmethod
    def ping(node: str) -> str:
        """Connects to a node if necessary; returns `"pong"` if it answers within 5 s, else `"pang"`.

        The reason of a `"pang"` is logged on this node.

        Raises:
            NodeNameInvalid: *node* is not a node name.
            WouldBlock: the thread runs an event loop (use `await aio.Node.ping()`).
        """
        return wait("Node.ping", node_requests.ping(node))

    @staticmethod
    def connect(node: str) -> bool | str:
        """Connects to a node, and by it to its whole mesh.

        Returns:
            True if the node is connected, now or already; False if it cannot be reached, and the reason is
            logged; `"ignored"` if this node has no name.

        Raises:
            NodeNameInvalid: *node* is not a node name.
            WouldBlock: the thread runs an event loop (use `await aio.Node.connect()`).
        """
        return wait("Node.connect", node_requests.connect(node))

    @staticmethod
    def disconnect(node: str) -> bool | str:
        """Closes the connection to a node; returns True if there was one, `"ignored"` without a name.

        Differs from IEx: no other connection of the mesh is closed.
        """
        here = this_node()
        if not here.kernel.tables.name:
            return "ignored"
        full = here.full_name(node)
        with here.kernel_call as kernel:
            return kernel.sessions.disconnect(full)

    @overload
    @staticmethod
    def spawn(node: str, function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> Pid: ...
    @overload
    @staticmethod
    def spawn(
        node: str,
        module: ModuleType | str,
        /,
        function: str,
        args: Sequence[Any] = (),
        *,
        kwargs: Mapping[str, Any] | None = None,
    ) -> Pid: ...
    @staticmethod
    def spawn(node: str, target: Any, /, *args: Any, **kwargs: Any) -> Pid:
        """Starts a process on *node* and returns its pid; its output appears at this node.

        On a node that is a program (`Node.start`) it prints where the program prints.

        There are two forms: `Node.spawn(node, function, *args, **kwargs)`, where all that follows the
        function is its own, and `Node.spawn(node, module, "function", [args], kwargs={})`.

        Args:
            node: a node name; this node itself is allowed.
            target: a function, sent by name or as source; or a module, or its name.
            args: data.  After a module the name of its function, and a list.
            kwargs: data, by name; after a module `kwargs`, a dict.

        Returns:
            The pid; a dead one, and a warning in the log, if the node cannot be reached, as in IEx.

        Raises:
            RpcRefused: the rpc policy of that node forbids it.
            EncodeError: an argument is not data, or the function cannot be sent.
            WouldBlock: the thread runs an event loop (use `await aio.Node.spawn()`).
        """
        return wait("Node.spawn", node_requests.spawn(node, target, args, kwargs))[0]

    @overload
    @staticmethod
    def spawn_link(node: str, function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> Pid: ...
    @overload
    @staticmethod
    def spawn_link(
        node: str,
        module: ModuleType | str,
        /,
        function: str,
        args: Sequence[Any] = (),
        *,
        kwargs: Mapping[str, Any] | None = None,
    ) -> Pid: ...
    @staticmethod
    def spawn_link(node: str, target: Any, /, *args: Any, **kwargs: Any) -> Pid:
        """Starts a process on *node*, linked to the caller; see `Node.spawn`.

        If the node cannot be reached, the caller gets an exit signal with reason `"noconnection"`.
        """
        context.require("Node.spawn_link()")
        return wait("Node.spawn_link", node_requests.spawn(node, target, args, kwargs, link=True))[0]

    @overload
    @staticmethod
    def spawn_monitor(
        node: str, function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs
    ) -> tuple[Pid, Ref]: ...
    @overload
    @staticmethod
    def spawn_monitor(
        node: str,
        module: ModuleType | str,
        /,
        function: str,
        args: Sequence[Any] = (),
        *,
        kwargs: Mapping[str, Any] | None = None,
    ) -> tuple[Pid, Ref]: ...
    @staticmethod
    def spawn_monitor(node: str, target: Any, /, *args: Any, **kwargs: Any) -> tuple[Pid, Ref]:
        """Starts a process on *node*, monitored by the caller; returns (pid, ref).  See `Node.spawn`."""
        context.require("Node.spawn_monitor()")
        pid, ref = wait("Node.spawn_monitor", node_requests.spawn(node, target, args, kwargs, monitor=True))
        assert ref is not None
        return pid, ref

    @staticmethod
    def monitor(node: str, on: bool) -> bool:
        """Has the caller receive one `("nodedown", node)` when the connection to *node* ends; returns True.

        Each call with True asks for one message more; each call with False takes one back.

        Raises:
            NodeNotAlive: this node has no name.
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
    def monitor_nodes(
        on: bool, *, node_type: Literal["visible", "hidden", "all"] = "visible", reasons: bool = False
    ) -> bool:
        """Has the caller receive `("nodeup", node)` and `("nodedown", node)` of nodes, or not; returns True.

        With *reasons* the messages are `("nodeup", node, {"node_type": "visible"})` and `("nodedown", node,
        {"node_type": "visible", "nodedown_reason": "connection_closed"})`.  The reasons are OTP's:
        `"connection_closed"` (the other node ended, left or broke off), `"net_tick_timeout"` (it was silent
        for too long), `"disconnect"` (`Node.disconnect` here) and `"net_kernel_terminated"` (`Node.stop`
        here).

        Each combination of the options is a request of its own, which the same call with False takes back.
        Differs from IEx: the same call again asks for nothing more.

        Args:
            on: True to receive them, False to stop.
            node_type: which nodes; `"hidden"` ones are those of `--hidden`, and Erlang nodes.
            reasons: whether the messages have the facts above.

        Raises:
            ValueError: *node_type* is another value.
        """
        runner = context.require("Node.monitor_nodes()")
        if node_type not in {"visible", "hidden", "all"}:
            msg = f"node_type is 'visible', 'hidden' or 'all', not {node_type!r}"
            raise ValueError(msg)
        on, interest = checked_choice(on), NodeInterest(node_type, checked_choice(reasons))
        with node_of(runner).kernel_call as kernel:
            kernel.membership.monitor_nodes(runner.process, on, interest)
        return True
