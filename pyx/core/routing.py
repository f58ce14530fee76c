"""The way of messages and signals to a mailbox of this node, or to the queue of a peer.

The part of the kernel below all others.  It finds receivers, and begins a dial when something is for a node
that is not connected.  The effects of signals are in `process_signals.py`; the ends of dials in
`sessions.py`.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final, cast

from pyx.core.effects import Dial, Flush, Log, MailboxOverflow, Suspend, Wake
from pyx.core.peers import BEAM, Peer
from pyx.core.processes import NOTHING, Watcher
from pyx.signals import Demonitor, EncodedTerm, Payload, Send
from pyx.terms import Pid, Ref

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pyx.core.awaited_replies import AwaitedReplies
    from pyx.core.effects import Effect
    from pyx.core.mailbox import Mailbox
    from pyx.core.outbox import Outbox
    from pyx.core.processes import AliasMode, ProcessRecord
    from pyx.core.tables import Tables
    from pyx.signals import Body, Signal

_new: Final = tuple.__new__  # see `requests.py`


class Router:
    """Finds receivers by pid, registered name or alias, and delivers to them."""

    def __init__(self, tables: Tables, replies: AwaitedReplies) -> None:
        self._tables = tables
        self._effects = tables.effects
        self._processes = tables.processes
        self._names = tables.names
        self._aliases = tables.aliases
        self._peers = tables.peers
        self._replies = replies
        self._late = tables.fan_outs.latest
        self._sessions: Final = itertools.count(1)

    def collect(self) -> list[Effect]:
        """Returns the effects of the kernel call that is ending, in order; the kernel keeps none of them."""
        effects = self._effects.copy()
        self._effects.clear()
        self._tables.exit_notices.given = 0  # the next call has a portion of its own
        return effects

    # ------------------------------------------------------------ messages

    def send(self, frm: Pid | None, dest: Pid | str | tuple[str, str] | Ref, body: Body) -> bool:
        """Sends a message; False only when *dest* is a plain name that is not registered here.

        Every other loss is silent, as in Erlang: a dead process, a name that is not registered on another
        node, a node out of reach.  A sender that has ended sends nothing, so that nothing follows its exit.
        """
        if frm is not None and frm.number not in self._processes and frm.number:
            return True
        if self._late:
            self.precede(frm, dest)
        if isinstance(dest, Pid):
            node = dest.node
            if not node:  # the hot path: one lookup, no call but the delivery
                process = self._processes.get(dest.number)
                if process is not None and process.pid.serial == dest.serial:
                    has_grown = process.mailbox.deliver(body)
                    if process.waiting:
                        process.waiting = False
                        self._effects.append(_new(Wake, (process,)))
                    if has_grown:
                        self.mailbox_grew(process)
                return True
            to: Pid | str | Ref = dest
        elif isinstance(dest, str):
            process = self._names.get(dest)
            if process is not None:
                self.deliver(process, body)
            return process is not None
        elif isinstance(dest, Ref):
            node, to = dest.node, dest
            if node:  # it may be the reply to a call of a server
                self._replies.answered(node, dest.number)
        else:
            to, node = dest
        peer = self._peers.get(node)
        if peer is not None:
            peer.quiet = False
            self.enqueue(peer, _new(Send, (frm, to, body)))
        elif self._tables.is_here(node):
            self.receive_message(to, body)
        else:
            self.send_signal(node, Send(frm, to, body), connect=True)
        return True

    def receive_messages(self, signals: Sequence[Signal], at: int, peer: Peer) -> int:
        """Delivers the messages of a peer from index *at* on, up to the first signal of another kind.

        Returns the index of that one.  All messages of a read are delivered in one call, which looks up the
        receiver of many messages once.
        """
        seen: object = None
        process: ProcessRecord | None = None
        for index in range(at, len(signals)):
            signal = signals[index]
            if type(signal) is not Send:
                return index
            frm, to, body = signal
            if self._late:
                self.precede(frm, to)
            if type(to) is Ref:  # of a call that waits, or an alias, which the first message may take back
                self.receive_message(to, body, peer)
                continue
            if to is not seen:
                process = self._receiver(to)
                seen = to
            if process is not None:
                has_grown = process.mailbox.deliver(body)
                if process.waiting:
                    process.waiting = False
                    self._effects.append(_new(Wake, (process,)))
                if has_grown:
                    self.mailbox_grew(process)
        return len(signals)

    def receive_message(self, to: Pid | str | Ref, body: Body, peer: Peer | None = None) -> None:
        """Delivers a message, of a peer or of this node, to a process of this node, or drops it."""
        if type(to) is Ref and self.receive_reply(to, "message", body, peer):
            return
        process = self._receiver(to)
        if process is not None:
            self.deliver(process, body)

    def receive_reply(self, ref: Ref, outcome: str, body: Body, peer: Peer | None) -> bool:
        """Ends the call that waits for a message to *ref*; False if none does, so it may be an alias.

        The server's node has forgotten the call as it sent the reply.  If another process than one of that
        node has replied, it is told.
        """
        awaited = self._replies.received(ref, outcome, body)
        if awaited is None:
            return False
        if awaited.peer is not None and awaited.peer is not peer and not awaited.until_end:
            self.enqueue(awaited.peer, Demonitor(awaited.frm, awaited.target, ref))
        return True

    def _receiver(self, to: Pid | str | Ref) -> ProcessRecord | None:
        """Returns the process that an address of this node stands for, for one message."""
        if type(to) is Pid:
            if to.node:
                return self._tables.find(to)
            process = self._processes.get(to.number)
            return process if process is not None and process.pid.serial == to.serial else None
        if type(to) is str:
            return self._names.get(to)
        assert isinstance(to, Ref)
        return self._use_alias(to)

    def deliver(self, process: ProcessRecord, item: Any) -> None:
        """Puts a message into the mailbox of a process and wakes it if it waits."""
        has_grown = process.mailbox.deliver(item)
        if process.waiting:
            process.waiting = False
            self._effects.append(_new(Wake, (process,)))
        if has_grown:  # after the wake-up, which a blocked log must not hold back
            self.mailbox_grew(process)

    def precede(self, frm: Pid | None, to: Pid | str | tuple[str, str] | Ref) -> None:
        """Delivers to a process of this node what *frm* has broadcast, before anything else that it sends.

        Nothing for other nodes, whose queues have that order; nothing most of the time (`fan_outs.py`).
        """
        if frm not in self._late:
            return
        if type(to) is tuple:
            to, node = to
            if not self._tables.is_here(node):
                return
        process: ProcessRecord | None = None
        if type(to) is Ref:
            awaited = self._replies.awaited.get(to.number) if not to.node else None
            process = self._aliases.get(to.number) if not to.node else None
            if awaited is not None:
                process = self._tables.find(awaited.frm)
        else:
            process = self._names.get(to) if isinstance(to, str) else self._tables.find(cast("Pid", to))
        if process is not None:
            for body in self._tables.fan_outs.due(frm, process):
                self.deliver(process, body)

    def precede_node(self, node: str, processes: Iterable[ProcessRecord]) -> None:
        """`precede` for all broadcasts of a peer, before its `nodeup` or `nodedown` is told."""
        last = self._tables.fan_outs.last_from_node(node) if self._late else None
        if last is not None:
            for process in processes:
                for body in self._tables.fan_outs.due_until(last, process):
                    self.deliver(process, body)

    def mailbox_grew(self, process: ProcessRecord) -> None:
        """Follows a delivery after which the mailbox may be over its limit."""
        mailbox = process.mailbox
        if mailbox.has_grown():
            name = f" ({process.name})" if process.name else ""
            words = f"the mailbox of {process.pid}{name} has grown to {len(mailbox):,} messages"
            if mailbox.limit is not None and mailbox.limit.policy == "kill":
                self._effects += (Log("error", f"{words}: it is killed"), MailboxOverflow(process))
            else:
                self._effects.append(Log("warning", words))
        if mailbox.is_busy:
            self._effects.append(Suspend(mailbox))

    def may_carry(self, node: str, body: Body) -> bool:
        """Returns whether the session with a node, if there is one, carries a message of that encoding.

        A message that was encoded for an Erlang node goes to no other: since then the session may have ended,
        and the name may be that of a pyx node now.
        """
        if type(body) is not Payload or not isinstance(body.data, EncodedTerm):
            return True
        peer = self._peers.get(node)
        return peer is not None and peer.dialect == BEAM

    # ------------------------------------------------------------ queues

    def queue_for(self, dest: Pid | str | tuple[str, str] | Ref) -> Outbox | Mailbox | None:
        """Returns the queue that a message for *dest* would be put into now; None if it would be dropped."""
        to, node = dest if isinstance(dest, tuple) else (dest, "" if isinstance(dest, str) else dest.node)
        if not self._tables.is_here(node):
            peer = self._peers.get(node)
            return peer.out if peer is not None else None
        if isinstance(to, Pid):
            process = self._tables.find(to)
        else:
            process = self._names.get(to) if isinstance(to, str) else self._aliases.get(to.number)
        return process.mailbox if process is not None else None

    def queued(self) -> dict[str, int]:
        """Bytes queued, for every node for which something is."""
        return {peer.name: queued for peer in self._peers.values() if (queued := peer.out.queued)}

    # ------------------------------------------------------------ aliases

    def alias(self, process: ProcessRecord, *, once: bool = False) -> Ref:
        """Makes a second address of a process; messages for it are dropped after `unalias`.

        With *once* the first message takes it back, so that a reply that comes twice or late does not stay in
        the mailbox.
        """
        ref = self._tables.make_ref()
        self.add_alias(process, ref, "reply" if once else "explicit_unalias")
        return ref

    def add_alias(self, process: ProcessRecord, ref: Ref, mode: AliasMode) -> None:
        """Makes *ref* an address of a process; of a monitor's reference before the monitor is made."""
        if process.alive:  # else its thread has not noticed its end, and nothing would take the alias back
            if process.aliases is NOTHING:
                process.aliases = {}
            process.aliases[ref] = mode
            self._aliases[ref.number] = process

    def unalias(self, process: ProcessRecord, ref: Ref) -> bool:
        """Takes an alias back; False when it is not one of this process (any more)."""
        if process.aliases.pop(ref, None) is None:
            return False
        del self._aliases[ref.number]
        return True

    def monitor_ended(self, process: ProcessRecord, ref: Ref) -> None:
        """Takes the alias of a monitor back that has fired, or was taken back itself."""
        if process.aliases.get(ref) in {"demonitor", "reply_demonitor"}:
            self.unalias(process, ref)

    def _use_alias(self, ref: Ref) -> ProcessRecord | None:
        if ref.node:  # of another node, or of another incarnation of this one
            return None
        process = self._aliases.get(ref.number)
        if process is not None:
            mode = process.aliases[ref]
            if mode == "reply" or mode == "reply_demonitor":  # noqa: PLR1714 - no set is made for each message
                self.unalias(process, ref)
            if mode == "reply_demonitor":
                self._end_monitor(process, ref)
        return process

    def _end_monitor(self, process: ProcessRecord, ref: Ref) -> None:
        target = process.monitors.pop(ref, None)
        if target is None:
            return
        node, demonitor = self._tables.monitors.demonitor(process.pid, ref, target)
        if self._tables.is_here(node):
            self._tables.monitors.remove(Watcher(process.pid, ref))
        else:
            self.send_signal(node, demonitor)

    # ------------------------------------------------------------ signals

    def send_signal(self, node: str, signal: Signal, *, connect: bool = False, quiet: bool = False) -> bool:
        """Puts a signal on its way to a node ("" for this one); False when there is no session.

        Args:
            node: its name.
            signal: for the inbox of this node or the queue of a peer.
            connect: dial the node if there is no session.  Only for requests: an answer or an exit for a node
                that is gone is pointless.
            quiet: a failed dial is not logged; the caller gets the error and reports it.
        """
        peer = self._peers.get(node)
        if peer is None:
            if self._tables.is_here(node):
                self._tables.inbox.append(signal)
                return True
            peer = self.reach(node, quiet=quiet) if connect else None
            if peer is None:
                return False
        elif connect and not quiet:
            peer.quiet = False
        self.enqueue(peer, signal)
        return True

    def enqueue(self, peer: Peer, signal: Signal) -> None:
        """Puts a signal into the queue of a peer."""
        if peer.out.put(signal):
            self._effects.append(Suspend(peer.out))
        if peer.state == "up":
            peer.sent_since_tick = True
            effects = self._effects
            # One is enough for all that a kernel call puts into the queue.
            if not (effects and type(effects[-1]) is Flush and effects[-1].peer is peer):
                effects.append(Flush(peer))

    def reach(self, node: str, *, quiet: bool = False) -> Peer | None:
        """Returns the session with a node; dials if there is none.

        None while dials to that node are backed off, and while this node is not started.
        """
        peer = self._peers.get(node)
        if peer is None and self._tables.name and self._tables.backoff.reason(node) is None:
            peer = self.dial(node, quiet=quiet)
        return peer

    def dial(self, node: str, *, quiet: bool = False) -> Peer:
        """Begins a session with a node that has none, by a dial."""
        self._tables.known_nodes.add(node)
        peer = self.new_session(node, dialled=True, quiet=quiet)
        self._effects.append(Dial(node))
        return peer

    def new_session(self, node: str, *, dialled: bool, quiet: bool = False) -> Peer:
        """Adds a session in the state "dialling" for a node that has none."""
        peer = self._peers[node] = Peer(node, next(self._sessions), dialled=dialled, quiet=quiet)
        return peer
