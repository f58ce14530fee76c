"""The file of the history: one JSON string a line, a statement each, appended by several shells.

It is readable for its owner alone (0600).  Above 4 MiB the oldest lines are dropped.  Torn lines and other
content (of a wrong path, say) are skipped.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MOST_BYTES: Final = 4 << 20
"""The size above which the file is rewritten with its newest half."""

LONGEST_BYTES: Final = 256 << 10
"""Longer lines are not kept: a few of them would displace all others."""

_MOST_READ_BYTES: Final = 64 << 20
_LOCK_ATTEMPTS: Final = 20
_LOCK_SECONDS: Final = 0.01
"""Between two attempts; a shell that was stopped while it held the lock may keep it for ever."""


class HistoryFile:
    """The file at *path*; every method raises OSError if it cannot be read or written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def statements(self) -> list[str]:
        """Returns the statements, oldest first."""
        return [statement for line in self._lines() if (statement := _decoded(line)) is not None]

    def _lines(self) -> list[bytes]:
        """Returns the lines that may hold a statement, oldest first, without their ends."""
        try:
            with _opened(self.path, os.O_RDONLY) as descriptor:
                lines = _read_lines(descriptor)
                is_long = os.fstat(descriptor).st_size > MOST_BYTES
        except FileNotFoundError:
            return []
        if not is_long:
            return lines
        with contextlib.suppress(OSError):  # then it stays long
            self._rewrite(_newest)
        return _newest(lines)

    def add(self, statement: str) -> None:
        """Appends *statement*, unless its line is too long."""
        line = _encoded(statement)
        if len(line) >= LONGEST_BYTES:
            return
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT) as descriptor:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.fchmod(descriptor, 0o600)
                # One write: even without locks (some file systems) lines of several shells do not mix.
                _write(descriptor, line + b"\n" if _ends_with_line(descriptor) else b"\n" + line + b"\n")

    def remove(self, statements: set[str]) -> None:
        """Removes all lines that hold one of *statements*."""
        lines = {_encoded(statement) for statement in statements}
        self._rewrite(lambda found: [line for line in found if line not in lines])

    def _rewrite(self, choose: Callable[[list[bytes]], list[bytes]]) -> None:
        from pyx.shell.atomic_files import write_whole  # no part of a start

        with _locked(self.path, os.O_RDONLY) as descriptor:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                write_whole(self.path, b"".join(line + b"\n" for line in choose(_read_lines(descriptor))))


def _encoded(statement: str) -> bytes:
    import json  # not loaded before the first prompt

    return json.dumps(statement).encode()


def _decoded(line: bytes) -> str | None:
    import json

    try:
        statement = json.loads(line)
    except ValueError:
        return None
    return statement if isinstance(statement, str) else None


@contextlib.contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    """Opens the file, without waiting for the other end of a named pipe; yields the descriptor."""
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    try:
        mode = os.fstat(descriptor).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISCHR(mode)):  # /dev/null keeps nothing, as asked
            raise OSError(errno.EINVAL, "not a regular file")
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _locked(path: Path, flags: int) -> Iterator[int]:
    """Opens the file and locks it: no other shell appends to it or replaces it inside."""
    for _ in range(_LOCK_ATTEMPTS):
        with _opened(path, flags) as descriptor:
            if _is_mine(descriptor, path):
                yield descriptor
                return
        time.sleep(_LOCK_SECONDS)
    raise OSError(errno.EAGAIN, "another shell holds its lock")


def _is_mine(descriptor: int, path: Path) -> bool:
    """Locks the file; False if another shell holds the lock, or replaced the file before the lock."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _read_lines(descriptor: int) -> list[bytes]:
    """Returns the lines that may hold a statement; of a file above 64 MiB those at its end."""
    start = max(0, os.fstat(descriptor).st_size - _MOST_READ_BYTES)
    parts: list[bytes] = []
    read = 0
    while read < _MOST_READ_BYTES and (part := os.pread(descriptor, _MOST_READ_BYTES - read, start + read)):
        parts.append(part)
        read += len(part)
    lines = b"".join(parts).split(b"\n")
    # A statement is a string; another value, perhaps deeply nested, is not decoded at all.
    return [line for line in lines if len(line) < LONGEST_BYTES and line[:1] == line[-1:] == b'"']


def _newest(lines: list[bytes]) -> list[bytes]:
    """Returns the last lines, which together have at most half of the largest size."""
    left = MOST_BYTES // 2
    for at in reversed(range(len(lines))):
        left -= len(lines[at]) + 1
        if left < 0:
            return lines[at + 1 :]
    return lines


def _ends_with_line(descriptor: int) -> bool:
    """False if the last line is torn, by a full disk or a crash."""
    size = os.fstat(descriptor).st_size
    return size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"


def _write(descriptor: int, data: bytes) -> None:
    if os.write(descriptor, data) < len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
