"""`Application`: a tree of processes under one name, which is started and stopped as a whole; OTP's.

    # shop.py
    def application():
        return [child(Stock, {"nike": 30}, name="stock"), Web]

    # pyproject.toml
    [tool.pyx]
    application = "shop:application"

`pyx` starts it before the first prompt, `pyx --no-halt` as a service; any program by `Application.start`.

An application runs below a process of its own, OTP's application master: a supervisor with one significant
child, which is the top supervisor of the tree.  It ends with that.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any, Final

from pyx.execution import context
from pyx.execution.node_log import log
from pyx.execution.slots import LockSlot
from pyx.otp.application_callbacks import callbacks_of, misnamed
from pyx.otp.application_errors import ApplicationAlreadyStarted, ApplicationNotStarted
from pyx.otp.call_errors import CallError
from pyx.otp.child_work import kept
from pyx.otp.children import ChildSpec
from pyx.otp.restart_intensity import RestartIntensity
from pyx.otp.restarts import Restarts
from pyx.otp.server_calls import stop
from pyx.otp.start_errors import StartFailed
from pyx.otp.starting import start_process
from pyx.otp.supervisor import Supervisor
from pyx.otp.supervisor_process import run_supervisor
from pyx.otp.supervisor_server import SupervisorServer
from pyx.process import Process
from pyx.runtime.request import wait
from pyx.terms import Pid

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyx.otp.application_callbacks import ApplicationCallbacks
    from pyx.otp.supervision_steps import FailedToStart, Plan

_LONGEST_START_SECONDS: Final = 5.0
"""An interrupted start has this long to come to its end, as a worker of OTP's has to stop."""


class RunningApplication:
    """An application from its start to its end.

    Args:
        callbacks: its code; `start` returns its children, or the pid of a top supervisor that it has started.
    """

    def __init__(self, callbacks: ApplicationCallbacks) -> None:
        self.name = name = callbacks.name
        self.is_stopping = False
        self.ended = LockSlot()
        """Woken when it has ended."""
        self.master: Pid | None = None
        """Set once it is started."""
        self.starting: Pid | None = None
        """The same pid, from the first line that runs in that process."""
        self.top_is_started = LockSlot()
        """Woken when its top supervisor is started, or will not be."""
        self._callbacks = callbacks
        decisions = Restarts("one_for_one", RestartIntensity(0), "any_significant")
        spec = ChildSpec(
            name, self._start_top, restart="temporary", shutdown=None, type="supervisor", significant=True
        )
        self._server = _Master(
            callbacks,
            decisions,
            lambda: decisions.start_all([kept(spec, is_spawned=False)]),
            f"application {name}",
        )

    def run(self) -> None:
        """What the master process runs."""
        self.starting = context.require("an application").process.pid
        try:
            run_supervisor(self._server, is_linked=False)
        finally:
            self._is_over()
            if self.master is not None and not self.is_stopping:
                log.error("%s", f"application {self.name} has ended, with its top supervisor")
            self.top_is_started.wake()
            self.ended.wake()

    async def give_up(self) -> None:
        """Stops what an interrupted start has started, the newest process first, and waits for its end.

        A start that does not come to its end in time, or a second Ctrl-C, leaves the tree to the kill of its
        first process.
        """
        self.is_stopping = True
        try:
            if self.top_is_started.wait(_LONGEST_START_SECONDS) and self.starting is not None:
                with contextlib.suppress(CallError):  # it has ended by itself
                    await stop(self.starting, "shutdown")
        finally:
            self._is_over()
            if self.starting is not None:
                Process.exit(self.starting, "kill")

    def _is_over(self) -> None:
        if _running.get(self.name) is self:  # the next start may have begun
            del _running[self.name]

    def _start_top(self) -> Pid:
        try:
            return self._started_top()
        finally:
            self.top_is_started.wake()

    def _started_top(self) -> Pid:
        top = self._callbacks.start()
        if isinstance(top, list):
            return Supervisor.start_link(top, strategy="one_for_one")
        if isinstance(top, Pid):
            Process.link(top)
            return top
        msg = (
            f"{self._callbacks.shown_start} of the application {self.name} returned {top!r}: "
            "it returns a list of children, or the pid of a supervisor that it has started by start_link"
        )
        raise TypeError(msg)


class _Master(SupervisorServer):
    """The supervisor of an application's top: calls its code before and after the tree is stopped."""

    def __init__(
        self,
        callbacks: ApplicationCallbacks,
        decisions: Restarts,
        start_all: Callable[[], Plan[FailedToStart | None]],
        title: str,
    ) -> None:
        super().__init__(decisions, start_all, "", title=title)
        self._callbacks = callbacks

    def terminate(self) -> None:
        """Stops the tree, which may have ended by itself; as in OTP the callbacks are told of both."""
        self._callbacks.prep_stop()
        super().terminate()
        self._callbacks.stop()


_running: Final[dict[str, RunningApplication]] = {}
"""By name, in the order of their start."""
_starting: Final = threading.Lock()


class Application:
    """Functions about applications; a namespace, never instantiated.

        def application():                             # in shop.py; pyproject.toml: [tool.pyx]
            return [child(Stock, name="stock")]        # application = "shop:application"

        Application.start("shop:application")          # `pyx` in that directory does it before the prompt
        Application.stop("shop")

    The word before the colon, `"shop"`, is the name of the application.
    """

    @staticmethod
    def start(application: str) -> Pid:
        """Starts an application and all processes of its tree; returns the pid that it runs below.

        It goes on when the caller ends.  Ctrl-C and SIGTERM wait until the start is over, for 5 s at most,
        and stop what was started.  If its top supervisor gives up, it ends, and the log says so; the node
        goes on, as with a temporary application of OTP (a service, `pyx --no-halt`, ends instead).

        Args:
            application: `"shop:application"`: a function, without arguments, of a module that is imported.
                It returns the children of a supervisor with the strategy `"one_for_one"`, or the pid of a
                supervisor that it has started by `start_link`.  The part before the colon is the name.
                Or a class: its object has a method `start`, which does the same, and may have `prep_stop`,
                called before the tree is stopped, and `stop`, called after it; as OTP's callbacks they are
                called too when the tree has ended by itself, and what they raise is logged.

        Raises:
            ApplicationInvalid: there is no such module or function, or *application* has another form.
            ApplicationAlreadyStarted: one of that name runs.
            StartFailed: the function raised, or a process of the tree did not start; `reason` says why.
            Exception: the import of the module raised.
        """
        return wait("Application.start", start_application(application))

    @staticmethod
    def stop(name: str) -> str:
        """Stops an application, the newest process of its tree first; returns `"ok"`.

        Args:
            name: of the application, or what it was started by.

        Raises:
            ApplicationNotStarted: it does not run.
            ApplicationInvalid: *name* is not a str.
        """
        return wait("Application.stop", stop_application(name))

    @staticmethod
    def started() -> list[str]:
        """Returns the names of the applications that run, in the order of their start."""
        return [name for name, running in _running.items() if running.master is not None]


async def start_application(application: str) -> Pid:
    """`Application.start` as a coroutine."""
    running = await started_application(application)
    assert running.master is not None
    return running.master


async def started_application(application: str) -> RunningApplication:
    """Starts an application as `Application.start` does."""
    callbacks = callbacks_of(application)
    name = callbacks.name
    with _starting:
        if name in _running:
            raise ApplicationAlreadyStarted(name)
        _running[name] = running = RunningApplication(callbacks)
    try:
        pid = await start_process(running.run, what=f"the application {name}", is_known=True)
    except StartFailed as error:
        raise StartFailed(error.what, _inner(error.reason)) from None
    except (KeyboardInterrupt, SystemExit):
        await running.give_up()
        raise
    except BaseException:
        _running.pop(name, None)
        raise
    assert pid is not None
    running.master = pid
    return running


async def stop_application(name: str) -> str:
    """`Application.stop` as a coroutine."""
    if type(name) is not str:
        raise misnamed(name)
    name = name.partition(":")[0]
    running = _running.get(name)
    if running is None or running.master is None:
        raise ApplicationNotStarted(name)
    running.is_stopping = True
    return await stop(running.master, "shutdown")


def running_application(name: str) -> RunningApplication | None:
    """Returns an application that runs, by its name."""
    return _running.get(name)


def _inner(reason: Any) -> Any:
    """Returns why the top supervisor did not start, without what the master adds."""
    match reason:
        case ("shutdown", ("failed_to_start_child", _, inner)):
            return inner
    return reason
