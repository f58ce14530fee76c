"""Calls of servers without a reply yet: the callers that wait here, and the servers here that were called.

Each call ends once: by its reply, by the end of its server, by the loss of the server's node, or because its
caller gives it up.  See `gen_calls.py` for their beginning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pyx.core.effects import Answered
from pyx.core.processes import NOTHING

if TYPE_CHECKING:
    from pyx.core.peers import Peer
    from pyx.core.processes import ProcessRecord
    from pyx.core.tables import Tables
    from pyx.signals import Body, Reason
    from pyx.terms import Pid, Ref

_new: Final = tuple.__new__  # see `requests.py`


class AwaitedReply(NamedTuple):
    """A call that waits for its reply.

    `waiter` is an object of the runtime.  The server is `process` of this node, or behind `peer` under
    `target`.  With `until_end` the end of the server is waited for, whatever it replies.
    """

    waiter: object
    peer: Peer | None
    process: ProcessRecord | None
    frm: Pid
    target: Pid | str
    ref: Ref
    until_end: bool = False


class AwaitedReplies:
    """The part of the kernel that ends calls."""

    def __init__(self, tables: Tables) -> None:
        self._effects = tables.effects
        self.awaited: Final[dict[int, AwaitedReply]] = {}
        """By the number of the reference: the calls of callers here."""
        self._unanswered = tables.unanswered_calls

    # ------------------------------------------------------------ where the caller is

    def received(self, ref: Ref, outcome: str, body: Body) -> AwaitedReply | None:
        """Ends the call that waits for a message to *ref*, and returns it; None if it may be an alias.

        The outcome is `"value"` for the value of a reply alone, `"message"` for a whole message.
        """
        awaited = self.awaited.get(ref.number) if not ref.node else None
        if awaited is not None and not awaited.until_end:
            del self.awaited[ref.number]
            if (process := awaited.process) is not None:
                process.callers.pop(("", ref.number), None)
            self._effects.append(_new(Answered, (awaited.waiter, outcome, body, None)))
        return awaited

    def server_ended(self, ref: Ref, reason: Reason, *, has_lived: bool, node: str = "") -> bool:
        """Ends a call whose server, a process of *node*, has ended; False if none waits by that reference."""
        awaited = self.awaited.get(ref.number) if not ref.node else None
        if awaited is None or (awaited.peer.name if awaited.peer is not None else "") != node:
            return False
        del self.awaited[ref.number]
        self._effects.append(Answered(awaited.waiter, "exit" if has_lived else "noproc", reason))
        return True

    def peer_lost(self, peer: Peer, reason: str) -> None:
        """Ends every call of a server behind a session that is over."""
        lost = [number for number, awaited in self.awaited.items() if awaited.peer is peer]
        for number in lost:
            waiter = self.awaited.pop(number).waiter
            self._effects.append(Answered(waiter, "noconnection", reason))

    # ------------------------------------------------------------ where the server is

    def called(self, process: ProcessRecord, frm: Pid, target: Pid | str, ref: Ref) -> None:
        """Notes that a process has called *process*, as *target*."""
        if process.callers is NOTHING:
            process.callers = {}
        key = frm.node, ref.number
        process.callers[key] = frm, ref, target
        if frm.node:
            self._unanswered[key] = process

    def answered(self, node: str, number: int) -> None:
        """Forgets a call of a process of *node*: it has its reply, or is given up."""
        process = self._unanswered.pop((node, number), None)
        if process is not None:
            process.callers.pop((node, number), None)

    def caller_lost(self, process: ProcessRecord, node: str) -> None:
        """Forgets all calls of *process* by processes of a lost node."""
        for key in [key for key in process.callers if key[0] == node]:
            self.answered(*key)
