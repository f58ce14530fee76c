"""Who runs on this host under which name: a directory of locks and sockets (`--sname`).  Not here: who is
connected to whom (`core`), nor any conversation (`net/listener.py`).

A name belongs to whoever holds `flock` on its lock file, which says name, pid and creation.  The kernel
lets go of the lock when its holder dies, however that happens, so a stale name is free at once and a living
one never is.  Only the holder removes and binds the socket.

Rules of this file:

1. A claimer locks exclusively, whoever only looks (`lookup`, `entries`) locks shared, and never waits.
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
import random
import shlex
import socket
import stat
import time
from pathlib import Path
from typing import Final, NamedTuple

from pyx.errors import NameTaken, PyxError, RuntimeDirectoryUnsafe
from pyx.net.forks import close_in_children
from pyx.terms import is_full_name

_MAX_SOCKET_PATH: Final = 103
"""What `sun_path` holds on every system pyx runs on (107 on Linux, 103 on macOS)."""

_MAX_PLAIN_NAME: Final = 200
"""A lock file is called after its node up to this length, and after its hash beyond (a file name holds
255)."""

_BACKLOG: Final = 512


class Entry(NamedTuple):
    """A node that runs on this host."""

    name: str
    os_pid: int
    creation: int


def runtime_directory() -> str:
    """The directory for this user's sockets, made if need be: $PYX_RUNTIME_DIR, else /run/user/UID/pyx where
    /run/user/UID exists, else /tmp/pyx-UID.

    Raises:
        RuntimeDirectoryUnsafe: it is not a directory of mine alone; the hint says what to type.
        PyxError: it cannot be made.
    """
    uid = os.geteuid()
    session = Path(f"/run/user/{uid}")
    fallback = session / "pyx" if session.is_dir() else Path(f"/tmp/pyx-{uid}")  # noqa: S108 - checked below
    path = Path(os.environ.get("PYX_RUNTIME_DIR") or fallback)
    try:
        with contextlib.suppress(FileExistsError):
            path.mkdir(0o700)
        # lstat: what a link points to today is not what it points to tomorrow.
        status = path.lstat()
    except OSError as error:
        msg = f"cannot make the directory {path}: {error.strerror}"
        raise PyxError(msg, hint="set PYX_RUNTIME_DIR to a directory of your own") from error
    quoted = shlex.quote(str(path))
    if not stat.S_ISDIR(status.st_mode):
        problem = "is a symbolic link" if stat.S_ISLNK(status.st_mode) else "is not a directory"
        raise RuntimeDirectoryUnsafe(str(path), problem, hint=f"rm {quoted}, or set PYX_RUNTIME_DIR")
    if status.st_uid != uid:
        problem = f"belongs to user {status.st_uid}, not to me ({uid})"
        raise RuntimeDirectoryUnsafe(
            str(path), problem, hint=f"sudo chown {uid} {quoted}, or set PYX_RUNTIME_DIR"
        )
    if stat.S_IMODE(status.st_mode) != 0o700:
        problem = f"has mode {stat.S_IMODE(status.st_mode):04o}, not 0700"
        raise RuntimeDirectoryUnsafe(str(path), problem, hint=f"chmod 700 {quoted}")
    if len(os.fsencode(_socket_path(str(path), ""))) > _MAX_SOCKET_PATH:
        raise RuntimeDirectoryUnsafe(
            str(path), "has too long a path for a socket", hint="set PYX_RUNTIME_DIR to a shorter one"
        )
    return str(path)


class HostDirectory:
    """The nodes of this user on this host.

    Args:
        path: what `runtime_directory` gave.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def claim(self, name: str, creation: int, os_pid: int) -> Claim:
        """Makes *name* (a checked full name) mine for as long as this process lives, or until `release`.

        Raises:
            NameTaken: a live node has it.
            PyxError: the directory cannot be written to (no space left, no permission, ...).
        """
        path = _lock_path(self._path, name)
        try:
            descriptor = _lock(path, name)
            try:
                # The new line is written over the old one, then cut: a reader in between still finds a line.
                line = f"{name} {os_pid} {creation}\n".encode()
                os.pwrite(descriptor, line, 0)
                os.ftruncate(descriptor, len(line))
            except BaseException:
                os.close(descriptor)
                raise
        except OSError as error:
            msg = f"cannot claim the name {name} in {self._path}: {error.strerror}"
            raise PyxError(msg) from error
        return Claim(name, creation, path, _socket_path(self._path, name), descriptor)

    def lookup(self, name: str) -> str | None:
        """The socket of the live node of that name; None where there is none."""
        held = _held_line(_lock_path(self._path, name)) is not None
        return _socket_path(self._path, name) if held else None

    def entries(self) -> list[Entry]:
        """The live nodes, sorted by name."""
        lines = (_held_line(str(path)) for path in Path(self._path).glob("*.lock"))
        entries = (_entry(line) for line in lines if line is not None)
        return sorted(entry for entry in entries if entry is not None)


class Claim:
    """The right to a name: made by `HostDirectory.claim`, given up by `release` or by the end of the process.

    A forked child does not keep it: it closes its copy of the descriptor, and the lock stays with the parent.
    """

    def __init__(self, name: str, creation: int, lock_path: str, socket_path: str, descriptor: int) -> None:
        self.name = name
        self.creation = creation
        self.socket_path = socket_path
        self._lock_path = lock_path
        self._descriptor: int | None = descriptor
        close_in_children(self)

    def listen(self) -> socket.socket:
        """A non-blocking socket that listens for this name's peers.

        Raises:
            PyxError: it cannot be bound.
        """
        assert self._descriptor is not None, "only the holder of a name removes and binds its socket"
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listening.setblocking(False)
            with contextlib.suppress(FileNotFoundError):
                Path(self.socket_path).unlink()
            listening.bind(self.socket_path)
            listening.listen(_BACKLOG)
        except OSError as error:
            listening.close()
            msg = f"cannot listen on {self.socket_path}: {error.strerror}"
            raise PyxError(msg) from error
        return listening

    def release(self) -> None:
        """Gives the name up; does nothing when it is given up already, or in a forked child."""
        if self._descriptor is None:
            return
        # While the lock is held both paths are mine (rule 2), so the files are removed before it goes.
        for path in (self.socket_path, self._lock_path):
            with contextlib.suppress(OSError):
                Path(path).unlink()
        os.close(self._descriptor)
        self._descriptor = None

    def close_in_child(self) -> None:
        """See `net/forks.py`."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _lock_path(directory: str, name: str) -> str:
    plain = len(name) <= _MAX_PLAIN_NAME and is_full_name(name)
    return str(Path(directory, f"{name if plain else _short(name)}.lock"))


def _socket_path(directory: str, name: str) -> str:
    return str(Path(directory, f"{_short(name)}.sock"))


def _short(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def _lock(path: str, name: str) -> int:
    """The descriptor of the lock file, locked exclusively."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        mine = False
        try:
            if _try_lock(descriptor, fcntl.LOCK_EX):
                mine = _is_still_at(path, descriptor)
            elif not _try_lock(descriptor, fcntl.LOCK_SH):
                holder = _entry(_line(descriptor))
                raise NameTaken(name, holder.os_pid if holder else None)
        finally:
            if not mine:
                os.close(descriptor)
        if mine:
            return descriptor
        # Somebody looked, or a holder just left.  Two claimers who test for lookers at once see each other,
        # so
        # they come back after different times.
        time.sleep(random.uniform(0.0001, 0.002))  # noqa: S311 - chance, not secrecy


def _try_lock(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still_at(path: str, descriptor: int) -> bool:
    try:
        there = Path(path).lstat()
    except FileNotFoundError:
        return False
    return os.path.samestat(there, os.fstat(descriptor))


def _held_line(path: str) -> str | None:
    """What a lock file says, if somebody holds it (nothing yet, if he has only just locked it)."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ELOOP}:
            return None
        msg = f"cannot look into {path}: {error.strerror}"
        raise PyxError(msg) from error
    try:
        return None if _try_lock(descriptor, fcntl.LOCK_SH) else _line(descriptor)
    finally:
        os.close(descriptor)


def _line(descriptor: int) -> str:
    return os.pread(descriptor, 512, 0).decode("utf-8", "replace").partition("\n")[0]


def _entry(line: str) -> Entry | None:
    match line.split(" "):
        case [name, os_pid, creation] if os_pid.isdecimal() and creation.isdecimal():
            return Entry(name, int(os_pid), int(creation))
    return None
