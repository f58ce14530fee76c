"""The directory of the locks and sockets of this user's nodes on this host.

It is the first of these that applies: `$PYX_RUNTIME_DIR`; `pyx` in `$XDG_RUNTIME_DIR`, where that is a
directory of this user alone; `/run/user/UID/pyx`, where `/run/user/UID` exists; `/tmp/pyx-UID`.

The path may change while a node runs: a session manager removes `/run/user/UID` at the user's last logout
and makes it again at the next login.  So `locate` is called for each use.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import stat
from pathlib import Path
from typing import Final

from pyx.errors import PyxError, RuntimeDirectoryUnsafe
from pyx.net.error_words import system_text

MAX_SOCKET_PATH: Final = 103
"""Bytes of a socket's path that all systems of pyx allow (107 on Linux, 103 on macOS)."""

_LONGEST_FILE: Final = len("/0123456789abcdef.sock")
"""Length of a socket's file name, which is the hash of its node's name."""


class RuntimeDirectory:
    """Finds the directory: the environment is read once, the file system at each `locate`.

    Args:
        given: `$PYX_RUNTIME_DIR`.
        session: `$XDG_RUNTIME_DIR`.
    """

    def __init__(self, given: str | None, session: str | None) -> None:
        self._given = given
        self._session = session

    @classmethod
    def of_environment(cls) -> RuntimeDirectory:
        """Returns that of the current environment; a relative path starts at the working directory.

        Raises:
            PyxError: the path is relative, and the working directory was removed.
        """
        given = os.environ.get("PYX_RUNTIME_DIR")
        try:
            absolute = str(Path(given).absolute()) if given else None
        except OSError as error:
            msg = f"PYX_RUNTIME_DIR={given} is relative, and the working directory is gone: {error.strerror}"
            raise PyxError(msg, hint="set it to an absolute path") from error
        return cls(absolute, os.environ.get("XDG_RUNTIME_DIR"))

    def locate(self) -> str:
        """Returns the path of the directory, which is made if needed.

        Raises:
            RuntimeDirectoryUnsafe: other users may write to the directory; the hint is a command.
            PyxError: the directory cannot be made.
        """
        path = self.path()
        _make(path)
        return str(path)

    def path(self) -> Path:
        """Returns the path of the directory, as it is or would be made."""
        if self._given:
            return Path(self._given)
        uid = os.geteuid()
        if self._session and _serves(Path(self._session), uid):
            return Path(self._session, "pyx")
        session = Path(f"/run/user/{uid}")
        return session / "pyx" if session.is_dir() else Path(f"/tmp/pyx-{uid}")  # noqa: S108 - checked


def _serves(session: Path, uid: int) -> bool:
    """Returns True if `$XDG_RUNTIME_DIR` is usable: after `su` it may belong to another user."""
    try:
        status = session.lstat()
    except (OSError, ValueError):
        return False
    return (
        session.is_absolute()
        and stat.S_ISDIR(status.st_mode)
        and status.st_uid == uid
        and stat.S_IMODE(status.st_mode) == 0o700
        and _fits_socket(session / "pyx")
    )


def _fits_socket(path: Path) -> bool:
    return len(os.fsencode(path)) + _LONGEST_FILE <= MAX_SOCKET_PATH


def _make(path: Path) -> None:
    """Makes the directory if needed; raises as `locate`."""
    try:
        with contextlib.suppress(FileExistsError):
            path.mkdir(0o700)
        # lstat: the target of a link may change later.
        status = path.lstat()
    except (OSError, ValueError) as error:
        msg = f"cannot make the directory {path}: {system_text(error)}"
        raise PyxError(msg, hint="set PYX_RUNTIME_DIR to a directory of your own") from error
    check_status(path, status)


def check_status(path: Path, status: os.stat_result | None) -> None:
    """Checks a directory of that status, which was not followed; None: it is still to be made.

    Raises:
        RuntimeDirectoryUnsafe: as `RuntimeDirectory.locate`.
    """
    uid = os.geteuid()
    quoted = shlex.quote(str(path))
    if status is not None:
        if not stat.S_ISDIR(status.st_mode):
            problem = "is a symbolic link" if stat.S_ISLNK(status.st_mode) else "is not a directory"
            raise RuntimeDirectoryUnsafe(str(path), problem, hint=f"rm {quoted}, or set PYX_RUNTIME_DIR")
        if status.st_uid != uid:
            problem = f"belongs to user {status.st_uid}, not to this user ({uid})"
            raise RuntimeDirectoryUnsafe(
                str(path), problem, hint=f"sudo chown {uid} {quoted}, or set PYX_RUNTIME_DIR"
            )
        if stat.S_IMODE(status.st_mode) != 0o700:
            problem = f"has mode {stat.S_IMODE(status.st_mode):04o}, not 0700"
            raise RuntimeDirectoryUnsafe(str(path), problem, hint=f"chmod 700 {quoted}")
    if not _fits_socket(path):
        raise RuntimeDirectoryUnsafe(
            str(path), "has too long a path for a socket", hint="set PYX_RUNTIME_DIR to a shorter one"
        )
