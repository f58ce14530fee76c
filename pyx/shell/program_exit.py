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
    try:
        if sys.version_info >= (3, 13):
            _threading._thread_shutdown = _join_each  # noqa: SLF001 - see there
            _threading._shutdown()  # noqa: SLF001 - executors hang without its first part
        else:
            _shutdown_of_old_pythons()
    except BaseException:
        leave_threads()
        raise
    finally:
        state.waiting = False


def _shutdown_of_old_pythons() -> None:
    """Acts like `threading._shutdown` of Python 3.11 and 3.12, which holds its join inside."""
    main_thread: Any = threading.main_thread()
    if main_thread._is_stopped:  # noqa: SLF001 - as there; it was called already
        return
    _threading._SHUTTING_DOWN = True  # noqa: SLF001
    for called_at_exit in reversed(_threading._threading_atexits):  # noqa: SLF001 - those of executors
        called_at_exit()
    main_thread._tstate_lock.release()  # noqa: SLF001 - threads may be waiting to join the main thread
    main_thread._stop()  # noqa: SLF001
    _join_each()


def _join_each() -> None:
    """Joins all threads that are not daemons, in place of a join that a signal may fail to end.

    From Python 3.13 on that is C, where a signal raises nothing.  In all of them a signal that comes just
    before a thread sleeps does not wake it, so the join looks up once a second.
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
