"""What the kernel asks of the runtime: values, collected after each kernel call.

`runtime/effect_handlers.py` handles them.  What must happen in order (messages, frames, output) is not an
effect: the kernel itself puts it into its queue, and an effect only names the queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyx.core.console_queue import ConsoleQueue
    from pyx.core.mailbox import Mailbox
    from pyx.core.outbox import Outbox
    from pyx.core.peers import Peer
    from pyx.core.processes import ProcessRecord
    from pyx.core.spaces import Space
    from pyx.signals import Payload, Reason
    from pyx.terms import Pid


class Wake(NamedTuple):
    """A message was delivered to a process that waits."""

    process: ProcessRecord


class Kill(NamedTuple):
    """A signal has ended this process: stop the code that runs it.  Its pid, name and links are gone."""

    process: ProcessRecord
    reason: Reason


class Released(NamedTuple):
    """An object that the kernel no longer refers to, for its last reference to end outside of the lock.

    Its end may run a finalizer of the user's.
    """

    what: object


class RunProcess(NamedTuple):
    """Run a process that a process of this node has started, in the tables already."""

    process: ProcessRecord
    body: Any
    """What it runs, as `ProcessSignals.process_started` was given it."""


class StartProcess(NamedTuple):
    """Run a process that a peer asked for, in the tables already.  Decode the payload on its own thread.

    `process.call` is set if a caller waits for the result (see `Requests.call_finished`).
    """

    process: ProcessRecord
    payload: Payload


class Inquire(NamedTuple):
    """Answer a peer's question about a process (`Ask`) with `Requests.answer`."""

    node: str
    session: int
    number: int
    subject: str
    payload: Payload


class Answered(NamedTuple):
    """A request ended.

    `outcome` is an `Answer`'s word, or `"spawned"`, `"pong"`, `"noconnection"`, or of a start `"ready"` or
    `"ignored"`; `body` is the payload or plain word of the answer, for `"spawned"` and a start the pid, for
    `"pong"` None, for `"noconnection"` a sentence why. `dead_pid` is set for a spawn without connection: the
    pid to return, which EXIT and DOWN name too.
    """

    waiter: Any
    outcome: str
    body: Payload | str | Pid | None
    dead_pid: Pid | None = None


class Connected(NamedTuple):
    """An attempt to connect ended.  `reason` is a sentence when `ok` is False."""

    waiter: Any
    ok: bool
    reason: str


def connect_outcomes(waiters: Iterable[object | None], *, ok: bool, reason: str = "") -> list[Connected]:
    """Returns a `Connected` for each waiter; None, a dial without one, gets none."""
    return [Connected(waiter, ok, reason) for waiter in waiters if waiter is not None]


class Dial(NamedTuple):
    """Find that node and shake hands; then call `Sessions.peer_up` or `Sessions.dial_failed`."""

    node: str


class CancelDial(NamedTuple):
    """Give up the dial to that node: its own dial to this one goes first, or nothing wants it any more."""

    node: str


class RetryAt(NamedTuple):
    """The node could not be reached: call `Sessions.backoff_ended(node)` at `until` (monotonic seconds).

    Before that only an explicit `connect` or `ping` dials it.  `tick` ends a back-off that is overdue too.
    """

    node: str
    until: float


class Flush(NamedTuple):
    """Signals wait in that peer's queue; one effect for each signal, so there may be several."""

    peer: Peer


class Suspend(NamedTuple):
    """The queue is over its high-water mark: its last sender, if it can wait, waits for the low-water mark.

    The queue of a peer, a mailbox whose limit has the policy `"block"`, or the lines for a console.
    """

    queue: Outbox | Mailbox | ConsoleQueue


class Resume(NamedTuple):
    """The queue may be below its low-water mark, or closed: wake its waiters, for them to look again."""

    queue: Outbox | Mailbox


class MailboxOverflow(NamedTuple):
    """The mailbox of this process is over its limit, and the policy of the limit is to kill it."""

    process: ProcessRecord


class ContinueExits(NamedTuple):
    """Exit notices are left: call `Kernel.continue_exits` soon, and let other kernel calls come between."""


class ContinueFanOuts(NamedTuple):
    """Broadcasts are left: call `Broadcasts.continue_fan_outs` soon, and let other calls come between."""


class HoldBack(NamedTuple):
    """The loss of a node is held back in a space: call `PresenceDiffs.is_over` in `seconds`."""

    seconds: float
    space: Space
    node: str
    number: int


class Hangup(NamedTuple):
    """Close that session's connection; if `gracefully`, after its queue has been sent."""

    peer: Peer
    gracefully: bool


class Show(NamedTuple):
    """Lines wait in the output queue of that process, which leads a terminal; None: in the node's own."""

    process: ProcessRecord | None


class ShellExit(NamedTuple):
    """An exit signal reached a shell: it keeps its pid, and shows the sender and the reason."""

    process: ProcessRecord
    frm: Pid
    reason: Reason


class Log(NamedTuple):
    """One line for the log of this node.  `level` is `"info"`, `"warning"` or `"error"`.

    A peer can bring about lines with a `topic` at will: lines of one topic are rate-limited.
    """

    level: str
    text: str
    topic: str = ""


Effect: TypeAlias = (
    Wake
    | Kill
    | Released
    | RunProcess
    | StartProcess
    | Inquire
    | Answered
    | Connected
    | Dial
    | CancelDial
    | RetryAt
    | Flush
    | Suspend
    | Resume
    | MailboxOverflow
    | ContinueExits
    | ContinueFanOuts
    | HoldBack
    | Hangup
    | Show
    | ShellExit
    | Log
)
