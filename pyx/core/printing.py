"""Output of processes, on its way to the terminal of their group leader, on whichever node that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyx.core.effects import Log, Show, Suspend
from pyx.core.processes import ProcessRecord
from pyx.signals import LONGEST_TEXT, Crashed, Print

if TYPE_CHECKING:
    from pyx.core.routing import Router
    from pyx.core.tables import Tables
    from pyx.terms import Pid


class Printing:
    """Sends lines and crash reports to group leaders, and queues those for the terminals of this node."""

    def __init__(self, tables: Tables, router: Router) -> None:
        self._tables = tables
        self._router = router

    def print_lines(self, frm: ProcessRecord | Pid, leader: Pid | None, text: str) -> None:
        """Sends whole lines to the terminal of *leader*.

        Without a leader, or when it or its node is gone, they appear on this node's own output (BEAM ends the
        printing process instead).

        Args:
            frm: the process that prints; a dead `ProcessRecord` prints nothing, a `Pid` may be dead.
            leader: its group leader.
            text: whole lines.
        """
        if isinstance(frm, ProcessRecord):
            if not frm.alive:
                return
            frm = frm.pid
        if leader is None or not self._send_to_leader(Print(frm, leader, text)):
            self.show(leader, frm, text)

    def process_crashed(self, process: ProcessRecord, text: str, title: str = "") -> None:
        """Logs the report of a process that is about to end by an exception; *title* is its first line.

        A group leader on another node gets it too; on this node a terminal shows the log anyway.
        """
        text = text.rstrip() + "\n"
        title = title or f"Process {process.pid} raised an exception"
        self._tables.effects.append(Log("error", f"{title}\n{text}".rstrip()))
        if process.leader is not None:
            if len(text) > LONGEST_TEXT:
                text = f"...\n{text[-LONGEST_TEXT:]}"
            self._send_to_leader(Crashed(process.pid, process.leader, text))

    def show(self, leader: Pid | None, frm: Pid, text: str) -> None:
        """Queues whole lines for the terminal that *leader* leads here, else for the node's own output."""
        process = self._tables.find(leader) if leader is not None else None
        if process is None or process.output is None:
            queue, process = self._tables.console, None
        else:
            queue = process.output
        if queue.put(frm, text):
            self._tables.effects.append(Suspend(queue))
        self._tables.effects.append(Show(process))

    def _send_to_leader(self, signal: Print | Crashed) -> bool:
        """Queues text for a leader on another node; False when it is on this one or not connected."""
        leader = signal.to
        if self._tables.is_here(leader.node):
            return False
        peer = self._tables.peers.get(leader.node)
        if peer is None or peer.state != "up" or peer.creation != leader.creation:
            return False
        self._router.enqueue(peer, signal)
        return True
