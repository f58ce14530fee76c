"""Typed statements, kept between sessions: one JSON string a line, so a statement of many lines stays whole.

The file is its owner's alone (0600).  Several shells append to one file; a torn line is skipped.  A full disk
or an unwritable home costs one warning.  Not here: searching in it (the terminal does that).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pyx.shell.files import write_whole
from pyx.shell.redaction import Redaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MOST_BYTES: Final = 4 << 20
"""A file beyond this is rewritten with its newest half."""


def history_path() -> Path:
    """`$PYX_HISTORY`, else `pyx/history` in the XDG state directory."""
    given = os.environ.get("PYX_HISTORY")
    if given:
        return Path(given)
    state = os.environ.get("XDG_STATE_HOME")
    # XDG asks to ignore a relative path
    home = Path(state) if state and Path(state).is_absolute() else Path("~/.local/state").expanduser()
    return home / "pyx" / "history"


class History:
    """The statements in a file, without any that hold a cookie.

    Args:
        path: the file.
        warn: gets one sentence when statements cannot be kept.
        cookies: returns those that are in force at the moment.
    """

    def __init__(
        self,
        path: Path,
        warn: Callable[[str], None],
        cookies: Callable[[], Iterable[str]] = lambda: (),
    ) -> None:
        self._path = path
        self._redaction = Redaction(cookies)
        self._looked_for = 0
        """So many cookies were looked for in them."""
        self._mine: list[str] = []
        """What this shell has appended."""
        self._warn: Callable[[str], None] | None = warn
        self._last: str | None = None

    def load(self) -> list[str]:
        """All that is kept, oldest first."""
        try:
            data = self._path.read_bytes()
            if len(data) > MOST_BYTES:
                data = self._halve(data)
        except FileNotFoundError:
            return []
        except OSError as error:
            self._complain(error)
            return []
        statements: list[str] = []
        for line in data.splitlines():
            try:
                statement = json.loads(line)
            except ValueError:
                continue
            if isinstance(statement, str):
                statements.append(statement)
        self._last = statements[-1] if statements else None
        return statements

    def append(self, statement: str) -> None:
        """Keeps *statement*, unless it repeats the last one or holds a cookie."""
        statement = statement.rstrip()
        if not statement or statement == self._last:
            return
        self._redaction.look(statement)
        if self._redaction.holds_cookie(statement):
            return
        self._last = statement
        self._mine.append(statement)
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.fchmod(descriptor, 0o600)
                os.write(descriptor, _line(statement))  # one write: lines of several shells do not mix
            finally:
                os.close(descriptor)
        except OSError as error:
            self._complain(error)

    def forget_cookies(self) -> None:
        """Takes statements back that turned out to hold a cookie: it has come into force meanwhile."""
        self._redaction.look()
        if self._redaction.cookies == self._looked_for:
            return
        self._looked_for = self._redaction.cookies
        lines = {_line(one) for one in self._mine if self._redaction.holds_cookie(one)}
        if not lines:
            return
        self._mine = [one for one in self._mine if _line(one) not in lines]
        try:
            kept = [line for line in self._path.read_bytes().splitlines(keepends=True) if line not in lines]
            write_whole(self._path, b"".join(kept))
        except OSError as error:
            self._complain(error)

    def _halve(self, data: bytes) -> bytes:
        newest = data[data.index(b"\n", len(data) // 2) + 1 :]
        write_whole(self._path, newest)
        return newest

    def _complain(self, error: OSError) -> None:
        if self._warn is not None:
            warn, self._warn = self._warn, None  # once
            warn(f"the history is not kept: {self._path}: {error.strerror or error}")


def _line(statement: str) -> bytes:
    return json.dumps(statement).encode() + b"\n"
