"""Matches the regular expressions of a file in a child process, which can be stopped.

`(a+)+c` against thirty a's takes years, and Python's `re` cannot be interrupted from another thread.  The
limit is on the CPU time of the child, so that no test fails because the machine is busy.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import re
import subprocess
import sys
import threading
import warnings
from functools import lru_cache
from typing import Final

LIMIT_SECONDS: Final = 1.0
"""The CPU time that one match may take."""

_CHILD: Final = """
import json, re, signal, sys, warnings
warnings.simplefilter("ignore")
for line in sys.stdin.buffer:
    pattern, text, limit = json.loads(line)
    signal.setitimer(signal.ITIMER_VIRTUAL, limit)
    found = re.fullmatch(pattern, text) is not None
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    sys.stdout.buffer.write(b"1" if found else b"0")
    sys.stdout.buffer.flush()
"""
"""The child's program: answers each line with one byte; the timer's signal ends it."""


class ExpressionTooSlow(Exception):
    """A regular expression took longer than `LIMIT_SECONDS`.  Attribute: `pattern`."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        super().__init__(f"the regular expression takes more than {LIMIT_SECONDS:g} s of CPU time: {pattern}")


def why_invalid(pattern: str) -> tuple[str, int] | None:
    """Returns the problem of a regular expression and its index (from 0); None if it is valid."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            re.compile(pattern)
        except re.error as error:
            return error.msg, error.pos or 0
        except (RecursionError, OverflowError, MemoryError):
            return "it is too large", 0
    return None


def fullmatch(pattern: str, text: str) -> bool:
    """Returns True if the whole *text* matches a valid expression.

    Raises:
        ExpressionTooSlow: the match took more than `LIMIT_SECONDS` of CPU time.
    """
    found = _found(pattern, text)
    if found is None:
        raise ExpressionTooSlow(pattern)
    return found


@lru_cache(maxsize=4096)  # a block is compared again each time its screen changes
def _found(pattern: str, text: str) -> bool | None:
    return _matcher.ask(pattern, text)


class _MatcherProcess:
    """The child process: one for all threads, started at the first match."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def ask(self, pattern: str, text: str) -> bool | None:
        """Returns None if the match took too long."""
        request = json.dumps([pattern, text, LIMIT_SECONDS]).encode() + b"\n"
        with self._lock:
            if self._child is not None and self._child.poll() is not None:
                self._end()  # it was killed from outside
            child = self._child or self._start()
            assert child.stdin is not None
            assert child.stdout is not None
            try:
                with contextlib.suppress(OSError):
                    child.stdin.write(request)
                    child.stdin.flush()
                answer = child.stdout.read(1)
            except BaseException:  # a signal: else the answer would be read as that of the next match
                self._end()
                raise
            if not answer:
                self._end()
                return None
            return answer == b"1"

    def _start(self) -> subprocess.Popen[bytes]:
        self._child = subprocess.Popen(  # noqa: S603 - our own interpreter and program
            [sys.executable, "-I", "-S", "-c", _CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            process_group=0,  # so that Ctrl-C does not reach it
        )
        return self._child

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            for pipe in (child.stdin, child.stdout):
                assert pipe is not None
                with contextlib.suppress(OSError):
                    pipe.close()
            child.wait()

    def close(self) -> None:
        """Ends the child, if it was started."""
        with self._lock:
            self._end()


_matcher: Final = _MatcherProcess()
atexit.register(_matcher.close)
