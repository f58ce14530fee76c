"""Events of a session -> blocks of a transcript.

What appears while no input runs becomes a look at the screen: an empty prompt with the lines below.  An input
that was interrupted becomes one that blocks, `$ kill -INT`, and a look; what `input()` was answered stands
above its input, as `$ type`; before what took long stands `$ timeout`.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from pyx.scenario.characters import ESCAPED, escaped, needs_escapes
from pyx.scenario.directives import with_blocks, without_directive
from pyx.scenario.match_line import protected
from pyx.scenario.output_units import ScreenOutput
from pyx.scenario.steps import TIMEOUT_SECONDS
from pyx.scenario.transcript import PROMPT
from pyx.scenario.update import guarded, shortened
from pyx.shell.redaction import ANYTHING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pyx.shell.loop import Prompt
    from pyx.shell.redaction import Redaction

_TOGETHER: Final = timedelta(seconds=0.5)
"""What appears by itself within this time is one block."""
_AGAIN: Final = timedelta(seconds=0.1)
"""A Ctrl-C that came at a bad moment is signalled anew within this time."""
_LONG_SECONDS: Final = TIMEOUT_SECONDS / 2
"""What took longer gets a longer time-out: the machine that replays it may be slower."""


class RecordedEvent(NamedTuple):
    """`what` is `"answer"`, `"Ctrl-C"`, or the kind of what was shown (as of `OutputUnit`)."""

    at: datetime
    what: str
    source: str = ""
    text: str = ""


class RunningInput(NamedTuple):
    """The input that runs."""

    began: datetime
    prompt: Prompt
    source: str


class BlockFormatter:
    """Makes the blocks of one recording; it knows the time-out that holds by now.

    Args:
        redaction: what must not be written down.
    """

    def __init__(self, redaction: Redaction) -> None:
        self._redaction = redaction
        self._timeout = TIMEOUT_SECONDS

    def start(self, line: str, began: datetime, events: Iterable[RecordedEvent], *, is_prose: bool) -> str:
        """The first block: the `$ pyx` line, and what was shown until the first prompt.

        Args:
            line: that one.
            began: when.
            events: of the start.
            is_prose: a replay will show something else there.
        """
        lines = self._lines(events)
        if is_prose:
            lines = [f"# {line}" for line in lines]
        elif lines and lines[0].startswith("#"):
            lines[0] = f"\\{lines[0]}"  # it would be prose there
        return _block(began, began, [line, *lines]).removeprefix("\n")

    def looks(self, prompt: str, since: datetime, events: Iterable[RecordedEvent]) -> Iterator[str]:
        """What was shown at a prompt while no input ran; the last one was entered at the time *since*."""
        for group in _together(events):
            began, ended = group[0].at, group[-1].at
            patience = self._patience((began - since).total_seconds())
            yield _block(began, ended, [*patience, prompt, *self._lines(group)])

    def begin(self, running: RunningInput) -> str:
        """An input that has just been entered."""
        return _block(running.began, running.began, self._typed_lines(running.prompt, running.source))

    def of_input(
        self, running: RunningInput, events: Sequence[RecordedEvent], end: datetime
    ) -> Iterator[str]:
        """An input that has come to its end, with what happened meanwhile."""
        source = running.source
        if not _is_writable(source):
            # It holds a lone surrogate, so it is a mistake, and without effect.
            left_out = [*map(protected, source.split("\n")), *self._lines(events)]
            yield _block(running.began, end, ["# This cannot be typed again:", *map("# {}".format, left_out)])
            return
        first = next((at for at, event in enumerate(events) if event.what == "Ctrl-C"), None)
        before, after = events[:first], events[len(events) if first is None else first :]
        until = after[0].at if after else end
        answers = [self._redaction.of_input(event.text) for event in events if event.what == "answer"]
        yield _block(
            running.began,
            until,
            [
                *self._patience((end - running.began).total_seconds()),
                *(f"$ type {_typed(answer)}".rstrip(" ") for answer in answers),
                *self._typed_lines(
                    running.prompt, with_blocks(source) if after else without_directive(source)
                ),
                *self._lines(before),
            ],
        )
        if after:
            found = PROMPT.match(running.prompt.first)
            name = found.group("node") if found is not None else None
            for at in _apart(event.at for event in after if event.what == "Ctrl-C"):
                yield _block(at, at, [f"$ kill -INT {name or ''}".rstrip(" ")])
            yield _block(end, end, [running.prompt.first.rstrip(), *self._lines(after)])

    def _typed_lines(self, prompt: Prompt, source: str) -> list[str]:
        first, *rest = self._redaction.of_input(source).split("\n")
        lines = [prompt.first + first, *(prompt.rest + line for line in rest)]
        return [line.rstrip() if not line[len(prompt.first) :] else line for line in lines]

    def _lines(self, events: Iterable[RecordedEvent]) -> list[str]:
        shown = ScreenOutput()
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


def _block(began: datetime, ended: datetime, lines: Iterable[str]) -> str:
    seconds = (ended - began).total_seconds()
    stamp = f"# {began.replace(tzinfo=None).isoformat(timespec='milliseconds')} +{seconds:.3f}"
    return "\n".join(["", stamp, *lines, ""])


def _together(events: Iterable[RecordedEvent]) -> Iterator[list[RecordedEvent]]:
    """What was shown while no input ran, in groups that came at one time."""
    group: list[RecordedEvent] = []
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
