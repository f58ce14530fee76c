"""What a runner may ask of its node besides inputs: an interrupt, a bad network, a settled node, a dump."""

from __future__ import annotations

import random
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pyx.execution.interrupts import interrupt_main_thread
from pyx.execution.stacks import callers, current_frames
from pyx.nodes import Node
from pyx.process import Process
from pyx.runtime.local_node import this_node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyx.runtime.fault_injection import FaultInjection

_COMPUTING_SECONDS: Final = 1.0
"""An input that still computes after this time is interrupted."""
_SAME_PLACE_SECONDS: Final = 0.05
_IDLE_SECONDS: Final = 0.05
"""The longest wait of `settle` for processes that compute or sleep."""
_BUSY_SECONDS: Final = 0.002


def interrupt_when_waiting(is_busy: Callable[[], bool]) -> None:
    """Sends SIGINT to the main thread once it waits in user code, or has computed for a second.

    That is when a person would press Ctrl-C.

    Args:
        is_busy: returns False when there is nothing left to interrupt; then nothing is sent.
    """
    deadline = time.monotonic() + _COMPUTING_SECONDS
    last: list[tuple[int, int]] = []
    while is_busy() and time.monotonic() < deadline:
        place = _place_of_main_thread()
        if place and place == last and not _may_run():
            break
        last = place
        time.sleep(_SAME_PLACE_SECONDS)
    if is_busy():
        interrupt_main_thread()


def _place_of_main_thread() -> list[tuple[int, int]]:
    """Returns the frames of the main thread with the current instruction of each; none outside user code."""
    main_thread = threading.main_thread().ident
    innermost = current_frames().get(main_thread) if main_thread is not None else None
    place: list[tuple[int, int]] = []
    is_inside = False
    for frame in callers(innermost):
        place.append((id(frame), frame.f_lasti))
        # An `await` at the prompt runs on the process loop, and this thread waits for it.
        is_inside |= frame.f_code.co_filename.startswith("<pyx") or frame.f_code.co_name == "run_coroutine"
    return place if is_inside else []


def _may_run() -> bool:
    """Returns True while the main thread could go on, and waits for nothing but its turn on a busy machine.

    It has been woken by a message then, or the system says that it is runnable (Linux alone tells).
    """
    with this_node().kernel_call as kernel:
        shells = [process for process in kernel.tables.processes.all() if process.kind == "shell"]
    if any(shell.runner.receiving and not shell.waiting for shell in shells):
        return True
    try:
        stat = Path(f"/proc/self/task/{threading.main_thread().native_id}/stat").read_text(encoding="ascii")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] == "R"


def cut_off(nodes: Iterable[str]) -> None:
    """Lets nothing pass to or from *nodes*, and reconnects those that only an earlier call has cut off."""
    _faults().cut_off(frozenset(nodes))


def delay_frames(seconds: float, seed: int) -> None:
    """Delays the frames of all connections by up to *seconds*, at random from *seed*."""
    dice = random.Random(seed)  # noqa: S311 - a replay repeats it
    _faults().delay_frames(lambda: dice.uniform(0.0, seconds))


def _faults() -> FaultInjection:
    transport = this_node().transport
    assert transport is not None, "a node without a name has no connections"
    return transport.faults


def settle(nodes: Iterable[str]) -> None:
    """Waits until processes are idle (or computing for long), and everything sent before now has arrived.

    Args:
        nodes: those that answer a ping first, if they are connected or being dialled.
    """
    _wait_until_idle()
    here = this_node()
    with here.kernel_call as kernel:
        concerned = {*kernel.membership.nodes(("connected",)), *kernel.membership.being_dialled()}
    for name in nodes:
        if name in concerned:
            Node.ping(name)
    _wait_until_idle()


def _wait_until_idle() -> None:
    deadline = time.monotonic() + _IDLE_SECONDS
    while _is_busy() and time.monotonic() < deadline:
        time.sleep(_BUSY_SECONDS)


def _is_busy() -> bool:
    facts = [Process.info(pid, ["status", "kind"]) for pid in Process.list()]
    return any(one is not None and one["kind"] != "shell" and one["status"] != "waiting" for one in facts)


def dump() -> str:
    """Returns the stacks of all threads, the mailboxes of all processes, and the connections, as text."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    lines = [f"nodes: {', '.join(Node.list('connected')) or 'none'}"]
    for pid in Process.list():
        facts = Process.info(pid, ["registered_name", "kind", "current_function", "status", "messages"])
        if facts is not None:
            lines.append(f"{pid} " + ", ".join(f"{key}: {value!r}" for key, value in facts.items()))
    for ident, frame in current_frames().items():
        if ident != threading.get_ident():
            lines.append(f"thread {names.get(ident, ident)}:")
            stack = traceback.StackSummary.extract((one, one.f_lineno) for one in callers(frame)[::-1])
            lines += [line.rstrip() for line in stack.format()]
    return "\n".join(lines)
