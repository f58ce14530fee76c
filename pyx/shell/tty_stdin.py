"""sys.stdin of a prompt: what a person types is for the shell, and for nobody beside it.

A process that read the terminal too would share every key with the prompt, at random, and leave the line
broken.  Not here: the prompt itself (`terminal`).
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from pyx.errors import TerminalTaken
from pyx.execution import context
from pyx.execution.output import finish_line
from pyx.execution.stream_proxy import StreamProxy

if TYPE_CHECKING:
    from collections.abc import Iterator

_READS_NOTHING: Final = {"isatty", "encoding", "errors", "newlines", "name", "mode", "closed"}


class TtyStdin(StreamProxy):
    """Stands in for `sys.stdin`; what is not the shell gets TerminalTaken instead of what reads.

    `input()` looks for a `fileno` and reads by itself where that is the terminal's, so this one is refused as
    well: then it tries `readline`, and passes the error on.
    """

    def put(self, text: str) -> None:
        """Cannot: see any stream that is read."""
        self._found.write(text)

    def pass_on(self) -> None:
        """Has nothing to pass on."""

    def original(self, name: str) -> Any:
        """See `StreamProxy`."""
        if name not in _READS_NOTHING:
            _prepare()
        return super().original(name)

    def __iter__(self) -> Iterator[str]:  # type: ignore[override] # of str, as that of any text stream
        """Like any text stream's."""
        _prepare()
        return iter(self.original("readline"), "")


def _prepare() -> None:
    """Has the terminal show what an `await` at the prompt has printed, before that waits for an answer.

    It runs on the process loop, where no print waits for the screen; the question itself is written by
    Python, past the screen.  On the shell's own thread each print has waited.

    Raises:
        TerminalTaken: this is neither the shell's process, nor its thread before and after that.
    """
    runner = context.current.get()
    is_main = threading.current_thread() is threading.main_thread()
    if runner is None:
        if not is_main:
            raise TerminalTaken("this thread")
    elif not runner.process.keeps_pid:
        raise TerminalTaken(str(runner.process.pid))
    elif not is_main and runner.outlet is not None:
        finish_line(runner, newline=False)
        runner.outlet.settle()
