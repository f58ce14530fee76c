"""A node that is an OS process of its own, writes events as lines of JSON, and reads commands."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from signal import SIGKILL, Signals
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

HANG: Final = 60.0
"""Seconds after which a test that waits in vain gives up."""


class Child:
    """A program of this folder: its OS process, the events it wrote, and its log below the home directory."""

    def __init__(self, program: str, name: str, arguments: list[str], environment: dict[str, str]) -> None:
        self.name = name
        self.events: list[dict[str, Any]] = []
        self._event_read = threading.Condition()  # noqa: TID251 - a test's own, not the kernel's
        with Path(environment["HOME"], f"{name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name(program)), name, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                text=True,
            )
        self.pid = self._process.pid
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.endswith("\n"):  # the last one may be cut by a kill
                with self._event_read:
                    self.events.append(json.loads(line))
                    self._event_read.notify_all()

    def wait_for(self, holds: Callable[[], bool], what: str) -> None:
        """Waits until *holds* after one of this node's events; the limit only guards against a hang."""
        with self._event_read:
            assert self._event_read.wait_for(holds, HANG), f"{self.name}: no {what}: {self.events[-50:]}"

    def seen(self, event: str) -> list[dict[str, Any]]:
        """The events of that kind, oldest first."""
        return [one for one in self.events if one["event"] == event]

    def ask(self, what: str, **facts: Any) -> dict[str, Any]:
        """Sends the command *what*; returns the event of that name that answers it."""
        before = len(self.seen(what))
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **facts}) + "\n")
        self._process.stdin.flush()
        self.wait_for(lambda: len(self.seen(what)) > before, what)
        return self.seen(what)[-1]

    def signal(self, number: Signals) -> None:
        """Sends the OS process a signal."""
        self._process.send_signal(number)

    def end(self, number: Signals = SIGKILL) -> None:
        """Ends the OS process by a signal, and reads its last events."""
        self._process.send_signal(number)
        self._process.wait(HANG)
        self._reader.join()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
