"""The application of a project, as `pyx` runs it: started before the first prompt, and as a service.

See `declared_application.py` for where it is declared, `otp/application.py` for what it is.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pyx.execution import context
from pyx.otp.application import Application, running_application
from pyx.otp.application_errors import ApplicationInvalid
from pyx.otp.start_errors import StartFailed
from pyx.otp.supervision_reports import reason_text
from pyx.shell.evaluate import error_text
from pyx.shell.standard_streams import complain
from pyx.terms import Raised

if TYPE_CHECKING:
    from pyx.runtime.shell_process import ShellProcess


def start_application(declared: str, process: ShellProcess) -> int | None:
    """Starts the application of the project; returns None, or the exit code if it did not start.

    Args:
        declared: as `[tool.pyx]` names it.
        process: the shell's.

    Raises:
        ApplicationInvalid: there is no such module or function.
    """
    try:
        process.run(Application.start, declared)
    except ApplicationInvalid:
        raise
    except StartFailed as failed:
        culprit, reason = _culprit(failed.reason)
        complain(f"{failed.what} did not start: {culprit}{reason_text(reason)}")
        if isinstance(reason, Raised) and reason.traceback:
            sys.stderr.write(reason.traceback)
        return 1
    except Exception as error:  # the module is the user's code
        complain(f"the application {declared} did not start:")
        sys.stderr.write(error_text(error))
        return 1
    return None


def serve(declared: str) -> int:
    """Waits until the application ends by itself, which a service never does; returns the exit code, 1."""
    running = running_application(declared.partition(":")[0])
    if running is not None:
        running.ended.wait(None)  # SIGTERM and Ctrl-C end it
    return 1


def stop_applications() -> None:
    """Stops the applications of this node, the newest first; for the end of a run."""
    token = context.current.set(None)  # the shell's process may have been killed
    try:
        for name in reversed(Application.started()):
            Application.stop(name)
    finally:
        context.current.reset(token)


def _culprit(reason: Any) -> tuple[str, Any]:
    """Returns the child that did not start, below all supervisors, as the begin of a sentence; and why."""
    path = ""
    while True:
        match reason:
            case ("shutdown", ("failed_to_start_child", child, inner)):
                path += f"{child if isinstance(child, str) else repr(child)}: "
                reason = inner
            case _:
                return path, reason
