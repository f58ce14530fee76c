"""Copies of what lies beside a scenario: its nodes may write, and the files of the author stay as they are.

Links are followed, hidden files, virtual environments and packages of node are left out, and so is what is
neither a file nor a directory.  A home directory or a folder of data is not copied for each scenario: of what
lies beside it at most `MOST_BYTES` and `MOST_FILES` are, the small things first; the rest is left out, and
named.
See `sandbox.py` for what else a scenario's own directory holds.
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
    """True for what lies in a directory and is not the work of its author.

    That is what is hidden, compiled modules, packages of node, and virtual environments.
    """
    if entry.name.startswith(_FOREIGN) or entry.name == "node_modules":
        return True
    try:
        return (entry / "pyvenv.cfg").exists()
    except OSError:  # it may not be entered
        return False


def copy_all(source: Path, target: Path, leave: Callable[[Path], bool]) -> list[str]:
    """Copies the entries of *source* into *target*; returns what was left out, each with the reason.

    Args:
        source: a directory.
        target: another one, which is there.
        leave: True for an entry that is not to be looked at.

    Raises:
        OSError: *source* cannot be read, or nothing can be written to *target*.
    """
    entries = [entry for entry in sorted(source.iterdir()) if not leave(entry)]
    left_out: list[str] = []
    copier = _Copier(left_out)
    above = (_identity(source.stat()),)
    sizes = [(copier.size_of(entry, above), entry) for entry in entries]
    room = _CopySize(0, 0)
    for size, entry in sorted(sizes):
        with_it = room.plus(size)
        if with_it.is_too_much:
            left_out.append(f"{entry.name} (more than {MOST_BYTES >> 20} MiB or {MOST_FILES} files in all)")
        else:
            room = with_it
            copier.copy(entry, target / entry.name, above)
    return left_out


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


class _Copier:
    """Walks below an entry; *above* are the directories it is in, so that links in a circle end."""

    def __init__(self, left_out: list[str]) -> None:
        self._left_out = left_out

    def size_of(self, entry: Path, above: tuple[tuple[int, int], ...]) -> _CopySize:
        """How much there is to copy; no more is counted once it is too much."""
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
        """Copies a file, or a directory with what is below."""
        found = _stat(entry)
        if found is None:
            return
        try:
            if stat.S_ISREG(found.st_mode):
                with entry.open("rb"):
                    pass  # so that an error from here on is of the target
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
    """Of what a link leads to; None where it leads nowhere, or may not be looked at."""
    try:
        return entry.stat()
    except OSError:
        return None


def _entries(folder: Path) -> list[Path]:
    try:
        return [one for one in sorted(folder.iterdir()) if not is_foreign(one)]
    except OSError:
        return []
