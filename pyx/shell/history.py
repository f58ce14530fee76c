"""The history: typed statements, kept between sessions, without cookies.

A full disk or an unwritable home costs one warning.  See `history_file.py` for the file and its format.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pyx.shell.history_file import HistoryFile
from pyx.shell.redaction import Redaction
from pyx.shell.user_directories import state_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def history_path() -> Path | None:
    """Returns `$PYX_HISTORY`, else `pyx/history` in the XDG state directory; None if there is no home."""
    given = os.environ.get("PYX_HISTORY")
    if given:
        return Path(given)
    directory = state_directory()
    return None if directory is None else directory / "history"


class History:
    """The statements in a file, without those that hold a cookie.

    Args:
        path: the file; None: nothing is kept.
        warn: called once, with one sentence, if statements cannot be saved.
        cookies: returns the cookies in force.
    """

    def __init__(
        self,
        path: Path | None,
        warn: Callable[[str], None],
        cookies: Callable[[], Iterable[str]] = lambda: (),
    ) -> None:
        self._file = None if path is None else HistoryFile(path)
        self._redaction = Redaction(cookies)
        self._cookies_checked = 0
        """The number of cookies for which the statements were searched."""
        self._mine: list[str] = []
        """The statements that this shell has appended."""
        self._warn: Callable[[str], None] | None = warn
        self._last: str | None = None

    def load(self) -> list[str]:
        """Returns all kept statements, oldest first."""
        statements: list[str] = []
        if self._file is not None:
            try:
                statements = self._file.statements()
            except OSError as error:
                self._warn_once(error)
        self._last = statements[-1] if statements else None
        return statements

    def append(self, statement: str) -> None:
        """Keeps *statement*, unless it repeats the last one or holds a cookie."""
        statement = statement.rstrip()
        if not statement or statement == self._last:
            return
        self._redaction.update(statement)
        if self._redaction.holds_cookie(statement):
            return
        self._last = statement
        self._mine.append(statement)
        if self._file is not None:
            try:
                self._file.add(statement)
            except OSError as error:
                self._warn_once(error)

    def forget_cookies(self) -> None:
        """Removes statements that hold a cookie which has come into force since they were typed."""
        self._redaction.update()
        if self._redaction.cookies == self._cookies_checked:
            return
        self._cookies_checked = self._redaction.cookies
        found = {one for one in self._mine if self._redaction.holds_cookie(one)}
        if not found or self._file is None:
            return
        self._mine = [one for one in self._mine if one not in found]
        try:
            self._file.remove(found)
        except OSError as error:
            self._warn_once(error)

    def _warn_once(self, error: OSError) -> None:
        if self._warn is not None and self._file is not None:
            warn, self._warn = self._warn, None
            warn(f"the history is not saved: {self._file.path}: {error.strerror or error}")
