"""`pg`: groups of processes that all visible nodes see, as OTP's module `pg`.

Members of a group are processes of any node; each node owns its own.  See `core/groups.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyx.atoms import as_texts
from pyx.errors import AlreadyReceiving, NoProcess
from pyx.execution.context import require
from pyx.otp.key_errors import NotLocal
from pyx.otp.named_spaces import SCOPE, key_bytes, key_of, space_name, start_owner
from pyx.runtime.arguments import checked_pid, checked_ref
from pyx.runtime.encoding import encoded
from pyx.runtime.local_node import node_of, this_node
from pyx.runtime.request import wait
from pyx.runtime.sending import SendingCall
from pyx.signals import Payload

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pyx.core.kernel import Kernel
    from pyx.core.processes import ProcessRecord
    from pyx.core.spaces import Space
    from pyx.runtime.local_node import LocalNode
    from pyx.terms import Pid, Ref

__all__ = ["pg"]

DEFAULT_SCOPE: Final = "pg"
"""The scope that is always there."""

_NO_VALUE: Final = Payload(b"")
"""That of the members of a group without an atom in its name; else it is that name, for Erlang nodes."""


class pg:  # noqa: N801 - OTP's name
    """Groups of processes, on all visible nodes; a namespace, never instantiated.

        pg.join("printers", self())
        for pid in pg.get_members("printers"): send(pid, "print")    # of all nodes
        ref, members = pg.monitor("printers")          # then (ref, "join" | "leave", "printers", [pid])

    A group is any hashable data; `1` and `1.0` are two groups, `"room"` and `Atom("room")` are one.  It is
    there while it has members.  A scope is a world of groups of its own; without one the scope `"pg"` is
    meant, which is always there.

    With Erlang nodes a scope is shared as OTP's `pg` does it: each of the two sees the members of the other.
    There `Atom("room")` is `:room` and `"room"` is a binary, two groups: a process here is in the one that it
    has joined by that name.  Members of Erlang nodes are seen on the nodes that these are connected to.

    Members of another node are seen from before its `nodeup` until before its `nodedown`; a join is seen
    before what its process sends afterwards, the leave of a process that ends before its DOWN.

    Differs from Elixir: there members of a node appear after its `nodeup`, and leave after its `nodedown`.
    """

    # ------------------------------------------------------------ scopes

    @staticmethod
    def start(scope: str) -> Pid:
        """Starts a scope and returns the pid of its process, whose end ends the scope with its members.

        Raises:
            ServerAlreadyStarted: it is there.
        """
        return wait("pg.start", start(scope, link=False))

    @staticmethod
    def start_link(scope: str) -> Pid:
        """Starts a scope whose process is linked to the caller, a supervisor say.

        Raises:
            ServerAlreadyStarted: it is there.
            NotAProcess: the calling thread is not a pyx process.
        """
        require("pg.start_link()")
        return wait("pg.start_link", start(scope, link=True))

    # ------------------------------------------------------------ members

    @staticmethod
    def join(group: Any, pids: Pid | Sequence[Pid], *, scope: str = DEFAULT_SCOPE) -> str:
        """Has a process of this node, or each of a list, join a group; returns `"ok"`.

        A process that joins twice is a member twice.  One that has ended does not become a member.  If a node
        takes too little of what it is told, the caller waits as in `send`.

        Raises:
            NotLocal: a process of another node.
            NoProcess: the scope is not started.
        """
        here = this_node()
        key = _key(here, group)
        value = _value(here, group)
        joining = _checked_pids(pids)
        with SendingCall(here.kernel_call, "") as kernel:
            processes = _local(kernel, joining)
            kernel.keys.hold(_started(kernel, scope), key, value, processes)
        return "ok"

    @staticmethod
    def leave(group: Any, pids: Pid | Sequence[Pid], *, scope: str = DEFAULT_SCOPE) -> str:
        """Has a process of this node, or each of a list, leave a group once.

        Returns:
            `"ok"`, or `"not_joined"` if none of them was a member.

        Raises:
            NotLocal: a process of another node.
            NoProcess: the scope is not started.
        """
        here = this_node()
        key = _key(here, group)
        leaving = _checked_pids(pids)
        with SendingCall(here.kernel_call, "") as kernel:
            processes = _local(kernel, leaving)
            has_left = kernel.keys.let_go(_started(kernel, scope), key, processes)
        return "ok" if has_left else "not_joined"

    @staticmethod
    def get_members(group: Any, *, scope: str = DEFAULT_SCOPE) -> list[Pid]:
        """Returns the members of a group on all visible nodes, those of this node first."""
        here = this_node()
        key = _key(here, group)
        with here.kernel_call as kernel:
            space = _space(kernel, scope)
            found = kernel.groups.members(space, key) if space is not None else []
        return [held.frm for held in found]

    @staticmethod
    def get_local_members(group: Any, *, scope: str = DEFAULT_SCOPE) -> list[Pid]:
        """Returns the members of a group on this node."""
        here = this_node()
        key = _key(here, group)
        with here.kernel_call as kernel:
            space = _space(kernel, scope)
            found = space.living(key) if space is not None else []
        return [entry.held.frm for entry in found]

    @staticmethod
    def which_groups(*, scope: str = DEFAULT_SCOPE) -> list[Any]:
        """Returns the groups that have members."""
        here = this_node()
        with here.kernel_call as kernel:
            space = _space(kernel, scope)
            keys = kernel.groups.keys(space) if space is not None else []
        return [key_of(here.kernel, key, trusted=False) for key in keys]

    @staticmethod
    def which_local_groups(*, scope: str = DEFAULT_SCOPE) -> list[Any]:
        """Returns the groups that have members on this node."""
        here = this_node()
        with here.kernel_call as kernel:
            space = _space(kernel, scope)
            keys = space.keys() if space is not None else []
        return [key_of(here.kernel, key, trusted=False) for key in keys]

    # ------------------------------------------------------------ monitors

    @staticmethod
    def monitor(group: Any, *, scope: str = DEFAULT_SCOPE) -> tuple[Ref, list[Pid]]:
        """Has the caller receive `(ref, "join" | "leave", group, [pid, ...])` for each change of a group.

        A process that was a member twice and ends is twice in the list.

        Returns:
            The reference in the messages, and the members now: none is missed between the two.

        Raises:
            NotAProcess: the calling thread is not a pyx process.
            NoProcess: the scope is not started.
        """
        runner = require("pg.monitor()")
        here = node_of(runner)
        key = _key(here, group)
        mark = runner.process.mailbox.mark()
        with here.kernel_call as kernel:
            ref, present = kernel.groups.watch(runner.process, _started(kernel, scope), key)
        runner.remember(ref, mark)
        return ref, [held.frm for held in present]

    @staticmethod
    def monitor_scope(*, scope: str = DEFAULT_SCOPE) -> tuple[Ref, dict[Any, list[Pid]]]:
        """`monitor` for all groups of a scope; returns a dict of all groups and their members.

        Raises:
            NotAProcess: the calling thread is not a pyx process.
            NoProcess: the scope is not started.
        """
        runner = require("pg.monitor_scope()")
        here = node_of(runner)
        mark = runner.process.mailbox.mark()
        with here.kernel_call as kernel:
            ref, present = kernel.groups.watch_all(runner.process, _started(kernel, scope))
        runner.remember(ref, mark)
        return ref, {
            key_of(here.kernel, key, trusted=False): [held.frm for held in those]
            for key, those in present.items()
        }

    @staticmethod
    def demonitor(ref: Ref) -> str | bool:
        """Ends a `monitor` or `monitor_scope` of the caller, and removes its messages from the mailbox.

        Returns:
            `"ok"`, or False if the caller has no such monitor.

        Raises:
            NotAProcess: the calling thread is not a pyx process.
        """
        runner = require("pg.demonitor()")
        if runner.receiving:
            raise AlreadyReceiving  # a predicate that would take messages from under its own receive
        ref = checked_ref(ref)
        with node_of(runner).kernel_call as kernel:
            return "ok" if kernel.keys.unwatch(runner.process, ref, flush=True) else False


async def start(scope: str, *, link: bool) -> Pid:
    """Starts a scope; see `pg.start_link`."""
    space = space_name(SCOPE, scope, "scope")
    if scope == DEFAULT_SCOPE:
        msg = f"the scope {DEFAULT_SCOPE!r} is always there"
        raise ValueError(msg)
    return await start_owner(space, scope, "pg", unique=False, replicated=True, link=link)


def _key(here: LocalNode, group: Any) -> bytes:
    """Returns the key of a group; raises as `key_bytes`."""
    return key_bytes(here, as_texts(group), "group", replicated=True)


def _value(here: LocalNode, group: Any) -> Payload:
    """Returns the value of a member: how its group is called by Erlang nodes, if its key does not tell."""
    named = encoded(group, here.max_message_bytes, what="group")
    return named if named != encoded(as_texts(group), here.max_message_bytes) else _NO_VALUE


def _space(kernel: Kernel, scope: Any) -> Space | None:
    """Returns the space of a scope; None if it is not started."""
    spaces = kernel.tables.spaces
    if scope == DEFAULT_SCOPE and SCOPE + DEFAULT_SCOPE not in spaces:
        kernel.keys.open_space(SCOPE + DEFAULT_SCOPE, owner=None, unique=False, replicated=True)
    return spaces.get(f"{SCOPE}{scope}")


def _started(kernel: Kernel, scope: Any) -> Space:
    space = _space(kernel, scope)
    if space is None:
        raise NoProcess(scope)
    return space


def _checked_pids(pids: Any) -> list[Pid]:
    """Returns a pid, or the pids of a list, as a list; raises TypeError."""
    return [checked_pid(one) for one in pids] if type(pids) in {list, tuple} else [checked_pid(pids)]


def _local(kernel: Kernel, pids: Iterable[Pid]) -> list[ProcessRecord]:
    """Returns the processes of these pids that live; raises NotLocal for one of another node."""
    found: list[ProcessRecord] = []
    for pid in pids:
        if pid.node and pid.node != kernel.tables.name:
            raise NotLocal(pid)
        process = kernel.tables.find(pid)
        if process is not None:
            found.append(process)
    return found
