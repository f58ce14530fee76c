"""What the kernel asks of the outside: values, collected after each input.  Not here: who carries them out
(`runtime/local_node.py`), nor anything that must happen in order: ordered things (messages, frames, output)
are appended to their queue by the kernel itself, and an effect only says "look at that queue".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from pyx.core.console_queue import ConsoleQueue
    from pyx.core.mailbox import Mailbox
    from pyx.core.outbox import Outbox
    from pyx.core.peers import Peer
    from pyx.core.processes import ProcessRecord
    from pyx.signals import Payload, Reason
    from pyx.terms import Pid


class Wake(NamedTuple):
    """A message came for a process that waits."""

    process: ProcessRecord


class Kill(NamedTuple):
    """This process is dead by a signal: stop whatever runs it.  Its pid, name and links are gone already."""

    process: ProcessRecord
    reason: Reason


class Released(NamedTuple):
    """The kernel has let go of this, outside of the lock: it may be the last reference to a user's object."""

    what: object


class StartProcess(NamedTuple):
    """A peer asked for a new process; it is in the tables already.  Open the payload on its own thread.

    `process.call` says whether somebody waits for the result (see `Kernel.call_finished`).
    """

    process: ProcessRecord
    payload: Payload


class Inquire(NamedTuple):
    """A peer asks about a process (`Ask`): answer with `Kernel.answer`."""

    node: str
    session: int
    number: int
    subject: str
    payload: Payload


class Answered(NamedTuple):
    """A request came to its end.

    `outcome` is an `Answer`'s word, or `"spawned"`, `"pong"`, `"noconnection"`; `body` is the payload or
    plain word of the answer, for `"spawned"` the pid, for `"pong"` None, for `"noconnection"` a sentence
    why. `nobody` is set for a spawn without connection: the pid to hand out, which EXIT and DOWN name too.
    """

    waiter: Any
    outcome: str
    body: Payload | str | Pid | None
    nobody: Pid | None = None


class Connected(NamedTuple):
    """An attempt to connect ended.  `reason` is a sentence when `ok` is False."""

    waiter: Any
    ok: bool
    reason: str


class Dial(NamedTuple):
    """Find that node and shake hands; then `peer_up` or `dial_failed`."""

    node: str


class CancelDial(NamedTuple):
    """Its own dial to us has won: give ours up."""

    node: str


class Rest(NamedTuple):
    """That node could not be reached: call `Kernel.rested(node)` at `until` (monotonic seconds).

    Until then nothing but an explicit `connect` or `ping` dials it.  `tick` ends overdue rests too.
    """

    node: str
    until: float


class Flush(NamedTuple):
    """Frames wait in that peer's queue (said once per frame, so it may be said twice)."""

    peer: Peer


class Suspend(NamedTuple):
    """Whoever has just added to that queue has to wait until it is lighter, if he can.

    The queue of a peer, the mailbox of a process that wants it so, or the lines for a console.
    """

    queue: Outbox | Mailbox | ConsoleQueue


class Resume(NamedTuple):
    """That queue may be light enough, or gone: wake its waiters, for them to look again."""

    queue: Outbox | Mailbox


class Overfull(NamedTuple):
    """More messages wait for that process than it is to survive: kill it."""

    process: ProcessRecord


class GoOn(NamedTuple):
    """Ends of processes are still to be told: call `Kernel.go_on`, and let other steps come between."""


class Hangup(NamedTuple):
    """Close that session's connection (after what is queued has left, if `gracefully`)."""

    peer: Peer
    gracefully: bool


class Show(NamedTuple):
    """Lines wait in that leader's output queue; None: in the node's own."""

    process: ProcessRecord | None


class ShellExit(NamedTuple):
    """A shell got an exit signal: it keeps its pid, and shows who sent which reason."""

    process: ProcessRecord
    frm: Pid
    reason: Reason


class Log(NamedTuple):
    """One line for the log of this node.  `level` is `"info"`, `"warning"` or `"error"`.

    Lines with a `topic` are what a peer can bring about at will: after one, those of its topic rest.
    """

    level: str
    text: str
    topic: str = ""


Effect: TypeAlias = (
    Wake
    | Kill
    | Released
    | StartProcess
    | Inquire
    | Answered
    | Connected
    | Dial
    | CancelDial
    | Rest
    | Flush
    | Suspend
    | Resume
    | Overfull
    | GoOn
    | Hangup
    | Show
    | ShellExit
    | Log
)
