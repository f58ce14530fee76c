"""The record of one process, and the table of the live processes of this node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, NoReturn, TypeAlias

from pyx.core.console_queue import ConsoleQueue
from pyx.core.link_protocol import Links
from pyx.core.mailbox import Mailbox
from pyx.terms import Pid, Ref

if TYPE_CHECKING:
    from pyx.signals import Payload, Reason

MAX_NUMBER: Final = 2**32 - 1
"""The second number of a printed pid; after it the third counts one up, as in OTP."""

Target: TypeAlias = "Pid | tuple[str, str]"
"""A monitored process: a pid, or `(name, node)`."""


def address_of(target: Target) -> tuple[Pid | str, str]:
    """Returns a monitored process as its node names it (pid or name), and that node ("" for this one)."""
    return (target, target.node) if isinstance(target, Pid) else target


InitialCall: TypeAlias = "tuple[str, str, int] | Payload"
"""The call that a process began with: module, function and number of arguments.  Of a process that a peer
started: the payload that holds them, until it is decoded."""


AliasMode: TypeAlias = Literal["explicit_unalias", "reply", "demonitor", "reply_demonitor"]
"""What takes an alias back beside `unalias`, as in OTP: the first message to it (`"reply"`), the end of the
monitor whose reference it is (`"demonitor"`), or either; then the message ends the monitor too."""


class Watcher(NamedTuple):
    """One monitor of a process, on the side of the watched process: the watching pid and its reference.

    The reference alone is chosen by the other node, and may be one that another process uses.
    """

    pid: Pid
    ref: Ref


class Caller(NamedTuple):
    """The node, session and request that the result of a call goes to; `node` is "" for this one."""

    node: str
    session: int
    number: int


class Starter(NamedTuple):
    """The request of what starts a process and waits until it is ready, or has ended; see `starts.py`.

    As a `Caller`: `node` and `session` are those of this node.
    """

    number: int
    node: str = ""
    session: int = 0


class _Nothing(dict[Any, Any]):
    """An empty dict that stays empty: the table of all processes that have none of their own yet."""

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        msg = "this empty table is shared: a process gets its own before the first entry"
        raise AssertionError(msg)

    __setitem__ = setdefault = update = __ior__ = _refuse


NOTHING: Final[dict[Any, Any]] = _Nothing()
NO_LINKS: Final = Links(NOTHING)


class ProcessRecord:
    """One process of this node.

    Most of very many processes have no links, monitors and aliases: they share empty tables, `NOTHING` and
    `NO_LINKS`, until the first entry.

    `kind` is `"def"`, `"async def"`, `"call"`, `"spawn"` (started by a peer, its payload not decoded yet),
    `"shell"` or `"node"`.  `waiting` is set by the runtime, before the process looks at its mailbox for the
    last time and waits, and cleared by the kernel; `kind` and `initial_call` of a process that a peer started
    are set by the runtime, once it has decoded the payload; `runner`, `dictionary` and `undecodable` are the
    runtime's.  The kernel alone changes the other fields.
    """

    __slots__ = (
        "aliases",
        "alive",
        "call",
        "callers",
        "dictionary",
        "holdings",
        "initial_call",
        "keeps_pid",
        "kind",
        "leader",
        "links",
        "mailbox",
        "monitored_by",
        "monitors",
        "name",
        "node_monitors",
        "output",
        "parent",
        "pid",
        "reason",
        "runner",
        "trap_exit",
        "undecodable",
        "waiting",
    )

    def __init__(
        self,
        pid: Pid,
        kind: str,
        leader: Pid | None,
        parent: Pid | None,
        initial_call: InitialCall,
        *,
        keeps_pid: bool,
        terminal: bool,
    ) -> None:
        self.pid: Final = pid
        self.kind = kind
        self.mailbox: Final = Mailbox()
        self.name: str | None = None
        self.leader = leader
        """The group leader, whose terminal shows its output; None: the node's own output."""
        self.parent = parent
        self.initial_call = initial_call
        self.runner: Any = None
        """The runtime's handle of the thread or task that runs it."""
        self.keeps_pid = keeps_pid
        """True for a shell: all exit signals but `kill` are shown instead of obeyed."""
        self.output: ConsoleQueue | None = ConsoleQueue() if terminal else None
        """The lines for the terminal that it leads; None: it leads none."""
        self.undecodable = 0
        """The number of payloads it received that could not be decoded."""
        self.trap_exit = False
        self.alive = True
        self.waiting = False
        self.reason: Reason | None = None
        """Why it ended; None while it lives."""
        self.links = NO_LINKS
        self.monitors: dict[Ref, Target] = NOTHING
        self.monitored_by: dict[Watcher, Pid | str] = NOTHING
        """Watcher -> what it monitored: the pid of this process, or its name at that time."""
        self.node_monitors: dict[str, int] = NOTHING
        """Node -> the number of `nodedown` messages at its loss (`Node.monitor` stacks)."""
        self.aliases: dict[Ref, AliasMode] = NOTHING
        self.callers: dict[tuple[str, int], tuple[Pid, Ref, Pid | str]] = NOTHING
        """By the caller's node and the number of its reference: the calls of this server without a reply."""
        self.holdings: Any = None
        """Its `ProcessHoldings` (`spaces.py`); None: it never held or watched a key, nor owned a space."""
        self.dictionary: dict[Any, Any] = {}
        """`Process.put` and `get`: used by the process itself alone."""
        self.call: Caller | Starter | None = None
        """The caller that waits for its result, or until it has started; None: none, or it was answered."""

    def own_links(self) -> Links:
        """Returns its links, for a new one."""
        if self.links is NO_LINKS:
            self.links = Links()
        return self.links

    def add_monitor(self, ref: Ref, target: Target) -> None:
        """Notes that it monitors *target*."""
        if self.monitors is NOTHING:
            self.monitors = {}
        self.monitors[ref] = target

    def __repr__(self) -> str:
        return f"<Process {self.pid} {self.kind}{'' if self.alive else ' ended'}>"


class ProcessTable(dict[int, ProcessRecord]):
    """The live processes by the number of their pid (a dict, as a local send is one lookup in it)."""

    __slots__ = ("_number", "_serial")

    def __init__(self) -> None:
        super().__init__()
        self._number = 0
        self._serial = 0

    def new_pid(self) -> Pid:
        """Returns a pid that no process of this node has had."""
        while True:
            self._number += 1
            if self._number > MAX_NUMBER:
                self._number = 1
                self._serial += 1
            if self._number not in self:  # after a wrap an old process may still hold it
                return Pid(self._number, self._serial)

    @property
    def latest(self) -> tuple[int, int]:
        """The serial and the number of the pid made last."""
        return self._serial, self._number

    def all(self) -> list[ProcessRecord]:
        """Returns the live processes, oldest first; a copy."""
        return list(self.values())
