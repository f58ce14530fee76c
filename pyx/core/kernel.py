"""The kernel: the one machine behind the runtime's lock, and the door to this room.

The top layer: what peers say, when the node gets and loses its name, and what is known about a process.
The inputs of the layers below (`send`, `link`, `request_call`, `peer_lost`, ...) are inputs of this object.
All are called with the lock held; after each, `collect` the effects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyx.core.effects import Hangup, Log
from pyx.core.mesh import Mesh
from pyx.core.routing import THE_NODE
from pyx.errors import ProtocolError
from pyx.printable import on_one_line
from pyx.signals import (
    Answer,
    Ask,
    Call,
    Crashed,
    Demonitor,
    Down,
    Dropped,
    ExitSignal,
    ExitTo,
    Goodbye,
    Leader,
    Link,
    Monitor,
    Nodes,
    Ping,
    Pong,
    Print,
    Send,
    Spawn,
    Spawned,
    Tick,
    Unlink,
    UnlinkAck,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyx.core.peers import Peer
    from pyx.core.processes import ProcessRecord
    from pyx.signals import Signal
    from pyx.terms import Incarnation, Pid

FACTS = (
    "registered_name",
    "initial_call",
    "message_queue_len",
    "links",
    "monitors",
    "monitored_by",
    "trap_exit",
    "group_leader",
    "kind",
)
"""What the kernel knows of `Process.info`."""

_LONGEST_REASON = 200
"""Characters of a peer's reason that get into this node's log."""


class Kernel(Mesh):
    """Processes, names, bonds, requests and peers of one node.

    Args:
        policy: `"open"`, `"exported"` or `"off"`: may peers run code here.
    """

    # ------------------------------------------------------------ the node

    def node_started(self, name: str, creation: int, *, hidden: bool) -> None:
        """This process is a node from now on; pids and references given out before stay its own.

        Args:
            name: full, `"gus@host"`.
            creation: 32 random bits, not 0.
            hidden: third nodes are not told of it, nor it of them.
        """
        self.name = name
        self.creation = creation
        self.hidden = hidden

    def node_stopped(self) -> None:
        """Takes leave of every peer: their processes are `noconnection`; those here live on."""
        peers = list(self._peers.values())
        for peer in peers:
            peer.invitations.clear()  # or the end of one dial would begin the next
        for peer in peers:
            self.disconnect(peer.name)
        self.name = ""
        self.creation = 0
        self.hidden = False
        self._backoff.clear()

    # ------------------------------------------------------------ what peers say

    def signals_received(self, peer: Peer, signals: Sequence[Signal], now: float) -> None:
        """Carries out what came over a session, in order; ignored when that session is over.

        An empty batch is fine: something came, though no whole signal yet.  A signal that breaks the rules,
        or that this kernel fails at, ends that session and nothing else: what came before it is carried out.
        """
        if not self._is_current(peer):
            return
        peer.heard = now
        mark = peer.out.mark()
        try:
            for signal in signals:
                if type(signal) is Send:
                    self._receive_message(signal.to, signal.body)
                else:
                    self._receive_signal(peer, signal)
                    if peer.state == "gone":
                        return
        except ProtocolError as error:
            self._break_off(peer, f"it broke the protocol: {error}")
        except Exception as error:  # a fault of this file or one below: others must not pay for it
            where = _place_of(error)
            self.effects.append(Log("error", f"cannot carry out what {peer.name} says: {where}"))
            self._break_off(peer, f"what it says cannot be carried out: {where}")
        finally:
            peer.out.charge(mark)

    def _break_off(self, peer: Peer, reason: str) -> None:
        """Ends a session on account of what came over it."""
        self._settle_anyhow()  # of what follows from the signals before, one may fail as well
        if peer.state != "gone":
            self._lost(peer, reason)
            self.effects.append(Hangup(peer, gracefully=False))

    def _settle_anyhow(self) -> None:
        """`_settle`, though a signal fails: the others are not to pay for it."""
        settled = False
        while not settled:
            try:
                self._settle()
                settled = True
            except Exception as error:  # that signal is not in the queue any more
                self.effects.append(Log("error", f"cannot carry out a signal: {_place_of(error)}"))

    def go_on(self) -> None:
        """Tells the next portion of what ended processes have to say; see `GoOn`."""
        self._notices.goes_on()
        self._settle_anyhow()

    def _receive_signal(self, peer: Peer, signal: Signal) -> None:
        match signal:
            case Link() | Unlink() | UnlinkAck() | ExitSignal() | ExitTo() | Monitor() | Demonitor():
                # Bonds end with the node of their other end, so a peer speaks for its own processes only.
                if signal.frm.node == peer.name:
                    self._carry_out(signal)
            case Down(to, ref):
                if self._may_tell(to, ref, peer.name):
                    self._carry_out(signal)
            case Leader(frm, to):
                if self._may_lead(frm, to):
                    self._carry_out(signal)
                else:
                    text = f"{peer.name} may not choose where {to} prints (--rpc {self.policy})"
                    self.effects.append(Log("warning", text, f"leader by {peer.name}"))
            case Call() | Spawn() | Ask():
                if signal.frm.node == peer.name:
                    self._requested(peer, signal)
            case Answer(number, outcome, payload):
                self._answered(peer, number, outcome, payload)
            case Spawned(number, pid):
                self._spawned(peer, number, pid)
            case Ping(number):
                self._enqueue(peer, Pong(number))
            case Pong(number):
                self._answered(peer, number, "pong", None)
            case Print(frm, to, text):
                self._show(to, frm, text)
            case Crashed(frm, to, text):
                report = f"[error] Process {frm} on node {frm.node} raised an exception\n{text}"
                self._show(to, frm, report)
            case Dropped(frm, why):
                words = on_one_line(why, _LONGEST_REASON)
                text = f"{peer.name} dropped a message for {frm} that it cannot read: {words}"
                self.effects.append(Log("warning", text, f"dropped by {peer.name}"))
            case Nodes(names):
                if not peer.hidden:
                    self._told_of(peer, names)
            case Goodbye():
                self._lost(peer, "it left")
                self.effects.append(Hangup(peer, gracefully=False))
            case Tick() | Send():
                pass
        self._settle()

    def _may_lead(self, frm: Pid, to: Pid) -> bool:
        """May a peer's process choose the group leader of one here?

        Its output goes there and nowhere else, so this is more than to observe: where peers may not run code
        of their choice, the process's own leader alone may.
        """
        process = self.find(to)
        return self.allowed(Call, marked=False) or process is None or process.leader == frm

    def payload_dropped(self, process: ProcessRecord, origin: Incarnation, why: str) -> None:
        """A process could not open a payload: the node that encoded it is told, if it is still there."""
        peer = self._peers.get(origin.name)
        if peer is not None and peer.state == "up" and peer.creation == origin.creation:
            self._enqueue(peer, Dropped(process.pid, why[:_LONGEST_REASON]))

    # ------------------------------------------------------------ what is known

    def facts(self, process: ProcessRecord) -> dict[str, object]:
        """What `Process.info` shows of a process, as far as the kernel knows it (`FACTS`)."""
        return {
            "registered_name": process.name,
            "initial_call": process.initial_call,
            "message_queue_len": len(process.mailbox),
            "links": list(process.links),
            "monitors": list(process.monitors.values()),
            "monitored_by": [watcher.pid for watcher in process.monitored_by],
            "trap_exit": process.trap_exit,
            "group_leader": process.leader or THE_NODE,
            "kind": process.kind,
        }


def _place_of(error: Exception) -> str:
    """Which error was raised where; its text may be a peer's."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    return f"{type(error).__name__} in {trace.tb_frame.f_code.co_qualname}, line {trace.tb_lineno}"
