"""The `sys.stdout` of a program while remote shells are attached: only their processes print at them.

A program with a node prints where it always did (unless `Node.start(route_output=True)`).  The process of a
remote shell, and the processes that it spawns, print at that shell, which is their group leader.
"""

from __future__ import annotations

import _thread
import contextlib
import sys
from collections import Counter
from typing import TYPE_CHECKING, Final

from pyx.execution.context import current
from pyx.execution.stdout_router import StdoutRouter, finish_line
from pyx.execution.stream_proxy import StreamProxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.execution.runner import Runner
    from pyx.terms import Pid

_leaders: Final[Counter[Pid]] = Counter()
"""Group leader -> the number of contexts of `routed_to` that are open for it."""
_changing: Final = _thread.allocate_lock()


class LeaderStdout(StreamProxy):
    """The proxy that is `sys.stdout`: what other processes print goes to the original stream."""

    routes_processes = True

    def put(self, text: str) -> None:
        """See `StreamProxy`; raises ProcessKilled in a dead process of a remote shell."""
        runner = _runner_of_a_remote_shell()
        if runner is None:
            self._found.write(text)
        elif runner.line.write(text):
            runner.node.print_lines(runner)

    def pass_on(self) -> None:
        """See `StreamProxy`."""
        runner = _runner_of_a_remote_shell()
        if runner is None:
            self._found.flush()
        else:
            finish_line(runner, newline=False)


def _runner_of_a_remote_shell() -> Runner | None:
    runner = current.get()
    return runner if runner is not None and runner.process.leader in _leaders else None


@contextlib.contextmanager
def routed_to(leader: Pid | None) -> Iterator[None]:
    """Routes what processes with the group leader *leader* print to it, until the context ends."""
    if leader is None or isinstance(sys.stdout, StdoutRouter):  # all output is routed already
        yield
        return
    with _changing:
        _leaders[leader] += 1
        if type(sys.stdout) is not LeaderStdout and sys.stdout is not None:
            sys.stdout = LeaderStdout(sys.stdout)
    try:
        yield
    finally:
        with _changing:
            _leaders[leader] -= 1
            if not _leaders[leader]:
                del _leaders[leader]
            if not _leaders and type(sys.stdout) is LeaderStdout:  # else the program has replaced it
                sys.stdout = sys.stdout.original_stream
