"""A second lock of a name, beside the lock on its file: one that cannot be removed.

A running node whose lock file has vanished (a cleaner of temporary files, a session that ended) restores it
within about a second.  Meanwhile another node must not get the name.  On Linux the holder therefore also
listens on a socket in the abstract namespace, which has no file and ends with the OS process.  On other
systems the lock on the file alone counts.

The abstract namespace belongs to all users of a network namespace, so a socket there counts only if it is
this user's; and its address holds the identity of the directory's parent, because containers may share a
network and not their files.
"""

from __future__ import annotations

import errno
import hashlib
import os
import socket
import sys
from pathlib import Path
from typing import Final

from pyx.errors import NameTaken
from pyx.net.credentials import os_pid_of, uid_of

_BACKLOG: Final = 128
"""Number of claims by other processes that are answered between two calls of `drain`."""


class NameGuarded(NameTaken):
    """The lock is free, but a process with the name is alive: it is ending, or its lock file was removed."""


class NameGuard:
    """The guard of one name.

    Args:
        name: the full name of the node.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._address: bytes | None = None
        self._socket: socket.socket | None = None

    def hold(self, directory: str) -> None:
        """Takes the guard of the name in *directory*, and releases one of another directory.

        Where the system has none, or another user has bound its address, the guard counts as taken.

        Raises:
            NameGuarded: another process has it.  That process may be ending: try again a moment later.
        """
        address = _address(directory, self._name)
        if sys.platform != "linux" or address is None or address == self._address:
            return
        guard = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            guard.setblocking(False)
            guard.bind(address)
            guard.listen(_BACKLOG)
        except OSError as error:
            guard.close()
            if error.errno == errno.EADDRINUSE:
                _ask(address, self._name)
            return
        self.close()
        self._address, self._socket = address, guard

    def drain(self) -> None:
        """Closes the connections of other claimers."""
        while self._socket is not None:
            try:
                asked, _ = self._socket.accept()
            except OSError:
                return
            asked.close()

    def close(self) -> None:
        """Releases the guard."""
        if self._socket is not None:
            self._socket.close()
        self._address = self._socket = None


def _address(directory: str, name: str) -> bytes | None:
    try:
        parent = Path(directory).parent.stat()
    except OSError:
        return None
    key = f"{os.geteuid()} {parent.st_dev} {parent.st_ino} {Path(directory).name} {name}"
    return b"\0pyx-" + hashlib.sha256(key.encode()).hexdigest()[:32].encode()


def _ask(address: bytes, name: str) -> None:
    """Raises NameGuarded if a process of this user is at that address."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as question:
        question.setblocking(False)
        try:
            question.connect(address)
            is_mine = uid_of(question) == os.geteuid()
        except ConnectionRefusedError:  # bound and not listening yet, or gone already
            raise NameGuarded(name, None) from None
        except OSError:
            return
        if is_mine:
            raise NameGuarded(name, os_pid_of(question))
