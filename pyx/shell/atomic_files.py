"""Files written whole or not at all: a reader finds the old bytes or the new ones, and never a part."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path


def write_whole(path: str | Path, data: bytes, *, new_mode: int | None = None) -> None:
    """Replaces the content of the file at *path* by *data*.

    A symbolic link stays: its target is written.  The mode stays, and the owner where that is allowed.
    A pipe or a device is written in place.

    Args:
        path: the file; its directory exists.
        data: the whole content.
        new_mode: of a new file; None: the one that `open` gives.

    Raises:
        OSError: the file cannot be written (a full disk, a read-only directory); it is unchanged.
    """
    target = Path(os.path.realpath(path))
    try:
        found = target.stat()
    except FileNotFoundError:
        found = None
    if found is not None and not stat.S_ISREG(found.st_mode):
        target.write_bytes(data)
        return
    # In the same directory: between file systems the replacement would be a copy, which can stop half-way.
    descriptor, beside = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if found is not None:
                with contextlib.suppress(PermissionError):
                    os.fchown(file.fileno(), found.st_uid, found.st_gid)
            if found is not None:
                mode = stat.S_IMODE(found.st_mode)
            else:
                mode = _mode_of_new() if new_mode is None else new_mode
            os.fchmod(file.fileno(), mode)
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
    mask = os.umask(0o077)  # the umask can only be read by setting it
    os.umask(mask)
    return 0o666 & ~mask


def _sync_directory(path: Path) -> None:
    """Makes the new name survive a crash, on file systems that can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
