"""Warnings about what a process has asked for: in the log of its node, and in the output of a remote shell.

The prompt of a node shows its log.  A remote shell does not show the log of the node that it is attached to,
so a warning about one of its inputs, which run in a context that `person_is_elsewhere` marks, is also a line
of their output.  (OTP sends log records to the node of the group leader.)
"""

from __future__ import annotations

from pyx.execution.context import current
from pyx.execution.node_log import log
from pyx.runtime.evaluation_context import person_is_elsewhere
from pyx.runtime.local_node import this_node


def warn(sentence: str) -> None:
    """Logs a warning, and shows it at the remote shell, if the running input is of one."""
    log.warning("%s", sentence)
    tell(sentence)


def tell(sentence: str) -> None:
    """Shows a warning that is in the log already at the remote shell, if the running input is of one."""
    runner = current.get()
    if runner is None or not person_is_elsewhere.get():
        return
    with this_node().kernel_call as kernel:
        kernel.printing.print_lines(runner.process, runner.process.leader, f"[warning] {sentence}\n")
