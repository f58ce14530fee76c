"""Copies the files beside a scenario: its nodes may write, and the author's files stay as they are.

Symbolic links are followed.  Hidden files, virtual environments, `node_modules`, sockets, pipes and devices
are left out.  At most `MOST_BYTES` and `MOST_FILES` are copied, the smallest entries first, so that a home
directory or a folder of data is not copied for each scenario; what is left out is listed in the report of a
failure.
"""

from __future__ import annotations

import shutil
import stat
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path

MOST_BYTES: Final = 64 << 20
MOST_FILES: Final = 5_000

_FOREIGN: Final = (".", "__pycache__")


class _CopySize(NamedTuple):
    bytes: int
    files: int

    @property
    def is_too_much(self) -> bool:
        return self.bytes > MOST_BYTES or self.files > MOST_FILES

    def plus(self, other: _CopySize) -> _CopySize:
        return _CopySize(self.bytes + other.bytes, self.files + other.files)


def is_foreign(entry: Path) -> bool:
    """Returns True for an entry that is not the work of the directory's author.

    Those are hidden files, compiled modules, `node_modules` and virtual environments.
    """
    if entry.name.startswith(_FOREIGN) or entry.name == "node_modules":
        return True
    try:
        return (entry / "pyvenv.cfg").exists()
    except OSError:  # the directory may not be entered
        return False


def copy_all(source: Path, target: Path, leave: Callable[[Path], bool]) -> list[str]:
    """Copies the entries of *source* into *target*; returns the entries left out, each with the reason.

    Args:
        source: a directory.
        target: another one, which exists.
        leave: returns True for an entry to ignore.

    Raises:
        OSError: *source* cannot be read, or *target* cannot be written.
    """
    entries = [entry for entry in sorted(source.iterdir()) if not leave(entry)]
    left_out: list[str] = []
    copier = _Copier(left_out)
    above = (_identity(source.stat()),)
    sizes = [(copier.size_of(entry, above), entry) for entry in entries]
    copied = _CopySize(0, 0)
    for size, entry in sorted(sizes):
        with_it = copied.plus(size)
        if with_it.is_too_much:
            left_out.append(f"{entry.name} (more than {MOST_BYTES >> 20} MiB or {MOST_FILES} files in all)")
        else:
            copied = with_it
            copier.copy(entry, target / entry.name, above)
    return left_out


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


class _Copier:
    """Walks below an entry; *above* are the directories it is in, so that links in a circle end."""

    def __init__(self, left_out: list[str]) -> None:
        self._left_out = left_out

    def size_of(self, entry: Path, above: tuple[tuple[int, int], ...]) -> _CopySize:
        """Returns the size of an entry; counting ends once it is too much."""
        found = _stat(entry)
        if found is None or not stat.S_ISDIR(found.st_mode):
            return _CopySize(found.st_size if found is not None and stat.S_ISREG(found.st_mode) else 0, 1)
        size = _CopySize(0, 1)
        if _identity(found) not in above:
            for one in _entries(entry):
                size = size.plus(self.size_of(one, (*above, _identity(found))))
                if size.is_too_much:
                    break
        return size

    def copy(self, entry: Path, target: Path, above: tuple[tuple[int, int], ...]) -> None:
        """Copies a file, or a directory with all below."""
        found = _stat(entry)
        if found is None:
            return
        try:
            if stat.S_ISREG(found.st_mode):
                with entry.open("rb"):
                    pass  # so that a later error is of the target
            elif stat.S_ISDIR(found.st_mode):
                next(entry.iterdir(), None)
        except OSError as error:
            self._left_out.append(f"{entry.name} ({error.strerror})")
            return
        if stat.S_ISREG(found.st_mode):
            shutil.copy2(entry, target)
        elif stat.S_ISDIR(found.st_mode) and _identity(found) not in above:
            target.mkdir()
            for one in _entries(entry):
                self.copy(one, target / one.name, (*above, _identity(found)))


def _stat(entry: Path) -> os.stat_result | None:
    """Follows links; None for a dead link, or where the permission is missing."""
    try:
        return entry.stat()
    except OSError:
        return None


def _entries(folder: Path) -> list[Path]:
    try:
        return [one for one in sorted(folder.iterdir()) if not is_foreign(one)]
    except OSError:
        return []
