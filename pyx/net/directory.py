"""The nodes of this host by name: a directory of lock files and sockets (`--sname`).

A name belongs to the OS process that holds `flock` on its lock file, which contains name, process id and
creation.  The system releases the lock however that process ends, so the name of a dead node is free at once,
and the name of a running node never is.  That process alone removes and binds the socket.  Other programs
may remove the files: the process restores them (`name_claim.py`), and a guard keeps the name meanwhile
(`name_guard.py`).
"""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pyx.errors import NameTaken
from pyx.net.name_claim import NameClaim
from pyx.net.name_guard import NameGuarded
from pyx.net.name_locks import LockEntry, entry_of, held_line, lock_path, socket_path
from pyx.net.runtime_directory import RuntimeDirectory

if TYPE_CHECKING:
    from collections.abc import Callable

_ENDING_SECONDS: Final = 0.5
"""Seconds to wait for the guard of an ending process, whose lock is free a moment before."""

_RETRY_SECONDS: Final = 0.02


class HostDirectory:
    """The nodes of this user on this host.

    Args:
        path: the directory of the files, as `RuntimeDirectory.locate` returned it.
        locate: returns the current directory, made if needed; None: always *path*.
    """

    def __init__(self, path: str, locate: Callable[[], str] | None = None) -> None:
        self.path = path
        self._locate = locate or RuntimeDirectory(path, None).locate

    @classmethod
    def of_this_user(cls) -> HostDirectory:
        """Returns the directory of the current environment; raises as `RuntimeDirectory.locate`."""
        rule = RuntimeDirectory.of_environment()
        return cls(rule.locate(), rule.locate)

    @classmethod
    def as_it_is(cls) -> HostDirectory:
        """Returns the directory of the current environment, which is not made, to look into."""
        return cls(str(RuntimeDirectory.of_environment().path()))

    def look(self) -> None:
        """Makes the directory again if it vanished, and updates `path`.

        Raises:
            RuntimeDirectoryUnsafe, PyxError: as `RuntimeDirectory.locate`; the path stays as it was.
        """
        self.path = self._locate()

    def claim(self, name: str, creation: int, os_pid: int) -> NameClaim:
        """Claims *name*, a checked full name, until `release` or the end of this OS process.

        Raises:
            NameTaken: a running node has it.
            PyxError: the directory cannot be written to (no space left, no permission, ...).
        """
        claim = NameClaim(self, name, creation, os_pid)
        try:
            self._take(claim)
        except BaseException:
            claim.release()
            raise
        return claim

    @staticmethod
    def _take(claim: NameClaim) -> None:
        give_up = time.monotonic() + _ENDING_SECONDS
        while True:
            try:
                if claim.take():
                    return
                # Two claimers that test for readers at once see each other, so they retry after different
                # times.
                time.sleep(random.uniform(0.0001, 0.002))  # noqa: S311 - chance, not secrecy
            except NameGuarded as error:
                if time.monotonic() > give_up:
                    raise NameTaken(error.name, error.os_pid) from None
                time.sleep(_RETRY_SECONDS)

    def lookup(self, name: str) -> str | None:
        """Returns the socket path of the running node *name*; None if there is none."""
        held = held_line(lock_path(self.path, name)) is not None
        return socket_path(self.path, name) if held else None

    def names(self) -> list[str]:
        """Returns the names that have a lock file here, but for very long ones; some may not run any more."""
        return [path.stem for path in Path(self.path).glob("*@*.lock")]

    def entries(self) -> list[LockEntry]:
        """Returns the running nodes, sorted by name."""
        lines = (held_line(str(path)) for path in Path(self.path).glob("*.lock"))
        entries = (entry_of(line) for line in lines if line is not None)
        return sorted(entry for entry in entries if entry is not None)
