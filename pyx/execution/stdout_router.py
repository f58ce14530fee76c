"""Routes `sys.stdout` of a process to its group leader: whole lines, in the process's order, across nodes.

`print` in a process goes to the terminal of the process that spawned it; `print` on a thread that does not
run a process goes to the original stream.  See `console_writer.py` for the way to a console.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from pyx.execution.context import current
from pyx.execution.stream_proxy import StreamProxy

if TYPE_CHECKING:
    from pyx.execution.runner import Runner


class StdoutRouter(StreamProxy):
    """The proxy that is `sys.stdout`; everything but writing is the original stream's."""

    routes_processes = True

    def put(self, text: str) -> None:
        """Sends whole lines; raises ProcessKilled in a dead process, whose lines are dropped."""
        runner = current.get()
        if runner is None:
            self._found.write(text)
        elif runner.line.write(text):
            runner.node.print_lines(runner)

    def pass_on(self) -> None:
        """Shows the unfinished line of a process that has a terminal at once (a progress bar, `input`)."""
        runner = current.get()
        if runner is None:
            self._found.flush()
        elif runner.process.output is not None:
            finish_line(runner, newline=False)


def finish_line(runner: Runner, *, newline: bool) -> None:
    """Sends the unfinished line of a process, if any: at its end, or on `flush`."""
    if runner.has_unfinished_line:
        if newline:
            runner.line.write("\n")
        runner.node.print_lines(runner, everything=True)


def install() -> None:
    """Makes the router `sys.stdout`, once.

    In a program started without stdout (`sys.stdout` is None) the output of threads still vanishes.
    """
    if not isinstance(sys.stdout, StdoutRouter):
        sys.stdout = StdoutRouter(_nowhere() if sys.stdout is None else sys.stdout)


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")


def found_stream() -> TextIO | None:
    """Returns the original stream: where a node without a shell shows its lines."""
    stream = sys.stdout
    if isinstance(stream, StreamProxy) and stream.routes_processes:
        return stream.original_stream
    return stream
