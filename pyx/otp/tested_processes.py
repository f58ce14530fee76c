"""Processes of a test: its own body, the servers that are stopped at its end, and those that it has left."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

from pyx.errors import ProcessKilled
from pyx.primitives import receive, send
from pyx.process import Process
from pyx.runtime.encoding import decode_reason
from pyx.runtime.local_node import this_node
from pyx.runtime.rpc_functions import is_coroutine_function
from pyx.terms import Raised

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.core.processes import ProcessRecord
    from pyx.terms import Pid

_SHUTDOWN_SECONDS: Final = 5.0
"""That a server may take to stop, as a supervisor's child; then it is killed."""

_GRACE_SECONDS: Final = 1.0
"""That processes may take to end after the test, before they count as left."""


class _Outcome:
    """What a function that runs in a process has returned or raised."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.value: Any = None
        self.error: BaseException | None = None

    def get(self) -> Any:
        __tracebackhide__ = True
        self.over.wait()
        if self.error is not None:
            raise self.error
        return self.value


def run_as_process(function: Callable[..., Any], arguments: dict[str, Any]) -> None:
    """Runs *function* as a process, waits for its end, and raises what it raised.

    An exit signal that ends it, as that of a linked server, ends the wait with a failure that says so.
    """
    __tracebackhide__ = True  # pytest shows the frames of the test alone
    outcome = _Outcome()
    if is_coroutine_function(function):

        async def on_loop() -> None:
            __tracebackhide__ = True
            try:
                outcome.value = await function(**arguments)
            except BaseException as error:
                outcome.error = error
            finally:
                outcome.over.set()

        body: Callable[[], Any] = on_loop
    else:

        def on_thread() -> None:
            __tracebackhide__ = True
            try:
                outcome.value = function(**arguments)
            except BaseException as error:
                outcome.error = error
            finally:
                outcome.over.set()

        body = on_thread
    pid, _ = this_node().processes.spawn(body, ())
    process = this_node().kernel.tables.find(pid)
    try:
        outcome.get()
    except ProcessKilled:
        msg = f"the process of the test was ended by an exit signal: {_why(process)}"
        raise AssertionError(msg) from None
    except KeyboardInterrupt:
        Process.exit(pid, "kill")
        raise


def _why(process: ProcessRecord | None) -> str:
    if process is None or process.reason is None:
        return "unknown"
    reason = decode_reason(this_node().kernel, process.reason)
    return f"{reason.type}: {reason.text}" if isinstance(reason, Raised) else repr(reason)


class SupervisedServers:
    """The servers of one test; each has a process of its own as its parent."""

    def __init__(self) -> None:
        self._owners: list[tuple[Pid, threading.Event]] = []

    def start(self, what: Any, *args: Any, **kwargs: Any) -> Any:
        """Calls `what.start_link(...)` and returns its value; raises what that raises."""
        started, stopped = _Outcome(), threading.Event()

        def owner() -> None:
            Process.flag("trap_exit", True)
            try:
                started.value = what.start_link(*args, **kwargs)
            except BaseException as error:
                started.error = error
            started.over.set()
            try:
                if started.error is None and started.value is not None:
                    receive("stop")
                    _stop(started.value)
            finally:
                stopped.set()

        pid, _ = this_node().processes.spawn(owner, ())
        self._owners.append((pid, stopped))
        return started.get()

    def stop_all(self) -> None:
        """Stops them, the last one first."""
        while self._owners:
            pid, stopped = self._owners.pop()
            send(pid, "stop")
            stopped.wait()


def _stop(server: Pid) -> None:
    """Stops a linked server as a supervisor does."""
    ref = Process.monitor(server)
    Process.exit(server, "shutdown")
    try:
        receive(("DOWN", ref, ..., ..., ...), timeout=_SHUTDOWN_SECONDS)
    except TimeoutError:
        Process.exit(server, "kill")
        receive(("DOWN", ref, ..., ..., ...))


def live_processes() -> set[Pid]:
    """Returns the pids of the processes of this node."""
    return set(Process.list())


def processes_left(before: set[Pid]) -> list[str]:
    """Returns a line for each process that lives and is not in *before*, once others had time to end."""
    give_up = time.monotonic() + _GRACE_SECONDS
    while (left := live_processes() - before) and time.monotonic() < give_up:
        time.sleep(0.01)
    return [_described(pid) for pid in sorted(left, key=lambda pid: (pid.serial, pid.number))]


def _described(pid: Pid) -> str:
    found = Process.info(pid, ["registered_name", "initial_call"])
    if found is None:
        return str(pid)
    module, function, _ = found["initial_call"]
    name = f" as {found['registered_name']!r}" if found["registered_name"] else ""
    return f"{pid} ({module}.{function}{name})"
