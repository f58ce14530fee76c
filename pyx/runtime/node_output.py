"""The lines that a node shows itself: of processes without a terminal, and of a shell's processes.

See `pyx.execution.outlet` for how one thread at a time writes them, in order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyx.execution import output
from pyx.execution.outlet import Outlet, Pace
from pyx.printable import filter_foreign

if TYPE_CHECKING:
    from pyx.core.console_queue import ConsoleQueue
    from pyx.execution.outlet import Console
    from pyx.terms import Pid


class NodeOutput:
    """The console of one node.

    Args:
        lines: put in by the kernel.
    """

    def __init__(self, lines: ConsoleQueue) -> None:
        self.console: Console | None = None
        """The shell's; None: the stream that was `sys.stdout` before pyx."""
        self.pace = Pace()
        """The shell's console's."""
        self.outlet = Outlet(lines, self._write, lambda: self.pace)

    def _write(self, text: str, frm: Pid) -> None:
        if self.console is not None:
            self.console.write(text, frm=frm)
            return
        stream = output.found_stream()
        if stream is None:
            return
        try:
            stream.write(text if frm.is_local else filter_foreign(text))
            stream.flush()
        except (OSError, ValueError):  # closed, or a pipe whose reader left: output is not worth a process
            return
