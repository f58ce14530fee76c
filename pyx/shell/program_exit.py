"""The end of a program, in Python's order, while its node still stands.

Python joins the threads that are not daemons, then calls what was registered with `atexit`, the last first.
It does so after the last line of `pyx` itself, when there is not a node any more.  So both are done here,
by the very functions that the interpreter calls; when it calls them again, they find nothing left to do.
See `runtime/shutdown.py` for what the node does when it leaves.
"""

from __future__ import annotations

import atexit
import threading
from typing import Any, Final

from pyx.execution import thread_state

_threading: Final[Any] = threading
_atexit: Final[Any] = atexit


def join_threads() -> None:
    """Waits for all threads that are not daemons; a signal or Ctrl-C raises here and ends that."""
    state = thread_state.thread.state
    state.waiting = True
    try:
        _threading._shutdown()  # noqa: SLF001 - the interpreter's own; executors hang without what it does first
    except BaseException:
        leave_threads()
        raise
    finally:
        state.waiting = False


def leave_threads() -> None:
    """Has the interpreter wait for no thread at its end, as one that is killed by a signal."""
    _threading._shutdown = _no_more  # noqa: SLF001


def call_exit_handlers() -> None:
    """Calls what was registered with `atexit`; what one of them raises is told on stderr."""
    _atexit._run_exitfuncs()  # noqa: SLF001 - the interpreter's own


def _no_more() -> None:
    """What is left to wait for."""
