"""`pyx --record FILE`: writes the transcript of a session while it goes on.

The first line of each block is prose, with the time at which it began and its seconds, for `--merge`:

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
"""The number of events without an input that are kept in memory until the next prompt."""


class BlockWriter(Protocol):
    """Writes the text of a recording."""

    def append(self, text: str, *, whole: bool = True) -> None:
        """Writes a block; replaces the last one if that was not *whole*."""

    def rewrite(self, change: Callable[[str], str]) -> None:
        """Replaces the text of all whole blocks by what *change* returns for it."""


class Recorder:
    """Implements `RecordHooks`.

    Args:
        file: writes the blocks.
        start_line: the `$ pyx` line.
        cookies: returns the cookies in force, which must not be written.
        starts_alike: True if a replay's node has the same output at its start.
        now: the clock, as a datetime.

    Other threads and finalizers append to a deque; the shell's thread makes blocks of its events.
    """

    def __init__(
        self,
        file: BlockWriter,
        start_line: str,
        cookies: Callable[[], Iterable[str]] = lambda: (),
        *,
        starts_alike: bool = True,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._file = file
        self._start_line = start_line
        self._is_prose = not starts_alike
        self._redaction = Redaction(cookies)
        self._blocks = BlockFormatter(self._redaction)
        self._now = now
        self._began = now()
        self._writing = threading.Lock()
        """Held while blocks are made; a thread that may hold it already only tries to take it."""
        self._is_over = False
        self._events: deque[RecordedEvent] = deque()
        self._running: RunningInput | None = None
        self._prompt: str | None = None
        """The latest prompt; None before the first."""
        self._last_input = self._began

    # ------------------------------------------------------------ from any thread

    def on_output(self, text: str, source: str, kind: str) -> None:
        """See `RecordHooks`."""
        self._events.append(RecordedEvent(self._now(), kind, source, text))
        # A shell may wait at its prompt for days, while processes print.
        if len(self._events) > _MOST_WAITING and self._writing.acquire(blocking=False):
            try:
                if self._running is None:
                    self._finish()
            finally:
                self._writing.release()

    def on_interrupt(self) -> None:
        """See `RecordHooks`."""
        self._events.append(RecordedEvent(self._now(), "Ctrl-C"))

    # ------------------------------------------------------------ from the shell's thread

    def on_answer(self, line: str) -> None:
        """See `RecordHooks`."""
        self._events.append(RecordedEvent(self._now(), "answer", "", line))

    def on_prompt(self, prompt: str) -> None:
        """See `RecordHooks`."""
        with self._writing:
            self._finish()
            if self._prompt is None:
                start = self._blocks.for_start(
                    self._start_line, self._began, self._take_events(), is_prose=self._is_prose
                )
                self._file.append(start)
            self._prompt = prompt.rstrip()

    def on_input(self, prompt: Prompt, source: str) -> None:
        """See `RecordHooks`."""
        with self._writing:
            self._finish()
            self._prompt = prompt.first.rstrip()
            if source.strip():
                began = self._last_input = self._now()
                # A carriage return ends a line for Python, too.
                source = source.replace("\r\n", "\n").replace("\r", "\n")
                self._running = RunningInput(began, prompt, source)
                self._redact(source)
                # So that an input that ends this process is in the file.
                self._file.append(self._blocks.for_running_input(self._running), whole=False)

    def on_leave(self) -> None:
        """See `RecordHooks`."""
        self.close()
        self._is_over = True

    def close(self) -> None:
        """Writes the events that are not written yet."""
        with self._writing:
            if not self._is_over:
                self._finish()

    def _finish(self) -> None:
        running, self._running = self._running, None
        if self._prompt is None:
            return  # all events so far are of the start
        now = self._now()
        events = self._take_events()
        self._redact()
        if running is not None:
            self._file.append("".join(self._blocks.for_input(running, events, now)))
        else:
            for block in self._blocks.for_empty_prompt(self._prompt, self._last_input, events):
                self._file.append(block)

    def _take_events(self) -> list[RecordedEvent]:
        return [self._events.popleft() for _ in range(len(self._events))]

    # ------------------------------------------------------------ cookies

    def _redact(self, source: str = "") -> None:
        """Looks for new cookies, and removes them from the blocks that are written."""
        before = self._redaction.cookies
        self._redaction.update(source)
        if self._redaction.cookies != before:
            self._file.rewrite(self._without_cookies)

    def _without_cookies(self, text: str) -> str:
        return "\n".join(self._redacted(line) for line in text.split("\n"))

    def _redacted(self, line: str) -> str:
        is_typed = PROMPT.match(line) or CONTINUATION.match(line) or line.startswith("$ ")
        return self._redaction.of_input(line) if is_typed else self._redaction.of_output(line)
