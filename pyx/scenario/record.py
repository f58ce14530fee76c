"""`pyx --record FILE`: a person's session becomes a transcript while it goes on.

Each block opens with a line of prose that says when it began and how long it took, which `--merge` reads:

    # 2026-11-24T19:35:02.125 +0.004
    pyx(gus@vm)3> Node.ping("server")
    'pong'

What appears while no input runs becomes a look at the screen: an empty prompt with the lines below.  An input
that was interrupted becomes one that blocks, `$ kill -INT`, and a look; what `input()` was answered stands
above its input, as `$ type`.
Not here: the file (`recording.py`), joining several of these (`merge.py`), where the calls come from
(`shell.witness`).
"""

from __future__ import annotations

import math
import threading
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from pyx.scenario.characters import ESCAPED, escaped, needs_escapes
from pyx.scenario.directives import with_blocks, without_meaning
from pyx.scenario.expectation import protected
from pyx.scenario.player import TIMEOUT_SECONDS
from pyx.scenario.shown import Shown
from pyx.scenario.transcript import CONTINUATION, PROMPT
from pyx.scenario.update import guarded, shortened
from pyx.shell.redaction import ANYTHING, Redaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pyx.shell.loop import Prompt

_TOGETHER: Final = timedelta(seconds=0.5)
"""What appears by itself within this time is one block."""
_AGAIN: Final = timedelta(seconds=0.1)
"""A Ctrl-C that came at a bad moment is signalled anew within this time."""
_MOST_WAITING: Final = 1000
"""So much that is shown while no input runs waits for the next prompt."""
_LONG_SECONDS: Final = TIMEOUT_SECONDS / 2
"""What took longer gets a longer time-out: the machine that replays it may be slower."""


class Sink(Protocol):
    """Where the text goes."""

    def append(self, text: str, *, whole: bool = True) -> None:
        """Writes a block in the place of one that was not whole yet."""

    def rewrite(self, change: Callable[[str], str]) -> None:
        """Has *change* replace the text of all whole blocks."""


class _Event(NamedTuple):
    """`what` is `"answer"`, `"Ctrl-C"`, or the kind of what was shown (as of `Unit`)."""

    at: datetime
    what: str
    source: str = ""
    text: str = ""


class _Running(NamedTuple):
    """The input that runs."""

    began: datetime
    prompt: Prompt
    source: str


class Recorder:
    """A `shell.witness.Witness`.

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
        file: Sink,
        started: str,
        cookies: Callable[[], Iterable[str]] = lambda: (),
        *,
        starts_alike: bool = True,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._file = file
        self._started = started
        self._starts_alike = starts_alike
        self._redaction = Redaction(cookies)
        self._now = now
        self._began = now()
        self._writing = threading.Lock()
        """Held while blocks are made; no thread that may hold it already waits for it."""
        self._is_over = False
        self._events: deque[_Event] = deque()
        self._running: _Running | None = None
        self._prompt: str | None = None
        """The one that stands, or stood last; None before the first."""
        self._last_typed = self._began
        self._timeout = TIMEOUT_SECONDS

    # ------------------------------------------------------------ from any thread

    def shown(self, text: str, source: str, kind: str) -> None:
        """See `shell.witness.Witness`."""
        self._events.append(_Event(self._now(), kind, source, text))
        # A shell that is left alone for days: nobody presses Enter, and others print.
        if len(self._events) > _MOST_WAITING and self._writing.acquire(blocking=False):
            try:
                if self._running is None:
                    self._finish()
            finally:
                self._writing.release()

    def interrupted(self) -> None:
        """See `shell.witness.Witness`."""
        self._events.append(_Event(self._now(), "Ctrl-C"))

    # ------------------------------------------------------------ from the shell's own

    def answered(self, line: str) -> None:
        """See `shell.witness.Witness`."""
        self._events.append(_Event(self._now(), "answer", "", line))

    def asked(self, prompt: str) -> None:
        """See `shell.witness.Witness`."""
        with self._writing:
            self._finish()
            if self._prompt is None:
                self._file.append(self._start_block())
            self._prompt = prompt.rstrip()

    def typed(self, prompt: Prompt, source: str) -> None:
        """See `shell.witness.Witness`."""
        with self._writing:
            self._finish()
            self._prompt = prompt.first.rstrip()
            if source.strip():
                began = self._last_typed = self._now()
                # Python, too, takes a carriage return for the end of a line.
                source = source.replace("\r\n", "\n").replace("\r", "\n")
                self._running = _Running(began, prompt, source)
                self._redact(source)
                # Should the input end this process, it stands there at least.
                self._file.append(self._block(began, began, self._input(prompt, source)), whole=False)

    def left(self) -> None:
        """See `shell.witness.Witness`."""
        self.close()
        self._is_over = True

    def close(self) -> None:
        """Writes what is not written yet."""
        with self._writing:
            if not self._is_over:
                self._finish()

    # ------------------------------------------------------------ blocks

    def _finish(self) -> None:
        running, self._running = self._running, None
        if self._prompt is None:
            return  # all that was shown so far is of the start
        now = self._now()
        events = self._take()
        self._redact()
        if running is not None:
            self._file.append("".join(self._blocks_of(running, events, now)))
        else:
            for group in _together(events):
                duration = (group[0].at - self._last_typed).total_seconds()
                lines = [*self._patience(duration), self._prompt, *self._lines(group)]
                self._file.append(self._block(group[0].at, group[-1].at, lines))

    def _take(self) -> list[_Event]:
        return [self._events.popleft() for _ in range(len(self._events))]

    def _start_block(self) -> str:
        lines = self._lines(self._take())
        if not self._starts_alike:
            lines = [f"# {line}" for line in lines]
        elif lines and lines[0].startswith("#"):
            lines[0] = f"\\{lines[0]}"  # it would be prose there
        return self._block(self._began, self._began, [self._started, *lines]).removeprefix("\n")

    def _blocks_of(self, running: _Running, events: Sequence[_Event], end: datetime) -> Iterator[str]:
        source = running.source
        if not _is_writable(source):
            # It holds a lone surrogate, so it is a mistake, and without effect.
            left_out = [*map(protected, source.split("\n")), *self._lines(events)]
            yield self._block(
                running.began, end, ["# This cannot be typed again:", *map("# {}".format, left_out)]
            )
            return
        first = next((at for at, event in enumerate(events) if event.what == "Ctrl-C"), None)
        before, after = events[:first], events[len(events) if first is None else first :]
        until = after[0].at if after else end
        answers = [self._redaction.of_input(event.text) for event in events if event.what == "answer"]
        yield self._block(
            running.began,
            until,
            [
                *self._patience((end - running.began).total_seconds()),
                *(f"$ type {_typed(answer)}".rstrip(" ") for answer in answers),
                *self._input(running.prompt, with_blocks(source) if after else without_meaning(source)),
                *self._lines(before),
            ],
        )
        if after:
            found = PROMPT.match(running.prompt.first)
            name = found.group("node") if found is not None else None
            for at in _apart(event.at for event in after if event.what == "Ctrl-C"):
                yield self._block(at, at, [f"$ kill -INT {name or ''}".rstrip(" ")])
            yield self._block(end, end, [running.prompt.first.rstrip(), *self._lines(after)])

    def _input(self, prompt: Prompt, source: str) -> list[str]:
        first, *rest = self._redaction.of_input(source).split("\n")
        lines = [prompt.first + first, *(prompt.rest + line for line in rest)]
        return [line.rstrip() if not line[len(prompt.first) :] else line for line in lines]

    def _lines(self, events: Iterable[_Event]) -> list[str]:
        shown = Shown()
        for event in events:
            if event.what not in {"answer", "Ctrl-C"}:
                if event.what != "print":
                    shown.end_lines()
                shown.add(event.source, event.what, event.text)
        lines = shortened([line for unit in shown.units for line in unit.lines])
        return [self._hidden(line, written) for line, written in zip(lines, guarded(lines), strict=True)]

    def _hidden(self, line: str, written: str) -> str:
        """*written*, unless *line* holds a cookie: then with a wild card for that."""
        hidden = self._redaction.of_output(line)
        if hidden == line:
            return written
        plain = hidden.replace(ANYTHING, "x")
        if ANYTHING not in line and protected(plain) == plain:
            return hidden
        # In a line that has to be protected only a pattern for the whole of it can have wild cards.
        parts = (
            "".join("?" if needs_escapes(char) else char for char in part) for part in hidden.split(ANYTHING)
        )
        pattern = "*".join(parts)
        return f"{pattern if pattern[:1] in {'*', ''} else f'?{pattern[1:]}'} (glob)"

    def _patience(self, seconds: float) -> list[str]:
        """`$ timeout`, before what took *seconds*, where that is needed."""
        if seconds <= _LONG_SECONDS or 2 * seconds <= self._timeout:
            return []
        self._timeout = math.ceil(2 * seconds)
        return [f"$ timeout {self._timeout}s"]

    @staticmethod
    def _block(began: datetime, ended: datetime, lines: Iterable[str]) -> str:
        seconds = (ended - began).total_seconds()
        stamp = f"# {began.replace(tzinfo=None).isoformat(timespec='milliseconds')} +{seconds:.3f}"
        return "\n".join(["", stamp, *lines, ""])

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


def _together(events: Iterable[_Event]) -> Iterator[list[_Event]]:
    """What was shown while no input ran, in groups that came at one time."""
    group: list[_Event] = []
    for event in events:
        if event.what in {"answer", "Ctrl-C"}:
            continue
        if group and event.at - group[-1].at > _TOGETHER:
            yield group
            group = []
        group.append(event)
    if group:
        yield group


def _apart(times: Iterable[datetime]) -> Iterator[datetime]:
    """The times, without those that follow at once."""
    last: datetime | None = None
    for at in times:
        if last is None or at - last > _AGAIN:
            yield at
        last = at


def _typed(answer: str) -> str:
    """An answer as `$ type` has it."""
    if needs_escapes(answer) or answer.endswith(ESCAPED) or answer != answer.strip():
        return escaped(answer, first=True)
    return answer


def _is_writable(source: str) -> bool:
    try:
        source.encode()
    except UnicodeEncodeError:
        return False
    return True
