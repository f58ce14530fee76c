"""A user's regular expression, matched where it can be stopped: in a child process, for a while.

`(a+)+c` against thirty a's takes years, and Python's `re` cannot be interrupted from another thread.  What is
limited is the CPU time of the child, so a crowded machine fails no test.
See `match_line.py` for which lines are expressions.
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
"""So much CPU time one match may take."""

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
"""One byte for each line; the timer's signal ends the process."""


class ExpressionTooSlow(Exception):
    """A regular expression was given up.  Attribute: `pattern`."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        super().__init__(f"the expression takes more than {LIMIT_SECONDS:g} s: {pattern}")


def why_invalid(pattern: str) -> tuple[str, int] | None:
    """What is wrong with a regular expression, and at which character (from 0); None if nothing is."""
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
    """True if the whole *text* is what a valid expression says.

    Raises:
        ExpressionTooSlow: that could not be found out in `LIMIT_SECONDS`.
    """
    found = _found(pattern, text)
    if found is None:
        raise ExpressionTooSlow(pattern)
    return found


@lru_cache(maxsize=4096)  # a block is compared again with everything that a screen shows
def _found(pattern: str, text: str) -> bool | None:
    return _matcher.ask(pattern, text)


class _MatcherProcess:
    """The child process; one for all threads, started when it is first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def ask(self, pattern: str, text: str) -> bool | None:
        """None: it took too long."""
        asked = json.dumps([pattern, text, LIMIT_SECONDS]).encode() + b"\n"
        with self._lock:
            if self._child is not None and self._child.poll() is not None:
                self._end()  # something has killed it meanwhile
            child = self._child or self._start()
            assert child.stdin is not None
            assert child.stdout is not None
            try:
                with contextlib.suppress(OSError):
                    child.stdin.write(asked)
                    child.stdin.flush()
                answer = child.stdout.read(1)
            except BaseException:  # a signal: the answer would be taken for that of the next question
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
            process_group=0,  # Ctrl-C is for the runner
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
        """Ends the child."""
        with self._lock:
            self._end()


_matcher: Final = _MatcherProcess()
atexit.register(_matcher.close)
