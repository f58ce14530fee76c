"""Bonds: processes begin and end here, and an end reaches whoever is linked to it or monitors it.

The second layer of the kernel.  Between two processes of one node and between two nodes the same signals do
the same things: a signal for this node goes through the inbox, one for another through its peer.  Not here:
what the loss of a node means for all its bonds at once (`mesh.py`).
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

from pyx.core.effects import GoOn, Kill, Released, Resume, ShellExit
from pyx.core.mailbox import Downed, Exited
from pyx.core.processes import ProcessRecord, Watcher, address_of
from pyx.core.routing import NO_NODE, Router
from pyx.errors import ProtocolError
from pyx.signals import Demonitor, Down, ExitSignal, ExitTo, Leader, Link, Monitor, Unlink, UnlinkAck, weight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.core.exit_notices import Notice
    from pyx.core.mailbox import Cap
    from pyx.core.peers import Peer
    from pyx.core.processes import InitialCall, Target
    from pyx.signals import Reason, Signal
    from pyx.terms import Pid, Ref


class ProcessSignals(Router):
    """Birth, links, monitors, exit signals, death."""

    def __init__(self) -> None:
        super().__init__()
        self._unlinks: Final = itertools.count(1)
        self._watched: Final[dict[Watcher, ProcessRecord]] = {}
        """Monitor -> the process here that it watches: a name may have moved on since."""

    # ------------------------------------------------------------ birth and death

    def process_started(
        self,
        kind: str,
        *,
        leader: Pid | None = None,
        parent: Pid | None = None,
        initial_call: InitialCall = ("", "", 0),
        runner: Any = None,
        keeps_pid: bool = False,
        terminal: bool = False,
        link_to: ProcessRecord | None = None,
        monitored_by: ProcessRecord | None = None,
    ) -> tuple[ProcessRecord, Ref | None]:
        """A process is about to run; gives its record, and the reference of the monitor asked for.

        Args:
            kind: see `ProcessRecord`.
            leader: whose terminal shows its output; None: its own if it leads one, else its parent's leader.
            parent: who started it.
            initial_call: see `ProcessRecord`.
            runner: the runtime's handle.
            keeps_pid: it is a shell.
            terminal: it leads a terminal.
            link_to: a live process to link it to in the same step.
            monitored_by: a live process that monitors it from the first moment.
        """
        pid = self._processes.new_pid()
        if leader is None and terminal:
            leader = pid
        elif leader is None and parent is not None:
            started_by = self.find(parent)
            leader = started_by.leader if started_by is not None else None
        process = ProcessRecord(
            pid,
            kind,
            leader=leader,
            parent=parent,
            initial_call=initial_call,
            runner=runner,
            keeps_pid=keeps_pid,
            terminal=terminal,
        )
        self._processes[pid.number] = process
        if link_to is not None:
            link_to.links.link(pid)
            process.links.link_received(link_to.pid)
            if not link_to.alive:  # killed while it asked for this
                self._inbox.append(ExitSignal(link_to.pid, pid, "noproc"))
                self._settle()
        ref = None
        if monitored_by is not None:
            ref = self.make_ref()
            monitored_by.monitors[ref] = pid  # a dead one hears nothing, and is forgotten with this record
            self._watch(process, Watcher(monitored_by.pid, ref), pid)
        return process, ref

    def process_exited(self, process: ProcessRecord, reason: Reason) -> None:
        """A process ended by itself; without effect on one that is dead already."""
        self._end(process, reason)
        self._settle()

    def _end(self, process: ProcessRecord, reason: Reason) -> None:
        """Takes a process out of every table and tells all who are bound to it.

        It never ends half-way: an entry that is missing already does not keep the others waiting.
        """
        if not process.alive:
            return
        pid = process.pid
        process.alive = process.waiting = False
        process.reason = reason
        process.mailbox.closed = True
        self._look_again(process)
        self._processes.pop(pid.number, None)
        self._names.release(process)
        for ref in process.aliases:
            self._aliases.pop(ref.number, None)
        for watcher in process.monitored_by:
            self._watched.pop(watcher, None)
        for peer in self._peers.values():
            peer.bonds.pop(process, None)
        # Copies: its own thread, which has not heard of its end yet, may still change the tables.
        bonds = list(process.links), list(process.monitored_by.items()), list(process.monitors.items())
        if any(bonds):
            self._notices.add(self._last_words(pid, reason, dict(self._peers), *bonds))
        self.effects.append(Released(process))

    def _last_words(
        self,
        pid: Pid,
        reason: Reason,
        sessions: dict[str, Peer],
        links: list[Pid],
        watchers: list[tuple[Watcher, Pid | str]],
        monitors: list[tuple[Ref, Target]],
    ) -> Iterator[Notice]:
        """What a process that has just ended says to all who are bound to it."""
        for other in links:
            yield sessions.get(other.node), ExitSignal(pid, other, reason)
        for watcher, target in watchers:
            down = Down(watcher.pid, watcher.ref, target, reason, pid)
            yield sessions.get(watcher.pid.node), down
        for ref, watched in monitors:
            node, demonitor = self._demonitor(pid, ref, watched)
            yield sessions.get(node), demonitor

    def _kill(self, process: ProcessRecord, reason: Reason) -> None:
        self._end(process, reason)
        self.effects.append(Kill(process, reason))

    # ------------------------------------------------------------ what a process asks for

    def link(self, process: ProcessRecord, to: Pid) -> bool:
        """Links a process to another; links do not stack.

        False when *to* is of this node, dead, and *process* does not trap exits: the caller raises, as OTP
        does.  If it traps, and for a process of another node, an exit answers: `noproc` or `noconnection`.
        """
        if not process.alive or to == process.pid:
            return True
        if self.is_here(to.node) and self.find(to) is None and to not in process.links:
            if process.trap_exit:
                process.links.link(to)
                self._answer_for_the_dead(to.node, ExitSignal(to, process.pid, "noproc"))
                self._settle()
            return process.trap_exit
        if process.links.link(to):
            if self._post(to.node, Link(process.pid, to), connect=True):
                self._bind(process, to.node)
            else:
                self._inbox.append(ExitSignal(to, process.pid, "noconnection"))
            self._settle()
        return True

    def unlink(self, process: ProcessRecord, to: Pid) -> None:
        """Gives a link up: from now on no exit of *to* reaches *process*."""
        number = next(self._unlinks)
        if process.links.unlink(to, number):
            self._post(to.node, Unlink(process.pid, to, number))
            self._settle()

    def monitor(self, process: ProcessRecord, target: Pid | str | tuple[str, str]) -> Ref:
        """Asks for one `Downed` when the target ends: at once if it is not there; monitors stack."""
        ref = self.make_ref()
        if not process.alive:
            return ref
        if isinstance(target, str):
            target = (target, self.name or NO_NODE)
        process.monitors[ref] = target
        named, node = address_of(target)
        if self._post(node, Monitor(process.pid, named, ref), connect=True):
            self._bind(process, node)
        else:
            self._inbox.append(Down(process.pid, ref, named, "noconnection"))
        self._settle()
        return ref

    def demonitor(self, process: ProcessRecord, ref: Ref, *, flush: bool = False) -> bool:
        """Takes a monitor back; False when it has fired or never was.

        With *flush* its `Downed` is taken out of the mailbox too; then the caller is the process itself.
        """
        target = process.monitors.pop(ref, None)
        if target is not None:
            self._post_demonitor(process.pid, ref, target)
            self._settle()
        elif flush:
            dropped = process.mailbox.discard(lambda item: type(item) is Downed and item.ref == ref)
            self.effects.append(Released(dropped))
            self._look_again(process)
        return target is not None

    def exit(self, frm: Pid, to: Pid, reason: Reason) -> None:
        """Sends an exit signal (`Process.exit/2`); one to oneself is the caller's to carry out."""
        if not self._has_ended(frm):
            self._post(to.node, ExitTo(frm, to, reason), connect=True)
            self._settle()

    def set_trap_exit(self, process: ProcessRecord, value: bool) -> bool:
        """Turns exit signals into messages, or back; gives what it was."""
        before, process.trap_exit = process.trap_exit, value
        return before

    def set_max_mailbox(self, process: ProcessRecord, cap: Cap | None) -> Cap | None:
        """Says how many messages may wait for a process, and what happens beyond; gives what held before."""
        before = process.mailbox.cap
        process.mailbox.set_cap(cap)
        self._look_again(process)
        return before

    def _look_again(self, process: ProcessRecord) -> None:
        if process.mailbox.waiters:
            self.effects.append(Resume(process.mailbox))

    def set_leader(self, frm: Pid, to: Pid, leader: Pid) -> None:
        """Sends the output of *to* to the terminal of another leader."""
        self._post(to.node, Leader(frm, to, leader), connect=True)
        self._settle()

    # ------------------------------------------------------------ what signals do

    def _settle(self) -> None:
        """Carries out the signals between processes here, and those that follow from them, in order.

        What ended processes say comes after these, and only so much of it in one step; then others are let
        in between.  An ended process says nothing else any more, so to each other process it keeps its order.
        """
        self._carry_on(beyond=False)
        if self._notices.must_go_on():
            self.effects.append(GoOn())

    def _settle_wholly(self) -> None:
        """`_settle`, and all that ended processes have to say, however much that is."""
        self._carry_on(beyond=True)

    def _carry_on(self, *, beyond: bool) -> None:
        self._carry_out_inbox()
        while (notice := self._notices.take(beyond=beyond)) is not None:
            peer, signal = notice
            if peer is None:
                self._carry_out(signal)
            elif self._peers.get(peer.name) is peer:  # else who hears it has been told `noconnection`
                mark = peer.out.mark()
                self._enqueue(peer, signal)
                peer.out.charge(mark)
            self._carry_out_inbox()

    def _carry_out_inbox(self) -> None:
        while self._inbox:
            self._carry_out(self._inbox.popleft())

    def _answer_for_the_dead(self, node: str, signal: ExitSignal | Down | UnlinkAck) -> None:
        """An answer in the place of a process that has ended, behind all it had to say itself."""
        peer = self._peers.get(node)
        self._notices.add([(None, signal)] if peer is None else self._promised(peer, signal))

    @staticmethod
    def _promised(peer: Peer, signal: Signal) -> Iterator[Notice]:
        # The peer may ask faster than portions are told: what it is owed counts from now on.
        promised = weight(signal)
        peer.out.promised += promised

        def told() -> Iterator[Notice]:
            peer.out.promised -= promised
            yield peer, signal

        return told()

    def _carry_out(self, signal: Signal) -> None:
        """Does what a signal says to a process here, whichever node it came from."""
        match signal:
            case Link(frm, to):
                if (process := self.find(to)) is None:
                    self._answer_for_the_dead(frm.node, ExitSignal(to, frm, "noproc"))
                else:
                    process.links.link_received(frm)
                    self._bind(process, frm.node)
            case Unlink(frm, to, number):
                ack = UnlinkAck(to, frm, number)
                if (process := self.find(to)) is not None:
                    process.links.unlink_received(frm)
                    self._post(frm.node, ack)
                else:  # the other end waits all the same
                    self._answer_for_the_dead(frm.node, ack)
            case UnlinkAck(frm, to, number):
                if (process := self.find(to)) is not None:
                    process.links.ack_received(frm, number)
            case ExitSignal(frm, to, reason):
                process = self.find(to)
                if process is not None and process.links.exit_received(frm):
                    self._obey(process, frm, reason)
            case ExitTo(frm, to, reason):
                if (process := self.find(to)) is None:
                    pass
                elif reason == "kill":  # cannot be trapped; the word changes, so that it kills this one alone
                    self._kill(process, "killed")
                elif frm == to and reason == "normal" and not process.trap_exit:
                    self._kill(process, reason)  # its own signal, which is not news from another
                else:
                    self._obey(process, frm, reason)
            case Monitor(frm, target, ref):
                process = self._names.find(target) if isinstance(target, str) else self.find(target)
                if process is None:
                    self._answer_for_the_dead(frm.node, Down(frm, ref, target, "noproc"))
                else:
                    self._watch(process, Watcher(frm, ref), target)
                    self._bind(process, frm.node)
            case Demonitor(frm, _, ref):
                self._unwatch(Watcher(frm, ref))
            case Down(to, ref, _, reason):
                process = self.find(to)
                if process is not None and (watched := process.monitors.pop(ref, None)) is not None:
                    self._deliver(process, Downed(ref, watched, reason))
            case Leader(_, to, leader):
                if (process := self.find(to)) is not None:
                    process.leader = leader
            case _:
                msg = f"{type(signal).__name__} is not between processes"
                raise AssertionError(msg)

    def _obey(self, process: ProcessRecord, frm: Pid, reason: Reason) -> None:
        """An exit signal that counts: a message if trapped, nothing if `normal`, else the end."""
        if process.trap_exit:
            self._deliver(process, Exited(frm, reason))
        elif reason == "normal":
            pass
        elif process.keeps_pid:
            self.effects.append(ShellExit(process, frm, reason))
        else:
            self._kill(process, reason)

    def _watch(self, process: ProcessRecord, watcher: Watcher, target: Pid | str) -> None:
        """Notes a monitor; raises as `_check_new`."""
        self._check_new(watcher)
        process.monitored_by[watcher] = target
        self._watched[watcher] = process

    def _check_new(self, watcher: Watcher) -> None:
        """Raises ProtocolError if that process monitors something here by that reference already."""
        if watcher in self._watched:
            msg = f"the reference {watcher.ref} of a monitor of {watcher.pid} is used a second time"
            raise ProtocolError(msg)

    def _unwatch(self, watcher: Watcher) -> None:
        process = self._watched.pop(watcher, None)
        if process is not None:
            process.monitored_by.pop(watcher, None)

    def _may_tell(self, to: Pid, ref: Ref, node: str) -> bool:
        """True if what *to* monitors by *ref* is of that node: a peer has nothing to tell of other nodes."""
        process = self.find(to)
        if process is None or ref not in process.monitors or Watcher(process.pid, ref) in self._watched:
            return False
        return address_of(process.monitors[ref])[1] == node

    def _bind(self, process: ProcessRecord, node: str) -> None:
        """Notes that the process has to hear when that node is lost."""
        peer = self._peers.get(node)
        if peer is not None:
            peer.bonds[process] = None

    def _post_demonitor(self, frm: Pid, ref: Ref, target: Target) -> None:
        self._post(*self._demonitor(frm, ref, target))

    def _demonitor(self, frm: Pid, ref: Ref, target: Target) -> tuple[str, Demonitor]:
        """The signal that takes a monitor back, and the node it goes to."""
        named, node = address_of(target)
        if Watcher(frm, ref) in self._watched:  # here, though the node may have got or changed its name since
            node = ""
        return node, Demonitor(frm, named, ref)
