"""The lines that a node shows itself: of processes without a terminal, and of a shell's processes.

See `pyx.execution.console_writer` for how one thread at a time writes them, in order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyx.execution import stdout_router
from pyx.execution.console_writer import ConsoleWriter, Pace
from pyx.printable import filter_foreign

if TYPE_CHECKING:
    from pyx.core.console_queue import ConsoleQueue
    from pyx.execution.console_writer import Console
    from pyx.terms import Pid


class NodeConsole:
    """The console of one node.

    Args:
        lines: put in by the kernel.
    """

    def __init__(self, lines: ConsoleQueue) -> None:
        self.console: Console | None = None
        """The shell's; None: the stream that was `sys.stdout` before pyx."""
        self.pace = Pace()
        """The shell's console's."""
        self.writer = ConsoleWriter(lines, self._write, lambda: self.pace)

    def _write(self, text: str, frm: Pid) -> None:
        if self.console is not None:
            self.console.write(text, frm=frm)
            return
        stream = stdout_router.found_stream()
        if stream is None:
            return
        try:
            stream.write(text if frm.is_local else filter_foreign(text))
            stream.flush()
        except (OSError, ValueError):  # closed, or a pipe whose reader left: output is not worth a process
            return
