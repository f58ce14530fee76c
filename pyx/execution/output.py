"""sys.stdout -> the group leader of whoever prints: whole lines, in that process's order, across nodes.

`print` in a process goes to the terminal of whoever spawned it; `print` on a thread that is no process goes
to the stream that was there before.  Not here: what a terminal does with the lines (`shell`), how they
travel.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from pyx.execution.context import current
from pyx.execution.stream_proxy import StreamProxy

if TYPE_CHECKING:
    from pyx.execution.runner import Runner


class StdoutRouter(StreamProxy):
    """Stands in for `sys.stdout`; everything but writing is the found stream's."""

    def put(self, text: str) -> None:
        """Hands over whole lines; a dead process raises ProcessKilled, and its lines are dropped."""
        runner = current.get()
        if runner is None:
            self._found.write(text)
        elif runner.line.write(text):
            runner.node.print_lines(runner)

    def pass_on(self) -> None:
        """A terminal's own process sees its unfinished line at once (a progress bar, `input`)."""
        runner = current.get()
        if runner is None:
            self._found.flush()
        elif runner.process.output is not None:
            finish_line(runner, newline=False)


def finish_line(runner: Runner, *, newline: bool) -> None:
    """Hands over the unfinished line of a process, if any: it ends, or it asked for that."""
    if runner.has_unfinished_line:
        if newline:
            runner.line.write("\n")
        runner.node.print_lines(runner, everything=True)


def install() -> None:
    """Puts the router before `sys.stdout`, once.

    A program that was started without stdout has none (`None`): what its threads print vanishes, as before.
    """
    if not isinstance(sys.stdout, StdoutRouter):
        sys.stdout = StdoutRouter(_nowhere() if sys.stdout is None else sys.stdout)


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")


def found_stream() -> TextIO | None:
    """The stream beneath the router: where a node without a shell shows its own lines."""
    stream: Any = sys.stdout
    return stream._found if isinstance(stream, StdoutRouter) else stream  # noqa: SLF001 - this file's own
