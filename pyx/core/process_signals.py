"""Process signals: links, monitors and exit signals, as processes ask for them and as they arrive.

Between two processes of one node and between two nodes the same signals do the same things: a signal for
this node goes through the inbox, one for another node through its peer.  What the loss of a node means for
links and monitors: `sessions.py`.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

from pyx.core.effects import ContinueExits, Released, Resume, RunProcess, ShellExit
from pyx.core.exit_notices import Forgotten
from pyx.core.mailbox import Downed, Exited
from pyx.core.processes import ProcessRecord, Watcher, address_of
from pyx.core.tables import NO_NODE
from pyx.signals import Demonitor, Down, ExitSignal, ExitTo, Leader, Link, Monitor, Unlink, UnlinkAck
from pyx.terms import Pid

if TYPE_CHECKING:
    from pyx.core.awaited_replies import AwaitedReplies
    from pyx.core.mailbox import MailboxLimit
    from pyx.core.process_exits import ProcessExits
    from pyx.core.processes import AliasMode, InitialCall
    from pyx.core.routing import Router
    from pyx.core.space_parts import SpaceParts
    from pyx.core.tables import Tables
    from pyx.signals import Reason, Signal
    from pyx.terms import Ref


_new: Final = tuple.__new__  # see `requests.py`


class ProcessSignals:
    """Starts processes, links and monitors them, and applies the signals between them."""

    def __init__(
        self, tables: Tables, replies: AwaitedReplies, router: Router, spaces: SpaceParts, exits: ProcessExits
    ) -> None:
        self._tables = tables
        self._replies = replies
        self._router = router
        self._spaces = spaces
        self._exits = exits
        self._unlinks: Final = itertools.count(1)

    # ------------------------------------------------------------ start and end

    def process_started(
        self,
        kind: str,
        leader: Pid | None = None,
        parent: Pid | None = None,
        initial_call: InitialCall = ("", "", 0),
        *,
        body: Any = None,
        keeps_pid: bool = False,
        terminal: bool = False,
        link_to: ProcessRecord | None = None,
        monitored_by: ProcessRecord | None = None,
    ) -> tuple[ProcessRecord, Ref | None]:
        """Adds a process that is about to run; returns its record and the reference of *monitored_by*.

        Args:
            kind: see `ProcessRecord`.
            leader: its group leader; None: itself if it leads a terminal, else the leader of *parent*.
            parent: the process that started it.
            initial_call: see `ProcessRecord`.
            body: what the effect `RunProcess` has the runtime run; None: no such effect.
            keeps_pid: it is a shell.
            terminal: it leads a terminal.
            link_to: a process that it is linked to from the first moment.
            monitored_by: a process that monitors it from the first moment.
        """
        tables = self._tables
        pid = tables.processes.new_pid()
        if leader is None and terminal:
            leader = pid
        elif leader is None and parent is not None:
            started_by = tables.find(parent)
            leader = started_by.leader if started_by is not None else None
        process = ProcessRecord(
            pid, kind, leader, parent, initial_call, keeps_pid=keeps_pid, terminal=terminal
        )
        tables.processes[pid.number] = process
        if body is not None:
            tables.effects.append(_new(RunProcess, (process, body)))
        if link_to is not None:
            link_to.own_links().link(pid)
            process.own_links().link_received(link_to.pid)
            if not link_to.alive:  # killed while it asked for this
                tables.inbox.append(ExitSignal(link_to.pid, pid, "noproc"))
                self.settle()
        ref = None
        if monitored_by is not None:
            ref = tables.make_ref()
            monitored_by.add_monitor(ref, pid)  # a dead one hears nothing, and is forgotten with this record
            tables.monitors.add(process, Watcher(monitored_by.pid, ref), pid)
        return process, ref

    def process_exited(self, process: ProcessRecord, reason: Reason) -> None:
        """Ends a process whose function returned or raised; without effect on a dead one."""
        self._exits.end(process, reason)
        tables = self._tables
        if tables.inbox or tables.exit_notices.waiting:
            self.settle()

    # ------------------------------------------------------------ what a process asks for

    def link(self, process: ProcessRecord, to: Pid) -> bool:
        """Links a process to another; links do not stack.

        False when *to* is of this node, dead, and *process* does not trap exits: the caller raises, as OTP
        does.  If it traps, and for a process of another node, an exit answers: `noproc` or `noconnection`.
        """
        tables = self._tables
        if not process.alive or to == process.pid:
            return True
        if tables.is_here(to.node) and tables.find(to) is None and to not in process.links:
            if process.trap_exit:
                process.own_links().link(to)
                self._exits.answer_for_the_dead(to.node, ExitSignal(to, process.pid, "noproc"))
                self.settle()
            return process.trap_exit
        if process.own_links().link(to):
            if self._router.send_signal(to.node, Link(process.pid, to), connect=True):
                tables.add_dependent(process, to.node)
            else:
                tables.inbox.append(ExitSignal(to, process.pid, "noconnection"))
            self.settle()
        return True

    def unlink(self, process: ProcessRecord, to: Pid) -> None:
        """Gives a link up: from now on no exit of *to* reaches *process*."""
        number = next(self._unlinks)
        if process.links.unlink(to, number):
            self._router.send_signal(to.node, Unlink(process.pid, to, number))
            self.settle()

    def monitor(
        self, process: ProcessRecord, target: Pid | str | tuple[str, str], alias: AliasMode | None = None
    ) -> Ref:
        """Monitors a process: one `Downed` comes at its end, at once if it does not exist; monitors stack.

        With *alias* the reference is an alias of *process* too.
        """
        tables = self._tables
        ref = tables.make_ref()
        if not process.alive:
            return ref
        if alias is not None:
            self._router.add_alias(process, ref, alias)
        if isinstance(target, str):
            target = (target, tables.name or NO_NODE)
        process.add_monitor(ref, target)
        named, node = address_of(target)
        if self._router.send_signal(node, Monitor(process.pid, named, ref), connect=True):
            tables.add_dependent(process, node)
        else:
            tables.inbox.append(Down(process.pid, ref, named, "noconnection"))
        self.settle()
        return ref

    def demonitor(self, process: ProcessRecord, ref: Ref, *, flush: bool = False) -> bool:
        """Takes a monitor back; False when it has fired or never existed.

        With *flush* its `Downed` is taken out of the mailbox too; then the caller is the process itself.
        """
        target = process.monitors.pop(ref, None)
        if target is not None:
            self._router.monitor_ended(process, ref)
            self._router.send_signal(*self._tables.monitors.demonitor(process.pid, ref, target))
            self.settle()
        elif flush:
            dropped = process.mailbox.discard(lambda item: type(item) is Downed and item.ref == ref)
            self._tables.effects.append(Released(dropped))
            self._resume_senders(process)
        return target is not None

    def exit(self, frm: Pid, to: Pid, reason: Reason) -> None:
        """Sends an exit signal (`Process.exit/2`); the caller handles one to itself."""
        if not self._tables.has_ended(frm):
            self._router.send_signal(to.node, ExitTo(frm, to, reason), connect=True)
            self.settle()

    def set_trap_exit(self, process: ProcessRecord, value: bool) -> bool:
        """Turns exit signals into messages, or back; returns the previous value."""
        before, process.trap_exit = process.trap_exit, value
        return before

    def set_mailbox_limit(self, process: ProcessRecord, limit: MailboxLimit | None) -> MailboxLimit | None:
        """Sets how many messages may wait for a process, and what happens beyond; returns the old limit."""
        before = process.mailbox.limit
        process.mailbox.set_limit(limit)
        self._resume_senders(process)
        return before

    def set_leader(self, frm: Pid, to: Pid, leader: Pid) -> None:
        """Sets the group leader of *to*."""
        self._router.send_signal(to.node, Leader(frm, to, leader), connect=True)
        self.settle()

    def _resume_senders(self, process: ProcessRecord) -> None:
        if process.mailbox.waiters:
            self._tables.effects.append(Resume(process.mailbox))

    # ------------------------------------------------------------ what signals do

    def settle(self) -> None:
        """Applies the signals in the inbox, and those that follow from them, in order.

        Exit notices come after these, one portion of them in one kernel call.  An ended process sends nothing
        else any more, so its order to each other process is kept.
        """
        tables = self._tables
        if not (tables.inbox or tables.exit_notices.waiting):
            return  # the most frequent case: nothing is for this node
        self._apply_all(beyond=False)
        if tables.exit_notices.must_continue():
            tables.effects.append(ContinueExits())

    def settle_all(self) -> None:
        """`settle` without a limit on exit notices."""
        self._apply_all(beyond=True)

    def _apply_all(self, *, beyond: bool) -> None:
        tables = self._tables
        self._apply_inbox()
        charged, mark = None, (0, 0)
        try:
            while (notice := tables.exit_notices.take(beyond=beyond)) is not None:
                peer, signal = notice
                if peer is not charged:  # what is queued for a peer in one go is charged in one go
                    if charged is not None:
                        charged.out.charge(mark)
                    charged = peer
                    if peer is not None:
                        mark = peer.out.mark()
                if peer is None:
                    self.apply(signal)
                    self._apply_inbox()
                elif tables.peers.get(peer.name) is peer:  # else its receiver has got `noconnection`
                    assert not isinstance(signal, Forgotten)
                    self._router.enqueue(peer, signal)
        finally:
            if charged is not None:
                charged.out.charge(mark)

    def _apply_inbox(self) -> None:
        inbox = self._tables.inbox
        while inbox:
            self.apply(inbox.popleft())

    def apply(self, signal: Signal | Forgotten) -> None:
        """Applies a signal to a process here, whichever node it came from."""
        tables = self._tables
        if tables.fan_outs.latest:
            self._precede(signal)
        match signal:  # the cases that come by the thousand first
            case Monitor(frm, target, ref):
                process = tables.names.get(target) if isinstance(target, str) else tables.find(target)
                if process is None:
                    self._exits.answer_for_the_dead(frm.node, Down(frm, ref, target, "noproc"))
                else:
                    tables.monitors.add(process, Watcher(frm, ref), target)
                    tables.add_dependent(process, frm.node)
            case Down(to, ref, _, reason, frm):
                if self._replies.server_ended(ref, reason, has_lived=frm is not None):
                    pass
                elif (process := tables.find(to)) is not None:
                    self._monitor_fires(process, ref, reason)
            case Link(frm, to):
                if (process := tables.find(to)) is None:
                    self._exits.answer_for_the_dead(frm.node, ExitSignal(to, frm, "noproc"))
                else:
                    process.own_links().link_received(frm)
                    tables.add_dependent(process, frm.node)
            case Unlink(frm, to, number):
                ack = UnlinkAck(to, frm, number)
                if (process := tables.find(to)) is not None:
                    process.links.unlink_received(frm)
                    self._router.send_signal(frm.node, ack)
                else:  # the other end waits all the same
                    self._exits.answer_for_the_dead(frm.node, ack)
            case UnlinkAck(frm, to, number):
                if (process := tables.find(to)) is not None:
                    process.links.ack_received(frm, number)
            case ExitSignal(frm, to, reason):
                process = tables.find(to)
                if process is not None and process.links.exit_received(frm):
                    self.apply_exit(process, frm, reason)
            case ExitTo(frm, to, reason):
                if (process := tables.find(to)) is None:
                    pass
                elif reason == "kill":  # cannot be trapped; the word changes, so that it kills this one alone
                    self._exits.kill(process, "killed")
                elif frm == to and reason == "normal" and not process.trap_exit:
                    self._exits.kill(process, reason)  # unlike the `normal` of another process
                else:
                    self.apply_exit(process, frm, reason)
            case Forgotten():
                self._spaces.keys.forget(signal)
            case Demonitor(frm, _, ref):
                tables.monitors.remove(Watcher(frm, ref))
                self._replies.answered(frm.node, ref.number)
            case Leader(_, to, leader):
                if (process := tables.find(to)) is not None:
                    process.leader = leader
            case _:
                msg = f"{type(signal).__name__} is not a signal between processes"
                raise AssertionError(msg)

    def _precede(self, signal: Signal | Forgotten) -> None:
        """Delivers the broadcasts of a signal's sender to its receiver first; see `fan_outs.py`."""
        match signal:
            case (
                ExitSignal(frm, to) | ExitTo(frm, to) | Link(frm, to) | Unlink(frm, to) | Monitor(frm, to)
                | Down(to=to, frm=Pid() as frm) | Down(to=to, target=Pid() as frm)  # `noproc`: long ended
            ):  # fmt: skip
                self._router.precede(frm, to)

    def apply_exit(self, process: ProcessRecord, frm: Pid, reason: Reason) -> None:
        """Applies an exit signal: a message if trapped, nothing if `normal`, else the end of the process."""
        if process.trap_exit:
            self._router.deliver(process, Exited(frm, reason))
        elif reason == "normal":
            pass
        elif process.keeps_pid:
            self._tables.effects.append(ShellExit(process, frm, reason))
        else:
            self._exits.kill(process, reason)

    def _monitor_fires(self, process: ProcessRecord, ref: Ref, reason: Reason) -> None:
        watched = process.monitors.pop(ref, None)
        if watched is not None:
            self._router.monitor_ended(process, ref)
            self._router.deliver(process, Downed(ref, watched, reason))

    def down_received(self, down: Down, node: str) -> None:
        """Applies the DOWN of a peer, if it is of a process of *node*."""
        has_lived = down.frm is not None
        if self._tables.fan_outs.latest:
            self._precede(down)
        if self._replies.server_ended(down.ref, down.reason, has_lived=has_lived, node=node):
            return
        process = self._tables.find(down.to)
        if process is not None and self.may_report_down(process, down.ref, node):
            self._monitor_fires(process, down.ref, down.reason)

    def may_report_down(self, process: ProcessRecord, ref: Ref, node: str) -> bool:
        """True if *process* monitors a process of *node* by *ref*: a peer reports ends of its own only."""
        target = process.monitors.get(ref)
        if target is None or address_of(target)[1] != node:
            return False
        return Watcher(process.pid, ref) not in self._tables.monitors
