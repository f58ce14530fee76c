"""Files written whole or not at all: a reader finds the old bytes or the new ones, and never a part."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path


def write_whole(path: str | Path, data: bytes) -> None:
    """Puts *data* in the place of what the file at *path* holds.

    A symbolic link stays one: its target is written.  The mode stays, and the owner where that is allowed; a
    new file gets the mode that `open` would have made.  A pipe or a device is written straight.

    Args:
        path: the file; its directory has to be there.
        data: all of it.

    Raises:
        OSError: it cannot be written (a full disk, a directory that is read-only); it is as it was.
    """
    target = Path(os.path.realpath(path))
    try:
        found = target.stat()
    except FileNotFoundError:
        found = None
    if found is not None and not stat.S_ISREG(found.st_mode):
        target.write_bytes(data)
        return
    # In the same directory, or the replacement would be a copy that can stop half-way.
    descriptor, beside = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if found is not None:
                with contextlib.suppress(PermissionError):
                    os.fchown(file.fileno(), found.st_uid, found.st_gid)
            os.fchmod(file.fileno(), _mode_of_new() if found is None else stat.S_IMODE(found.st_mode))
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(beside).unlink()
        raise
    _sync_directory(target.parent)


def _mode_of_new() -> int:
    mask = os.umask(0o077)  # the only way to ask is to set it
    os.umask(mask)
    return 0o666 & ~mask


def _sync_directory(path: Path) -> None:
    """Has the new name survive a crash; a file system that cannot is not an error."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
