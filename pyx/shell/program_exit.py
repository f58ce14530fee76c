"""The end of a program, in Python's order, while its node still runs.

Python joins the threads that are not daemons, then calls the `atexit` functions, the last registered first.
It does so after the last line of `pyx` itself, when the node has stopped.  So both are done here, by the
functions that the interpreter itself calls; when it calls them again, they have nothing left to do.
"""

from __future__ import annotations

import atexit
import sys
import threading
from typing import Any, Final

from pyx.execution import thread_state

_threading: Final[Any] = threading
_atexit: Final[Any] = atexit
_LOOK_UP_SECONDS: Final = 1.0


def join_threads() -> None:
    """Waits for all threads that are not daemons; a signal or Ctrl-C raises here and ends the wait."""
    state = thread_state.thread.state
    state.waiting = True
    if sys.version_info >= (3, 13):
        _threading._thread_shutdown = _join_each  # noqa: SLF001 - see there
    try:
        _threading._shutdown()  # noqa: SLF001 - the interpreter's own; executors hang without its first part
    except BaseException:
        leave_threads()
        raise
    finally:
        state.waiting = False


def _join_each() -> None:
    """Replaces the last part of the join, which is C from Python 3.13 on: a signal there raises nothing.

    A signal that comes just before a thread sleeps does not wake it, so the join looks up once a second.
    """
    here = threading.current_thread()
    while others := [thread for thread in threading.enumerate() if not thread.daemon and thread is not here]:
        others[0].join(_LOOK_UP_SECONDS)


def leave_threads() -> None:
    """Makes the interpreter wait for no thread at its end, like one that a signal kills."""
    _threading._shutdown = _do_nothing  # noqa: SLF001 - Python calls it, and has no public name for it


def call_exit_handlers() -> None:
    """Calls the functions registered with `atexit`; an error of one of them is shown on stderr."""
    _atexit._run_exitfuncs()  # noqa: SLF001 - the interpreter's own


def _do_nothing() -> None:
    """Replaces the join of all threads."""
