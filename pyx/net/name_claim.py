"""The right of this process to a name on its host: a lock, a socket, and keeping both in their places.  See
`name_locks.py` for what the lock file says, and `directory.py` for which node has which name.
"""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from pyx.errors import PyxError
from pyx.net.forks import close_in_children
from pyx.net.name_guard import NameGuard
from pyx.net.name_locks import is_file, is_still_at, lock, lock_path, socket_path, unlock

if TYPE_CHECKING:
    from pyx.net.directory import HostDirectory

_BACKLOG: Final = 512


class Restored(NamedTuple):
    """What `NameClaim.restore` found and did."""

    gone: tuple[str, ...] = ()
    """What was not in its place any more, and is again: `"lock"`, `"socket"`."""
    listening: socket.socket | None = None
    """The new socket; the old one is found by nothing any more, and is the caller's to close."""


class NameClaim:
    """The right to a name: made by `HostDirectory.claim`, given up by `release` or by the end of the process.

    A forked child does not keep it: it closes its copy of the descriptor, and the lock stays with the parent.

    Args:
        directory: where the files of the name are.
        name: the full name.
        creation: of this life of the node.
        os_pid: the process, for readers of the file.
    """

    def __init__(self, directory: HostDirectory, name: str, creation: int, os_pid: int) -> None:
        self.name = name
        self._directory = directory
        self._line = f"{name} {os_pid} {creation}\n".encode()
        self._lock_path = ""
        self._descriptor: int | None = None
        self._guard = NameGuard(name)
        self.socket_path = ""
        self._bound: os.stat_result | None = None
        """The socket's file, as it was bound."""
        close_in_children(self)

    def take(self) -> bool:
        """Locks the name where the directory is now; False where a moment's looker or leaver is in the way.

        A lock that was held before, on a file that has gone, is let go.

        Raises:
            NameTaken: a live node has it.
            PyxError: the directory cannot be written to.
        """
        path = lock_path(self._directory.path, self.name)
        try:
            descriptor = lock(path, self.name)
            if descriptor is None:
                return False
            try:
                self._guard.hold(self._directory.path)
                # The new line is written over the old one, then cut: a reader in between still finds a line.
                os.pwrite(descriptor, self._line, 0)
                os.ftruncate(descriptor, len(self._line))
            except BaseException:
                unlock(path, descriptor)
                raise
        except OSError as error:
            msg = f"cannot claim the name {self.name} in {self._directory.path}: {error.strerror}"
            raise PyxError(msg) from error
        if path == self._lock_path:
            self._close_lock()  # its file has gone; the socket may be there still
        else:
            self._remove()
        self._lock_path, self._descriptor = path, descriptor
        self.socket_path = socket_path(self._directory.path, self.name)
        return True

    def listen(self) -> socket.socket:
        """A non-blocking socket that listens for this name's peers.

        Raises:
            PyxError: it cannot be bound.
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
        """Looks whether new nodes still find this one, and puts back what has gone; None: not to be told now.

        A session manager removes the whole directory, a cleaner of temporary files a lock or a socket; the
        name is then free for others, so it is asked for like any.

        Raises:
            NameTaken: a node that came later has the name now.
            RuntimeDirectoryUnsafe, PyxError: the directory, the lock or the socket cannot be made anew.
        """
        if self._descriptor is None:
            return None
        self._guard.drain()
        self._directory.look()
        gone: list[str] = []
        if self._lock_path != lock_path(self._directory.path, self.name) or not self._holds_lock():
            if not self.take():
                return None  # another process looks at the new file just now
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
        """Gives the name up; does nothing when it is given up already, or in a forked child."""
        self._guard.close()
        self._remove()

    def _remove(self) -> None:
        if self._descriptor is None:
            return
        # While the lock is held both paths are mine, so the files are removed before it goes.  Where another
        # node has the name meanwhile (see `restore`), they are that node's.
        for path, is_mine in ((self.socket_path, self._holds_socket), (self._lock_path, self._holds_lock)):
            with contextlib.suppress(OSError):
                if is_mine():
                    Path(path).unlink()
        self._close_lock()

    def close_in_child(self) -> None:
        """See `net/forks.py`."""
        self._guard.close()
        self._close_lock()

    def _close_lock(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
