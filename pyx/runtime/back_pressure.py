"""Waiting until a queue is lighter: what back-pressure is for whoever sends.

A step that makes a queue too heavy is told so by the kernel (`Suspend`); it is done all the same, and the
process that took it waits afterwards, outside of the step: a kill or Ctrl-C ends the wait, not what was
sent.  No loop is ever made to wait, and no thread that is not a process; they are refused instead, when a
node's queue is far too heavy (`NodeBusy`), or wait by `aio.send`.  Not here: which queue, and how heavy
(`core/outbox.py`, `core/mailbox.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from pyx.execution.context import current
from pyx.execution.node_log import log
from pyx.execution.runner import sleep, sleep_async
from pyx.execution.slots import LockSlot

if TYPE_CHECKING:
    from pyx.core.console_queue import ConsoleQueue
    from pyx.core.mailbox import Mailbox
    from pyx.core.outbox import Outbox
    from pyx.execution.runner import Runner
    from pyx.execution.tasks import ProcessLoop

    Queue: TypeAlias = Outbox | Mailbox | ConsoleQueue

REFUSED_BYTES: Final = 16 * 1024 * 1024
"""Whoever cannot wait is refused when so much is queued for a node."""

_PATIENCE_SECONDS: Final = 1.0
"""After so long a shell says what it waits for."""


def wait(runner: Runner, queue: Queue) -> None:
    """Sleeps until *queue* is lighter.

    Raises:
        ProcessKilled: the process was killed.
        KeyboardInterrupt: Ctrl-C, on the main thread.
    """
    if queue is runner.process.mailbox:
        return  # nobody else could make it lighter
    slot = LockSlot()
    try:
        queue.waiters.add(slot)
        says = runner.process.keeps_pid and queue.complaint is not None
        if says and not sleep(runner, slot, _PATIENCE_SECONDS, lambda: queue.is_light):
            log.warning("waiting: %s (Ctrl-C leaves; it is sent)", queue.complaint)
        sleep(runner, slot, None, lambda: queue.is_light)
    finally:
        queue.waiters.discard(slot)


async def wait_async(tasks: ProcessLoop, queue: Queue) -> None:
    """`wait` for a coroutine, of a process or not."""
    while not queue.is_light:
        slot = tasks.slot()
        try:
            queue.waiters.add(slot)
            if not queue.is_light:
                await sleep_async(current.get(), slot, None)
        finally:
            queue.waiters.discard(slot)
