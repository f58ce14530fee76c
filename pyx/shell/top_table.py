"""`top()` at the prompt: the busiest processes of a node in one second, those with most processor time first.

A thread's processor time is Linux's, from `/proc`.  The `async def` processes share a thread, so of them only
messages are known: how many each has taken, and how many wait.
"""

from __future__ import annotations

import heapq
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pyx.execution.tasks import PROCESS_LOOP
from pyx.process import Process
from pyx.runtime.local_node import this_node
from pyx.shell.process_table import place_text, run_on, size_text
from pyx.shell.text_table import text_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyx.core.processes import ProcessRecord
    from pyx.terms import Pid

_KEYS: Final = ["registered_name", "initial_call", "current_function", "message_queue_bytes"]


class Activity(NamedTuple):
    """What a process did in the time of one look: processor seconds (None: unknown), messages taken."""

    processor: float | None
    taken: int
    waiting: int


def top_table(node: str | None, most: int, seconds: float, columns: int) -> str:
    """Returns the table of `top`, and a line about the time that it covers.

    Args:
        node: whose; None: this one.
        most: the largest number of rows.
        seconds: the time of the look.
        columns: of the terminal.

    Raises:
        RpcError: *node* cannot be reached, or does not run with `--rpc open`.
    """
    found, total, loop = run_on(node, busiest, most, seconds, seconds=seconds)
    rows = [
        (
            str(pid),
            facts["registered_name"] or "",
            _share(processor, seconds),
            f"{taken / seconds:.0f}",
            str(waiting),
            size_text(facts["message_queue_bytes"]),
            place_text(*(facts["current_function"] or (*facts["initial_call"][:2], 0))),
        )
        for pid, (processor, taken, waiting), facts in found
    ]
    head = ("pid", "name", "cpu", "taken/s", "waiting", "bytes", "function")
    table = text_table(head, rows, right=(2, 3, 4, 5))
    lines = [line if len(line) <= columns else f"{line[: columns - 2]}.." for line in table.splitlines()]
    about = f"{len(rows)} of {total} processes, in {seconds:g} s"
    if loop is not None:
        about += f"; all async def processes together: {_share(loop, seconds)}"
    return "\n".join([*lines, about])


def busiest(
    most: int, seconds: float
) -> tuple[list[tuple[Pid, tuple[float | None, int, int], dict[str, Any]]], int, float | None]:
    """Returns pid, activity and facts of the busiest processes of this node, in the next *seconds*.

    Also how many processes there are, and the processor seconds of the thread that `async def` processes
    share (None: unknown).
    """
    before, loop_before = _counts(_processes())
    Process.sleep(seconds)
    processes = _processes()
    after, loop_after = _counts(processes)
    activities: list[tuple[Pid, Activity]] = []
    for process in processes:
        then, now = before.get(process.pid, (0.0, 0)), after[process.pid]
        processor = None if now[0] is None or then[0] is None else max(now[0] - then[0], 0.0)
        activities.append((process.pid, Activity(processor, now[1] - then[1], len(process.mailbox))))
    found: list[tuple[Pid, tuple[float | None, int, int], dict[str, Any]]] = []
    for pid, activity in heapq.nsmallest(most, activities, key=_rank):
        facts = Process.info(pid, _KEYS)
        if facts is not None:  # else it has ended meanwhile
            found.append((pid, (activity.processor, activity.taken, activity.waiting), facts))
    loop = None if loop_before is None or loop_after is None else loop_after - loop_before
    return found, len(processes), loop


def _rank(one: tuple[Pid, Activity]) -> tuple[float, int, int, Pid]:
    pid, activity = one
    return -(activity.processor or 0.0), -activity.taken, -activity.waiting, pid


def _processes() -> list[ProcessRecord]:
    with this_node().kernel_call as kernel:
        return kernel.tables.processes.all()


def _counts(
    processes: Sequence[ProcessRecord],
) -> tuple[dict[Pid, tuple[float | None, int]], float | None]:
    """Returns processor seconds and messages taken for each process, and processor seconds of the loop."""
    threads = threading.enumerate()
    native = {thread.ident: thread.native_id for thread in threads}
    counts: dict[Pid, tuple[float | None, int]] = {}
    for process in processes:
        ident = process.runner.gate.thread_ident if process.runner is not None else None
        if process.kind == "shell":
            ident = threading.main_thread().ident
        processor = None if ident is None else _processor_seconds(native.get(ident))
        counts[process.pid] = processor, process.mailbox.delivered - len(process.mailbox)
    loops = [thread.native_id for thread in threads if thread.name == PROCESS_LOOP]
    return counts, _processor_seconds(loops[0]) if loops else None


def _processor_seconds(native_id: int | None) -> float | None:
    """Returns the processor time that a thread has had; None where the system does not tell."""
    try:
        text = Path(f"/proc/self/task/{native_id}/schedstat").read_text(encoding="ascii")
        return int(text.split()[0]) / 1e9
    except (OSError, ValueError, IndexError):
        return None


def _share(processor: float | None, seconds: float) -> str:
    return "-" if processor is None else f"{100 * processor / seconds:.0f} %"
