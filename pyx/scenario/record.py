"""`pyx --record FILE`: a person's session becomes a transcript while it goes on.

Each block opens with a line of prose that says when it began and how long it took, which `--merge` reads:

    # 2026-11-24T19:35:02.125 +0.004
    pyx(gus@vm)3> Node.ping("server")
    'pong'

What appears while nobody evaluates becomes a look at the screen: an empty prompt with the lines below.
Not here: joining several of these (`merge.py`), where the calls come from (`shell.witness`).
"""

from __future__ import annotations

import contextlib
import re
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from pyx.errors import PyxError
from pyx.scenario.update import guarded, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pyx.shell.loop import Prompt

_COLOUR: Final = re.compile(r"\x1b\[[0-9;:]*m")
_NOT_REPLAYED: Final = frozenset({"--cookie", "--cookie-file", "--listen", "--port", "--seed"})
"""Options with a value: secrets, which have no place in a file that is shared, and other hosts."""
_TOGETHER_SECONDS: Final = 0.5
"""What appears by itself within this time is one block."""


@contextlib.contextmanager
def recording(path: str, options: Sequence[str]) -> Iterator[Recorder]:
    """A recorder that writes to a new file.

    Raises:
        PyxError: the file is there already, or cannot be made.
    """
    try:
        Path(path).touch(exist_ok=False)
    except OSError as error:
        msg = f"cannot record to {path}: {error.strerror}"
        raise PyxError(msg) from None
    with Path(path).open("w", encoding="utf-8", errors="backslashreplace") as file:
        recorder = Recorder(file, options)
        try:
            yield recorder
        finally:
            recorder.close()


class Recorder:
    """Writes to *file*, block by block, so that what was typed before a crash is there.

    Args:
        file: is opened for writing.
        options: the words after `pyx`, for the first line.
        now: the clock, a datetime.
    """

    def __init__(
        self, file: TextIO, options: Sequence[str], now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._file = file
        self._now = now
        self._lock = threading.Lock()
        self._began = now()
        self._input: list[str] | None = None
        """The lines of the input that runs; None while nothing does."""
        self._prompt = ""
        self._shown: list[str] = []
        self._open = ""
        self._last = self._began
        started = " ".join(["$ pyx", *_replayable(options)])
        file.write(f"{_stamp(self._began, self._began)}\n{started}\n")

    def asked(self) -> None:
        """See `shell.witness.Witness`."""
        with self._lock:
            self._finish()

    def typed(self, prompt: Prompt, source: str) -> None:
        """See `shell.witness.Witness`."""
        with self._lock:
            self._finish()
            self._prompt = prompt.first.rstrip()
            if source.strip():
                first, *rest = source.split("\n")
                self._input = [prompt.first + first, *(prompt.rest + line for line in rest)]
                self._began = self._last = self._now()

    def shown(self, text: str) -> None:
        """See `shell.witness.Witness`."""
        with self._lock:
            now = self._now()
            if self._input is None:
                if self._shown and now - self._last > timedelta(seconds=_TOGETHER_SECONDS):
                    self._finish()
                if not self._shown and not self._open:
                    self._began = now
            self._last = now
            *lines, self._open = (self._open + _COLOUR.sub("", text)).split("\n")
            self._shown += lines

    def close(self) -> None:
        """Writes what is not written yet."""
        with self._lock:
            self._finish()

    def _finish(self) -> None:
        if self._open:
            self._shown.append(self._open)
            self._open = ""
        if self._input is None and (not self._shown or not self._prompt):
            self._shown = []  # the greeting
            return
        typed = self._input if self._input is not None else [self._prompt]
        end = self._last if self._input is None else self._now()
        shown = guarded(shortened(self._shown))
        lines = [_stamp(self._began, end), *(line.rstrip() for line in typed), *shown]
        self._file.write("\n" + "\n".join(lines) + "\n")
        self._file.flush()
        self._input = None
        self._shown = []


def _replayable(options: Sequence[str]) -> Iterator[str]:
    """The options as a replay takes them: on one host, with a cookie of its own and not a person's."""
    words = iter(options)
    for word in words:
        name, equals, value = word.partition("=")
        if name in _NOT_REPLAYED:
            if not equals:
                next(words, None)
        elif name == "--name":
            yield f"--sname={value}" if equals else "--sname"
        else:
            yield f"'{word}'" if " " in word else word


def _stamp(began: datetime, ended: datetime) -> str:
    seconds = (ended - began).total_seconds()
    return f"# {began.replace(tzinfo=None).isoformat(timespec='milliseconds')} +{seconds:.3f}"
