"""Signals: the messages and process signals that processes and nodes send each other, as plain values.

`core` decides by them, `wire` encodes and decodes them; no other package interprets them.  The payload of a
signal stays encoded bytes from its sender's call to its receiver's `receive`.

Every signal is a NamedTuple (cheap to make by the hundred thousand).  `frm` is the pid that acts, `to` the
pid acted on; after decoding both are as the receiving node writes them (its own pids local).
"""

# Without `from __future__ import annotations`: NamedTuple would compile texts of annotations, in a fifth of
# the time that loading this file takes.
from typing import Any, Final, NamedTuple, Self, TypeAlias

from pyx.terms import Incarnation, Pid, Ref

SPLIT_BYTES: Final = 64 * 1024
"""`SplitBytes` are longer than this."""


class SplitBytes:
    """The data of a large payload in two parts, its `first` byte and the `rest`, without a copy of the rest.

    A message that is one `bytes` is its own encoding behind a first byte.  Two copies of it are
    not made [measured, 64 MiB, CPU of both ends: 140 -> 68 ms, most of it page faults].
    """

    __slots__ = ("first", "rest")

    def __init__(self, first: bytes, rest: bytes) -> None:
        self.first: Final = first
        self.rest: Final = rest

    def __len__(self) -> int:
        """Returns the length of both parts."""
        return 1 + len(self.rest)

    def __bytes__(self) -> bytes:
        """Returns both parts, joined."""
        return self.first + self.rest

    def __eq__(self, other: object) -> bool:
        """Compares the bytes."""
        return isinstance(other, (SplitBytes, bytes)) and bytes(self) == bytes(other)

    def __hash__(self) -> int:
        """Returns the hash of the bytes."""
        return hash(bytes(self))


class EncodedTerm:
    """The data of a payload in the encoding of another dialect than pyx's own; it decodes itself.

    Made by `wire/beam`, of messages from Erlang nodes and for them.  It never leaves to a pyx node.
    """

    __slots__ = ()

    def __len__(self) -> int:
        """Returns the number of bytes."""
        raise NotImplementedError

    def __bytes__(self) -> bytes:
        """Raises TypeError: these bytes are not a payload of pyx's own dialect."""
        msg = "a message for an Erlang node does not travel to a pyx node"
        raise TypeError(msg)

    def decode(self, here: Incarnation | None, binaries: str = "str") -> Any:
        """Returns a new value at each call, as the node *here* sees it; raises DecodeError.

        Args:
            here: this node's incarnation.
            binaries: `"str"` makes texts of the binaries that are UTF-8, `"bytes"` of none.
        """
        raise NotImplementedError


PayloadBytes: TypeAlias = bytes | SplitBytes | EncodedTerm


class Payload(NamedTuple):
    """An encoded message: its bytes, and the incarnation of the node that encoded it (None: this node).

    A pid without a node name inside the bytes belongs to `origin`.
    """

    data: PayloadBytes
    origin: Incarnation | None = None


class Discarded(bytes):
    """The data of a payload that arrived and was not kept: empty, with the reason as a sentence in `why`."""

    why: str

    def __new__(cls, why: str) -> Self:
        """Makes the empty bytes that carry *why*."""
        self = super().__new__(cls)
        self.why = why
        return self


Body: TypeAlias = Any
"""A `Payload`, or inside a node an immutable value that is passed as it is (a scalar or a flat tuple)."""

Reason: TypeAlias = str | Payload
"""Why a process ended: a plain word (`"normal"`, `"killed"`, `"noproc"`), or any other value, encoded."""


LONGEST_TEXT: Final = 128 * 1024
"""Characters of one `Print` or `Crashed`: more than a terminal shows at once, far less than a frame holds."""

MOST_NODES: Final = 512
"""How many nodes one `Nodes` may name."""


# ---------------------------------------------------------------- between processes (one order per pair)


class Send(NamedTuple):
    """A message for a pid, a registered name of the receiving node, or an alias (a Ref)."""

    frm: Pid | None
    to: Pid | str | Ref
    body: Body


class Link(NamedTuple):
    """OTP's LINK."""

    frm: Pid
    to: Pid


class Unlink(NamedTuple):
    """OTP's UNLINK_ID: answered by `UnlinkAck` with the same number before anything else goes back."""

    frm: Pid
    to: Pid
    number: int


class UnlinkAck(NamedTuple):
    """OTP's UNLINK_ID_ACK."""

    frm: Pid
    to: Pid
    number: int


class ExitSignal(NamedTuple):
    """A link broke: `frm` ended, does not exist, or is on a node that was lost (OTP's EXIT)."""

    frm: Pid
    to: Pid
    reason: Reason


class ExitTo(NamedTuple):
    """`Process.exit(to, reason)` (OTP's EXIT2)."""

    frm: Pid
    to: Pid
    reason: Reason


class Monitor(NamedTuple):
    """OTP's MONITOR_P: asks for one `Down` when the target (a pid, or a name on the receiving node) ends."""

    frm: Pid
    target: Pid | str
    ref: Ref


class Demonitor(NamedTuple):
    """OTP's DEMONITOR_P: cancels a `Monitor`."""

    frm: Pid
    target: Pid | str
    ref: Ref


class Down(NamedTuple):
    """OTP's MONITOR_P_EXIT: a monitored process ended.  `target` is the monitored pid or name.

    `frm` is the process that ended, None if it did not exist; its earlier signals arrive before this one.
    """

    to: Pid
    ref: Ref
    target: Pid | str
    reason: Reason
    frm: Pid | None = None


class Print(NamedTuple):
    """Whole lines of output of `frm`, for the terminal of its group leader `to`."""

    frm: Pid
    to: Pid
    text: str


class Crashed(NamedTuple):
    """`frm` ended by an exception: its traceback (the user's frames), for the terminal of its leader `to`.

    The pid is not part of the text, because it prints differently on every node.
    """

    frm: Pid
    to: Pid
    text: str


class Leader(NamedTuple):
    """Sets the group leader of `to`."""

    frm: Pid
    to: Pid
    leader: Pid


# ---------------------------------------------------------------- requests (answered by number)


class Call(NamedTuple):
    """Asks to run a function in a process of its own and to answer with its result (rpc.call, rpc.cast).

    `payload` holds `(module, function, args)`; a `number` of 0 asks for no answer.
    """

    frm: Pid
    number: int
    leader: Pid
    payload: Payload


class Spawn(NamedTuple):
    """OTP's SPAWN_REQUEST: asks to start a process and to answer with its pid.

    `link` and `monitor` are set up in the same step; `monitor` is the reference of the later `Down`, or None.
    """

    frm: Pid
    number: int
    leader: Pid
    link: bool
    monitor: Ref | None
    payload: Payload


class Ask(NamedTuple):
    """Asks about a process, which every rpc policy allows: `subject` is `"info"`, `payload` the details."""

    frm: Pid
    number: int
    subject: str
    payload: Payload


class GenCall(NamedTuple):
    """A call of a server, as OTP's `gen`: a MONITOR_P and a message whose reply goes to the reference.

    The message is `("$gen_call", (frm, ref), request)`, or `("system", (frm, ref), request)` if `is_system`;
    `body` holds the request alone.  A `Down` tells of the end of the target (a pid, or a name there), unless
    the receiving node has sent a message to `ref`, or got a `Demonitor`, before.
    """

    frm: Pid
    target: Pid | str
    ref: Ref
    is_system: bool
    body: Body


class GenReply(NamedTuple):
    """The message `(to, value)` to an alias: the reply to a `GenCall`.  `body` holds the value alone."""

    frm: Pid | None
    to: Ref
    body: Body


class Answer(NamedTuple):
    """The answer to a `Call`, an `Ask`, or a `Spawn` that was refused.

    `outcome` is one of `"value"` (the payload holds the value), `"raised"` (a `Raised`), `"undefined"`
    (`(module, function or None)`), `"exit"` (the call's process was ended; the payload holds the reason),
    `"refused"` (the payload is the rpc policy).  `payload` is a plain word if the node itself answers: the
    policy of a `"refused"`, the reason of an `"exit"`.  `frm` is the process that answers, None for the node
    itself; earlier signals of the process arrive before this one.
    """

    number: int
    outcome: str
    payload: Payload | str
    frm: Pid | None = None


class Spawned(NamedTuple):
    """OTP's SPAWN_REPLY: the answer to a `Spawn` that was allowed, with the new process."""

    number: int
    pid: Pid


class Dropped(NamedTuple):
    """Process `frm` could not decode a payload from the receiving node; `why` is a sentence for its log."""

    frm: Pid
    why: str


class Publish(NamedTuple):
    """A broadcast, for the subscribers of a topic on the receiving node, but for the process `skip`.

    `pubsub` is the name of the instance of PubSub, `topic` the topic as an encoded key.  `frm` is the process
    that broadcasts, None if none does.
    """

    frm: Pid | None
    skip: Pid | None
    pubsub: str
    topic: bytes
    body: Body


# ---------------------------------------------------------------- keys (see `core/groups.py`)


class Held(NamedTuple):
    """A process holds a key in a replicated space; or, with the number of an entry that it has, a new value.

    `number` is that of the entry, unlike any other of its node.  `key` is encoded so that equal keys are
    equal bytes (`wire/messages/key_bytes.py`).
    """

    frm: Pid
    number: int
    space: str
    key: bytes
    value: Body


class Let(NamedTuple):
    """A process has given up entries, or has ended: their numbers."""

    frm: Pid
    numbers: tuple[int, ...]


class Discover(NamedTuple):
    """A node has a replicated space, and asks an Erlang node for a scope of that name.

    Between pyx nodes it means nothing: these tell each other what is held in spaces of all names.
    """

    space: str


class Holdings(NamedTuple):
    """Entries of the processes of a node, as they are when a session begins: one piece of them, or the last.

    The first signal of a session between visible nodes, in both directions, though there be none.
    """

    entries: tuple[Held, ...]
    is_last: bool


# ---------------------------------------------------------------- between nodes (see NODE_SIGNALS)


class Tick(NamedTuple):
    """Shows that the node is alive: sent on a connection that was silent otherwise (OTP's tick)."""


class Ping(NamedTuple):
    """Asks for a `Pong` at once, which shows that the node runs, not only the socket of its host's kernel."""

    number: int


class Pong(NamedTuple):
    """The answer to `Ping`."""

    number: int


class Nodes(NamedTuple):
    """The visible nodes that the sender is connected to.

    On the first one of a connection, the receiver dials the nodes that it does not know, so that joining one
    node joins all.  Later ones only inform; see `core/membership.py`.
    """

    names: tuple[str, ...]


class Goodbye(NamedTuple):
    """The node leaves on purpose; the last signal of the connection, so it overtakes none."""


Signal: TypeAlias = (
    Send
    | Link
    | Unlink
    | UnlinkAck
    | ExitSignal
    | ExitTo
    | Monitor
    | Demonitor
    | Down
    | Print
    | Crashed
    | Leader
    | Call
    | GenCall
    | GenReply
    | Spawn
    | Ask
    | Answer
    | Spawned
    | Dropped
    | Publish
    | Held
    | Let
    | Holdings
    | Discover
    | Tick
    | Ping
    | Pong
    | Nodes
    | Goodbye
)


NODE_SIGNALS: Final = frozenset({Tick, Ping, Pong, Nodes})
"""Signals that no process sends: they overtake all others, and keep their order among themselves."""

SIGNAL_BYTES: Final = 64
"""How much a signal of a process counts in a queue beside its payload and texts: about its pids."""


def queued_bytes(signal: Signal) -> int:
    """Returns the bytes that a signal counts in an outbox: payload, texts, and `SIGNAL_BYTES` for the rest.

    0 for the `NODE_SIGNALS`: no process has to wait because of these.
    """
    if type(signal) is Send or type(signal) is GenCall or type(signal) is GenReply:
        return SIGNAL_BYTES + (len(signal.body.data) if type(signal.body) is Payload else 0)
    if type(signal) is Call or type(signal) is Answer:
        body = signal.payload
        return SIGNAL_BYTES + (len(body.data) if type(body) is Payload else len(body))
    if type(signal) in NODE_SIGNALS:
        return 0
    if type(signal) is Monitor and type(signal.target) is Pid:
        return SIGNAL_BYTES
    if type(signal) is Holdings:
        return SIGNAL_BYTES * (1 + len(signal.entries))  # about: no process has to wait for these
    if type(signal) is Let:
        return SIGNAL_BYTES + 8 * len(signal.numbers)
    total = SIGNAL_BYTES
    for field in signal:
        if type(field) is Payload:
            total += len(field.data)
        elif type(field) is str or type(field) is bytes:
            total += len(field)
    return total


LONGEST_KEY_BYTES: Final = 4 * 1024
"""A key in a replicated space, and a topic, encoded."""

LONGEST_VALUE_BYTES: Final = 16 * 1024
"""The value of an entry in a replicated space, encoded: all nodes hold it, and each new one is sent it."""

MOST_LET: Final = 256
"""How many numbers one `Let` may hold."""

MOST_HELD: Final = 4096
"""How many entries one `Holdings` may hold."""
