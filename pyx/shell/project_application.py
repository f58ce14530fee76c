"""The application of a project, as `pyx` runs it: started before the first prompt, and as a service.

See `declared_application.py` for where it is declared, `otp/application.py` for what it is.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from pyx.execution import context
from pyx.execution.slots import LockSlot
from pyx.otp.application import Application, running_application, started_application
from pyx.otp.application_errors import ApplicationInvalid
from pyx.otp.start_errors import StartFailed, cause_of
from pyx.runtime.request import wait
from pyx.shell.evaluate import error_text
from pyx.shell.standard_streams import complain
from pyx.terms import Raised

if TYPE_CHECKING:
    from pyx.otp.application import RunningApplication
    from pyx.runtime.shell_process import ShellProcess

_LOOK_SECONDS: Final = 1.0
"""How often a service whose application was stopped by hand looks whether it was started again."""


def start_application(declared: str, process: ShellProcess) -> RunningApplication | int:
    """Starts the application of the project; returns it, or the exit code if it did not start.

    Args:
        declared: as `[tool.pyx]` names it.
        process: the shell's.

    Raises:
        ApplicationInvalid: there is no such module or function.
    """
    try:
        running: RunningApplication = process.run(wait, "Application.start", started_application(declared))
    except ApplicationInvalid:
        raise
    except StartFailed as failed:
        complain(str(failed))
        cause = cause_of(failed.reason)[1]
        if isinstance(cause, Raised) and "\n" in cause.traceback.rstrip():  # more than its last line
            sys.stderr.write(cause.traceback)
        return 1
    except Exception as error:  # the module is the user's code
        complain(f"the application {declared} did not start:")
        sys.stderr.write(error_text(error))
        return 1
    return running


def serve(application: RunningApplication) -> int:
    """Waits until the application ends by itself, which a service never does; returns the exit code, 1.

    `Application.stop`, in a remote shell, is not such an end: another start may follow.
    """
    running: RunningApplication | None = application
    while True:
        if running is None:
            LockSlot().wait(_LOOK_SECONDS)
        else:
            running.ended.wait(None)  # SIGTERM and Ctrl-C end it
            if not running.is_stopping:
                return 1
        running = running_application(application.name)


def stop_applications() -> None:
    """Stops the applications of this node, the newest first; for the end of a run."""
    token = context.current.set(None)  # the shell's process may have been killed
    try:
        for name in reversed(Application.started()):
            Application.stop(name)
    finally:
        context.current.reset(token)
