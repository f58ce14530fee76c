"""Whether another OS process waits in a blocking system call, for tests that send it a signal.

Python runs the handler of a signal between two of its instructions.  A signal that comes after the last one
before a blocking call is noticed only when that call returns, which may be never.
"""

from __future__ import annotations

import platform
import subprocess
import time
from pathlib import Path
from typing import Final

_CALLS: Final = {
    "x86_64": {"futex": 202, "nanosleep": 230, "read": 0},
    "aarch64": {"futex": 98, "nanosleep": 115, "read": 63},
}
"""By machine: the numbers of the calls in which Python waits for a lock, sleeps, or reads."""


def blocking_call(pid: int, thread: int | None = None) -> str | None:
    """Returns the call in which a thread waits, with its arguments; None while it is not in one.

    Waits for a lock that have a limit do not count: one may be for the GIL, on the way into another wait.
    The same text twice in succession is one wait, and not a short one for a lock of Python's own.

    Args:
        pid: the OS process.
        thread: the system's number of the thread; None: the main one.
    """
    calls = _CALLS.get(platform.machine(), {})
    try:
        text = Path(f"/proc/{pid}/task/{thread or pid}/syscall").read_text(encoding="ascii")
    except ProcessLookupError:
        return None
    except OSError:
        calls = {}
    if not calls:  # another system, or one that does not tell
        asked = ["ps", "-o", "stat=", "-p", str(pid)]
        state = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
        return state if state.startswith("S") else None
    number, *arguments = text.split()
    if number == str(calls["futex"]):
        return text if arguments[3] == "0x0" else None
    return text if number in {str(calls["nanosleep"]), str(calls["read"])} else None


LIMIT_SECONDS: Final = 120.0
"""Reached by failing tests alone: a start on a slow machine is part of the wait."""


def until_blocked(pid: int) -> None:
    """Returns when the main thread of *pid* is in a blocking call."""
    is_blocked, give_up = Blocked(pid), time.monotonic() + LIMIT_SECONDS
    while not is_blocked():
        assert time.monotonic() < give_up, f"process {pid} does not wait"
        time.sleep(0.005)


class Blocked:
    """Answers, each time it is called, whether a thread has been in one blocking call since the time before.

    Its arguments are those of `blocking_call`.
    """

    def __init__(self, pid: int, thread: int | None = None) -> None:
        self._thread = pid, thread
        self._last: str | None = None

    def __call__(self) -> bool:
        last, self._last = self._last, blocking_call(*self._thread)
        return last is not None and last == self._last
