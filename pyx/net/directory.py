"""Who runs on this host under which name: a directory of locks and sockets (`--sname`).  Not here: who is
connected to whom (`core`), nor any conversation (`net/endpoint.py`).

A name belongs to whoever holds `flock` on its lock file, which says name, pid and creation.  The kernel
lets go of the lock when its holder dies, however that happens, so a stale name is free at once and a living
one never is.  Only the holder removes and binds the socket.  The files themselves may be removed by others:
then their holder makes them anew (`name_claim.py`), and a guard keeps the name meanwhile (`name_guard.py`).
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
"""The lock of a process that ends is free a moment before its guard is."""

_RETRY_SECONDS: Final = 0.02


class HostDirectory:
    """The nodes of this user on this host.

    Args:
        path: where their files are: what `RuntimeDirectory.locate` returned.
        locate: says where they are now, and makes that directory if need be; None: always at *path*.
    """

    def __init__(self, path: str, locate: Callable[[], str] | None = None) -> None:
        self.path = path
        self._locate = locate or RuntimeDirectory(path, None).locate

    @classmethod
    def of_this_user(cls) -> HostDirectory:
        """Returns the directory as the environment says now; raises as `RuntimeDirectory.locate`."""
        rule = RuntimeDirectory.of_environment()
        return cls(rule.locate(), rule.locate)

    def look(self) -> None:
        """Makes the directory anew where it vanished, and follows it to where it is now.

        Raises:
            RuntimeDirectoryUnsafe, PyxError: as `RuntimeDirectory.locate`; the path stays as it was.
        """
        self.path = self._locate()

    def claim(self, name: str, creation: int, os_pid: int) -> NameClaim:
        """Makes *name* (a checked full name) mine for as long as this process lives, or until `release`.

        Raises:
            NameTaken: a live node has it.
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
                # Two claimers who test for lookers at once see each other, so they come back after different
                # times.
                time.sleep(random.uniform(0.0001, 0.002))  # noqa: S311 - chance, not secrecy
            except NameGuarded as error:
                if time.monotonic() > give_up:
                    raise NameTaken(error.name, error.os_pid) from None
                time.sleep(_RETRY_SECONDS)

    def lookup(self, name: str) -> str | None:
        """The socket of the live node of that name; None where there is none."""
        held = held_line(lock_path(self.path, name)) is not None
        return socket_path(self.path, name) if held else None

    def entries(self) -> list[LockEntry]:
        """The live nodes, sorted by name."""
        lines = (held_line(str(path)) for path in Path(self.path).glob("*.lock"))
        entries = (entry_of(line) for line in lines if line is not None)
        return sorted(entry for entry in entries if entry is not None)
