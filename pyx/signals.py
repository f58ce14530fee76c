"""What processes and nodes say to each other, as plain values.

`core` decides by them, `wire` turns them into frames and back, nobody else interprets them.  A payload inside
stays encoded bytes from its sender's call to its receiver's `receive`.  Not here: any behaviour; all that
both rooms must measure alike is how much a signal weighs.

Every signal is a NamedTuple (cheap to make by the hundred thousand).  `frm` is the pid that acts, `to` the
pid acted on; on the receiving side both are written from the receiver's point of view (own pids local).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, Self, TypeAlias

from pyx.terms import Incarnation, Pid, Ref  # noqa: TC001 - the session reads the fields' types at run time


class Payload(NamedTuple):
    """A encoded message: its bytes, and the life of the node that encoded it (None: this node).

    A pid without a node name inside the bytes is one of `origin`'s own.
    """

    data: bytes
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
"""A `Payload`, or inside a node an immutable value that may stay itself (a scalar or a flat tuple)."""

Reason: TypeAlias = str | Payload
"""Why a process ended: a plain word (`"normal"`, `"killed"`, `"noproc"`), or any other value, encoded."""


LONGEST_TEXT: Final = 128 * 1024
"""Characters of one piece of output: what a terminal shows at once, and far less than a frame can hold."""

MOST_NODES: Final = 512
"""So many nodes are named by one `Nodes` at most."""


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
    """A link broke: `frm` ended, or is not there, or its node is lost (OTP's EXIT)."""

    frm: Pid
    to: Pid
    reason: Reason


class ExitTo(NamedTuple):
    """`Process.exit(to, reason)` (OTP's EXIT2)."""

    frm: Pid
    to: Pid
    reason: Reason


class Monitor(NamedTuple):
    """`frm` asks for one `Down` when the target (a pid, or a name on the receiving node) ends."""

    frm: Pid
    target: Pid | str
    ref: Ref


class Demonitor(NamedTuple):
    """Takes a `Monitor` back."""

    frm: Pid
    target: Pid | str
    ref: Ref


class Down(NamedTuple):
    """A monitored process ended.  `target` is what was monitored: a pid, or a name.

    `frm` is the process that ended, None where there was none: what it said before comes before.
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
    """`frm` ended by an exception: its report (the user's frames), for the terminal of its leader `to`.

    Who crashed is no part of the text: a pid prints differently on every node.
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
    """Run a function in a process of its own and answer with its result (rpc.call, rpc.cast).

    `payload` holds `(module, function, args)`; `number` 0 wants no answer.
    """

    frm: Pid
    number: int
    leader: Pid
    payload: Payload


class Spawn(NamedTuple):
    """Start a process and answer with its pid; `link` and `monitor` are set up in the same step.

    `monitor` is the reference for the later `Down`, or None.
    """

    frm: Pid
    number: int
    leader: Pid
    link: bool
    monitor: Ref | None
    payload: Payload


class Ask(NamedTuple):
    """A question about a process that any policy allows: `subject` is `"info"`, `payload` its details."""

    frm: Pid
    number: int
    subject: str
    payload: Payload


class Answer(NamedTuple):
    """The answer to a `Call`, an `Ask`, or a `Spawn` that was refused.

    `outcome` is one of `"value"` (the payload holds the value), `"raised"` (a `Raised`), `"undefined"`
    (`(module, function or None)`), `"exit"` (the call's process was ended; the payload holds the reason),
    `"refused"` (the policy's word).  `payload` is a plain word where the node itself answers: the policy of
    a `"refused"`, the reason of an `"exit"`.  `frm` is the process that answers, None where the node itself
    does: what it said before comes before.
    """

    number: int
    outcome: str
    payload: Payload | str
    frm: Pid | None = None


class Spawned(NamedTuple):
    """The answer to a `Spawn` that was allowed: the new process."""

    number: int
    pid: Pid


class Dropped(NamedTuple):
    """The process `frm` could not open a payload that came from there; `why` is a sentence for the log."""

    frm: Pid
    why: str


# ---------------------------------------------------------------- between nodes (may pass all others)


class Tick(NamedTuple):
    """I am alive."""


class Ping(NamedTuple):
    """Answer this at once (with `Pong`): proves that the node, not only its kernel's socket, is there."""

    number: int


class Pong(NamedTuple):
    """The answer to `Ping`."""

    number: int


class Nodes(NamedTuple):
    """The visible nodes I am connected to.

    The first one of a session invites: the receiver dials those it does not know, so that joining one joins
    all.  Later ones only inform; see `core/membership.py`.
    """

    names: tuple[str, ...]


class Goodbye(NamedTuple):
    """I leave on purpose; nothing comes after this."""


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
    | Spawn
    | Ask
    | Answer
    | Spawned
    | Dropped
    | Tick
    | Ping
    | Pong
    | Nodes
    | Goodbye
)


OF_NO_PROCESS = frozenset({Tick, Ping, Pong, Nodes})
"""Between nodes alone: these pass all others on their way (and keep their order among themselves)."""

LIGHTEST = 64
"""What any signal of a process weighs: about what its addresses cost."""


def weight(signal: Signal) -> int:
    """How many bytes a signal counts in a queue: those of its payload and its text, and some for the rest."""
    if type(signal) is Send:  # the hot one
        return LIGHTEST + (len(signal.body.data) if type(signal.body) is Payload else 0)
    if type(signal) in OF_NO_PROCESS:  # counted neither in nor out: no process waits for these
        return 0
    total = LIGHTEST
    for field in signal:
        if type(field) is Payload:
            total += len(field.data)
        elif type(field) is str:
            total += len(field)
    return total
