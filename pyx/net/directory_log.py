"""What the log says about the files by which new nodes find this one, while they vanish and come back.

A machine: told at each look what `name_claim.Claim.restore` did, it returns the line that is news, if there
is one.  A fault that lasts is said once, and so is its end.
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
    """See the file.

    Args:
        name: the full name of this node.
    """

    __slots__ = ("_name", "_trouble")

    def __init__(self, name: str) -> None:
        self._name = name
        self._trouble = ""

    def restored(self, gone: tuple[str, ...], path: str) -> LogLine | None:
        """All is in its place; *gone* had to be made anew in the directory *path*."""
        had_trouble, self._trouble = bool(self._trouble), ""
        if gone:
            what, were = " and ".join(gone), "were" if len(gone) > 1 else "was"
            return LogLine(logging.WARNING, f"the {what} of {self._name} {were} missing in {path}: made anew")
        if had_trouble:
            return LogLine(logging.WARNING, f"new nodes find {self._name} again")
        return None

    def failed(self, error: PyxError, path: str) -> LogLine | None:
        """What new nodes look for in the directory *path* cannot be had there."""
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
