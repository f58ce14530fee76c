"""The log lines about a node's lock and socket files that vanish and are restored.

A machine: fed with each result of `NameClaim.restore`, it returns a line if there is news.  A lasting fault
is logged once, and so is its end.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from pyx.errors import NameTaken

if TYPE_CHECKING:
    from pyx.errors import PyxError


class LogLine(NamedTuple):
    """A line for the log."""

    level: int
    """`logging.WARNING` or `logging.ERROR`."""
    text: str


class DirectoryLog:
    """The log lines of one node.

    Args:
        name: the full name of the node.
    """

    __slots__ = ("_name", "_trouble")

    def __init__(self, name: str) -> None:
        self._name = name
        self._trouble = ""

    def restored(self, gone: tuple[str, ...], path: str) -> LogLine | None:
        """Returns the line for a check that succeeded, after restoring the files *gone* in *path*."""
        had_trouble, self._trouble = bool(self._trouble), ""
        if gone:
            what, were = " and ".join(gone), "were" if len(gone) > 1 else "was"
            return LogLine(logging.WARNING, f"the {what} of {self._name} {were} missing in {path}: restored")
        if had_trouble:
            return LogLine(logging.WARNING, f"new nodes find {self._name} again")
        return None

    def failed(self, error: PyxError, path: str) -> LogLine | None:
        """Returns the line for a check of the directory *path* that failed."""
        trouble = str(error)
        if trouble == self._trouble:
            return None
        self._trouble = trouble
        if isinstance(error, NameTaken):
            holder = f" (pid {error.os_pid})" if error.os_pid else ""
            return LogLine(
                logging.ERROR,
                f"new nodes find another {self._name}{holder} instead of this one, whose lock was removed "
                f"from {path}: end one of the two",
            )
        hint = f" (hint: {error.hint})" if error.hint else ""
        return LogLine(logging.ERROR, f"new nodes cannot find {self._name}: {trouble}{hint}")
