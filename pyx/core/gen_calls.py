"""Calls of servers, as OTP's `gen`: a monitor and a message in one step, and an alias for the reply.

A call is a request: its number is that of its reference, and its caller need not be a process.  Nothing of
it ever comes into a mailbox but the server's.  `awaited_replies.py` has the ends of calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyx.core.awaited_replies import AwaitedReply
from pyx.core.effects import Answered
from pyx.core.mailbox import Called, Replied
from pyx.core.processes import Watcher
from pyx.core.requests import NOT_STARTED
from pyx.errors import ProtocolError
from pyx.signals import Demonitor, Down, GenCall, GenReply, Monitor, Send
from pyx.terms import Pid

if TYPE_CHECKING:
    from pyx.core.awaited_replies import AwaitedReplies
    from pyx.core.peers import Peer
    from pyx.core.process_exits import ProcessExits
    from pyx.core.process_signals import ProcessSignals
    from pyx.core.processes import ProcessRecord
    from pyx.core.routing import Router
    from pyx.core.tables import Tables
    from pyx.signals import Body
    from pyx.terms import Ref

_new: Final = tuple.__new__  # see `requests.py`


class GenCalls:
    """Calls servers for callers of this node, and receives calls of peers."""

    def __init__(
        self,
        tables: Tables,
        replies: AwaitedReplies,
        router: Router,
        exits: ProcessExits,
        process_signals: ProcessSignals,
    ) -> None:
        self._tables = tables
        self._peers = tables.peers
        self._processes = tables.processes
        self._replies = replies
        self._awaited = replies.awaited
        self._router = router
        self._late = tables.fan_outs.latest
        self._exits = exits
        self._process_signals = process_signals

    # ------------------------------------------------------------ where the caller is

    def call(
        self,
        waiter: object,
        frm: Pid,
        dest: Pid | str | tuple[str, str],
        ref: Ref,
        body: Body,
        *,
        is_system: bool = False,
    ) -> None:
        """Calls a server.  The message takes its place among the caller's others.

        Args:
            waiter: gets the outcome in `Answered`: `"value"` (of a `GenReply`), `"message"` (any other one to
                *ref*), `"exit"` (the reason with which the server ended), `"noproc"`, `"noconnection"`.
            frm: the caller; `#PID<0.0.0>` if no process calls.
            dest: a pid, a name, or (name, node).
            ref: new.
            body: the request; between nodes a payload.
            is_system: it is a request of OTP's `sys`.
        """
        if frm.number and frm.number not in self._processes:  # it has ended
            return
        target, node = _address(dest)
        peer = self._peers.get(node)
        if peer is not None:
            self._awaited[ref.number] = _new(AwaitedReply, (waiter, peer, None, frm, target, ref, False))
            self._router.enqueue(peer, _new(GenCall, (frm, target, ref, is_system, body)))
        elif self._tables.is_here(node):
            process = self._local(target)
            if process is None:
                if isinstance(target, Pid):
                    self._router.precede(target, frm)
                self._tables.effects.append(Answered(waiter, "noproc", "noproc"))
                return
            if self._late:
                self._router.precede(frm, process.pid)
            self._awaited[ref.number] = _new(AwaitedReply, (waiter, None, process, frm, target, ref, False))
            self._replies.called(process, frm, target, ref)
            self._router.deliver(process, _new(Called, (is_system, frm, ref, body)))
        elif (peer := self._reach(waiter, node)) is not None:
            self._awaited[ref.number] = AwaitedReply(waiter, peer, None, frm, target, ref)
            self._router.enqueue(peer, GenCall(frm, target, ref, is_system, body))

    def await_end(
        self, waiter: object, frm: Pid, dest: Pid | str | tuple[str, str], ref: Ref, message: Body
    ) -> None:
        """Sends *message* to a process and waits for its end; outcomes as of `call`, but no reply counts."""
        if self._tables.has_ended(frm):
            return
        target, node = _address(dest)
        peer = None
        if not self._tables.is_here(node) and (peer := self._reach(waiter, node)) is None:
            return
        process = self._local(target) if peer is None else None
        self._awaited[ref.number] = AwaitedReply(waiter, peer, process, frm, target, ref, until_end=True)
        self._router.send_signal(node, Monitor(frm, target, ref))
        self._process_signals.settle()
        if peer is not None:
            self._router.enqueue(peer, Send(frm, target, message))
        elif process is not None:
            self._router.deliver(process, message)

    def abandon(self, number: int) -> object:
        """Gives a call up, so that its reply is dropped when it comes; returns what waited.

        The reference to that may be the last one, and has to end outside of the lock.
        """
        awaited = self._awaited.pop(number, None)
        if awaited is None:
            return None
        _, peer, process, frm, target, ref, _ = awaited
        if process is not None:
            process.callers.pop(("", number), None)
            self._tables.monitors.remove(Watcher(frm, ref))
        elif peer is not None:
            self._router.enqueue(peer, Demonitor(frm, target, ref))
        return awaited

    def _local(self, target: Pid | str) -> ProcessRecord | None:
        return self._tables.names.get(target) if isinstance(target, str) else self._tables.find(target)

    def _reach(self, waiter: object, node: str) -> Peer | None:
        """Returns the session with a node; without one the waiter is told why."""
        peer = self._router.reach(node, quiet=True)
        if peer is None:
            reason = self._tables.backoff.reason(node) or NOT_STARTED
            self._tables.effects.append(Answered(waiter, "noconnection", reason))
        return peer

    # ------------------------------------------------------------ where the server is

    def reply(self, frm: Pid | None, ref: Ref, body: Body) -> None:
        """Sends the value of a reply to *ref*; dropped if nothing waits for it."""
        if frm is not None and frm.number and frm.number not in self._processes:
            return
        if not ref.node:
            if self._late:
                self._router.precede(frm, ref)
            self.replied(ref, body, None)
            return
        self._replies.answered(ref.node, ref.number)
        peer = self._peers.get(ref.node)
        if peer is not None:
            self._router.enqueue(peer, _new(GenReply, (frm, ref, body)))

    def called(self, peer: Peer, call: GenCall) -> None:
        """Receives a call of a peer, for one of its own processes."""
        frm, target, ref, is_system, body = call
        if frm.node != peer.name:
            return
        process = self._local(target)
        if process is None:
            self._exits.answer_for_the_dead(frm.node, Down(frm, ref, target, "noproc"))
            self._process_signals.settle()
            return
        if (frm.node, ref.number) in self._tables.unanswered_calls:
            msg = f"the reference {ref} of a call of {frm} is used a second time"
            raise ProtocolError(msg)
        if self._late:
            self._router.precede(frm, process.pid)
        self._replies.called(process, frm, target, ref)
        peer.dependents[process] = None
        self._router.deliver(process, _new(Called, (is_system, frm, ref, body)))

    def replied(self, ref: Ref, body: Body, peer: Peer | None) -> None:
        """Receives the value of a reply, of a peer or of this node: for a call that waits, or an alias."""
        if not self._router.receive_reply(ref, "value", body, peer):
            self._router.receive_message(ref, _new(Replied, (ref, body)))


def _address(dest: Pid | str | tuple[str, str]) -> tuple[Pid | str, str]:
    """Returns a destination as its node names it, and that node ("" for this one)."""
    if type(dest) is tuple:
        return dest
    assert not isinstance(dest, tuple)
    return (dest, "") if isinstance(dest, str) else (dest, dest.node)
