"""Formats the events of a recorded session as blocks of a transcript.

Output while no input runs becomes an empty prompt with its lines below.  An input that was interrupted
becomes one with `# blocks`, `$ kill -INT`, and an empty prompt.  The lines that `input()` read are above its
input, as `$ type`; `$ timeout` is before an input that took long.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from pyx.scenario.characters import ESCAPED, escaped, needs_escapes
from pyx.scenario.comment_directives import with_blocks, without_directive
from pyx.scenario.match_line import protected
from pyx.scenario.output_units import ScreenOutput
from pyx.scenario.steps import TIMEOUT_SECONDS
from pyx.scenario.transcript import PROMPT
from pyx.scenario.update import protected_lines, shortened
from pyx.shell.redaction import ANYTHING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pyx.shell.loop import Prompt
    from pyx.shell.redaction import Redaction

_TOGETHER: Final = timedelta(seconds=0.5)
"""Output without an input within this time is one block."""
_AGAIN: Final = timedelta(seconds=0.1)
"""SIGINTs within this time are one Ctrl-C: one that came at a bad moment is signalled again."""
_LONG_SECONDS: Final = TIMEOUT_SECONDS / 2
"""An input that took longer gets a longer time-out: the machine of the replay may be slower."""


class RecordedEvent(NamedTuple):
    """An event of a session: `what` is `"answer"`, `"Ctrl-C"`, or the kind of output (see `OutputUnit`)."""

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
    """Makes the blocks of one recording; keeps track of its time-out.

    Args:
        redaction: replaces cookies.
    """

    def __init__(self, redaction: Redaction) -> None:
        self._redaction = redaction
        self._timeout = TIMEOUT_SECONDS

    def for_start(
        self, line: str, began: datetime, events: Iterable[RecordedEvent], *, is_prose: bool
    ) -> str:
        """Returns the first block: the `$ pyx` line, and the output until the first prompt.

        Args:
            line: the `$ pyx` line.
            began: the time of the start.
            events: those until the first prompt.
            is_prose: write them as prose, since a replay's output will be another.
        """
        lines = self._lines(events)
        if is_prose:
            lines = [f"# {line}" for line in lines]
        elif lines and lines[0].startswith("#"):
            lines[0] = f"\\{lines[0]}"  # else it would be prose
        return _block(began, began, [line, *lines]).removeprefix("\n")

    def for_empty_prompt(
        self, prompt: str, since: datetime, events: Iterable[RecordedEvent]
    ) -> Iterator[str]:
        """Yields the blocks of output while no input ran; the last input was entered at the time *since*."""
        for group in _together(events):
            began, ended = group[0].at, group[-1].at
            timeout = self._timeout_line((began - since).total_seconds())
            yield _block(began, ended, [*timeout, prompt, *self._lines(group)])

    def for_running_input(self, running: RunningInput) -> str:
        """Returns the block of an input that has just been entered."""
        return _block(running.began, running.began, self._typed_lines(running.prompt, running.source))

    def for_input(
        self, running: RunningInput, events: Sequence[RecordedEvent], end: datetime
    ) -> Iterator[str]:
        """Yields the blocks of an input that has ended, with the events meanwhile."""
        source = running.source
        if not _is_writable(source):
            # It holds a lone surrogate, so it was an error, and had no effect.
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
                *self._timeout_line((end - running.began).total_seconds()),
                *(f"$ type {_type_argument(answer)}".rstrip(" ") for answer in answers),
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
        screen = ScreenOutput()
        for event in events:
            if event.what not in {"answer", "Ctrl-C"}:
                if event.what != "print":
                    screen.end_lines()
                screen.add(event.source, event.what, event.text)
        lines = shortened([line for unit in screen.units for line in unit.lines])
        return [
            self._hidden(line, written) for line, written in zip(lines, protected_lines(lines), strict=True)
        ]

    def _hidden(self, line: str, written: str) -> str:
        """Returns *written*, or *line* with a wildcard for each cookie if it holds one."""
        hidden = self._redaction.of_output(line)
        if hidden == line:
            return written
        plain = hidden.replace(ANYTHING, "x")
        if ANYTHING not in line and protected(plain) == plain:
            return hidden
        # A line that has to be protected can have wildcards only as a pattern for the whole line.
        parts = (
            "".join("?" if needs_escapes(char) else char for char in part) for part in hidden.split(ANYTHING)
        )
        pattern = "*".join(parts)
        return f"{pattern if pattern[:1] in {'*', ''} else f'?{pattern[1:]}'} (glob)"

    def _timeout_line(self, seconds: float) -> list[str]:
        """Returns the `$ timeout` before a block that took *seconds*, if it needs a longer one."""
        if seconds <= _LONG_SECONDS or 2 * seconds <= self._timeout:
            return []
        self._timeout = math.ceil(2 * seconds)
        return [f"$ timeout {self._timeout}s"]


def _block(began: datetime, ended: datetime, lines: Iterable[str]) -> str:
    seconds = (ended - began).total_seconds()
    stamp = f"# {began.replace(tzinfo=None).isoformat(timespec='milliseconds')} +{seconds:.3f}"
    return "\n".join(["", stamp, *lines, ""])


def _together(events: Iterable[RecordedEvent]) -> Iterator[list[RecordedEvent]]:
    """Yields the events of output in groups that came together."""
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
    """Yields the times, without those that follow within `_AGAIN`."""
    last: datetime | None = None
    for at in times:
        if last is None or at - last > _AGAIN:
            yield at
        last = at


def _type_argument(answer: str) -> str:
    """Returns an answer as the argument of `$ type`."""
    if needs_escapes(answer) or answer.endswith(ESCAPED) or answer != answer.strip():
        return escaped(answer, first=True)
    return answer


def _is_writable(source: str) -> bool:
    try:
        source.encode()
    except UnicodeEncodeError:
        return False
    return True
