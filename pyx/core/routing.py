"""The post: the way of messages, signals and printed lines to a mailbox here or to the queue of a peer.

The lowest layer of the kernel.  It holds the tables, finds receivers, and starts a dial when something is
for a node that is not connected.  Not here: what signals do when they arrive (`process_signals.py`), how
dials end (`mesh.py`).
"""

from __future__ import annotations

import itertools
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from pyx.core.console_queue import ConsoleQueue
from pyx.core.effects import Dial, Flush, Log, Overfull, Show, Suspend, Wake
from pyx.core.exit_notices import ExitNotices
from pyx.core.known_nodes import KnownNodes
from pyx.core.peers import Backoff, Peer
from pyx.core.processes import ProcessRecord, ProcessTable
from pyx.core.registry import Registry
from pyx.errors import RegistrationError
from pyx.signals import LONGEST_TEXT, Crashed, Print, Send
from pyx.terms import LONGEST_WORD, Incarnation, Pid, Ref

if TYPE_CHECKING:
    from pyx.core.effects import Effect
    from pyx.core.mailbox import Mailbox
    from pyx.core.outbox import Outbox
    from pyx.signals import Body, Signal

NO_NODE: Final = "nonode@nohost"
"""What a node without a name is called, as in Erlang."""


THE_NODE: Final = Pid(0)
"""`#PID<0.0.0>`: who acts where no process does, and the leader of what prints on the node's own output."""


class Router:
    """Tables, routing, delivery."""

    def __init__(self) -> None:
        self.name = ""
        """The node's full name; "" while it has none and can have no peers."""
        self.creation = 0
        self.hidden = False
        self.effects: list[Effect] = []
        self.console: Final = ConsoleQueue()
        """Lines for the node's own output: (who printed them, whole lines)."""
        self._processes: Final = ProcessTable()
        self._names: Final = Registry()
        self._aliases: Final[dict[int, ProcessRecord]] = {}
        self._peers: Final[dict[str, Peer]] = {}
        """By name: dialling or up, one session each."""
        self._backoff: Final = Backoff()
        self._known: Final = KnownNodes()
        self._inbox: Final[deque[Signal]] = deque()
        """Signals from processes here to processes here, carried out in order before the input returns."""
        self._notices: Final = ExitNotices()
        self._references: Final = itertools.count(1)
        self._sessions: Final = itertools.count(1)

    def collect(self) -> list[Effect]:
        """The effects of what was fed since the last time."""
        effects, self.effects = self.effects, []
        self._notices.step_is_over()
        return effects

    @property
    def here(self) -> Incarnation | None:
        """This life of this node; None while it has no name."""
        return Incarnation(self.name, self.creation) if self.name else None

    def is_here(self, node: str) -> bool:
        """True for the names of this node: "" and its own (without one: `nonode@nohost`)."""
        return not node or node == (self.name or NO_NODE)

    # ------------------------------------------------------------ who is here

    def find(self, pid: Pid) -> ProcessRecord | None:
        """The live process of a pid of this node's present life."""
        if pid.node and (pid.node != self.name or pid.creation != self.creation):
            return None  # another node's, or of an earlier life of this one: never the namesake of today
        if pid.node:
            pid = Pid(pid.number, pid.serial)
        return self._processes.find(pid)

    def processes(self) -> list[ProcessRecord]:
        """All live processes, oldest first."""
        return list(self._processes.values())

    def dead_pid(self) -> Pid:
        """A pid that nobody has, had or will have."""
        return self._processes.new_pid()

    def make_ref(self) -> Ref:
        """A new reference."""
        return Ref(next(self._references))

    def register(self, pid: Pid, name: str) -> None:
        """Gives a process a name on this node.

        Raises:
            RegistrationError: the sentence names the rule.
        """
        if type(name) is not str or not name:
            msg = f"cannot register {pid} as {name!r}: a name is a str that is not empty"
            raise RegistrationError(msg)
        if len(name) > LONGEST_WORD:
            msg = f"cannot register {pid}: a name has at most {LONGEST_WORD} characters, not {len(name)}"
            raise RegistrationError(msg)
        process = self.find(pid)
        if process is None:
            problem = "it is not alive" if self.is_here(pid.node) else "it is not a process of this node"
            msg = f"cannot register {pid} as {name!r}: {problem}"
            raise RegistrationError(msg)
        self._names.register(process, name)

    def unregister(self, name: str) -> None:
        """Takes a name away.

        Raises:
            RegistrationError: no process has it.
        """
        self._names.unregister(name)

    def whereis(self, name: str) -> Pid | None:
        """The pid registered under a name here."""
        process = self._names.find(name)
        return process.pid if process is not None else None

    def registered(self) -> list[str]:
        """All names in use here, sorted."""
        return self._names.all()

    def alias(self, process: ProcessRecord, *, once: bool = False) -> Ref:
        """A second address of a process, to be taken back: what comes after `unalias` is dropped.

        With *once* the first message takes it back: a reply that comes twice, or late, litters no mailbox.
        """
        ref = self.make_ref()
        if process.alive:  # else its thread has not heard of its death yet, and nobody would take this back
            process.aliases[ref] = once
            self._aliases[ref.number] = process
        return ref

    def unalias(self, process: ProcessRecord, ref: Ref) -> bool:
        """Takes an alias back; False when it was none of this process (any more)."""
        if process.aliases.pop(ref, None) is None:
            return False
        del self._aliases[ref.number]
        return True

    def _has_ended(self, frm: Pid) -> bool:
        """A dead process does nothing more, though its thread may not have heard of its death yet."""
        return frm.number not in self._processes and frm != THE_NODE

    # ------------------------------------------------------------ messages

    def send(self, frm: Pid | None, dest: Pid | str | tuple[str, str] | Ref, body: Body) -> bool:
        """Sends a message; False only when *dest* is a plain name that nobody has here.

        Every other loss is silent, as in Erlang: a dead process, a name nobody has elsewhere, a node out of
        reach.  A sender that is dead already sends nothing: whoever saw its exit has seen all it said.
        """
        if frm is not None and frm.number not in self._processes and frm.number:
            return True
        if isinstance(dest, Pid):
            node = dest.node
            if not node:  # the hot path: one lookup, no call but the delivery
                process = self._processes.get(dest.number)
                if process is not None and process.pid.serial == dest.serial:
                    if process.mailbox.deliver(body):
                        self._crowded(process)
                    if process.waiting:
                        process.waiting = False
                        self.effects.append(Wake(process))
                return True
            to: Pid | str | Ref = dest
        elif isinstance(dest, str):
            process = self._names.find(dest)
            if process is not None:
                self._deliver(process, body)
            return process is not None
        elif isinstance(dest, Ref):
            node, to = dest.node, dest
        else:
            to, node = dest
        if self.is_here(node):
            self._receive_message(to, body)
        else:
            self._post(node, Send(frm, to, body), connect=True)
        return True

    def queue_for(self, dest: Pid | str | tuple[str, str] | Ref) -> Outbox | Mailbox | None:
        """Where a message for *dest* would have to wait now; None where there is nobody."""
        to, node = dest if isinstance(dest, tuple) else (dest, "" if isinstance(dest, str) else dest.node)
        if not self.is_here(node):
            peer = self._peers.get(node)
            return peer.out if peer is not None else None
        if isinstance(to, Pid):
            process = self.find(to)
        else:
            process = self._names.find(to) if isinstance(to, str) else self._aliases.get(to.number)
        return process.mailbox if process is not None else None

    def queued_for(self, node: str) -> int:
        """How many bytes wait for a node."""
        peer = self._peers.get(node)
        return peer.out.queued if peer is not None else 0

    def queued(self) -> dict[str, int]:
        """How many bytes wait for which node, where some do."""
        return {peer.name: queued for peer in self._peers.values() if (queued := peer.out.queued)}

    def _receive_message(self, to: Pid | str | Ref, body: Body) -> None:
        """Puts a message into a mailbox of this node, or drops it."""
        if isinstance(to, Pid):
            process = self.find(to)
        elif isinstance(to, str):
            process = self._names.find(to)
        else:
            process = self._alias_used(to)
        if process is not None:
            self._deliver(process, body)

    def _alias_used(self, ref: Ref) -> ProcessRecord | None:
        if ref.node:  # of another node, or of an earlier life of this one
            return None
        process = self._aliases.get(ref.number)
        if process is not None and process.aliases[ref]:
            self.unalias(process, ref)
        return process

    def _crowded(self, process: ProcessRecord) -> None:
        """A mailbox may have grown too long."""
        mailbox = process.mailbox
        if mailbox.has_grown():
            name = f" ({process.name})" if process.name else ""
            words = f"the mailbox of {process.pid}{name} has grown to {len(mailbox):,} messages"
            if mailbox.cap is not None and mailbox.cap.policy == "kill":
                self.effects += (Log("error", f"{words}: it is killed"), Overfull(process))
            else:
                self.effects.append(Log("warning", words))
        if mailbox.is_heavy:
            self.effects.append(Suspend(mailbox))

    def _deliver(self, process: ProcessRecord, item: Any) -> None:
        if process.mailbox.deliver(item):
            self._crowded(process)
        if process.waiting:
            process.waiting = False
            self.effects.append(Wake(process))

    # ------------------------------------------------------------ signals on their way

    def _post(self, node: str, signal: Signal, *, connect: bool = False, quiet: bool = False) -> bool:
        """Puts a signal on its way to a node ("" for this one); False when there is no way.

        Only what asks for something may `connect`: an answer or an exit for a node that is gone is pointless.
        With *quiet* a failed dial is no warning: whoever asked is told, and says it.
        """
        if self.is_here(node):
            self._inbox.append(signal)
            return True
        peer = self._peers.get(node)
        if peer is None:
            peer = self._reach(node, quiet=quiet) if connect else None
            if peer is None:
                return False
        elif connect and not quiet:
            peer.quiet = False
        self._enqueue(peer, signal)
        return True

    def _enqueue(self, peer: Peer, signal: Signal) -> None:
        if peer.out.put(signal):
            self.effects.append(Suspend(peer.out))
        if peer.state == "up":
            peer.sent_since_tick = True
            self.effects.append(Flush(peer))

    def _reach(self, node: str, *, quiet: bool = False) -> Peer | None:
        """The session with a node, begun by a dial if there is none.

        None while that node rests, and while this one has no name.
        """
        peer = self._peers.get(node)
        if peer is None and self.name and self._backoff.reason(node) is None:
            peer = self._dial(node, quiet=quiet)
        return peer

    def _dial(self, node: str, *, quiet: bool = False) -> Peer:
        self._known.add(node)
        peer = self._peers[node] = Peer(node, next(self._sessions), dialled=True, quiet=quiet)
        self.effects.append(Dial(node))
        return peer

    # ------------------------------------------------------------ output

    def print_lines(self, frm: ProcessRecord | Pid, leader: Pid | None, text: str) -> None:
        """Shows whole lines on the terminal that *leader* leads, on whichever node that is.

        Where the leader is gone, or its node is, they appear on this node's own output (BEAM ends the
        printing process instead).  A dead `ProcessRecord` prints nothing; a `Pid` is taken at its word (crash
        reports).
        """
        if isinstance(frm, ProcessRecord):
            if not frm.alive:
                return
            frm = frm.pid
        if leader is None or not self._post_to_leader(Print(frm, leader, text)):
            self._show(leader, frm, text)

    def process_crashed(self, process: ProcessRecord, text: str) -> None:
        """A process is about to end by an exception: its report goes to this node's log, and to its terminal.

        Once, where these are one: a terminal of this node shows the log anyway.
        """
        text = text.rstrip() + "\n"
        self.effects.append(Log("error", f"Process {process.pid} raised an exception\n{text}".rstrip()))
        if process.leader is not None:
            if len(text) > LONGEST_TEXT:
                text = f"...\n{text[-LONGEST_TEXT:]}"
            self._post_to_leader(Crashed(process.pid, process.leader, text))

    def _post_to_leader(self, signal: Print | Crashed) -> bool:
        """Sends something to show to a leader on another node; False where there is no such way."""
        leader = signal.to
        if self.is_here(leader.node):
            return False
        peer = self._peers.get(leader.node)
        if peer is None or peer.state != "up" or peer.creation != leader.creation:
            return False
        self._enqueue(peer, signal)
        return True

    def _show(self, leader: Pid | None, frm: Pid, text: str) -> None:
        process = self.find(leader) if leader is not None else None
        if process is None or process.output is None:
            lines, process = self.console, None
        else:
            lines = process.output
        if lines.put(frm, text):
            self.effects.append(Suspend(lines))
        self.effects.append(Show(process))
