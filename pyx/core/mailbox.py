"""The mailbox of one process: messages that were delivered, and those that its owner has looked at and kept.

A thread that holds the kernel's lock may deliver.  The owner reads without it: `incoming` is appended on one
side and popped on the other, each one operation under the GIL, and only the owner changes `kept`.  Every
message has a number, in order of arrival, so that a receive by reference starts where the mailbox stood when
the reference was made (`mark`).  `runtime/receiving.py` looks through it and matches patterns; a message
that it takes at once goes from `incoming` to the receiver, and any other becomes an entry of `kept`.

A mailbox that grows beyond its limit is noticed at a delivery.  Its length is computed only when enough
messages were delivered since the last time for it to be over the limit.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from pyx.core.waiters import Waiters

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.signals import Body, Held, Reason
    from pyx.terms import Pid, Ref


class Exited(NamedTuple):
    """For a process that traps exits: `("EXIT", pid, reason)`."""

    pid: Pid
    reason: Reason


class Downed(NamedTuple):
    """A monitor fired: `("DOWN", ref, "process", target, reason)`; a target by name is `(name, node)`."""

    ref: Ref
    target: Pid | tuple[str, str]
    reason: Reason


NodeType: TypeAlias = Literal["visible", "hidden", "all"]

NodedownReason: TypeAlias = Literal[
    "connection_closed", "disconnect", "net_kernel_terminated", "net_tick_timeout"
]
"""Why the connection to a node ended, in OTP's words, as far as they apply here.

`"connection_closed"`: the other node ended or left, or the network broke.  `"disconnect"`: `Node.disconnect`
here.  `"net_kernel_terminated"`: `Node.stop` here.  `"net_tick_timeout"`: it was silent for too long.
"""


class NodeUp(NamedTuple):
    """For `Node.monitor_nodes`: `("nodeup", name)`, or with its type `("nodeup", name, {...})`."""

    name: str
    node_type: str = ""
    """`"visible"` or `"hidden"`; "" if it is not told."""


class NodeDown(NamedTuple):
    """For `Node.monitor` and `Node.monitor_nodes`: `("nodedown", name)`, or `("nodedown", name, {...})`."""

    name: str
    node_type: str = ""
    """As of `NodeUp`."""
    reason: str = ""
    """Why the connection ended; "" if it is not told."""


class NodeInterest(NamedTuple):
    """What `Node.monitor_nodes` was asked for: nodes of which type, and whether messages have the facts."""

    node_type: NodeType = "visible"
    with_facts: bool = False


VISIBLE_NODES: Final = NodeInterest()


class Called(NamedTuple):
    """A call of a server: `("$gen_call", (pid, ref), request)`, or `("system", (pid, ref), request)`."""

    is_system: bool
    pid: Pid
    ref: Ref
    body: Body


class Replied(NamedTuple):
    """A reply to an alias: `(ref, value)`."""

    ref: Ref
    body: Body


class GroupChanged(NamedTuple):
    """For `pg.monitor`: `(ref, "join" | "leave", group, [pid, ...])`; the key is the group, encoded."""

    ref: Ref
    kind: str
    key: bytes
    pids: tuple[Pid, ...]


class KeyChanged(NamedTuple):
    """For a registry's listeners: `("register", registry, key, pid, value)`, or `("unregister", ...)`.

    The space of a registry is named `"registry NAME"` (`otp/named_spaces.py`).
    """

    kind: str
    registry: str
    key: bytes
    pid: Pid
    value: Any


class Published(NamedTuple):
    """A broadcast for the dispatcher of an instance: `("$publish", pid | None, topic, message)`.

    The pid is that of `broadcast_from`; the key is the topic, encoded.
    """

    skip: Pid | None
    key: bytes
    body: Body


class PresenceChanged(NamedTuple):
    """For the subscribers of a topic: `("presence_diff", topic, {"joins": ..., "leaves": ...})`."""

    key: bytes
    joins: tuple[Held, ...]
    leaves: tuple[Held, ...]


class MailboxLimit(NamedTuple):
    """The number of messages that a mailbox may hold, and what happens beyond.

    `"warn"`: a line in the log, and again each time the length has doubled.  `"kill"`: its process ends.
    `"block"`: a sender of this node waits; messages of other nodes have the effect of `"warn"`.
    """

    messages: int
    policy: Literal["warn", "kill", "block"]


DEFAULT_MAILBOX_LIMIT: Final = MailboxLimit(100_000, "warn")

SYSTEM_MESSAGES: Final = frozenset(
    (Exited, Downed, NodeUp, NodeDown, Called, Replied, GroupChanged, KeyChanged, Published, PresenceChanged)
)
"""The kinds of items, beside payloads, that stand for another value than themselves."""

_NO_WAITERS: Final = Waiters()
"""Shared by all mailboxes that never block."""
_NEVER: Final = 2**63

NOT_DECODED: Final = object()
"""The value of an entry that is not decoded yet."""


class MailboxEntry:
    """A message that its owner has kept: its number, the item delivered and, once decoded, its value."""

    __slots__ = ("item", "number", "value")
    item: Any
    number: int
    value: Any

    def __init__(self, number: int, item: Any, value: Any = NOT_DECODED) -> None:
        self.number = number
        self.item = item
        self.value = value


_number = attrgetter("number")


class Mailbox:
    """Items are payloads, flat values, or of the kinds above (`SYSTEM_MESSAGES`)."""

    __slots__ = (
        "_alarm",
        "_warn_above",
        "closed",
        "delivered",
        "incoming",
        "kept",
        "limit",
        "moved",
        "waiters",
    )
    incoming: deque[Any] | tuple[()]
    """Made by the first message: an empty deque takes 600 bytes, and most of many processes are idle."""
    kept: deque[MailboxEntry] | tuple[()]
    delivered: int
    """Messages delivered, ever; also the number of the next one."""
    moved: int
    """Messages that the owner took out of `incoming`; also the number of the first in it."""
    limit: MailboxLimit | None
    closed: bool
    """True when its process has ended: no sender has to wait for it."""
    waiters: Waiters
    """Senders that wait until it is below its low-water mark; only with a limit that blocks."""
    _alarm: int
    """The value of `delivered` at which the length is computed again."""
    _warn_above: int
    """Length above which the next warning is due."""

    def __init__(self) -> None:
        self.incoming = ()
        self.kept = ()
        self.delivered = 0
        self.moved = 0
        self.limit = DEFAULT_MAILBOX_LIMIT
        self.closed = False
        self.waiters = _NO_WAITERS
        self._warn_above = DEFAULT_MAILBOX_LIMIT.messages
        self._alarm = DEFAULT_MAILBOX_LIMIT.messages + 1

    def deliver(self, item: Any) -> bool:
        """Adds a message; the caller holds the kernel's lock.  True when `has_grown` is to be asked."""
        incoming = self.incoming
        if isinstance(incoming, tuple):
            incoming = self.incoming = deque()
        incoming.append(item)
        self.delivered += 1
        return self.delivered >= self._alarm

    def __len__(self) -> int:
        return len(self.kept) + len(self.incoming)

    # ------------------------------------------------------------ limit; with the kernel's lock held

    def set_limit(self, limit: MailboxLimit | None) -> None:
        """Sets the limit, or removes it (None)."""
        self.limit = limit
        self._alarm = _NEVER if limit is None else 0
        self._warn_above = limit.messages if limit is not None else _NEVER
        if limit is not None and limit.policy == "block" and self.waiters is _NO_WAITERS:
            self.waiters = Waiters()

    def has_grown(self) -> bool:
        """True when the length passed the limit, or doubled since the last warning."""
        limit = self.limit
        if limit is None:
            return False
        length = len(self)
        if length <= limit.messages:
            self._warn_above = limit.messages
        grown = length > self._warn_above
        while length > self._warn_above:
            self._warn_above *= 2
        until = limit.messages - 1 if limit.policy == "block" else self._warn_above
        self._alarm = self.delivered + max(until - length, 0) + 1
        return grown

    @property
    def is_busy(self) -> bool:
        """True while a process of this node that sends to it has to wait."""
        limit = self.limit
        if self.closed or limit is None or limit.policy != "block":
            return False
        return len(self) >= limit.messages

    @property
    def is_below_low_water(self) -> bool:
        """True when waiters may go on."""
        limit = self.limit
        return self.closed or limit is None or limit.policy != "block" or len(self) <= limit.messages // 2

    @property
    def busy_reason(self) -> str:
        """Why a process has to wait, for the user."""
        return f"the receiver's mailbox holds {len(self):,} messages"

    # ------------------------------------------------------------ for any thread

    def snapshot(self) -> list[Any]:
        """Returns all items in order, from any thread; exact while the kernel's lock is held.

        The owner may move messages meanwhile, first into `kept`, then out of `incoming`: a message that was
        seen in both is recognised by its number.
        """
        late = list(self.incoming)
        first_late = self.delivered - len(late)
        return [entry.item for entry in list(self.kept) if entry.number < first_late] + late

    # ------------------------------------------------------------ for the owner

    def refill(self) -> None:
        """Moves all of `incoming` to the end of `kept`."""
        incoming, kept = self.incoming, self.kept
        if isinstance(incoming, tuple):
            return
        if isinstance(kept, tuple):
            kept = self.kept = deque()
        while incoming:
            kept.append(MailboxEntry(self.moved, incoming[0]))
            incoming.popleft()
            self.moved += 1

    def keep_first(self, value: Any) -> None:
        """Moves the first message of `incoming`, whose decoded value this is, to the end of `kept`."""
        incoming, kept = self.incoming, self.kept
        assert not isinstance(incoming, tuple)
        if isinstance(kept, tuple):
            kept = self.kept = deque()
        kept.append(MailboxEntry(self.moved, incoming[0], value))
        incoming.popleft()
        self.moved += 1

    def mark(self) -> int:
        """Returns the number of the next message to arrive (while one is being delivered, of that one)."""
        return self.delivered

    def first_index_from(self, mark: int) -> int:
        """Returns the index into `kept` of the first message that arrived at or after *mark*."""
        kept = self.kept
        if not kept or kept[-1].number < mark:
            return len(kept)  # the common case: everything kept is older than the reference
        return bisect_left(kept, mark, key=_number)

    def take(self, index: int) -> MailboxEntry:
        """Removes and returns the entry at *index* of `kept`."""
        kept = self.kept
        assert isinstance(kept, deque)
        if not index:  # the common case: the oldest message matched
            return kept.popleft()
        entry = kept[index]
        del kept[index]
        return entry

    def discard(self, unwanted: Callable[[Any], bool]) -> list[MailboxEntry]:
        """Removes and returns the entries of *unwanted* items; by the owner, with the kernel's lock held."""
        self.refill()
        dropped = [entry for entry in self.kept if unwanted(entry.item)]
        self.kept = deque(entry for entry in self.kept if not unwanted(entry.item))
        return dropped
