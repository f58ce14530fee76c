"""Child processes: pinned to cores, ended with this process, and after a maximal life.

A child that this repository wrote ends when its standard input, a pipe from here, is closed.  Every child is
ended by SIGALRM after its maximal life, and on Linux by SIGKILL when this process ends.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

LIFE_SECONDS: Final = 150
"""The maximal life of a child."""

_END_SECONDS: Final = 5.0
_PR_SET_PDEATHSIG: Final = 1
_libc: Final = ctypes.CDLL(None)


class ChildFailed(Exception):
    """A child ended without what it was to say; the end of what it wrote to stderr is in the text."""


class Child:
    """A program that prints lines for this process; a context manager that ends it.

    Args:
        argv: the command.
        environment: the whole environment of the child; it starts in its home directory.
        cores: where it runs; empty for any core.
        life: the seconds after which it is ended.
    """

    def __init__(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        cores: AbstractSet[int],
        life: int = LIFE_SECONDS,
    ) -> None:
        self._argv = argv
        self._errors = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 - closed by __exit__
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment,
            cwd=environment["HOME"],  # `python -m` looks into the current directory first
            text=True,
            preexec_fn=prepared(cores, life),  # noqa: PLW1509 - this process has one thread
        )
        self.pid: Final = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Closes its standard input and ends it."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.close()
        except OSError:
            pass
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
        self._errors.close()

    def says(self, word: str) -> str:
        """Waits for a line that begins with *word*, and returns the rest of the line."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(word):
                return line.removeprefix(word).strip()
        raise ChildFailed(self.failure(f"ended without {word!r}"))

    def results(self) -> list[dict[str, Any]]:
        """Reads to the end of its output; returns what it reported, line by line."""
        assert self._process.stdout is not None
        lines = [line for line in self._process.stdout if line.startswith("RESULT ")]
        return [json.loads(line.removeprefix("RESULT ")) for line in lines]

    def failure(self, what: str) -> str:
        """A sentence about this child: *what* it did, and its last words on stderr."""
        self._errors.seek(0)
        words = " | ".join(line.strip() for line in self._errors.read().splitlines()[-4:] if line.strip())
        return f"{os.path.basename(self._argv[0])} {what}{f': {words}' if words else ''}"  # noqa: PTH119 - a name


def prepared(cores: AbstractSet[int], life: int) -> Callable[[], None]:
    """What a child does between fork and exec: its cores, its maximal life, and its end with this process."""
    return partial(_prepare, frozenset(cores), life)


def _prepare(cores: frozenset[int], life: int) -> None:
    signal.alarm(life)  # an alarm outlives exec, and its default action ends the process
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if cores:
            os.sched_setaffinity(0, cores)
