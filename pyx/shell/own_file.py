"""Files that must be this user's own: read whole, and refused where another user may have changed them."""

from __future__ import annotations

import os
import shlex
import stat
from typing import TYPE_CHECKING

from pyx.errors import PyxError

if TYPE_CHECKING:
    from pathlib import Path


class FileNotOwn(PyxError):
    """Another user can have written a file, or can read what should be private."""


def read_own_file(path: Path, *, private: bool = False) -> bytes:
    """Returns the content of a file of this user, or of root; follows symbolic links.

    Args:
        path: the file.
        private: True if other users must not read it either.

    Raises:
        FileNotOwn: another user owns the file, or can write it; it is not a regular file.
        OSError: it cannot be read.
    """
    # Not waiting for the writer of a pipe.  All checks are made on the opened file.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise FileNotOwn("it is not a regular file")
        if status.st_uid not in {os.geteuid(), 0}:
            msg = f"it belongs to user {status.st_uid}, not to this user ({os.geteuid()})"
            raise FileNotOwn(msg, hint=f"sudo chown {os.geteuid()} {shlex.quote(str(path))}")
        if status.st_mode & (0o077 if private else 0o022):
            problem = "is open to others" if private else "can be written by others"
            msg = f"it {problem} (mode {stat.S_IMODE(status.st_mode):04o})"
            raise FileNotOwn(msg, hint=f"chmod {'go=' if private else 'go-w'} {shlex.quote(str(path))}")
        return file.read()
