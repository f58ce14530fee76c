"""The monitors of processes of this node, whichever node the watching process is on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyx.core.processes import NOTHING, ProcessRecord, Watcher, address_of
from pyx.errors import ProtocolError
from pyx.signals import Demonitor

if TYPE_CHECKING:
    from pyx.core.processes import Target
    from pyx.terms import Pid, Ref


class MonitorTable(dict[Watcher, ProcessRecord]):
    """Watcher -> the process it watches: a name that was monitored may belong to another process by now.

    `ProcessRecord.monitored_by` is the other half.
    """

    def add(self, process: ProcessRecord, watcher: Watcher, target: Pid | str) -> None:
        """Notes a monitor of *process*, which is watched as *target*; raises as `check_new`."""
        self.check_new(watcher)
        if process.monitored_by is NOTHING:
            process.monitored_by = {}
        process.monitored_by[watcher] = target
        self[watcher] = process

    def check_new(self, watcher: Watcher) -> None:
        """Raises ProtocolError if that process monitors something here by that reference already."""
        if watcher in self:
            msg = f"the reference {watcher.ref} of a monitor of {watcher.pid} is used a second time"
            raise ProtocolError(msg)

    def remove(self, watcher: Watcher) -> None:
        """Forgets a monitor; nothing when there is none."""
        process = self.pop(watcher, None)
        if process is not None:
            process.monitored_by.pop(watcher, None)

    def demonitor(self, frm: Pid, ref: Ref, target: Target) -> tuple[str, Demonitor]:
        """The signal that takes back a monitor of a process here, and the node it goes to ("": this one)."""
        named, node = address_of(target)
        if Watcher(frm, ref) in self:  # here, though the node may have got or changed its name since
            node = ""
        return node, Demonitor(frm, named, ref)
