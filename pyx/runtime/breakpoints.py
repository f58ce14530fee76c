"""`breakpoint()` in a process: asks the shell at which the process prints, and runs the debugger there.

The process waits on its own thread; nothing else of its node does.  It goes on where a debugger would stop
others (an `async def`), where there is no terminal, where the policies do not allow it, and where no answer
comes.  `shell/breakpoint_questions.py` is the side of the shell.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final

from pyx.core.policy import allows
from pyx.errors import RpcError
from pyx.execution import context, stdout_router
from pyx.execution.leader_stdout import routed_to
from pyx.execution.node_log import log
from pyx.execution.thread_state import runs_loop
from pyx.runtime import rpc_client
from pyx.runtime.local_node import node_of
from pyx.runtime.request import wait
from pyx.signals import Call

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from types import FrameType

    from pyx.execution.runner import Runner
    from pyx.terms import Pid

_QUESTIONS: Final = "pyx.shell.breakpoint_questions"


def install() -> None:
    """Installs the hook of `breakpoint()`, unless the program has one of its own."""
    if sys.breakpointhook is sys.__breakpointhook__:
        sys.breakpointhook = _hook


def _hook(*args: Any, **kwargs: Any) -> Any:
    """Runs as `sys.breakpointhook`; calls Python's, if another debugger or arguments are given."""
    if args or kwargs or os.environ.get("PYTHONBREAKPOINT"):
        return sys.__breakpointhook__(*args, **kwargs)  # noqa: T100 - the user has asked for it
    frame = sys._getframe(1)  # noqa: SLF001 - its caller, as `pdb.set_trace` takes it
    runner = context.current.get()
    if runner is None or runner.process.kind == "shell":
        from pyx.execution.debugger import Debugger  # it is large, and few programs stop

        Debugger().set_trace(frame)
    else:
        _stop(runner, frame)
    return None


def _stop(runner: Runner, frame: FrameType) -> None:
    """Runs the debugger at the process's group leader, or says why the process goes on."""
    process = runner.process
    place = f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"  # noqa: PTH119 - may be no path
    if runs_loop():
        why = "an async def shares its event loop, which would stop: use a def to enter it"
        with routed_to(process.leader):
            print(f"went past the breakpoint at {place}: {why}")  # noqa: T201 - at its leader's
        return
    answer = _asked(runner, process.leader, place)
    if answer == "enter":
        from pyx.execution.debugger import ProcessDebugger

        assert process.leader is not None
        terminal = _LeaderTerminal(runner, process.leader, _node_of(runner, process.leader))
        ProcessDebugger(terminal).set_trace(frame)
    elif answer != "go on":
        log.warning("%s went past the breakpoint at %s: %s", process.pid, place, answer)


def _asked(runner: Runner, leader: Pid | None, place: str) -> str:
    """Returns "enter", "go on", or the reason why the leader cannot be asked."""
    tables = node_of(runner).kernel.tables
    if leader is None:
        return "no terminal shows its output"
    if not leader.is_local and not allows(tables.policy, Call, marked=False):
        return f"this node runs with --rpc {tables.policy}, and a debugger runs any code"
    node = _node_of(runner, leader)
    try:
        arguments = ("ask", [leader, runner.process.pid, place])
        answer = wait("rpc.call", rpc_client.call(node, _QUESTIONS, arguments, {}))
    except RpcError as error:
        return str(error)
    return answer if type(answer) is str else "the answer is malformed"


def _node_of(runner: Runner, leader: Pid) -> str:
    tables = node_of(runner).kernel.tables
    return leader.node or tables.name or "nonode@nohost"


class _LeaderTerminal:
    """The terminal of the group leader, for the debugger of its process."""

    def __init__(self, runner: Runner, leader: Pid, node: str) -> None:
        self._runner = runner
        self._leader = leader
        self._node = node
        self._arguments = [leader, runner.process.pid]

    def write(self, text: str) -> int:
        """Prints as the process would, wherever its node's `sys.stdout` goes."""
        if self._runner.line.write(text):
            self._runner.node.print_lines(self._runner)
        return len(text)

    def flush(self) -> None:
        """Does nothing: lines are shown when they are whole."""

    def printing(self) -> AbstractContextManager[None]:
        """Returns a context in which `print` of the process writes to this terminal."""
        return routed_to(self._leader)

    def readline(self) -> str:
        """Waits for a line; "" where the terminal has gone."""
        stdout_router.finish_line(self._runner, newline=True)
        arguments = ("read_line", self._arguments)
        try:
            line = wait("rpc.call", rpc_client.call(self._node, _QUESTIONS, arguments, {}))
        except RpcError:
            return ""
        return line if type(line) is str else ""

    def left(self) -> None:
        """Says that the debugger has been left."""
        rpc_client.cast(self._node, _QUESTIONS, ("left", self._arguments), {})
