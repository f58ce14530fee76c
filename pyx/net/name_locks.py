"""The lock files of names: which paths a name has, who holds its lock, and what the file says.

Rules:

1. A claimer locks exclusively, a reader locks shared, and neither waits.
2. After locking, a claimer makes sure that the locked file is still the one of that name; else he starts
   again. So a holder may unlink its lock file, and names used once leave nothing behind.
3. A claimer who finds the file locked tries it shared: if that works, no holder was there, only someone who
   looked for a moment, and he starts again.  So looking never costs anyone a name.
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
"""A lock file is called after its node up to this length, and after its hash beyond (a file name holds
255)."""


class LockEntry(NamedTuple):
    """A node that runs on this host."""

    name: str
    os_pid: int
    creation: int


def lock_path(directory: str, name: str) -> str:
    """Returns where the lock file of a name is."""
    plain = len(name) <= _MAX_PLAIN_NAME and is_full_name(name)
    return str(Path(directory, f"{name if plain else _short(name)}.lock"))


def socket_path(directory: str, name: str) -> str:
    """Returns where the socket of a name is."""
    return str(Path(directory, f"{_short(name)}.sock"))


def _short(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def lock(path: str, name: str) -> int | None:
    """The descriptor of the lock file, locked exclusively; None: a reader held it, or a holder just left.

    Raises NameTaken, OSError.
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
    """Lets a lock go that was just taken, with its file."""
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
    """Whether the open file is the one at *path*."""
    return is_file(path, os.fstat(descriptor))


def is_file(path: str, status: os.stat_result) -> bool:
    """Whether the file of that status is the one at *path*."""
    try:
        return os.path.samestat(Path(path).lstat(), status)
    except (FileNotFoundError, NotADirectoryError):
        return False


def held_line(path: str) -> str | None:
    """Returns what a lock file says while it is held: an empty line, if it has only just been locked."""
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
    """Returns what a line says; None where it is not whole."""
    match line.split(" "):
        case [name, os_pid, creation] if os_pid.isdecimal() and creation.isdecimal():
            return LockEntry(name, int(os_pid), int(creation))
    return None
