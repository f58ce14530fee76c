"""The claim of a name on this host: a lock and a socket, which are restored if their files vanish.

See `name_locks.py` for the lock file, `directory.py` for the names of all nodes.
"""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from pyx.errors import PyxError
from pyx.net.forks import close_in_children
from pyx.net.name_guard import NameGuard
from pyx.net.name_locks import is_file, is_still_at, lock, lock_path, socket_path, unlock

_BACKLOG: Final = 512


class ClaimDirectory(Protocol):
    """The directory of the names of a host, as far as a claim needs it."""

    path: str

    def look(self) -> None:
        """Makes the directory again if it vanished, and updates `path`."""


class Restored(NamedTuple):
    """The result of `NameClaim.restore`."""

    gone: tuple[str, ...] = ()
    """The files that were missing and were restored: `"lock"`, `"socket"`."""
    listening: socket.socket | None = None
    """The new socket; the caller closes the old one, which no node can find any more."""


class NameClaim:
    """The claim of a name: made by `HostDirectory.claim`, ended by `release` or by the end of the OS process.

    A forked child does not keep it: it closes its copy of the descriptor, and the lock stays with the parent.

    Args:
        directory: the directory of the name's files.
        name: the full name.
        creation: the creation of this incarnation of the node.
        os_pid: the id of this OS process, for readers of the lock file.
    """

    def __init__(self, directory: ClaimDirectory, name: str, creation: int, os_pid: int) -> None:
        self.name = name
        self._directory = directory
        self._line = f"{name} {os_pid} {creation}\n".encode()
        self._lock_path = ""
        self._descriptor: int | None = None
        self._guard = NameGuard(name)
        self.socket_path = ""
        self._bound: os.stat_result | None = None
        """The status of the socket's file after `bind`."""
        close_in_children(self)

    def take(self) -> bool:
        """Locks the name in the current directory; False if a reader or an ending node has the lock.

        An earlier lock, on a file that has vanished, is released.

        Raises:
            NameTaken: a running node has the name.
            PyxError: the directory cannot be written to.
        """
        path = lock_path(self._directory.path, self.name)
        try:
            descriptor = lock(path, self.name)
            if descriptor is None:
                return False
            try:
                self._guard.hold(self._directory.path)
                # The new line overwrites the old one, and is cut then: a reader in between still finds a
                # line.
                os.pwrite(descriptor, self._line, 0)
                os.ftruncate(descriptor, len(self._line))
            except BaseException:
                unlock(path, descriptor)
                raise
        except OSError as error:
            msg = f"cannot claim the name {self.name} in {self._directory.path}: {error.strerror}"
            raise PyxError(msg) from error
        if path == self._lock_path:
            self._close_lock()  # its file has vanished; the socket may still exist
        else:
            self._remove()
        self._lock_path, self._descriptor = path, descriptor
        self.socket_path = socket_path(self._directory.path, self.name)
        return True

    def listen(self) -> socket.socket:
        """Returns a non-blocking socket that listens at the name's path.

        Raises:
            PyxError: the socket cannot be bound.
        """
        assert self._descriptor is not None, "only the holder of a name removes and binds its socket"
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        path = Path(self.socket_path)
        try:
            listening.setblocking(False)
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
            listening.bind(self.socket_path)
            listening.listen(_BACKLOG)
            self._bound = path.lstat()
        except OSError as error:
            listening.close()
            msg = f"cannot listen on {self.socket_path}: {error.strerror}"
            raise PyxError(msg) from error
        return listening

    def restore(self) -> Restored | None:
        """Checks the lock and the socket, and restores a missing one; None: a reader has the lock just now.

        A session manager may remove the whole directory, a cleaner of temporary files a lock or a socket; the
        name is free for other nodes then, so it is claimed again.

        Raises:
            NameTaken: a node that started later has the name now.
            RuntimeDirectoryUnsafe, PyxError: the directory, the lock or the socket cannot be restored.
        """
        if self._descriptor is None:
            return None
        self._guard.drain()
        self._directory.look()
        gone: list[str] = []
        if self._lock_path != lock_path(self._directory.path, self.name) or not self._holds_lock():
            if not self.take():
                return None  # another process reads the new file just now
            gone.append("lock")
        if self._holds_socket():
            return Restored(tuple(gone))
        listening = self.listen()
        return Restored((*gone, "socket"), listening)

    def _holds_lock(self) -> bool:
        return self._descriptor is not None and is_still_at(self._lock_path, self._descriptor)

    def _holds_socket(self) -> bool:
        return self._bound is not None and is_file(self.socket_path, self._bound)

    def release(self) -> None:
        """Releases the name; without effect if it is released already, or in a forked child."""
        self._guard.close()
        self._remove()

    def _remove(self) -> None:
        if self._descriptor is None:
            return
        # While the lock is held both paths belong to this node, so the files are removed before the lock is.
        # Where another node has the name meanwhile (see `restore`), they belong to that node.
        for path, is_ours in ((self.socket_path, self._holds_socket), (self._lock_path, self._holds_lock)):
            with contextlib.suppress(OSError):
                if is_ours():
                    Path(path).unlink()
        self._close_lock()

    def close_in_child(self) -> None:
        """See `net/forks.py`."""
        self._guard.close()
        self._close_lock()

    def _close_lock(self) -> None:
        # Taken before it is closed: another thread that releases the name meanwhile must not close the number
        # again, which may be another file's by then.
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
