"""sys.stdin of a prompt: what a person types is for the shell, and for nobody beside it.

A process that read the terminal too would share every key with the prompt, at random, and leave the line
broken.  Not here: the prompt itself (`terminal`).
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final, TextIO

from pyx.errors import TerminalTaken
from pyx.runtime import context

if TYPE_CHECKING:
    from collections.abc import Iterator

_READS_NOTHING: Final = {"isatty", "encoding", "errors", "newlines", "name", "mode", "closed"}


class Keyboard:
    """Stands in for `sys.stdin`; whoever is not the shell gets TerminalTaken instead of what reads.

    `input()` looks for a `fileno` and reads by itself where that is the terminal's, so this one is refused as
    well: then it tries `readline`, and passes the error on.
    """

    def __init__(self, found: TextIO) -> None:
        self._found = found

    def __iter__(self) -> Iterator[str]:
        """Like any text stream's."""
        _require_shell()
        return iter(self._found)

    def __next__(self) -> str:
        """Like any text stream's."""
        _require_shell()
        return next(self._found)

    def __getattr__(self, name: str) -> Any:
        if name not in _READS_NOTHING:
            _require_shell()
        return getattr(self._found, name)


def _require_shell() -> None:
    """Raises TerminalTaken unless this is the shell's process, or its thread before and after that."""
    runner = context.current.get()
    if runner is None:
        if threading.current_thread() is not threading.main_thread():
            raise TerminalTaken("this thread")
    elif not runner.process.keeps_pid:
        raise TerminalTaken(str(runner.process.pid))
