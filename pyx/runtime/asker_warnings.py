"""Warnings about what a process has asked for: in its node's log, and at a remote shell where it was typed.

Of a person at a prompt of this node the log is in sight.  An input of a remote shell runs in a context that
`person_is_elsewhere` marks: its warnings are lines of its output, too.  (OTP sends the log of a process to
the node of the group leader.)
"""

from __future__ import annotations

from pyx.execution.context import current
from pyx.execution.node_log import log
from pyx.runtime.evaluation_context import person_is_elsewhere
from pyx.runtime.local_node import this_node


def warn(sentence: str) -> None:
    """Logs a warning, and shows it to a person elsewhere."""
    log.warning("%s", sentence)
    tell(sentence)


def tell(sentence: str) -> None:
    """Shows a warning that is in the log already to a person elsewhere."""
    runner = current.get()
    if runner is None or not person_is_elsewhere.get():
        return
    with this_node().kernel_call as kernel:
        kernel.printing.print_lines(runner.process, runner.process.leader, f"[warning] {sentence}\n")
