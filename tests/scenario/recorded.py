"""What the tests of recordings share: a clock, a file in memory, and a session that is recorded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pyx.scenario.recorder import Recorder
from pyx.shell.loop import prompt_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Clock:
    """A clock that the test advances."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 19, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class MemoryFile:
    """A file in memory."""

    def __init__(self) -> None:
        self.whole = ""
        self.text = ""
        """All text, with the block that is not whole yet."""

    def append(self, text: str, *, whole: bool = True) -> None:
        self.text = self.whole + text
        if whole:
            self.whole = self.text

    def rewrite(self, change: Callable[[str], str]) -> None:
        self.text = self.whole = change(self.whole)


class RecordedSession:
    """A session at a node's prompt, with its recorder."""

    def __init__(self, name: str, clock: Clock, cookies: Iterable[str] = ()) -> None:
        self.file = MemoryFile()
        self.clock = clock
        self.name = name
        self.number = 1
        started = f"$ pyx --sname {name.partition('@')[0]}" if name else "$ pyx"
        self.recorder = Recorder(self.file, started, lambda: cookies, now=clock)
        self.prompts()

    def prompts(self) -> None:
        self.recorder.on_prompt(prompt_for(self.name, self.number).first)

    def shows(self, text: str, source: str = "shell", kind: str = "print") -> None:
        self.recorder.on_output(text, source, kind)

    def enters(self, source: str) -> None:
        self.recorder.on_input(prompt_for(self.name, self.number), source)

    def type(self, source: str, *shown: str, takes: float = 0.0) -> None:
        self.enters(source)
        for text in shown:
            self.shows(text)
        self.clock.advance(takes)
        self.number += bool(source.strip())
        self.prompts()

    @property
    def text(self) -> str:
        self.recorder.close()
        return self.file.text
