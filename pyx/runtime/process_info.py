"""What `Process.info` tells of a local process: the kernel's facts, and those that only its thread can show.

Not here: asking another node (`process.py`).
"""

from __future__ import annotations

import _thread
import sys
from typing import TYPE_CHECKING, Any, Final

from pyx.errors import DecodeError
from pyx.execution import tracebacks
from pyx.execution.stacks import current_frames
from pyx.runtime import receiving
from pyx.runtime.encoding import decoded
from pyx.signals import Payload

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyx.core.processes import ProcessRecord
    from pyx.execution.runner import Runner
    from pyx.runtime.local_node import LocalNode
    from pyx.terms import Pid

KEYS: Final = (
    "registered_name",
    "initial_call",
    "current_function",
    "status",
    "message_queue_len",
    "messages",
    "links",
    "monitors",
    "monitored_by",
    "dictionary",
    "trap_exit",
    "group_leader",
    "kind",
    "undecodable",
)
"""In the order shown; `messages` and `dictionary` come only when asked for, as they may be long."""

_ONLY_WHEN_ASKED: Final = {"messages"}


PRIVATE: Final = frozenset({"messages", "dictionary"})
"""What a process was told and keeps to itself: peers see it only where they may run code of their choice."""


def check_keys(keys: Iterable[str]) -> None:
    """Raises ValueError that lists the known keys if one of *keys* is not."""
    for key in keys:
        if key not in KEYS:
            msg = f"unknown key {key!r}; the known ones are {', '.join(KEYS)}"
            raise ValueError(msg)


def information(node: LocalNode, pid: Pid, keys: list[str] | None) -> dict[str, Any] | None:
    """The facts about a local process, in the order asked (None: all but the messages); None if dead."""
    wanted = [key for key in KEYS if key not in _ONLY_WHEN_ASKED] if keys is None else keys
    check_keys(wanted)
    with node.kernel_call as kernel:
        process = kernel.find(pid)
        if process is None:
            return None
        items = process.mailbox.snapshot() if "messages" in wanted else []
        facts: dict[str, Any] = kernel.facts(process)
    if "messages" in wanted:
        facts["messages"] = receiving.peek(node, items)
    if "dictionary" in wanted:
        facts["dictionary"] = dict(process.dictionary)
    facts["initial_call"] = initial_call = _initial_call(node, process)
    if "current_function" in wanted:  # the only one that looks at every thread
        facts["current_function"] = _current_function(process, initial_call)
    runner: Runner | None = process.runner
    facts["status"] = "waiting" if runner is not None and runner.is_waiting else "running"
    facts["undecodable"] = process.undecodable
    return {key: facts[key] for key in wanted}


def _initial_call(node: LocalNode, process: ProcessRecord) -> tuple[str, str, int]:
    """Known from its birth on: where its thread has not opened the payload yet, this looks into it."""
    call = process.initial_call
    if not isinstance(call, Payload):
        return call
    try:
        module, function, args = decoded(call, node.kernel)
        return str(module), str(function), len(args)
    except (DecodeError, TypeError, ValueError):  # hostile; the process will die of it
        return "", "", 0


def _current_function(
    process: ProcessRecord, initial_call: tuple[str, str, int]
) -> tuple[str, str, int] | None:
    """(module, function, line) of the innermost frame that is the user's; None where no code runs.

    A process whose function is itself a builtin has no frame: it is named, with line 0.
    """
    runner: Runner | None = process.runner
    if runner is None:
        return None
    if (task := runner.task) is not None:
        frame = tracebacks.innermost_frame(task.get_coro())
    elif (ident := runner.gate.thread_ident) is not None:
        frame = sys._getframe() if ident == _thread.get_ident() else current_frames().get(ident)  # noqa: SLF001 - its documented use
        while frame is not None and tracebacks.is_ours(frame.f_code.co_filename):
            frame = frame.f_back
        # Below pyx's own frames a thread has only those of `threading`.
        if frame is not None and frame.f_code.co_name == "_bootstrap_inner":
            return (*initial_call[:2], 0)
    else:
        return None
    if frame is None:
        return None
    return str(frame.f_globals.get("__name__", "?")), frame.f_code.co_qualname, frame.f_lineno
