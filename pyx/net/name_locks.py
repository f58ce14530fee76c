"""The lock files of names: their paths, their locks, and their content.

Rules:

1. A claimer locks exclusively, a reader locks shared, and neither waits.
2. After locking, a claimer checks that the locked file is still at the name's path; else it starts again.
   So a holder may unlink its lock file, and names used once leave nothing behind.
3. A claimer that finds the file locked tries a shared lock: if that succeeds, the other was a reader, not a
   holder, and the claimer starts again.  So reading never costs a claimer the name.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
from pathlib import Path
from typing import Final, NamedTuple

from pyx.errors import NameTaken, PyxError
from pyx.terms import is_full_name

_MAX_PLAIN_NAME: Final = 200
"""Longest node name that names its lock file itself; longer ones are hashed (file names: 255 bytes)."""


class LockEntry(NamedTuple):
    """The content of a lock file: a node that runs on this host."""

    name: str
    os_pid: int
    creation: int


def lock_path(directory: str, name: str) -> str:
    """Returns the path of a name's lock file."""
    plain = len(name) <= _MAX_PLAIN_NAME and is_full_name(name)
    return str(Path(directory, f"{name if plain else _short(name)}.lock"))


def socket_path(directory: str, name: str) -> str:
    """Returns the path of a name's socket."""
    return str(Path(directory, f"{_short(name)}.sock"))


def _short(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def lock(path: str, name: str) -> int | None:
    """Returns the descriptor of the lock file, locked exclusively; None: try again.

    None if a reader holds the lock, or a holder has just unlinked the file.  Raises NameTaken, OSError.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    mine = False
    try:
        if _try_lock(descriptor, fcntl.LOCK_EX):
            mine = is_still_at(path, descriptor)
        elif not _try_lock(descriptor, fcntl.LOCK_SH):
            holder = entry_of(_line_of(descriptor))
            raise NameTaken(name, holder.os_pid if holder else None)
    finally:
        if not mine:
            os.close(descriptor)
    return descriptor if mine else None


def unlock(path: str, descriptor: int) -> None:
    """Releases a lock that was just taken, and removes its file."""
    with contextlib.suppress(OSError):
        if is_still_at(path, descriptor):
            Path(path).unlink()
    os.close(descriptor)


def _try_lock(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_still_at(path: str, descriptor: int) -> bool:
    """Returns True if the open file is the one at *path*."""
    return is_file(path, os.fstat(descriptor))


def is_file(path: str, status: os.stat_result) -> bool:
    """Returns True if the file with that status is the one at *path*."""
    try:
        return os.path.samestat(Path(path).lstat(), status)
    except (FileNotFoundError, NotADirectoryError):
        return False


def held_line(path: str) -> str | None:
    """Returns the line of a lock file that is held, "" just after locking; None if it is not held."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ELOOP}:
            return None
        msg = f"cannot look into {path}: {error.strerror}"
        raise PyxError(msg) from error
    try:
        return None if _try_lock(descriptor, fcntl.LOCK_SH) else _line_of(descriptor)
    finally:
        os.close(descriptor)


def _line_of(descriptor: int) -> str:
    return os.pread(descriptor, 512, 0).decode("utf-8", "replace").partition("\n")[0]


def entry_of(line: str) -> LockEntry | None:
    """Returns the entry of a line; None if the line is not complete."""
    match line.split(" "):
        case [name, os_pid, creation] if os_pid.isdecimal() and creation.isdecimal():
            return LockEntry(name, int(os_pid), int(creation))
    return None
