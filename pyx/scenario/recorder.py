"""`pyx --record FILE`: a person's session becomes a transcript while it goes on.

Each block opens with a line of prose that says when it began and how long it took, which `--merge` reads:

    # 2026-11-24T19:35:02.125 +0.004
    pyx(gus@vm)3> Node.ping("server")
    'pong'
"""

from __future__ import annotations

import threading
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

from pyx.scenario.recorded_blocks import BlockFormatter, RecordedEvent, RunningInput
from pyx.scenario.transcript import CONTINUATION, PROMPT
from pyx.shell.redaction import Redaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyx.shell.loop import Prompt

_MOST_WAITING: Final = 1000
"""So much that is shown while no input runs waits for the next prompt."""


class BlockWriter(Protocol):
    """Where the text goes."""

    def append(self, text: str, *, whole: bool = True) -> None:
        """Writes a block in the place of one that was not whole yet."""

    def rewrite(self, change: Callable[[str], str]) -> None:
        """Has *change* replace the text of all whole blocks."""


class Recorder:
    """The `RecordHooks`.

    Args:
        file: where the text goes.
        started: the `$ pyx` line.
        cookies: returns those in force, which shall not be written down.
        starts_alike: a replay's node will show at its start what this one does.
        now: the clock, a datetime.

    Other threads and finalizers append to a deque; the shell's thread makes blocks of what is in it.
    """

    def __init__(
        self,
        file: BlockWriter,
        started: str,
        cookies: Callable[[], Iterable[str]] = lambda: (),
        *,
        starts_alike: bool = True,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._file = file
        self._started = started
        self._is_prose = not starts_alike
        self._redaction = Redaction(cookies)
        self._blocks = BlockFormatter(self._redaction)
        self._now = now
        self._began = now()
        self._writing = threading.Lock()
        """Held while blocks are made; no thread that may hold it already waits for it."""
        self._is_over = False
        self._events: deque[RecordedEvent] = deque()
        self._running: RunningInput | None = None
        self._prompt: str | None = None
        """The one that stands, or stood last; None before the first."""
        self._last_typed = self._began

    # ------------------------------------------------------------ from any thread

    def on_output(self, text: str, source: str, kind: str) -> None:
        """See `RecordHooks`."""
        self._events.append(RecordedEvent(self._now(), kind, source, text))
        # A shell may be left alone for days, while processes print.
        if len(self._events) > _MOST_WAITING and self._writing.acquire(blocking=False):
            try:
                if self._running is None:
                    self._finish()
            finally:
                self._writing.release()

    def on_interrupt(self) -> None:
        """See `RecordHooks`."""
        self._events.append(RecordedEvent(self._now(), "Ctrl-C"))

    # ------------------------------------------------------------ from the shell's own

    def on_answer(self, line: str) -> None:
        """See `RecordHooks`."""
        self._events.append(RecordedEvent(self._now(), "answer", "", line))

    def on_prompt(self, prompt: str) -> None:
        """See `RecordHooks`."""
        with self._writing:
            self._finish()
            if self._prompt is None:
                start = self._blocks.start(self._started, self._began, self._take(), is_prose=self._is_prose)
                self._file.append(start)
            self._prompt = prompt.rstrip()

    def on_input(self, prompt: Prompt, source: str) -> None:
        """See `RecordHooks`."""
        with self._writing:
            self._finish()
            self._prompt = prompt.first.rstrip()
            if source.strip():
                began = self._last_typed = self._now()
                # Python, too, takes a carriage return for the end of a line.
                source = source.replace("\r\n", "\n").replace("\r", "\n")
                self._running = RunningInput(began, prompt, source)
                self._redact(source)
                # Should the input end this process, it stands there at least.
                self._file.append(self._blocks.begin(self._running), whole=False)

    def on_leave(self) -> None:
        """See `RecordHooks`."""
        self.close()
        self._is_over = True

    def close(self) -> None:
        """Writes what is not written yet."""
        with self._writing:
            if not self._is_over:
                self._finish()

    def _finish(self) -> None:
        running, self._running = self._running, None
        if self._prompt is None:
            return  # all that was shown so far is of the start
        now = self._now()
        events = self._take()
        self._redact()
        if running is not None:
            self._file.append("".join(self._blocks.of_input(running, events, now)))
        else:
            for block in self._blocks.looks(self._prompt, self._last_typed, events):
                self._file.append(block)

    def _take(self) -> list[RecordedEvent]:
        return [self._events.popleft() for _ in range(len(self._events))]

    # ------------------------------------------------------------ cookies

    def _redact(self, source: str = "") -> None:
        """Takes cookies in that are new, and takes them out of what is written already."""
        before = self._redaction.cookies
        self._redaction.look(source)
        if self._redaction.cookies != before:
            self._file.rewrite(self._without_cookies)

    def _without_cookies(self, text: str) -> str:
        return "\n".join(self._redacted(line) for line in text.split("\n"))

    def _redacted(self, line: str) -> str:
        is_typed = PROMPT.match(line) or CONTINUATION.match(line) or line.startswith("$ ")
        return self._redaction.of_input(line) if is_typed else self._redaction.of_output(line)
