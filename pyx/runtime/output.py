"""sys.stdout -> the group leader of whoever prints: whole lines, in that process's order, across nodes.

`print` in a process goes to the terminal of whoever spawned it; `print` on a thread that is no process goes
to the stream that was there before.  Not here: what a terminal does with the lines (`shell`), how they
travel.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from pyx.errors import ProcessKilled
from pyx.runtime.context import current

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyx.runtime.runners import Runner
    from pyx.terms import Pid


class Console(Protocol):
    """Where a leader's lines are shown.  Calls come from any thread, one at a time, in order."""

    def write(self, text: str, *, frm: Pid) -> None:
        """Shows *text* that *frm* printed: whole lines, except what its own process flushed."""


class Router:
    """Stands in for `sys.stdout`; everything but writing is the found stream's."""

    def __init__(self, found: TextIO) -> None:
        self._found = found

    def write(self, text: str) -> int:
        """Like any text stream's; lines of a dead process are dropped."""
        runner = current.get()
        if runner is None:
            return self._found.write(text)
        waiting = runner.line + text
        end = waiting.rfind("\n") + 1
        runner.line = waiting[end:]
        if end:
            _hand_over(runner, waiting[:end])
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Like any text stream's."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """A terminal's own process sees its unfinished line at once (a progress bar, `input`)."""
        runner = current.get()
        if runner is None:
            self._found.flush()
        elif runner.process.output is not None:
            finish_line(runner, newline=False)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._found, name)


def _hand_over(runner: Runner, text: str) -> None:
    try:
        runner.node.print_lines(runner, text)
    except ProcessKilled:
        if not runner.killed:
            raise


def finish_line(runner: Runner, *, newline: bool) -> None:
    """Hands over the unfinished line of a process, if any: it ends, or it asked for that."""
    line, runner.line = runner.line, ""
    if line:
        _hand_over(runner, line + ("\n" if newline else ""))


def install() -> None:
    """Puts the router before `sys.stdout`, once."""
    if not isinstance(sys.stdout, Router):
        sys.stdout = Router(sys.stdout)


def found_stream() -> TextIO | None:
    """The stream beneath the router: where a node without a shell shows its own lines."""
    stream: Any = sys.stdout
    return stream._found if isinstance(stream, Router) else stream  # noqa: SLF001 - this file's own
