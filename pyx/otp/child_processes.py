"""The processes of a supervisor's children: how they are started and stopped.

Everything here runs in the supervisor's process, which traps exits.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from pyx.errors import Exit, ProcessKilled, ReceiveTimeout
from pyx.execution import tracebacks
from pyx.otp.start_errors import ServerAlreadyStarted, StartFailed
from pyx.otp.starting import spawn_process
from pyx.otp.supervision_steps import NotStarted, Started
from pyx.primitives import receive
from pyx.process import Process
from pyx.terms import Pid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyx.otp.child_work import ChildWork
    from pyx.otp.children import ChildSpec
    from pyx.otp.supervision_steps import StopChild
    from pyx.terms import Ref


class Stopped(NamedTuple):
    """How a child has ended when it was stopped."""

    spec: ChildSpec
    pid: Pid
    reason: Any
    was_late: bool
    """True if it had to be killed, because its time to stop was over."""


def start_child(spec: ChildSpec) -> Started | NotStarted:
    """Starts a child that is linked to the running process, and waits until it is ready.

    As in OTP, what the child's class does in `start_link` runs here, and its `init` in the child.
    """
    work: ChildWork = spec.what
    pid: Any
    try:
        if work.is_spawned:
            pid = spawn_process(work.body, link=True, initial_call=work.work.initial_call)
        else:
            pid = work.work()
    except ServerAlreadyStarted as error:
        return NotStarted(("already_started", error.pid))
    except (StartFailed, Exit) as error:
        return NotStarted(error.reason)
    except SystemExit as error:
        return NotStarted("normal" if error.code in (None, 0) else error.code)
    except (KeyboardInterrupt, ProcessKilled):
        raise
    except BaseException as error:  # `start_link` may be the user's
        return NotStarted(tracebacks.as_value(error))
    if pid is None or isinstance(pid, Pid):
        return Started(pid)
    return NotStarted(("bad_return_value", repr(pid)))


def stop_child(stop: StopChild) -> Stopped:
    """Stops one child as its specification says; returns when it has ended."""
    spec, pid = stop
    ref = Process.monitor(pid)
    Process.exit(pid, _signal_for(spec))
    limit = spec.shutdown if isinstance(spec.shutdown, (int, float)) else None
    was_late = False
    try:
        reason = receive(("DOWN", ref, "process", ..., ...), timeout=limit)[4]
    except ReceiveTimeout:
        was_late = True
        Process.exit(pid, "kill")
        reason = receive(("DOWN", ref, "process", ..., ...))[4]
    # A child that has taken its link away sends no EXIT; of others it says more than a late monitor.
    Process.unlink(pid)
    with contextlib.suppress(ReceiveTimeout):
        reason = receive(("EXIT", pid, ...), timeout=0)[2]
    return Stopped(spec, pid, reason, was_late)


def stop_together(stops: list[StopChild]) -> Iterator[Stopped]:
    """Stops children that do not depend on each other, all at once; yields each as it has ended.

    The supervisor ends afterwards: other EXIT messages of its mailbox are dropped.
    """
    running: dict[Ref, StopChild] = {Process.monitor(stop.pid): stop for stop in stops}
    late: set[Ref] = set()
    for stop in stops:
        Process.exit(stop.pid, _signal_for(stop.spec))
    begin = time.monotonic()
    deadlines = sorted({stop.spec.shutdown for stop in stops if isinstance(stop.spec.shutdown, (int, float))})
    while running:
        left = max(0.0, begin + deadlines[0] - time.monotonic()) if deadlines else None
        try:
            # The EXIT messages are taken too: a receive would look at each of them again and again.
            message = receive(
                ("DOWN", running.__contains__, "process", ..., ...), ("EXIT", ..., ...), timeout=left
            )
        except ReceiveTimeout:
            over = deadlines.pop(0)
            for ref, (spec, pid) in running.items():
                if spec.shutdown == over:
                    late.add(ref)
                    Process.exit(pid, "kill")
            continue
        if message[0] == "DOWN":
            spec, pid = running.pop(message[1])
            yield Stopped(spec, pid, message[4], message[1] in late)


def _signal_for(spec: ChildSpec) -> str:
    return "kill" if spec.shutdown == "brutal_kill" else "shutdown"
