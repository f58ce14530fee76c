"""sys.stdin of a shell without a person: the lines that its runner has typed for `input()`."""

from __future__ import annotations

import sys
from collections import deque
from typing import TYPE_CHECKING, Any, TextIO

from pyx.shell.tty_stdin import TtyStdin

if TYPE_CHECKING:
    from collections.abc import Iterable


class ScriptedStdin(TtyStdin):
    """A keyboard whose lines are known before they are asked for.

    Args:
        found: is read when there are no more of them.
    """

    def __init__(self, found: TextIO) -> None:
        super().__init__(found)
        self._lines: deque[str] = deque()

    def lay_out(self, lines: Iterable[str]) -> None:
        """These are typed for the next input; what the last one has not read is gone."""
        self._lines = deque(lines)

    def original(self, name: str) -> Any:
        """See `StreamProxy`."""
        found = super().original(name)
        return self._read_line if name == "readline" and self._lines else found

    def _read_line(self, _size: int = -1) -> str:
        line = self._lines.popleft() + "\n"
        sys.stdout.write(line)  # as a terminal shows what is typed
        return line
